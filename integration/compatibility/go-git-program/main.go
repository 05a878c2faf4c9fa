// go-git as a program: a request from standard input, an answer to standard output (`program.ts`).
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"
)

// As `ClientRequest` of client.ts says.
type request struct {
	Verb, URL, Username, Password, Folder, Version, Branch, Exclude, Filter, Oid string

	Bare, AllTags, Unshallow, Atomic, SessionID, Progress bool

	Depth, SinceS, Deepen            int
	Refs, PushOptions, ServerOptions []string
}

type answer struct {
	Outcome string            `json:"outcome"`
	Said    string            `json:"said,omitempty"`
	Refs    map[string]string `json:"refs,omitempty"`
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answerTo(asked)); err != nil {
		os.Exit(1)
	}
}

func answerTo(asked request) answer {
	if lack := lackOf(asked); lack != "" {
		return answer{Outcome: "lacks", Said: lack}
	}
	refs, err := perform(asked)
	if err != nil && !errors.Is(err, git.NoErrAlreadyUpToDate) {
		return answer{Outcome: "refused", Said: err.Error()}
	}
	return answer{Outcome: "done", Refs: refs}
}

// What of a request this client has no means for.
func lackOf(asked request) string {
	switch {
	case asked.Filter != "" || asked.Verb == "show":
		return "it has no partial clones"
	case asked.SinceS != 0 || asked.Exclude != "":
		return "it knows depths only"
	case asked.Deepen != 0:
		return "it counts depths from the tips only"
	case asked.Unshallow:
		return "it has no unshallow"
	case asked.ServerOptions != nil:
		return "it has no server options"
	case asked.SessionID:
		return "it has no session id"
	case asked.Version == "1" || asked.Version == "2":
		return "it speaks protocol 0 only"
	}
	return ""
}

func perform(asked request) (map[string]string, error) {
	auth := authOf(asked)
	switch asked.Verb {
	case "ls-remote":
		return list(asked, auth)
	case "clone":
		options := git.CloneOptions{URL: asked.URL, Auth: auth, Depth: asked.Depth}
		if asked.Progress {
			options.Progress = os.Stderr
		}
		if asked.Branch != "" {
			options.ReferenceName = plumbing.NewBranchReferenceName(asked.Branch)
			options.SingleBranch = true
		}
		_, err := git.PlainClone(asked.Folder, asked.Bare, &options)
		return nil, err
	case "fetch":
		return nil, fetch(asked, auth)
	case "push":
		return nil, push(asked, auth)
	}
	return nil, fmt.Errorf("there is no %s", asked.Verb)
}

func authOf(asked request) transport.AuthMethod {
	return &http.BasicAuth{Username: asked.Username, Password: asked.Password}
}

func list(asked request, auth transport.AuthMethod) (map[string]string, error) {
	remote := git.NewRemote(memory.NewStorage(), &config.RemoteConfig{Name: "origin", URLs: []string{asked.URL}})
	found, err := remote.List(&git.ListOptions{Auth: auth, PeelingOption: git.AppendPeeled})
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for _, ref := range found {
		if ref.Type() == plumbing.SymbolicReference {
			refs[ref.Name().String()+" ->"] = ref.Target().String()
		} else {
			refs[ref.Name().String()] = ref.Hash().String()
		}
	}
	return refs, nil
}

func fetch(asked request, auth transport.AuthMethod) error {
	repository, err := git.PlainOpen(asked.Folder)
	if err != nil {
		return err
	}
	options := git.FetchOptions{RemoteName: "origin", Auth: auth, Depth: asked.Depth}
	if asked.AllTags {
		options.Tags = git.AllTags
	}
	if asked.Branch != "" {
		options.RefSpecs = specs(fmt.Sprintf("+refs/heads/%s:refs/remotes/origin/%s", asked.Branch, asked.Branch))
	}
	if asked.Oid != "" {
		options.RefSpecs = specs(asked.Oid + ":refs/heads/by-id")
	}
	return repository.Fetch(&options)
}

func push(asked request, auth transport.AuthMethod) error {
	repository, err := git.PlainOpen(asked.Folder)
	if err != nil {
		return err
	}
	options := git.PushOptions{
		RemoteURL: asked.URL, Auth: auth, Atomic: asked.Atomic, RefSpecs: specs(asked.Refs...),
	}
	if asked.PushOptions != nil {
		// It has them as names and values.
		options.Options = map[string]string{}
		for _, option := range asked.PushOptions {
			name, value, _ := strings.Cut(option, "=")
			options.Options[name] = value
		}
	}
	return repository.Push(&options)
}

func specs(texts ...string) []config.RefSpec {
	var all []config.RefSpec
	for _, text := range texts {
		all = append(all, config.RefSpec(text))
	}
	return all
}
