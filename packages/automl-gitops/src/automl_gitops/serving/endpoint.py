"""An endpoint: what it serves now, and what makes it serve a release."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import Aws, is_missing, listed
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError
from automl_gitops.kernel.waiting import LONGEST, wait
from automl_gitops.serving.release import PACKAGE_TAG, Release

# Out of these an endpoint comes by itself; the service refuses changes meanwhile.
_MOVING = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
# What cannot be updated any more, only deleted.
_DEAD = {"Failed", "OutOfService"}
# What releases make beside the endpoint: the list operation, its key, and the name in an entry.
PARTS = {
    "endpoint_config": ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    "model": ("list_models", "Models", "ModelName"),
}
STARTUP_SECONDS = 1800.0  # an instance and a container of Autopilot take about five minutes
UPDATE_SECONDS = 28_800.0 + STARTUP_SECONDS  # whoever's it is, MaximumExecutionTimeoutInSeconds ends it
DELETION_SECONDS = 900.0


@dataclass(frozen=True)
class EndpointState:
    """What DescribeEndpoint says. ``status`` is "" where there is no endpoint."""

    status: str = ""
    config: str = ""
    pending_config: str = ""
    reason: str = ""
    modified: datetime | None = None
    variants: tuple[Mapping[str, Any], ...] = ()
    arn: str = ""

    @property
    def exists(self) -> bool:
        """Whether there is an endpoint at all."""
        return bool(self.status)

    @property
    def moving(self) -> bool:
        """Whether it is on its way from one state to another."""
        return self.status in _MOVING

    @property
    def dead(self) -> bool:
        """Whether it can no longer be updated, only deleted."""
        return self.status in _DEAD

    def serves(self, config_name: str) -> bool:
        """Whether it answers requests with this endpoint config."""
        return self.status == "InService" and self.config == config_name

    @property
    def instances(self) -> int | None:
        """How many instances answer; `None` where there are none, as with serverless inference."""
        counts = [v["CurrentInstanceCount"] for v in self.variants if "CurrentInstanceCount" in v]
        return sum(counts) if counts else None


class Endpoint:
    """One endpoint by name, in the account of ``aws``."""

    def __init__(self, aws: Aws, name: str, output: Output) -> None:
        self.name = name
        self._sagemaker = aws.client("sagemaker")
        self._output = output

    def look(self) -> EndpointState:
        """The endpoint now."""
        try:
            answer = self._sagemaker.describe_endpoint(EndpointName=self.name)
        except ClientError as error:
            if is_missing(error):
                return EndpointState()
            raise
        return EndpointState(
            status=answer["EndpointStatus"],
            config=answer.get("EndpointConfigName", ""),
            pending_config=(answer.get("PendingDeploymentSummary") or {}).get("EndpointConfigName", ""),
            reason=answer.get("FailureReason", ""),
            modified=answer.get("LastModifiedTime"),
            variants=tuple(answer.get("ProductionVariants") or ()),
            arn=answer["EndpointArn"],
        )

    def settle(
        self,
        *,
        seconds: float = STARTUP_SECONDS,
        pause: float = LONGEST,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> EndpointState:
        """Wait until the endpoint is in a state that lasts, and return it."""
        state = self.look()
        if not state.moving:
            return state
        return wait(
            f"endpoint {self.name}",
            self.look,
            lambda seen: not seen.moving,
            seconds=seconds,
            status=_status,
            output=self._output,
            meanwhile=meanwhile,
            longest=pause,
            interrupted="look with `automl status`, "
            + ("end it with `automl teardown --only staging`, " if self.name.endswith("-staging") else ""),
        )

    def settle_before_change(self, config_name: str = "") -> EndpointState:
        """As `settle`, and say which update is waited for where it is not the one to ``config_name``."""
        state = self.look()
        busy_with = state.pending_config or state.config
        if state.moving and busy_with != config_name:
            self._output.notice(
                f"endpoint {self.name} is {state.status} ({busy_with}): waiting for that to end first"
            )
        return self.settle(seconds=UPDATE_SECONDS)

    def make_parts(self, release: Release) -> None:
        """Create the release's model and endpoint config where they are not there."""
        self._make("model", release.model_name, release.model)
        self._make("endpoint_config", release.config_name, release.config)

    def create(self, release: Release) -> None:
        """Start the creation of the endpoint."""
        with self._unless_begun(release.config_name):
            self._sagemaker.create_endpoint(
                EndpointName=self.name, EndpointConfigName=release.config_name, Tags=release.tags
            )

    def update(
        self, config_name: str, deployment: Mapping[str, Any] | None = None, *, keep_instances: bool = False
    ) -> None:
        """Start the update to an endpoint config; ``deployment`` is the DeploymentConfig, by default all at
        once.
        """
        options: dict[str, Any] = {"DeploymentConfig": deployment} if deployment else {}
        if keep_instances:
            # As many instances as autoscaling has made of the config's; captured data are not to be carried
            # over.
            options["RetainAllVariantProperties"] = True
            options["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": "DataCaptureConfig"}]
        with self._unless_begun(config_name):
            self._sagemaker.update_endpoint(EndpointName=self.name, EndpointConfigName=config_name, **options)

    def delete(self) -> None:
        """Delete the endpoint and wait until it is gone; its models and endpoint configs stay.

        What is under way is waited for, since the service deletes no endpoint meanwhile.
        """
        if self.settle_before_change().exists:
            try:
                self._sagemaker.delete_endpoint(EndpointName=self.name)
            except ClientError as error:
                if not is_missing(error):
                    raise
        wait(
            f"endpoint {self.name}",
            self.look,
            lambda seen: not seen.exists,
            seconds=DELETION_SECONDS,
            status=_status,
            output=self._output,
        )

    def remove_dead(self, state: EndpointState) -> EndpointState:
        """Delete an endpoint that can no longer be updated; returns what is there then."""
        if not state.dead:
            return state
        self._output.notice(
            f"endpoint {self.name} is {state.status} ({state.reason or 'no reason given'}): making it anew"
        )
        self.delete()
        return EndpointState()

    def variants(self, config_name: str) -> list[dict[str, Any]]:
        """The variants of an endpoint config; none where it is gone."""
        try:
            return self._sagemaker.describe_endpoint_config(EndpointConfigName=config_name)[
                "ProductionVariants"
            ]
        except ClientError as error:
            if is_missing(error):
                return []
            raise

    def is_serverless(self, config_name: str) -> bool:
        """Whether an endpoint config runs without instances; a config that is gone counts as one with."""
        return any("ServerlessConfig" in variant for variant in self.variants(config_name))

    def package_arn(self, state: EndpointState) -> str:
        """The model package that a state of the endpoint serves, "" where nothing says it (an endpoint made
        by hand).
        """
        variants = self.variants(state.config)
        if not variants:
            return ""
        try:
            model = self._sagemaker.describe_model(ModelName=variants[0]["ModelName"])
        except ClientError as error:
            if is_missing(error):
                return ""
            raise
        containers = [model.get("PrimaryContainer") or {}, *(model.get("Containers") or [])]
        named = [entry["ModelPackageName"] for entry in containers if entry.get("ModelPackageName")]
        if named:
            return named[0]
        tags = self._sagemaker.list_tags(ResourceArn=model["ModelArn"]).get("Tags", [])
        return next((tag["Value"] for tag in tags if tag["Key"] == PACKAGE_TAG), "")

    def tidy(self, keep: set[str]) -> None:
        """Delete this endpoint's models and endpoint configs whose names are not in ``keep``."""
        for kind in PARTS:
            for name in self.parts(kind) - keep:
                self.delete_part(kind, name)

    def parts(self, kind: str) -> set[str]:
        """Names of the `model`s or `endpoint_config`s that releases of this endpoint made."""
        operation, key, name = PARTS[kind]
        entries = listed(self._sagemaker, operation, key, NameContains=f"{self.name}-v")
        # NameContains also finds another project's whose name ends like this one's.
        return {one[name] for one in entries if one[name].startswith(f"{self.name}-v")}

    def delete_part(self, kind: str, name: str) -> None:
        """Delete a model or endpoint config; one that is gone is as good."""
        key = "ModelName" if kind == "model" else "EndpointConfigName"
        try:
            getattr(self._sagemaker, f"delete_{kind}")(**{key: name})
        except ClientError as error:
            if not is_missing(error):
                raise

    def _make(self, kind: str, name: str, request: Mapping[str, Any]) -> None:
        if not self._has(kind, name):
            try:
                getattr(self._sagemaker, f"create_{kind}")(**request)
            except ClientError:
                # Where an answer was lost, the attempt after it is refused for what the first one made.
                if not self._has(kind, name):
                    raise

    def _has(self, kind: str, name: str) -> bool:
        operation, key = {"model": ("describe_model", "ModelName")}.get(
            kind, ("describe_endpoint_config", "EndpointConfigName")
        )
        try:
            getattr(self._sagemaker, operation)(**{key: name})
        except ClientError as error:
            if not is_missing(error):
                raise
            return False
        return True

    @contextmanager
    def _unless_begun(self, config_name: str) -> Iterator[None]:
        """Pass over a refusal of what is under way, or done: the answer of an earlier attempt was lost."""
        try:
            yield
        except ClientError:
            state = self.look()
            if config_name not in (state.config, state.pending_config):
                raise


def _status(state: EndpointState) -> str:
    return state.status or "gone"


def require_success(endpoint: str, state: EndpointState, config_name: str) -> None:
    """Raise `RunError` with the reason unless the endpoint answers with ``config_name``.

    An endpoint that is InService with another config was rolled back: an update's failure does not show in
    the status.
    """
    if state.serves(config_name):
        return
    reason = state.reason or "SageMaker gives no reason"
    if state.status == "InService":
        raise RunError(f"endpoint {endpoint} was rolled back to {state.config}: {reason}")
    raise RunError(f"endpoint {endpoint} ended {state.status or 'deleted'}: {reason}")
