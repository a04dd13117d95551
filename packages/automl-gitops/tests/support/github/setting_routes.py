"""Variables, environments, rulesets and the settings of Actions."""

from __future__ import annotations

from typing import Any

from support.github.server import GitHub, Json, Refusal, found, route


@route("GET", r"(environments/(?P<environment>[^/]+)|actions)/variables")
def _list_variables(github: GitHub, environment: str | None, **_: Any) -> tuple[int, Any]:
    found = _variables(github, environment)
    return 200, {"total_count": len(found), "variables": [{"name": n, "value": v} for n, v in found.items()]}


@route("POST", r"(environments/(?P<environment>[^/]+)|actions)/variables")
def _create_variable(github: GitHub, environment: str | None, body: Json, **_: Any) -> tuple[int, Any]:
    found = _variables(github, environment)
    if body["name"] in found:
        raise Refusal(409, "Already exists - Variable already exists")
    found[body["name"]] = body["value"]
    return 201, {}


@route("GET", r"(environments/(?P<environment>[^/]+)|actions)/variables/(?P<name>\w+)")
def _get_variable(github: GitHub, environment: str | None, name: str, **_: Any) -> tuple[int, Any]:
    found = _variables(github, environment)
    if name not in found:
        raise Refusal(404, "Not Found")
    return 200, {"name": name, "value": found[name]}


@route("PATCH", r"(environments/(?P<environment>[^/]+)|actions)/variables/(?P<name>\w+)")
def _edit_variable(
    github: GitHub, environment: str | None, name: str, body: Json, **_: Any
) -> tuple[int, Any]:
    found = _variables(github, environment)
    if name not in found:
        raise Refusal(404, "Not Found")
    found[name] = body["value"]
    return 204, None


@route("DELETE", r"(environments/(?P<environment>[^/]+)|actions)/variables/(?P<name>\w+)")
def _delete_variable(github: GitHub, environment: str | None, name: str, **_: Any) -> tuple[int, Any]:
    if _variables(github, environment).pop(name, None) is None:
        return 404, {"message": "Not Found"}
    return 204, None


def _variables(github: GitHub, environment: str | None) -> dict[str, str]:
    if environment and environment not in github.environments:
        raise Refusal(404, "Not Found")
    return github.variables.setdefault(environment or "", {})


@route("GET", r"environments/(?P<name>[^/]+)")
def _get_environment(github: GitHub, name: str, **_: Any) -> tuple[int, Any]:
    if name not in github.environments:
        raise Refusal(404, "Not Found")
    return 200, github.environments[name]


@route("PUT", r"environments/(?P<name>[^/]+)")
def _put_environment(github: GitHub, name: str, body: Json, **_: Any) -> tuple[int, Any]:
    reviewers = [{"type": one["type"], "reviewer": {"id": one["id"]}} for one in body.get("reviewers") or []]
    rules: list[Json] = [{"type": "branch_policy"}] if body.get("deployment_branch_policy") else []
    if reviewers:
        prevents = bool(body.get("prevent_self_review"))
        rules.append({"type": "required_reviewers", "reviewers": reviewers, "prevent_self_review": prevents})
    known = github.environments.setdefault(name, {"id": len(github.environments) + 1, "branch_policies": []})
    known |= {
        "name": name,
        "protection_rules": rules,
        "deployment_branch_policy": body.get("deployment_branch_policy"),
    }
    return 200, known


@route("GET", r"environments/(?P<name>[^/]+)/deployment-branch-policies")
def _list_branch_policies(github: GitHub, name: str, **_: Any) -> tuple[int, Any]:
    policies = _get_environment(github, name)[1]["branch_policies"]
    return 200, {"total_count": len(policies), "branch_policies": policies}


@route("POST", r"environments/(?P<name>[^/]+)/deployment-branch-policies")
def _create_branch_policy(github: GitHub, name: str, body: Json, **_: Any) -> tuple[int, Any]:
    policies = _get_environment(github, name)[1]["branch_policies"]
    policies.append({"id": github.next_number(), "name": body["name"], "type": body.get("type", "branch")})
    return 200, policies[-1]


@route("DELETE", r"environments/(?P<name>[^/]+)/deployment-branch-policies/(?P<number>\d+)")
def _delete_branch_policy(github: GitHub, name: str, number: str, **_: Any) -> tuple[int, Any]:
    policies = _get_environment(github, name)[1]["branch_policies"]
    policies[:] = [policy for policy in policies if policy["id"] != int(number)]
    return 204, None


@route("GET", r"rulesets")
def _list_rulesets(github: GitHub, **_: Any) -> tuple[int, Any]:
    return 200, [{key: ruleset[key] for key in ("id", "name", "target")} for ruleset in github.rulesets]


@route("GET", r"rulesets/(?P<number>\d+)")
def _get_ruleset(github: GitHub, number: str, **_: Any) -> tuple[int, Any]:
    return 200, found({ruleset["id"]: ruleset for ruleset in github.rulesets}, number)


@route("GET", r"rules/branches/(?P<branch>[^/]+)")
def _list_rules(github: GitHub, branch: str, **_: Any) -> tuple[int, Any]:
    """The rules of every active ruleset; the project's is about the default branch."""
    applies = branch == github.git.default_branch
    return 200, [rule for ruleset in github.rulesets for rule in ruleset["rules"] if applies]


@route("POST", r"rulesets")
def _create_ruleset(github: GitHub, body: Json, **_: Any) -> tuple[int, Any]:
    github.rulesets.append({"id": len(github.rulesets) + 1, **body})
    return 201, github.rulesets[-1]


@route("PUT", r"rulesets/(?P<number>\d+)")
def _put_ruleset(github: GitHub, number: str, body: Json, **_: Any) -> tuple[int, Any]:
    ruleset = found({ruleset["id"]: ruleset for ruleset in github.rulesets}, number)
    ruleset |= body
    return 200, ruleset


@route("GET", r"(?P<path>actions/(oidc/customization/sub|permissions(/workflow)?))")
def _get_setting(github: GitHub, path: str, **_: Any) -> tuple[int, Any]:
    return 200, github.settings.get(path, {})


@route("PUT", r"(?P<path>actions/(oidc/customization/sub|permissions(/workflow)?))")
def _put_setting(github: GitHub, path: str, body: Json, **_: Any) -> tuple[int, Any]:
    github.settings.setdefault(path, {}).update(body)
    return 204, None
