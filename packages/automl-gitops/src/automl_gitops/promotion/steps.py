"""The steps of a promotion: what each is about, and how it is printed. `decide` chooses them, `promote` takes them."""

from dataclasses import dataclass

from automl_gitops.serving.registry import ModelPackage


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
