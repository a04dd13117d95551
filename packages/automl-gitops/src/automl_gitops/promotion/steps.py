"""The steps of a promotion: what each is about, how it is printed, and which of them make production what Git says.

Pure: nothing here calls AWS, Git or GitHub, so that the steps can be printed (`automl promote --dry-run`) and tested
as a table. `promote` takes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automl_gitops.kernel.errors import UserError
from automl_gitops.serving.deployments import DeploymentRecord, elsewhere
from automl_gitops.serving.endpoint import EndpointState
from automl_gitops.serving.registry import ModelPackage, note_request
from automl_gitops.serving.release import Release


@dataclass(frozen=True)
class Wait:
    """Wait until the endpoint has ended what it is doing; only then can more be decided."""

    endpoint: str
    status: str

    def __str__(self) -> str:
        return f"wait until endpoint {self.endpoint}, which is {self.status}, has settled; then decide again"


@dataclass(frozen=True)
class Approve:
    """Set the version to `Approved` in the registry."""

    label: str

    def __str__(self) -> str:
        return f"approve {self.label} in the registry"


@dataclass(frozen=True)
class SetAlarms:
    """Create or change these alarms."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"set alarms as automl.toml has them: {', '.join(self.names)}"


@dataclass(frozen=True)
class DeleteEndpoint:
    """Delete an endpoint that can no longer be updated."""

    endpoint: str
    status: str

    def __str__(self) -> str:
        return f"delete endpoint {self.endpoint}, which is {self.status}"


@dataclass(frozen=True)
class CreateEndpoint:
    """Create the endpoint with the release."""

    endpoint: str
    config: str

    def __str__(self) -> str:
        return f"create endpoint {self.endpoint} with config {self.config}"


@dataclass(frozen=True)
class StopScaling:
    """Deregister the endpoint's scalable target."""

    def __str__(self) -> str:
        return "stop the autoscaling, since SageMaker does not change the instance type of what is scaled"


@dataclass(frozen=True)
class UpdateEndpoint:
    """Roll the release out over what serves: by the policy of automl.toml, a way back all at once.

    ``keep_instances`` keeps as many as autoscaling has made of them.
    """

    endpoint: str
    before: str
    config: str
    way_back: bool
    keep_instances: bool

    def __str__(self) -> str:
        how = "all at once, as a way back" if self.way_back else "by the policy of automl.toml"
        return f"update endpoint {self.endpoint} from config {self.before} to {self.config}, {how}"


@dataclass(frozen=True)
class Verify:
    """Compare the endpoint's answers with the evaluation's; where they differ, go back to ``before``."""

    label: str
    before: str

    def __str__(self) -> str:
        way_out = f"go back to config {self.before}" if self.before else "delete the endpoint"
        return f"verify {self.label} in production; if that fails, {way_out}"


@dataclass(frozen=True)
class RecordDeployment:
    """Write the record of the deployment, and note it on the model packages."""

    label: str

    def __str__(self) -> str:
        return f"record the deployment of {self.label}"


@dataclass(frozen=True)
class SetScaling:
    """Set the endpoint's autoscaling as automl.toml has it, or remove it."""

    wanted: bool

    def __str__(self) -> str:
        return "set the autoscaling as automl.toml has it" if self.wanted else "remove the autoscaling"


@dataclass(frozen=True)
class NoteDeployed:
    """Note on the version that it serves."""

    label: str

    def __str__(self) -> str:
        return f"note in the registry that {self.label} serves"


@dataclass(frozen=True)
class NoteReplaced:
    """Note on the version before that another one took over."""

    package: ModelPackage

    def __str__(self) -> str:
        return f"note in the registry that {self.package.label} was replaced"


@dataclass(frozen=True)
class DeleteParts:
    """Delete models and endpoint configs that neither serve nor are the way back, as (kind, name)."""

    parts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "delete what is no longer needed: " + ", ".join(name for _, name in self.parts)


Step = (
    Wait
    | Approve
    | SetAlarms
    | DeleteEndpoint
    | CreateEndpoint
    | StopScaling
    | UpdateEndpoint
    | Verify
    | RecordDeployment
    | SetScaling
    | NoteDeployed
    | NoteReplaced
    | DeleteParts
)


