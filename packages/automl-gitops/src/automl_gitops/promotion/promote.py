"""Make production what environments/production.toml says. Each step looks first, and writes only what is not
so yet.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from automl_gitops.kernel.environments import Project
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.signature import sign
from automl_gitops.promotion.approval import approval_description, pull_request
from automl_gitops.promotion.production_file import FILE, ProductionFile
from automl_gitops.promotion.rollout import roll_out
from automl_gitops.serving.alarms import Alarms, alarm_requests
from automl_gitops.serving.deployments import DEPLOYED, FAILED, ROLLED_BACK, Deployment, Records, elsewhere
from automl_gitops.serving.endpoint import Endpoint, State, require_success
from automl_gitops.serving.registry import ModelPackage, Registry
from automl_gitops.serving.release import release
from automl_gitops.serving.scaling import Scaling
from automl_gitops.verification.checks import Check, check_csv
from automl_gitops.verification.holdout import Holdout, load_holdout, read_evaluation
from automl_gitops.verification.proof import require_verified
from automl_gitops.verification.verification import containers_sha256
from automl_gitops.verification.verify import make_subject

STAGE = "Production"  # of the model package's life cycle
SOURCE = f"{FILE.as_posix()}: model_package_arn"


@dataclass(frozen=True)
class Promotion:
    """What came of it: the version in production (`None` where Git names none), and what was done for it."""

    package: ModelPackage | None
    endpoint: str
    config: str = ""
    done: list[str] = field(default_factory=list)


def promote(project: Project, *, new_account: bool = False) -> Promotion:
    """Approve, deploy, verify and record the version that Git names; nothing at all where all that is so
    already.

    ``new_account`` lets production move to another account than that of its last deployment. Raises
    `UserError` for a version that may not go to production, `RunError` where its deployment failed: then the
    previous version serves, and the model package says what happened.
    """
    content = ProductionFile.load()
    environment = project.production
    endpoint = Endpoint(environment.aws, environment.endpoint, project.output)
    if not content.model_package_arn:
        _require_nothing(endpoint)
        return Promotion(None, endpoint.name)
    promoter = _Promoter(project, endpoint, content.model_package_arn)
    if not new_account:
        promoter.require_same_account()
    return promoter.run()


class _Promoter:
    """One promotion: what is wanted, what is there, and the steps from the one to the other."""

    def __init__(self, project: Project, endpoint: Endpoint, arn: str) -> None:
        self._project = project
        self._environment = project.production
        self._endpoint = endpoint
        self._registry = Registry(project.aws, project.names)
        self._records = Records(project.aws, project.names.bucket)
        self._alarms = Alarms(self._environment.aws, alarm_requests(self._environment))
        self._scaling = Scaling(self._environment)
        self._package = self._registry.find(arn, SOURCE)
        self._earlier = self._proved_in_production()
        if not self._earlier:
            require_verified(project, self._package)
        self._release = release(self._package, self._environment, project.names.bucket)
        self._before = self._records.current()
        self._done: list[str] = []

    def require_same_account(self) -> None:
        """Raise `UserError` rather than make a second production beside the one that people use."""
        found = elsewhere(self._before, self._environment.aws.account)
        if found:
            raise UserError(f"{found}, or move production here with --new-account")

    def run(self) -> Promotion:
        state = self._endpoint.settle_before_change(self._release.config_name)
        self._require_same_kind(state)
        self._step(self._approve, f"approved {self._package.label}")
        self._step(self._bring_alarms, "brought the alarms to automl.toml")
        serves = state.serves(self._release.config_name)
        record = self._before if serves and self._is_recorded() else None
        record = record or self._deploy(state, serves=serves)
        self._step(self._bring_scaling, "brought the autoscaling to automl.toml")
        self._mark(record)
        keep = {record.model, record.endpoint_config, record.previous_model, record.previous_endpoint_config}
        self._endpoint.tidy(keep)
        return Promotion(self._package, self._endpoint.name, self._release.config_name, self._done)

    @cached_property
    def _pull_request(self) -> str:
        return pull_request(self._project)

    def _proved_in_production(self) -> Deployment | None:
        """The last deployment of exactly this version, if it is approved; then it needs no staging."""
        earlier = self._records.last_of(self._package.version)
        if earlier is None or self._package.approval != "Approved":
            return None
        ours = (self._package.arn, containers_sha256(self._package))
        return earlier if (earlier.package_arn, earlier.containers_sha256) == ours else None

    def _is_way_back(self, state: State) -> bool:
        """Whether this returns to what served before, and not only gives what serves another config."""
        if self._earlier is None or not state.exists:
            return False
        known = self._earlier.endpoint_config == self._release.config_name
        return known or self._endpoint.package_arn(state) != self._package.arn

    def _is_recorded(self) -> bool:
        """Whether this very release was found right in production, and nothing was deployed since."""
        return self._before is not None and (
            self._before.package_arn,
            self._before.endpoint_config,
        ) == (self._package.arn, self._release.config_name)

    def _deploy(self, state: State, *, serves: bool) -> Deployment:
        """Bring the endpoint to the release, verify it there and record it; go back and raise where that
        fails.
        """
        holdout = self._holdout()
        previous_config = self._before.endpoint_config if self._before else ""
        if not serves:
            state = self._endpoint.remove_dead(state)
            previous_config = state.config
            rollout = roll_out(
                self._environment,
                self._endpoint,
                self._release,
                self._alarms,
                state,
                holdout=holdout if self._reads_the_same(state) else None,
                way_back=self._is_way_back(state),
                output=self._project.output,
            )
            if rollout.reason:
                self._endpoint.remove_dead(rollout.state)
                self._fail(ROLLED_BACK if rollout.state.status == "InService" else FAILED, rollout.reason, [])
        checks = self._verify(holdout)
        failed = [check for check in checks if check.outcome == "failed"]
        if failed:
            self._go_back_to(previous_config)
            reason = "; ".join(f"{check.name}: {check.detail}" for check in failed)
            self._fail(ROLLED_BACK, f"it did not pass its verification in production: {reason}", checks)
        record = self._record(DEPLOYED, "", checks)
        self._records.write(record)
        self._done.append(f"deployed {self._package.label}")
        return record

    def _reads_the_same(self, state: State) -> bool:
        """Whether the version that serves takes the new one's rows: else these would be errors of its own."""
        if not state.exists:
            return False
        try:
            served = self._registry.find(self._endpoint.package_arn(state), self._endpoint.name)
            before, now = (self._features(package) for package in (served, self._package))
        except (RunError, UserError) as error:
            self._project.output.notice(f"nothing is asked during the update: {error}")
            return False
        if before != now:
            self._project.output.notice(
                f"nothing is asked during the update: {served.label} reads other columns than "
                f"{self._package.label}"
            )
        return before == now

    def _features(self, package: ModelPackage) -> list[str]:
        """The columns that a version reads, in order."""
        evaluation = read_evaluation(self._project.aws, self._project.names.bucket, package)
        dataset = evaluation["dataset"]
        return [column["name"] for column in dataset["columns"] if column["name"] != dataset["target"]]

    def _holdout(self) -> Holdout | None:
        """Rows with known answers; a version that goes back to production does without if they are gone."""
        try:
            count = self._project.config.verification.rows
            return load_holdout(self._project.aws, self._project.names.bucket, self._package, count)
        except RunError as error:
            if not self._earlier:
                raise
            self._project.output.notice(f"{self._package.label} is not verified again: {error}")
            return None

    def _verify(self, holdout: Holdout | None) -> list[Check]:
        """Labels, numbers and agreement; what would trouble people (bad rows, load) is staging's."""
        if holdout is None:
            return []
        subject = make_subject(self._project, self._environment, self._package, holdout)
        return check_csv(subject)[0]

    def _go_back_to(self, config_name: str) -> None:
        """Serve again what served before, or nothing where nothing did."""
        if not config_name:
            self._endpoint.delete()
            return
        self._endpoint.update(config_name)
        require_success(self._endpoint.name, self._endpoint.settle(), config_name)

    def _fail(self, outcome: str, reason: str, checks: list[Check]) -> None:
        record = self._record(outcome, reason, checks)
        self._records.write(record)
        state, before, what = self._endpoint.look(), self._before, self._package.label
        serves = state.status == "InService"
        if serves:
            self._step(self._bring_scaling, "")
        if serves and before and before.package_arn == self._package.arn:
            raise RunError(f"{what} serves as before, without the new config: {reason}")
        status = "RolledBack" if outcome == ROLLED_BACK else "Failed"
        self._registry.note(
            self._package, stage=(STAGE, status), description=reason, **self._metadata(record)
        )
        now = f"the endpoint is {state.status}" if state.exists else "nothing serves"
        if serves and before:
            now = f"version {before.version} serves"
        raise RunError(f"{what} is not in production, {now}: {reason}")

    def _record(self, outcome: str, reason: str, checks: list[Check]) -> Deployment:
        before = self._before
        return Deployment(
            outcome=outcome,
            reason=reason,
            package_arn=self._package.arn,
            version=self._package.version,
            endpoint=self._endpoint.name,
            endpoint_config=self._release.config_name,
            model=self._release.model_name,
            containers_sha256=containers_sha256(self._package),
            previous_package_arn=before.package_arn if before else "",
            previous_endpoint_config=before.endpoint_config if before else "",
            previous_model=before.model if before else "",
            pull_request=self._pull_request,
            signature=sign(self._project.aws),
            account=self._environment.aws.account,
            checks=[check.document() for check in checks],
        )

    def _mark(self, record: Deployment) -> None:
        """Note on the model packages what the record says."""
        self._step(
            lambda: self._registry.note(
                self._package,
                stage=(STAGE, "Deployed"),
                description=f"Serves on {self._endpoint.name} since {record.signature.at}",
                **self._metadata(record),
            ),
            "",
        )
        if record.previous_package_arn not in ("", record.package_arn):
            previous = self._registry.find(record.previous_package_arn, "the previous version")
            if previous.stage == STAGE:
                description = f"Version {record.version} took over at {record.signature.at}"
                self._step(
                    lambda: self._registry.note(previous, stage=(STAGE, "Replaced"), description=description),
                    "",
                )

    def _metadata(self, record: Deployment) -> dict[str, str]:
        return {
            "deployment": record.outcome,
            "deployment_by": record.signature.by,
            "deployment_at": record.signature.at,
            "deployment_run": record.signature.run,
            "deployment_record": self._records.uri(record),
        }

    def _approve(self) -> bool:
        if self._package.approval == "Approved":
            return False
        description = approval_description(self._pull_request, sign(self._project.aws))
        self._registry.approve(self._package, description)
        return True

    def _bring_alarms(self) -> bool:
        wrong = bool(self._alarms.missing())
        self._alarms.bring()
        return wrong

    def _bring_scaling(self) -> bool:
        if self._scaling.is_right():
            return False
        self._scaling.bring()
        return True

    def _step(self, bring: Callable[[], bool], words: str) -> None:
        """Do a step that tells whether it had to do anything."""
        if bring() and words:
            self._project.output.say(words)
            self._done.append(words)

    def _require_same_kind(self, state: State) -> None:
        if not state.exists or state.status != "InService":
            return
        if self._endpoint.is_serverless(state.config) != self._release.serverless:
            raise UserError(
                "automl.toml: [production] changes between instances and serverless, which SageMaker does "
                "not "
                "do in place: `automl teardown --only production` removes "
                f"{self._endpoint.name} first"
            )


def _require_nothing(endpoint: Endpoint) -> None:
    """Raise `UserError` where an endpoint serves though Git names no version: this command never takes one
    away.
    """
    state = endpoint.look()
    if state.exists:
        served = endpoint.package_arn(state) or f"config {state.config}"
        raise UserError(
            f'{SOURCE} = "", but endpoint {endpoint.name} serves {served}: name a version, or remove the '
            "endpoint "
            "with `automl teardown --only production`"
        )
