"""Workflows, and the runs of them that are started by request."""

from __future__ import annotations

from typing import Any

import yaml

from support.github.server import GitHub, Json, Refusal, route

_FOLDER = ".github/workflows"


@route("GET", r"actions/workflows/(?P<file>[\w.-]+)")
def _get_workflow(github: GitHub, file: str, **_: Any) -> tuple[int, Any]:
    if github.git.read(github.commit_of(github.git.default_branch), f"{_FOLDER}/{file}") is None:
        raise Refusal(404, "Not Found")
    url = github.address(f"actions/workflows/{file}")
    return 200, {"id": 1, "path": f"{_FOLDER}/{file}", "state": "active", "url": url}


@route("POST", r"actions/workflows/(?P<file>[\w.-]+)/dispatches")
def _dispatch(github: GitHub, file: str, body: Json, **_: Any) -> tuple[int, Any]:
    """Source: GitHub's REST API, "Create a workflow dispatch event"."""
    text = github.git.read(github.commit_of(body["ref"]), f"{_FOLDER}/{file}")
    if text is None:
        raise Refusal(404, "Not Found")
    events = yaml.safe_load(text)[True]  # YAML 1.1 reads `on` as true
    if "workflow_dispatch" not in events:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    known = (events["workflow_dispatch"] or {}).get("inputs", {})
    given = body.get("inputs", {})
    if unknown := [name for name in given if name not in known]:
        raise Refusal(422, f"Unexpected inputs provided: {unknown}")
    if wrong := [name for name, value in given.items() if not isinstance(value, str)]:
        raise Refusal(422, f"Invalid value for inputs: {wrong}")
    run = 5000 + github.next_number()
    page = f"https://github.com/{github.repository}/actions/runs/{run}"
    github.dispatches.append(
        {"workflow": file, "ref": body["ref"], "inputs": given, "run": run, "page": page}
    )
    if not body.get("return_run_details"):
        return 204, None
    return 200, {"workflow_run_id": run, "run_url": github.address(f"actions/runs/{run}"), "html_url": page}