STAGE, REPLACED = "Production", "Replaced"  # of the model package's life cycle


@dataclass(frozen=True)
class Situation:
    """What there is of production, as one look found it.

    ``package`` is the version that Git names, ``release`` what it is to be served by, ``account`` that of the
    endpoint. ``missing_proof`` says why staging's verification does not cover the version, "" where it does.
    ``archives`` are what it would load, none where none are recorded; ``other_bytes`` says which is another one.
    ``endpoint``, ``variants`` (of its endpoint config) and ``served_arn`` (its model package, "" where nothing says
    it) are what answers people now. ``last`` is the newest deployment that succeeded, ``last_of_version`` the newest
    of this version, ``standing`` the versions that were deployed and not taken back; ``packages`` holds the other
    versions that ``last`` names, by ARN. ``parts`` are the endpoint's models and endpoint configs, as (`model` or
    `endpoint_config`, name).
    """

    package: ModelPackage
    release: Release
    account: str
    bucket: str
    missing_proof: str = ""
    archives: Mapping[str, str] = field(default_factory=dict)
    other_bytes: str = ""
    endpoint: EndpointState = field(default_factory=EndpointState)
    variants: Sequence[Mapping[str, Any]] = ()
    served_arn: str = ""
    last: DeploymentRecord | None = None
    last_of_version: DeploymentRecord | None = None
    standing: tuple[int, ...] = ()
    packages: Mapping[str, ModelPackage] = field(default_factory=dict)
    wrong_alarms: tuple[str, ...] = ()
    scaling_wanted: bool = False
    scaling_exists: bool = False
    scaling_right: bool = True
    parts: frozenset[tuple[str, str]] = frozenset()

    @property
    def serves(self) -> bool:
        """Whether the endpoint answers with the release."""
        return self.endpoint.serves(self.release.config_name)

    @property
    def proved(self) -> DeploymentRecord | None:
        """The last deployment of exactly this version, if it is approved; then it needs no staging."""
        earlier = self.last_of_version
        if earlier is None or self.package.approval != "Approved":
            return None
        ours = (self.package.arn, self.package.containers_sha256)
        return earlier if (earlier.package_arn, earlier.containers_sha256) == ours else None

    @property
    def recorded(self) -> DeploymentRecord | None:
        """The last deployment, where it is of this very release, and it still serves."""
        if self.last is None or not self.serves:
            return None
        ours = (self.package.arn, self.release.config_name)
        return self.last if (self.last.package_arn, self.last.endpoint_config) == ours else None

    @property
    def is_way_back(self) -> bool:
        """Whether this returns to what served before, and does not only give what serves another config.

        A version that was taken back is none to return to: it is rolled out as a new one is.
        """
        if self.proved is None or not self.endpoint.exists:
            return False
        if self.served_arn == self.package.arn:
            return self.proved.endpoint_config == self.release.config_name
        return self.package.version in self.standing


def decide(seen: Situation, *, new_account: bool = False) -> list[Step]:
    """The steps, in their order; none where production is what Git says.

    Where the endpoint is on its way from one state to another, all is `Wait`. Raises `UserError` for a version that
    may not go to production, for production in another account (unless ``new_account`` moves it), and for a change
    that the endpoint cannot make.
    """
    if seen.missing_proof and not (seen.proved and (seen.archives or seen.recorded)):
        raise UserError(seen.missing_proof)
    if seen.other_bytes:
        raise UserError(
            f"{seen.package.label} cannot go to production: {seen.other_bytes}; bring it back (docs/operate.md), or "
            f"run `automl stage --model-package {seen.package.arn}`, `automl verify` and `automl propose`"
        )
    where = "" if new_account else elsewhere(seen.last, seen.account)
    if where:
        raise UserError(f"{where}, or move production here with --new-account")
    if seen.endpoint.moving:
        return [Wait(seen.release.endpoint, seen.endpoint.status)]
    _require_same_kind(seen)
    chosen: list[Step] = []
    if seen.package.approval != "Approved":
        chosen.append(Approve(seen.package.label))
    if seen.wrong_alarms:
        chosen.append(SetAlarms(seen.wrong_alarms))
    if seen.recorded:
        if not seen.scaling_right:
            chosen.append(SetScaling(seen.scaling_wanted))
        return chosen + _notes(seen, seen.recorded) + _tidy(seen, seen.recorded)
    return chosen + _deployment(seen)


