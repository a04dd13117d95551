"""The repository's settings on GitHub that the workflows rely on; each is looked at first, changed only if needed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import github
from github import GithubException
from github.Repository import Repository

from automl_gitops.github.pull_request import explained, reason
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import replace_text

Json = dict[str, Any]
Outcome = Literal["created", "changed", "unchanged", "not offered", "withheld"]
MAIN = "main"
RULESET = "main is changed by reviewed pull requests"
CODE_OWNERS = Path(".github/CODEOWNERS")
_BRANCH_RULE = f"branch rule: {RULESET}"
# By environment, whether somebody has to approve each of its jobs. Each takes jobs of the main branch alone.
ENVIRONMENTS: dict[str, bool] = {"production": True, "teardown": True}
NEEDS = "the token has to be one of the repository's administrators, with the scope `repo`"
_ADMINISTRATORS = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"}
_BRANCHES = {"protected_branches": False, "custom_branch_policies": True}
# What GitHub answers for what a plan, or the organisation, does not let a repository have.
_NOT_OFFERED = (403, 404, 409, 422)


@dataclass(frozen=True)
class Setting:
    """What became of one setting; ``detail`` says why where it is not offered."""

    name: str
    outcome: Outcome
    detail: str = ""

    def document(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


class RepositorySettings:
    """The settings of one repository, by an administrator's token."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        permissions = repository.permissions
        if permissions is not None and permissions.admin is False:
            raise UserError(
                f"GITHUB_TOKEN may not administer {repository.full_name}: ask an administrator of the repository"
            )

    def require_main(self) -> None:
        """Raise `UserError` where the default branch is another: that would be protected, and `main` be trusted."""
        host = self._repository
        if host.default_branch != MAIN:
            raise UserError(
                f"the default branch of {host.full_name} is {host.default_branch}: the branch rule would protect that "
                f"one, while workflows run for {MAIN}, and the roles trust it, which anybody who may push could then "
                f"make; {way_to_main(host)}"
            )

    def subject_prefix(self) -> str:
        """See the function of this name."""
        return subject_prefix(self._repository)

    def bring(
        self, reviewers: Sequence[str], *, prevent_self_review: bool | None = None, owned: bool = False
    ) -> Iterator[Setting]:
        """Bring about what protects; ``reviewers`` are logins, by default whose token it is.

        ``prevent_self_review`` is of deployments; ``owned`` says that a code owner has to review.
        """
        yield self._try("Actions may open pull requests", self._workflow_rights)
        for name, approved in ENVIRONMENTS.items():
            yield from self._environment(name, approved, reviewers, prevent_self_review)
        yield self._try(_BRANCH_RULE, lambda: self._ruleset(owned=owned))

    def wire(self, variables: Mapping[str, str], withheld: Mapping[str, str]) -> Iterator[Setting]:
        """Bring about the variables; those ``withheld``, name to reason, are removed where they are there."""
        for name, value in variables.items():
            yield self._try(f"variable {name}", lambda name=name, value=value: self._variable(name, value))  # type: ignore[misc]
        for name, why in withheld.items():
            removed = self._try(f"variable {name}", lambda name=name: self._no_variable(name))  # type: ignore[misc]
            yield replace(removed, detail=why) if removed.outcome == "withheld" else removed

    def _try(self, name: str, bring: Callable[[], Outcome]) -> Setting:
        with explained(f"set up {name}", NEEDS):
            try:
                return Setting(name, bring())
            except GithubException as error:
                limited = isinstance(error, github.RateLimitExceededException)
                if limited or error.status not in _NOT_OFFERED:
                    raise
                return Setting(name, "not offered", f"GitHub answered {error.status}: {reason(error)}")

    def _workflow_rights(self) -> Outcome:
        wanted = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
        return self._replace("actions/permissions/workflow", wanted)

    def _environment(
        self, name: str, approved: bool, reviewers: Sequence[str], prevent_self_review: bool | None
    ) -> Iterator[Setting]:
        path = f"environments/{name}"
        with explained(f"look at environment {name}", NEEDS):
            known = self._get_if_there(path) or {}
        had = _reviewers(known)
        wanted = had or (self._ids(reviewers) if approved else [])
        if reviewers and approved:
            wanted = self._ids(reviewers)
        prevented = any(rule.get("prevent_self_review") for rule in known.get("protection_rules", []))
        prevents = prevented if prevent_self_review is None else prevent_self_review
        content: Json = {
            "deployment_branch_policy": _BRANCHES, "reviewers": wanted, "prevent_self_review": prevents
        }  # fmt: skip

        def bring(content: Json = content) -> Outcome:
            same = had == content["reviewers"] and prevented == prevents
            if known and same and known.get("deployment_branch_policy") == _BRANCHES:
                return "unchanged"
            self._send("PUT", path, content)
            return "changed" if known else "created"

        made = self._try(f"environment {name}", bring)
        if made.outcome == "not offered" and wanted:
            made = self._without_reviewers(name, path, known, made)
        yield made
        if made.outcome != "not offered":
            yield self._try(f"environment {name}: the branch {MAIN} alone", lambda: self._only_main(path))

    def _without_reviewers(self, name: str, path: str, known: Json, refused: Setting) -> Setting:
        """Required reviewers take a public repository or GitHub Enterprise: without, the reviewed merge has to do."""

        def bring() -> Outcome:
            if known and known.get("deployment_branch_policy") == _BRANCHES:
                return "unchanged"
            self._send("PUT", path, {"deployment_branch_policy": _BRANCHES})
            return "changed" if known else "created"

        made = self._try(f"environment {name}", bring)
        if made.outcome == "not offered":
            return made
        detail = f"without required reviewers, which this plan does not offer ({refused.detail})"
        return Setting(made.name, made.outcome, detail)

    def _only_main(self, path: str) -> Outcome:
        policies = f"{path}/deployment-branch-policies"
        policies_there = (self._get(policies) or {}).get("branch_policies", [])
        # No rule protects a tag of this name.
        right = [one for one in policies_there if one["name"] == MAIN and one.get("type") != "tag"]
        if policies_there == right != []:
            return "unchanged"
        for one in policies_there:
            if one not in right:
                self._send("DELETE", f"{policies}/{one['id']}", None)
        if not right:
            self._send("POST", policies, {"name": MAIN, "type": "branch"})
        return "changed" if policies_there else "created"

    def _ruleset(self, *, owned: bool) -> Outcome:
        named = next((one for one in self._get("rulesets") or [] if one["name"] == RULESET), None)
        if named is None:
            self._send("POST", "rulesets", ruleset(owned=owned))
            return "created"
        known = self._get(f"rulesets/{named['id']}") or {}
        wanted = ruleset(owned=owned or any(map(requires_owner, known.get("rules", []))))
        if _covers(known, wanted):
            return "unchanged"
        self._send("PUT", f"rulesets/{named['id']}", wanted)
        return "changed"

    def _variable(self, name: str, value: str) -> Outcome:
        path = "actions/variables"
        variable = self._get_if_there(f"{path}/{name}")
        if variable is None:
            self._send("POST", path, {"name": name, "value": value})
            return "created"
        if variable["value"] == value:
            return "unchanged"
        self._send("PATCH", f"{path}/{name}", {"name": name, "value": value})
        return "changed"

    def _no_variable(self, name: str) -> Outcome:
        path = f"actions/variables/{name}"
        if self._get_if_there(path) is not None:
            self._send("DELETE", path, None)
        return "withheld"

    def _replace(self, path: str, wanted: Json) -> Outcome:
        known = self._get(path) or {}
        if _covers(known, wanted):
            return "unchanged"
        self._send("PUT", path, wanted)
        return "changed"

    def _ids(self, logins: Sequence[str]) -> list[Json]:
        """Reviewers as GitHub's API wants them; without logins whoever's token it is, where that is a person."""
        paths = [f"/users/{login}" for login in logins] or ["/user"]
        reviewers = []
        for path in paths:
            try:
                with explained(f"find the reviewer {path.rsplit('/', 1)[-1]}", NEEDS):
                    reviewers.append({"type": "User", "id": self._call("GET", path)["id"]})
            except UserError:
                if logins:
                    raise
        return reviewers

    def _get(self, path: str) -> Any:
        return self._call("GET", f"{self._repository.url}/{path}")

    def _get_if_there(self, path: str) -> Any:
        try:
            return self._get(path)
        except github.UnknownObjectException:
            return None

    def _send(self, verb: str, path: str, content: Json | None) -> None:
        self._call(verb, f"{self._repository.url}/{path}", content)

    def _call(self, verb: str, url: str, content: Json | None = None) -> Any:
        return self._repository.requester.requestJsonAndCheck(verb, url, input=content)[1]


