"""The repository on GitHub: whether workflows start, sign in and find what they need. Only with a GITHUB_TOKEN."""

from collections.abc import Iterator
from typing import Any

import github
from github.Repository import Repository

from automl_gitops.doctor.rows import Row, look
from automl_gitops.github import pull_request
from automl_gitops.github.github_settings import (
    CODE_OWNERS,
    ENVIRONMENTS,
    MAIN,
    requires_owner,
    subject_prefix,
    way_to_main,
)
from automl_gitops.github.pull_request import explained
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.stacks.cloudformation import Stack
from automl_gitops.stacks.setup import ROLES

AREA = "repository"
_MAKE = "an administrator runs `make bootstrap`"


def repository(project: ServingProject) -> list[Row]:
    """A row for each setting that the workflows rely on; one that says why where GitHub is not asked."""
    reached: list[Repository] = []

    def connect() -> Iterator[Row]:
        host = pull_request.repository(project.config.project.repository)
        if host is None:
            todo = "GITHUB_TOKEN=$(gh auth token) in front of the command"
            yield Row(AREA, "GitHub", "unknown", "not asked: GITHUB_TOKEN is not set", todo)
        else:
            reached.append(host)
            yield from _named(project, host)

    rows = look(AREA, "GitHub", connect)
    return [*rows, *(_settings(project, reached[0]) if reached else [])]


def _settings(project: ServingProject, host: Repository) -> Iterator[Row]:
    yield from look(AREA, "default branch", lambda: _branch(host))
    yield from look(AREA, "plan", lambda: _plan(host))
    yield from look(AREA, "OIDC subject", lambda: _subject(project, host))
    yield from look(AREA, "Actions may open pull requests", lambda: _pull_requests(host))
    yield from look(AREA, "reviews", lambda: _reviews(host))
    yield from look(AREA, "environments", lambda: _environments(host))
    yield from look(AREA, "variables", lambda: _variables(project, host))


def _named(project: ServingProject, host: Repository) -> Iterator[Row]:
    named = project.config.project.repository
    if host.full_name.lower() == named.lower():
        yield Row(AREA, "name", "good", host.full_name)
    else:
        found = f"is {host.full_name}, automl.toml says {named}"
        yield Row(AREA, "name", "later", found, "correct [project] repository, then `make bootstrap`")


def _branch(host: Repository) -> Iterator[Row]:
    name = host.default_branch
    if name == MAIN:
        yield Row(AREA, "default branch", "good", name)
        return
    found = f"is {name}: the workflows run, and the roles trust, {MAIN} alone"
    yield Row(AREA, "default branch", "stops", found, way_to_main(host))


def _plan(host: Repository) -> Iterator[Row]:
    if not host.private:
        yield Row(AREA, "plan", "good", "public: environments with reviewers are offered")
        return
    plan = _plan_of(host)
    if plan == "free":
        found = "private, on a free plan: no environments, so whoever pushes a branch reaches production"
        yield Row(AREA, "plan", "later", found, "use another plan, or a public repository (docs/set-up.md)")
    else:
        told = f"plan {plan}" if plan else "GitHub does not tell this token the plan"
        found = f"private, {told}; required reviewers take GitHub Enterprise"
        yield Row(AREA, "plan", "good" if plan else "unknown", found, "" if plan else "see docs/set-up.md")


def _plan_of(host: Repository) -> str:
    """The owner's plan, "" where this token is not told: an organisation's owners see it, and a user their own."""
    owner = host.owner
    base = host.url.split("/repos/")[0]
    try:
        told = _get(host, f"{base}/orgs/{owner.login}" if owner.type == "Organization" else f"{base}/user")
    except github.GithubException:
        return ""
    if owner.type != "Organization" and told.get("login") != owner.login:
        return ""
    return str((told.get("plan") or {}).get("name", ""))


def _subject(project: ServingProject, host: Repository) -> Iterator[Row]:
    prefix = subject_prefix(host)
    trusted = Stack(project.aws, project.names.bootstrap_stack, project.output).look().parameters
    known = trusted.get("OidcSubjectPrefix", "")
    if known == prefix:
        yield Row(AREA, "OIDC subject", "good", f"{prefix}, as the roles trust it")
    elif not known:
        yield Row(AREA, "OIDC subject", "stops", f"{prefix}, and no role trusts it yet", _MAKE)
    else:
        yield Row(AREA, "OIDC subject", "stops", f"is {prefix}, but the roles trust {known}", _MAKE)


def _pull_requests(host: Repository) -> Iterator[Row]:
    asked = "Actions may open pull requests"
    with explained("read the rights of workflows"):
        told = _get(host, f"{host.url}/actions/permissions/workflow")
    if told.get("can_approve_pull_request_reviews"):
        yield Row(AREA, asked, "good", "yes")
    else:
        yield Row(AREA, asked, "later", "no: a verified version cannot be proposed", _MAKE)


def _reviews(host: Repository) -> Iterator[Row]:
    """Whether a person has to approve what reaches main."""
    asked, name = "reviews", CODE_OWNERS.as_posix()
    with explained("read the branch's rules"):
        rules = _get(host, f"{host.url}/rules/branches/{MAIN}")
    if not any(map(requires_owner, rules)):
        yield Row(
            AREA, asked, "later", "a pull request's own workflow could approve it", "see docs/set-up.md"
        )
        return
    try:
        _get(host, f"{host.url}/contents/{name}")
        yield Row(AREA, asked, "good", "an owner has to approve")
    except github.UnknownObjectException:
        yield Row(AREA, asked, "later", f"{MAIN} has no {name}", "commit it")


def _environments(host: Repository) -> Iterator[Row]:
    for name in ENVIRONMENTS:
        asked = f"environment {name}"
        try:
            _get(host, f"{host.url}/environments/{name}")
            yield Row(AREA, asked, "good", "there")
        except github.UnknownObjectException:
            yield Row(AREA, asked, "later", "there is none of this name, or the token may not see it", _MAKE)


def _variables(project: ServingProject, host: Repository) -> Iterator[Row]:
    with explained("read the repository's variables", "the token needs `variables: read`"):
        told = _get(host, f"{host.url}/actions/variables?per_page=30")
    known = {one["name"]: one["value"] for one in told["variables"]}
    stack = Stack(project.aws, project.names.bootstrap_stack, project.output).look()
    wanted = {
        "AWS_REGION": project.names.region,
        "AWS_ACCOUNT_ID": project.names.account,
        **{name: stack.outputs.get(output, "") for name, output in ROLES.items()},
    }
    wrong = False
    for name, value in wanted.items():
        outcome: Any = "stops" if name in ("AWS_REGION", "AWS_RETRAIN_ROLE") else "later"
        if name not in known:
            wrong = True
            yield Row(AREA, f"variable {name}", outcome, "is missing", _MAKE)
        elif value and known[name] != value:
            wrong = True
            yield Row(AREA, f"variable {name}", outcome, f"is {known[name]}, and should be {value}", _MAKE)
    if not wrong:
        yield Row(AREA, "variables", "good", f"there and right: {', '.join(wanted)}")


def _get(host: Repository, url: str) -> Any:
    return host.requester.requestJsonAndCheck("GET", url)[1]