def deployed_note(record: DeploymentRecord, bucket: str) -> dict[str, Any]:
    """What the registry keeps of a deployment with the version that serves."""
    return {
        "stage": (STAGE, "Deployed"),
        "description": f"Serves on {record.endpoint} since {record.signature.at}",
        **metadata(record, bucket),
    }


def replaced_note(record: DeploymentRecord) -> dict[str, Any]:
    """What it keeps with the version before."""
    description = f"Version {record.version} took over at {record.signature.at}"
    return {"stage": (STAGE, REPLACED), "description": description}


def metadata(record: DeploymentRecord, bucket: str) -> dict[str, str]:
    """A deployment, failed ones too, as metadata of the model package."""
    return {
        "deployment": record.outcome,
        "deployment_by": record.signature.by,
        "deployment_at": record.signature.at,
        "deployment_run": record.signature.run,
        "deployment_record": record.uri(bucket),
    }


def _require_same_kind(seen: Situation) -> None:
    serverless = any("ServerlessConfig" in variant for variant in seen.variants)
    if seen.endpoint.status == "InService" and serverless != seen.release.serverless:
        raise UserError(
            "automl.toml: [production] changes between instances and serverless, which SageMaker does not do in "
            f"place: `automl teardown --only production` removes {seen.release.endpoint} first"
        )


def _deployment(seen: Situation) -> list[Step]:
    """From what the endpoint serves to a verified and recorded deployment of the release."""
    release, label = seen.release, seen.package.label
    before = seen.last.endpoint_config if seen.last else ""
    chosen: list[Step] = []
    scaling_right = seen.scaling_right
    if not seen.serves:
        before = seen.endpoint.config
        if seen.endpoint.dead:
            chosen.append(DeleteEndpoint(release.endpoint, seen.endpoint.status))
        if seen.endpoint.dead or not seen.endpoint.exists:
            before = ""
            chosen.append(CreateEndpoint(release.endpoint, release.config_name))
            scaling_right = scaling_right and not seen.scaling_wanted
        else:
            if seen.scaling_exists and _changes_instance_type(seen):
                chosen.append(StopScaling())
                scaling_right = not seen.scaling_wanted
            keep = seen.scaling_wanted and scaling_right
            chosen.append(
                UpdateEndpoint(release.endpoint, before, release.config_name, seen.is_way_back, keep)
            )
    chosen += [Verify(label, before), RecordDeployment(label)]
    if not scaling_right:
        chosen.append(SetScaling(seen.scaling_wanted))
    chosen.append(NoteDeployed(label))
    if seen.last:
        chosen += _note_replaced(seen, seen.last.package_arn)
        kept = {seen.last.model, seen.last.endpoint_config}
    else:
        kept = set()
    return chosen + _delete(seen, kept)


def _changes_instance_type(seen: Situation) -> bool:
    before = seen.variants[0].get("InstanceType") if seen.variants else None
    return before != seen.release.config["ProductionVariants"][0].get("InstanceType")


def _notes(seen: Situation, record: DeploymentRecord) -> list[Step]:
    """What a run that was interrupted has left undone in the registry."""
    chosen: list[Step] = []
    if note_request(seen.package, **deployed_note(record, seen.bucket)):
        chosen.append(NoteDeployed(seen.package.label))
    return chosen + _note_replaced(seen, record.previous_package_arn)


def _note_replaced(seen: Situation, arn: str) -> list[Step]:
    previous = seen.packages.get(arn)
    if previous is None or previous.stage != STAGE or previous.stage_status == REPLACED:
        return []
    return [NoteReplaced(previous)]


def _tidy(seen: Situation, record: DeploymentRecord) -> list[Step]:
    return _delete(seen, {record.previous_model, record.previous_endpoint_config})


def _delete(seen: Situation, kept: set[str]) -> list[Step]:
    """All parts but those of the release, and of the way back."""
    kept = {*kept, seen.release.model_name, seen.release.config_name}
    stale = tuple(sorted(part for part in seen.parts if part[1] not in kept))
    return [DeleteParts(stale)] if stale else []
