"""dulwich as a program: a request from standard input, an answer to standard output (`program.ts`)."""

import json
import sys

from dulwich import porcelain


class Lacks(Exception):
    """The client has no means for what was asked."""


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def check(asked):
    if asked.get("serverOptions"):
        raise Lacks("it has no server options")
    if asked.get("sessionId"):
        raise Lacks("it has no session id")
    if asked.get("deepen"):
        raise Lacks("it counts depths from the tips only")
    if asked["verb"] == "show":
        raise Lacks("it fetches nothing by itself that a clone lacks")
    if asked["verb"] == "fetch" and (asked.get("oid") or asked.get("branch")):
        raise Lacks("its fetch takes all branches")
    if asked["verb"] == "clone" and (asked.get("sinceS") or asked.get("exclude")):
        raise Lacks("its clone knows depths only")


def perform(asked):
    url, folder = asked["url"], asked["folder"]
    login = {"username": asked["username"], "password": asked["password"]}
    quiet = {"errstream": porcelain.NoneStream()}
    version = {"protocol_version": int(asked["version"])} if "version" in asked else {}
    verb = asked["verb"]
    if verb == "ls-remote":
        found = porcelain.ls_remote(url, **login)
        refs = {text(name): text(oid) for name, oid in found.refs.items()}
        refs.update({f"{text(name)} ->": text(target) for name, target in found.symrefs.items()})
        return {"refs": refs}
    if verb == "clone":
        porcelain.clone(
            url,
            folder,
            bare=asked.get("bare", False),
            branch=asked.get("branch"),
            depth=asked.get("depth"),
            filter_spec=asked.get("filter"),
            **version,
            **login,
            **quiet,
        ).close()
    elif verb == "fetch":
        part = {
            "depth": porcelain.INFINITE_DEPTH if asked.get("unshallow") else asked.get("depth"),
            "shallow_since": str(asked["sinceS"]) if "sinceS" in asked else None,
            "shallow_exclude": [asked["exclude"]] if "exclude" in asked else None,
        }
        given = {name: value for name, value in part.items() if value is not None}
        porcelain.fetch(folder, "origin", **given, **version, **login, **quiet)
    elif verb == "push":
        result = porcelain.push(
            folder,
            url,
            asked["refs"],
            outstream=porcelain.NoneStream(),
            atomic=asked.get("atomic", False),
            push_options=asked.get("pushOptions"),
            **login,
            **quiet,
        )
        # It does not fail for a ref that was refused.
        for ref, error in (result.ref_status or {}).items():
            if error is not None:
                raise porcelain.Error(f"{text(ref)}: {text(error)}")
    return {}


def answer(asked):
    try:
        check(asked)
        return {"outcome": "done", **perform(asked)}
    except Lacks as lack:
        return {"outcome": "lacks", "said": str(lack)}
    except Exception as error:  # What it raises has no common base.
        return {"outcome": "refused", "said": f"{type(error).__name__}: {error}"}


print(json.dumps(answer(json.load(sys.stdin))))
