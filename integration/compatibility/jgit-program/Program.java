import com.google.gson.Gson;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.jgit.api.CloneCommand;
import org.eclipse.jgit.api.FetchCommand;
import org.eclipse.jgit.api.Git;
import org.eclipse.jgit.api.PushCommand;
import org.eclipse.jgit.api.TransportConfigCallback;
import org.eclipse.jgit.lib.Ref;
import org.eclipse.jgit.lib.TextProgressMonitor;
import org.eclipse.jgit.transport.CredentialsProvider;
import org.eclipse.jgit.transport.FilterSpec;
import org.eclipse.jgit.transport.PushResult;
import org.eclipse.jgit.transport.RefSpec;
import org.eclipse.jgit.transport.RemoteRefUpdate;
import org.eclipse.jgit.transport.TagOpt;
import org.eclipse.jgit.transport.UsernamePasswordCredentialsProvider;
import org.eclipse.jgit.util.FS;

/** JGit as a program: a request from standard input, an answer to standard output (program.ts). */
public final class Program {
  /** As ClientRequest of client.ts says. */
  static final class Request {
    String verb, url, username, password, folder, version, branch, exclude, filter, oid;
    boolean bare, allTags, unshallow, atomic, sessionId, progress;
    Integer depth, sinceS, deepen;
    List<String> refs, pushOptions, serverOptions;
  }

  static final class Answer {
    String outcome = "done", said;
    Map<String, String> refs;
  }

  public static void main(String[] args) throws Exception {
    // Else every process measures the clock of the file system for seconds.
    FS.FileStoreAttributes.setBackground(true);
    Gson gson = new Gson();
    Request asked = gson.fromJson(new InputStreamReader(System.in, StandardCharsets.UTF_8), Request.class);
    Answer answer = new Answer();
    String lack = lackOf(asked);
    if (lack != null) {
      answer.outcome = "lacks";
      answer.said = lack;
    } else {
      try {
        perform(asked, answer);
      } catch (Exception error) {
        answer.outcome = "refused";
        answer.said = error.getClass().getSimpleName() + ": " + error.getMessage();
      }
    }
    System.out.println(gson.toJson(answer));
  }

  /** What of a request this client has no means for. */
  static String lackOf(Request asked) {
    if (asked.verb.equals("show")) return "it fetches nothing by itself that a clone lacks";
    if (asked.deepen != null) return "it counts depths from the tips only";
    if (asked.serverOptions != null) return "it has no server options";
    return null;
  }

  static void perform(Request asked, Answer answer) throws Exception {
    // What a person would write into their configuration.
    Path home = Files.createTempDirectory(Path.of(asked.folder).getParent(), "home-");
    System.setProperty("user.home", home.toString());
    StringBuilder settings = new StringBuilder();
    if (asked.version != null) settings.append("[protocol]\n\tversion = ").append(asked.version).append('\n');
    if (asked.sessionId) settings.append("[transfer]\n\tadvertiseSID = true\n");
    Files.writeString(home.resolve(".gitconfig"), settings);
    CredentialsProvider login = new UsernamePasswordCredentialsProvider(asked.username, asked.password);
    TransportConfigCallback filter = transport -> {
      try {
        if (asked.filter != null) transport.setFilterSpec(FilterSpec.fromFilterLine(asked.filter));
      } catch (org.eclipse.jgit.errors.PackProtocolException error) {
        throw new IllegalArgumentException(error);
      }
    };
    switch (asked.verb) {
      case "ls-remote" -> answer.refs = list(asked, login);
      case "clone" -> clone(asked, login, filter);
      case "fetch" -> fetch(asked, login, filter);
      case "push" -> push(asked, login);
      default -> throw new IllegalArgumentException("There is no " + asked.verb);
    }
  }

  static Map<String, String> list(Request asked, CredentialsProvider login) throws Exception {
    Map<String, String> refs = new LinkedHashMap<>();
    for (Ref ref : Git.lsRemoteRepository().setRemote(asked.url).setCredentialsProvider(login).call()) {
      refs.put(ref.getName(), ref.getObjectId().name());
      if (ref.isSymbolic()) refs.put(ref.getName() + " ->", ref.getTarget().getName());
      if (ref.getPeeledObjectId() != null) refs.put(ref.getName() + "^{}", ref.getPeeledObjectId().name());
    }
    return refs;
  }

  static void clone(Request asked, CredentialsProvider login, TransportConfigCallback filter) throws Exception {
    CloneCommand command = Git.cloneRepository()
        .setURI(asked.url)
        .setDirectory(new File(asked.folder))
        .setBare(asked.bare)
        .setCredentialsProvider(login)
        .setTransportConfigCallback(filter);
    if (asked.branch != null) {
      String name = "refs/heads/" + asked.branch;
      command.setBranch(name).setBranchesToClone(List.of(name));
    }
    if (asked.progress) command.setProgressMonitor(new TextProgressMonitor());
    if (asked.depth != null) command.setDepth(asked.depth);
    if (asked.sinceS != null) command.setShallowSince(Instant.ofEpochSecond(asked.sinceS));
    if (asked.exclude != null) command.addShallowExclude(asked.exclude);
    command.call().close();
  }

  static void fetch(Request asked, CredentialsProvider login, TransportConfigCallback filter) throws Exception {
    try (Git git = Git.open(new File(asked.folder))) {
      FetchCommand command =
          git.fetch().setRemote("origin").setCredentialsProvider(login).setTransportConfigCallback(filter);
      if (asked.allTags) command.setTagOpt(TagOpt.FETCH_TAGS);
      if (asked.branch != null) {
        command.setRefSpecs("+refs/heads/" + asked.branch + ":refs/remotes/origin/" + asked.branch);
      }
      if (asked.oid != null) command.setRefSpecs(asked.oid + ":refs/heads/by-id");
      if (asked.depth != null) command.setDepth(asked.depth);
      if (asked.unshallow) command.setUnshallow(true);
      command.call();
    }
  }

  static void push(Request asked, CredentialsProvider login) throws Exception {
    try (Git git = Git.open(new File(asked.folder))) {
      List<RefSpec> specs = new ArrayList<>();
      for (String ref : asked.refs) specs.add(new RefSpec(ref));
      PushCommand command = git.push()
          .setRemote(asked.url)
          .setCredentialsProvider(login)
          .setRefSpecs(specs)
          .setAtomic(asked.atomic);
      if (asked.pushOptions != null) command.setPushOptions(asked.pushOptions);
      for (PushResult result : command.call()) {
        for (RemoteRefUpdate update : result.getRemoteUpdates()) check(update);
      }
    }
  }

  static void check(RemoteRefUpdate update) {
    RemoteRefUpdate.Status status = update.getStatus();
    if (status == RemoteRefUpdate.Status.OK || status == RemoteRefUpdate.Status.UP_TO_DATE) return;
    String reason = update.getMessage() == null ? "" : " (" + update.getMessage() + ")";
    throw new IllegalStateException(update.getRemoteName() + ": " + status + reason);
  }
}
