"""Issues, and comments on issues and pull requests."""

from __future__ import annotations

from typing import Any

from support.github.server import GitHub, Json, Refusal, found, route


@route("GET", r"issues")
def _list_issues(github: GitHub, query: dict[str, str], **_: Any) -> tuple[int, Any]:
    state = query.get("state", "open")
    labels = {label for label in query.get("labels", "").split(",") if label}
    return 200, [
        issue
        for issue in sorted(github.issues.values(), key=lambda issue: -issue["number"])
        if state in ("all", issue["state"]) and labels <= {label["name"] for label in issue["labels"]}
    ]


@route("POST", r"issues")
def _create_issue(github: GitHub, body: Json, **_: Any) -> tuple[int, Any]:
    number = github.next_number()
    github.issues[number] = {
        "id": number,
        "number": number,
        "state": "open",
        "title": body["title"],
        "body": body.get("body", ""),
        "labels": [{"name": name} for name in body.get("labels", [])],
        "url": github.address(f"issues/{number}"),
        "html_url": f"https://github.com/{github.repository}/issues/{number}",
        "user": {"login": "github-actions[bot]", "id": 2, "type": "Bot"},
    }
    return 201, github.issues[number]


@route("GET", r"issues/(?P<number>\d+)")
def _get_issue(github: GitHub, number: str, **_: Any) -> tuple[int, Any]:
    pulls = {
        known: pull | {"url": pull["issue_url"], "pull_request": {"url": pull["url"]}}
        for known, pull in github.pulls.items()
    }
    return 200, found(github.issues | pulls, number)


@route("PATCH", r"issues/(?P<number>\d+)")
def _edit_issue(github: GitHub, number: str, body: Json, **_: Any) -> tuple[int, Any]:
    issue = found(github.issues, number)
    issue |= {key: body[key] for key in ("title", "body", "state", "state_reason") if key in body}
    return 200, issue


@route("GET", r"issues/(?P<number>\d+)/comments")
def _list_comments(github: GitHub, number: str, **_: Any) -> tuple[int, Any]:
    found(github.issues | github.pulls, number)
    return 200, github.comments.get(int(number), [])


@route("POST", r"issues/(?P<number>\d+)/comments")
def _create_comment(github: GitHub, number: str, body: Json, **_: Any) -> tuple[int, Any]:
    found(github.issues | github.pulls, number)
    comment_id = github.next_number()
    comment = {
        "id": comment_id,
        "body": body["body"],
        "url": github.address(f"issues/comments/{comment_id}"),
        "html_url": f"https://github.com/{github.repository}/issues/{number}#issuecomment-{comment_id}",
        "user": github.user,
    }
    github.comments.setdefault(int(number), []).append(comment)
    return 201, comment


@route("PATCH", r"issues/comments/(?P<comment_id>\d+)")
def _edit_comment(github: GitHub, comment_id: str, body: Json, **_: Any) -> tuple[int, Any]:
    for comment in (one for some in github.comments.values() for one in some):
        if comment["id"] == int(comment_id):
            comment["body"] = body["body"]
            return 200, comment
    raise Refusal(404, "Not Found")
