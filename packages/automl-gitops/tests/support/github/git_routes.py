"""The repository, its branches, commits, trees and files."""

from __future__ import annotations

import base64
from typing import Any

from support.github.server import GitHub, Json, Refusal, route


def _reference(github: GitHub, branch: str) -> Json:
    sha = github.git.head(branch)
    if not sha:
        raise Refusal(404, "Not Found")
    return {
        "ref": f"refs/heads/{branch}",
        "url": github.address(f"git/refs/heads/{branch}"),
        "object": {"type": "commit", "sha": sha, "url": github.address(f"git/commits/{sha}")},
    }


def _commit(github: GitHub, sha: str) -> Json:
    tree = github.git.tree_of(sha)
    return {
        "sha": sha,
        "url": github.address(f"git/commits/{sha}"),
        "message": github.git.message_of(sha),
        "tree": {"sha": tree, "url": github.address(f"git/trees/{tree}")},
        "parents": [
            {"sha": parent, "url": github.address(f"git/commits/{parent}")}
            for parent in github.git.parents_of(sha)
        ],
    }


@route("GET", "")
def _repository(github: GitHub, **_: Any) -> tuple[int, Any]:
    return 200, {
        "id": 1,
        "name": github.name,
        "full_name": github.repository,
        "owner": {"login": github.owner, "id": 1, "type": "Organization"},
        "default_branch": github.git.default_branch,
        "private": True,
        "permissions": {"admin": github.is_administrator, "push": True, "pull": True},
        "html_url": f"https://github.com/{github.repository}",
        "url": f"{github.url}/repos/{github.repository}",
    }


@route("GET", r"git/refs?/heads/(?P<branch>.+)")
def _get_ref(github: GitHub, branch: str, **_: Any) -> tuple[int, Any]:
    return 200, _reference(github, branch)


@route("POST", r"git/refs")
def _create_ref(github: GitHub, body: Json, **_: Any) -> tuple[int, Any]:
    branch = body["ref"].removeprefix("refs/heads/")
    if github.git.head(branch):
        raise Refusal(422, "Reference already exists")
    github.git.set_branch(branch, github.commit_of(body["sha"]))
    return 201, _reference(github, branch)


@route("PATCH", r"git/refs/heads/(?P<branch>.+)")
def _update_ref(github: GitHub, branch: str, body: Json, **_: Any) -> tuple[int, Any]:
    sha, head = github.commit_of(body["sha"]), _reference(github, branch)["object"]["sha"]
    if not body.get("force") and github.git.ahead(sha, head):
        raise Refusal(422, "Update is not a fast forward")
    github.git.set_branch(branch, sha)
    for pull in github.pulls.values():
        if pull["state"] == "open" and pull["head"]["ref"] == branch:
            pull["head"]["sha"] = sha
            if not github.git.ahead(pull["base"]["ref"], sha):
                pull["state"] = "closed"  # GitHub closes what has nothing left to merge
    return 200, _reference(github, branch)


@route("DELETE", r"git/refs/heads/(?P<branch>.+)")
def _delete_ref(github: GitHub, branch: str, **_: Any) -> tuple[int, Any]:
    github.git.delete_branch(_reference(github, branch)["ref"].removeprefix("refs/heads/"))
    return 204, None


@route("GET", r"git/commits/(?P<sha>\w+)")
def _get_commit(github: GitHub, sha: str, **_: Any) -> tuple[int, Any]:
    return 200, _commit(github, github.commit_of(sha))


@route("POST", r"git/commits")
def _create_commit(github: GitHub, body: Json, **_: Any) -> tuple[int, Any]:
    sha = github.git.commit_tree(body["tree"], body["parents"], body["message"])
    return 201, _commit(github, sha)


@route("POST", r"git/trees")
def _create_tree(github: GitHub, body: Json, **_: Any) -> tuple[int, Any]:
    files = {entry["path"]: entry["content"] for entry in body["tree"]}
    sha = github.git.write_tree(body.get("base_tree"), files)
    return 201, {"sha": sha, "url": github.address(f"git/trees/{sha}"), "tree": [], "truncated": False}


@route("GET", r"git/trees/(?P<sha>\w+)")
def _get_tree(github: GitHub, sha: str, **_: Any) -> tuple[int, Any]:
    return 200, {"sha": sha, "url": github.address(f"git/trees/{sha}"), "tree": [], "truncated": False}


@route("GET", r"contents/(?P<path>.+)")
def _get_contents(github: GitHub, path: str, query: dict[str, str], **_: Any) -> tuple[int, Any]:
    commit = github.commit_of(query.get("ref", github.git.default_branch))
    text = github.git.read(commit, path)
    if text is None:
        raise Refusal(404, "Not Found")
    return 200, {
        "type": "file",
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": github.git.git("rev-parse", f"{commit}:{path}"),
        "size": len(text.encode()),
        "encoding": "base64",
        "content": base64.b64encode(text.encode()).decode(),
        "url": github.address(f"contents/{path}"),
    }


@route("GET", r"compare/(?P<base>.+)\.\.\.(?P<head>.+)")
def _compare(github: GitHub, base: str, head: str, **_: Any) -> tuple[int, Any]:
    one, other = github.commit_of(base), github.commit_of(head)
    ahead, behind = github.git.ahead(one, other), github.git.ahead(other, one)
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    return 200, {
        "url": github.address(f"compare/{base}...{head}"),
        "status": status.get((ahead > 0, behind > 0), "diverged"),
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [],
        "files": [{"filename": name} for name in github.git.changed_files(one, other)],
    }


@route("GET", r"commits/(?P<sha>[\w.-]+)")
def _get_repository_commit(github: GitHub, sha: str, **_: Any) -> tuple[int, Any]:
    commit = _commit(github, github.commit_of(sha))
    return 200, {
        "sha": commit["sha"],
        "url": github.address(f"commits/{commit['sha']}"),
        "commit": commit,
        "parents": commit["parents"],
    }
