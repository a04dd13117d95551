"""What there is of production, looked at once: registry, endpoint, records, alarms, scaling, and staging's proof.

And on whose word a version goes there: the pull request that was merged, the person, the run.
"""

import re
from functools import cached_property

from automl_gitops.github.pull_request import Host
from automl_gitops.kernel import git
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.signature import Signature
from automl_gitops.promotion.production_file import FILE, SOURCE, ProductionFile
from automl_gitops.promotion.steps import Situation
from automl_gitops.serving import archives
from automl_gitops.serving.alarms import EndpointAlarms, alarm_requests
from automl_gitops.serving.deployments import DeploymentRecord, DeploymentRecords
from automl_gitops.serving.endpoint import PARTS, Endpoint
from automl_gitops.serving.registry import ModelPackage, Registry
from automl_gitops.serving.release import release
from automl_gitops.serving.scaling import Scaling
from automl_gitops.verification.record import proof


class ProductionServices:
    """Whatever a promotion looks at and changes."""

    def __init__(self, project: ServingProject) -> None:
        self.project = project
        self.environment = project.production
        self.bucket = project.names.bucket
        self.endpoint = Endpoint(self.environment.aws, self.environment.endpoint, project.output)
        self.registry = Registry(project.aws, project.names)
        self.records = DeploymentRecords(project.aws, self.bucket)
        self.alarms = EndpointAlarms(self.environment.aws, alarm_requests(self.environment))
        self.scaling = Scaling(self.environment)

    @cached_property
    def pull_request(self) -> str:
        """On whose word the version goes to production, see `pull_request`."""
        return pull_request(self.project)


def look(production: ProductionServices, named: ProductionFile) -> Situation:
    """What there is, for the version that Git names; changes nothing.

    Raises `UserError` for a version that is not the project's, or that its configuration cannot serve.
    """
    environment, endpoint = production.environment, production.endpoint
    package = production.registry.find(named.model_package_arn, SOURCE)
    wanted = release(package, environment, production.bucket)
    state = endpoint.look()
    last = production.records.current()
    before = production.records.last_of(package.version)
    missing, verified = proof(production.project, package)
    known = before.archives if missing and before else verified
    now = archives.read_again(production.project.client("s3"), known)
    return Situation(
        package=package,
        release=wanted,
        account=environment.aws.account,
        bucket=production.bucket,
        missing_proof=missing,
        archives=now,
        other_bytes=archives.difference(known, now)
        or archives.difference(named.archives if known else {}, now),
        endpoint=state,
        variants=endpoint.variants(state.config) if state.exists else (),
        served_arn=endpoint.package_arn(state) if state.exists else "",
        last=last,
        last_of_version=before,
        standing=production.records.standing(),
        packages=_named_by(last, production.registry, package),
        wrong_alarms=tuple(request["AlarmName"] for request in production.alarms.missing()),
        scaling_wanted=production.scaling.wanted,
        scaling_exists=production.scaling.exists(),
        scaling_right=production.scaling.is_right(),
        parts=frozenset((kind, name) for kind in PARTS for name in endpoint.parts(kind)),
    )


def _named_by(
    record: DeploymentRecord | None, registry: Registry, package: ModelPackage
) -> dict[str, ModelPackage]:
    """The other versions that a record names; one that was deleted since is left out, as nothing can be noted on it."""
    arns = {record.package_arn, record.previous_package_arn} - {"", package.arn} if record else set()
    packages = {}
    for arn in sorted(arns):
        try:
            packages[arn] = registry.find(arn, "the previous version")
        except UserError:
            continue
    return packages


# What GitHub writes into the message of a merge, and of a squash.
_NUMBER = re.compile(r"^Merge pull request #(\d+)|\(#(\d+)\)\s*$", re.MULTILINE)
_DECIDES = "^model_package_arn"  # the line that names the version


def approval_description(pull_request: str, signature: Signature) -> str:
    """What the registry keeps with `Approved`; ``pull_request`` is what the function of that name found."""
    source = pull_request or f"{FILE.as_posix()} as it stands"
    run = f", run {signature.run}" if signature.run else ""
    return (
        f"Approved for production by {signature.by} ({signature.identity}) at {signature.at}: {source}{run}"
    )


def pull_request(project: ServingProject) -> str:
    """The pull request that named the version which production.toml names, as a URL, else a number, else the
    commit; "" where Git cannot tell.

    Not that of the commit which is checked out: whatever came since, and a run that is repeated, approved
    nothing. GitHub is asked where a token is there; what it does not answer, the commit's message does.
    """
    try:
        commit = _commit(project)
        message = git.message(commit) if commit else ""
    except UserError:
        return ""  # no Git, or nothing committed
    if not commit:
        return ""
    try:
        host = Host.connect(project.config.project.repository)
        merged = host.pull_request_of(commit) if host else None
        if merged:
            return merged[1]
    except (RunError, UserError) as error:
        project.output.notice(f"the pull request is taken from Git: {error}")
    number = _NUMBER.search(message)
    return f"pull request {number[1] or number[2]}" if number else f"commit {commit}"


def _commit(project: ServingProject) -> str:
    """The commit of the branch that named the version, "" where that is not to be seen."""
    if git.is_shallow():
        project.output.notice(
            "no pull request is recorded: this clone lacks the history, which `git fetch --unshallow` brings"
        )
        return ""
    return git.last_commit_of_line(FILE, _DECIDES)