def own(owners: Sequence[str]) -> Iterator[Setting]:
    """Write `CODE_OWNERS` for logins and teams: a workflow may approve pull requests, and is none of them."""
    if owners:
        text = f"* {' '.join('@' + owner.lstrip('@') for owner in owners)}\n"
        if CODE_OWNERS.exists() and CODE_OWNERS.read_text("utf-8") != text:
            raise UserError(f"{CODE_OWNERS.as_posix()} names others: edit or remove it")
        CODE_OWNERS.parent.mkdir(exist_ok=True)
        outcome: Outcome = "created" if replace_text(CODE_OWNERS, text) else "unchanged"
        yield Setting(CODE_OWNERS.as_posix(), outcome, "counts once main has it")


def requires_owner(rule: Json) -> bool:
    """Whether a rule of a branch asks for a code owner's review."""
    return bool(rule.get("parameters", {}).get("require_code_owner_review"))


def unprotected(settings: Sequence[Setting]) -> list[str]:
    """Of what keeps a pushed branch from production, the names of what this repository is not offered."""
    return [
        one.name
        for one in settings
        if one.outcome == "not offered" and one.name.startswith(("environment ", _BRANCH_RULE))
    ]


def subject_prefix(repository: Repository) -> str:
    """How GitHub's tokens name the repository: `repo:owner/name`, in newer ones with `@` and ids.

    Raises `UserError` where the repository has a subject of its own making, which the trust policies do
    not know. Source: GitHub's REST API, "Actions OIDC", customization template for a repository.
    """
    with explained("read the form of GitHub's tokens", NEEDS):
        url = f"{repository.url}/actions/oidc/customization/sub"
        told = repository.requester.requestJsonAndCheck("GET", url)[1] or {}
    keys = told.get("include_claim_keys")
    if told.get("use_default") is False and keys and keys != ["repo", "context"]:
        raise UserError(
            f"the OIDC subject of {repository.full_name} is made of {', '.join(keys)}: set it back with "
            f"`gh api -X PUT repos/{repository.full_name}/actions/oidc/customization/sub "
            "-F use_default=true`, since the roles trust GitHub's own form"
        )
    prefix = str(told.get("sub_claim_prefix") or "").rstrip(":")
    return prefix or f"repo:{repository.full_name}"


