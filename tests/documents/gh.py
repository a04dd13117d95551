"""A stand-in for the GitHub CLI: the commands that the documents use, with the options that it really has.

It talks to the stand-in for GitHub at GH_STAND_IN. With GH_SYNTAX it only reads its arguments.
Source: the CLI's manual, https://cli.github.com/manual.
"""

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from typing import Any


def main() -> None:
    """Run the command line."""
    options = _parser().parse_args()
    if "GH_SYNTAX" not in os.environ:
        options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gh", allow_abbrev=False)
    groups = parser.add_subparsers(required=True)

    def command(group: Any, name: str, run: Any = _interactive) -> argparse.ArgumentParser:
        made = group.add_parser(name, allow_abbrev=False)
        made.set_defaults(run=run)
        return made

    auth = groups.add_parser("auth").add_subparsers(required=True)
    login = command(auth, "login")
    login.add_argument("--git-protocol", "-p", choices=("https", "ssh"))
    login.add_argument("--scopes", "-s")
    command(auth, "token", lambda _: print(os.environ["GH_TOKEN"]))
    repo = groups.add_parser("repo").add_subparsers(required=True)
    create = command(repo, "create", _create)
    create.add_argument("name")
    visibility = create.add_mutually_exclusive_group(required=True)
    for choice in ("--private", "--public", "--internal"):
        visibility.add_argument(choice, action="store_true")
    create.add_argument("--source", "-s", required=True)
    create.add_argument("--remote", "-r", default="origin")
    create.add_argument("--push", action="store_true")
    pr = groups.add_parser("pr").add_subparsers(required=True)
    command(pr, "create", _open).add_argument("--fill", "-f", action="store_true", required=True)
    merge = command(pr, "merge", _merge)
    merge.add_argument("--merge", "-m", action="store_true", required=True)
    merge.add_argument("--admin", action="store_true")
    variable = groups.add_parser("variable").add_subparsers(required=True)
    change = command(variable, "set", _set)
    change.add_argument("name")
    change.add_argument("--body", "-b", required=True)
    workflow = groups.add_parser("workflow").add_subparsers(required=True)
    start = command(workflow, "run", _dispatch)
    start.add_argument("name")
    start.add_argument("--raw-field", "-f", action="append", default=[])
    return parser


def _interactive(_: argparse.Namespace) -> None:
    sys.exit("gh: this asks a person")


def _create(options: argparse.Namespace) -> None:
    address = f"https://github.com/{options.name}.git"
    _git("-C", options.source, "remote", "add", options.remote, address)
    if options.push:
        _git("-C", options.source, "push", "--quiet", "--set-upstream", options.remote, "HEAD")
    print(address.removesuffix(".git"))


def _open(_: argparse.Namespace) -> None:
    subject, _, body = _git("log", "-1", "--format=%B").partition("\n")
    pull = {"head": _branch(), "base": "main", "title": subject, "body": body.strip()}
    print(_call("POST", "pulls", pull)["number"])


def _merge(_: argparse.Namespace) -> None:
    (number,) = (one["number"] for one in _call("GET", "pulls?state=open") if one["head"]["ref"] == _branch())
    _call("PUT", f"pulls/{number}/merge", {"merge_method": "merge"})


def _set(options: argparse.Namespace) -> None:
    known = {one["name"] for one in _call("GET", "actions/variables")["variables"]}
    body = {"name": options.name, "value": options.body}
    if options.name in known:
        _call("PATCH", f"actions/variables/{options.name}", body)
    else:
        _call("POST", "actions/variables", body)


def _dispatch(options: argparse.Namespace) -> None:
    inputs = dict(field.split("=", 1) for field in options.raw_field)
    _call("POST", f"actions/workflows/{options.name}/dispatches", {"ref": "main", "inputs": inputs})


def _branch() -> str:
    return _git("branch", "--show-current")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def _call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        f"{os.environ['GH_STAND_IN']}/repos/{os.environ['GH_STAND_IN_REPOSITORY']}/{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {os.environ['GH_TOKEN']}"},
    )
    with urllib.request.urlopen(request) as answer:
        content = answer.read()
    return json.loads(content) if content else None


if __name__ == "__main__":
    main()
