"""Pull requests."""

from __future__ import annotations

from typing import Any

from support.github.repository import GitError
from support.github.server import GitHub, Json, Refusal, found, route


@route("GET", r"commits/(?P<sha>\w+)/pulls")
def _pulls_of_commit(github: GitHub, sha: str, **_: Any) -> tuple[int, Any]:
    commit = github.commit_of(sha)
    return 200, [
        pull
        for pull in github.pulls.values()
        if commit in (pull.get("merge_commit_sha"), pull["head"]["sha"])
    ]


@route("GET", r"pulls")
def _list_pulls(github: GitHub, query: dict[str, str], **_: Any) -> tuple[int, Any]:
    state, head, base = query.get("state", "open"), query.get("head"), query.get("base")
    return 200, [
        pull
        for pull in sorted(github.pulls.values(), key=lambda pull: -pull["number"])
        if state in ("all", pull["state"])
        and head in (None, f"{github.owner}:{pull['head']['ref']}")
        and base in (None, pull["base"]["ref"])
    ]


@route("POST", r"pulls")
def _create_pull(github: GitHub, body: Json, **_: Any) -> tuple[int, Any]:
    head, base = body["head"].split(":")[-1], body["base"]
    if not github.git.ahead(github.commit_of(base), github.commit_of(head)):
        raise Refusal(422, f"No commits between {base} and {head}")
    for pull in github.pulls.values():
        if pull["state"] == "open" and (pull["head"]["ref"], pull["base"]["ref"]) == (head, base):
            raise Refusal(422, f"A pull request already exists for {github.owner}:{head}.")
    number = github.next_number()
    github.pulls[number] = {
        "id": number,
        "number": number,
        "state": "open",
        "merged": False,
        "merged_at": None,
        "title": body["title"],
        "body": body.get("body", ""),
        "draft": bool(body.get("draft")),
        "head": {"ref": head, "sha": github.commit_of(head), "label": f"{github.owner}:{head}"},
        "base": {"ref": base, "sha": github.commit_of(base), "label": f"{github.owner}:{base}"},
        "url": github.address(f"pulls/{number}"),
        "issue_url": github.address(f"issues/{number}"),
        "html_url": f"https://github.com/{github.repository}/pull/{number}",
        "user": {"login": "github-actions[bot]", "id": 2, "type": "Bot"},
    }
    return 201, github.pulls[number]


@route("GET", r"pulls/(?P<number>\d+)")
def _get_pull(github: GitHub, number: str, **_: Any) -> tuple[int, Any]:
    return 200, found(github.pulls, number)


@route("PATCH", r"pulls/(?P<number>\d+)")
def _edit_pull(github: GitHub, number: str, body: Json, **_: Any) -> tuple[int, Any]:
    pull = found(github.pulls, number)
    pull |= {key: body[key] for key in ("title", "body", "state") if key in body}
    return 200, pull


@route("PUT", r"pulls/(?P<number>\d+)/merge")
def _merge_pull(github: GitHub, number: str, **_: Any) -> tuple[int, Any]:
    found(github.pulls, number)
    try:
        sha = github.merge(int(number))
    except GitError as conflict:
        raise Refusal(405, f"Pull Request is not mergeable: {conflict}") from None
    return 200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