def way_to_main(host: Repository) -> str:
    """How a repository gets the default branch `MAIN`."""
    return (
        f"`gh api -X POST repos/{host.full_name}/branches/{host.default_branch}/rename -f new_name={MAIN}` renames it; "
        f"where {MAIN} is there already: `gh repo edit {host.full_name} --default-branch {MAIN}`"
    )


def ruleset(*, owned: bool = False) -> Json:
    """The branch rule: pull requests with one approval (``owned``: a code owner's), no deletion, no force push.

    Administrators may merge a pull request of their own, so that a repository of one person stays usable.
    Status checks are not required: GitHub starts no workflow for the promotion that a workflow opened.
    """
    review = {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": owned,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }
    return {
        "name": RULESET,
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [_ADMINISTRATORS],
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {"type": "pull_request", "parameters": review},
        ],
    }


def _reviewers(environment: Json) -> list[Json]:
    return [
        {"type": one["type"], "id": one["reviewer"]["id"]}
        for rule in environment.get("protection_rules", [])
        if rule["type"] == "required_reviewers"
        for one in rule["reviewers"]
    ]


def _covers(known: Any, wanted: Any) -> bool:
    """Whether everything that is wanted is there; GitHub adds fields of its own."""
    if isinstance(wanted, dict):
        return isinstance(known, dict) and all(
            _covers(known.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(known, list)
            and len(known) == len(wanted)
            and all(any(_covers(one, value) for one in known) for value in wanted)
        )
    return known == wanted
