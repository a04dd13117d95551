"""Make production what environments/production.toml says: look, decide, and take the steps in their order.

Where a step fails, the version before stays in production, and the registry says why. A step looks again only at what
AWS may have changed since, such as the endpoint after its update. Each may be repeated: a run that is killed anywhere
is taken up by the next one, which decides anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.signature import sign
from automl_gitops.promotion import steps
from automl_gitops.promotion.look import ProductionServices, approval_description, look
from automl_gitops.promotion.production_file import FILE, SOURCE, ProductionFile, uncommitted
from automl_gitops.promotion.rollout import Rollout, create, update
from automl_gitops.promotion.steps import (
    STAGE,
    Situation,
    Step,
    Wait,
    decide,
    deployed_note,
    metadata,
    replaced_note,
)
from automl_gitops.serving import archives
from automl_gitops.serving.deployments import DEPLOYED, FAILED, ROLLED_BACK, DeploymentRecord
from automl_gitops.serving.endpoint import Endpoint, require_success
from automl_gitops.serving.registry import ModelPackage
from automl_gitops.verification.checks import Check, check_csv
from automl_gitops.verification.holdout import HoldoutSample, load_holdout, read_evaluation
from automl_gitops.verification.verify import make_subject


@dataclass(frozen=True)
class Promotion:
    """What came of it: the version that Git names (`None` where it names none), and what was done for it.

    ``steps`` are what is to be done yet, and ``refusal`` why a run would not start: of a dry run, else none.
    """

    package: ModelPackage | None
    endpoint: str
    config: str = ""
    done: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    refusal: str = ""


def promote(project: ServingProject, *, new_account: bool = False, dry_run: bool = False) -> Promotion:
    """Approve, deploy, verify and record the version that Git names; nothing at all where all that is so
    already.

    ``new_account`` lets production move to another account than that of its last deployment; ``dry_run`` only
    decides. Raises `UserError` for a version that may not go to production, or that no commit names, `RunError` where
    its deployment failed: then the previous version serves, and the model package says what happened.
    """
    production = ProductionServices(project)
    named = ProductionFile.load()
    refusal = uncommitted()
    if refusal and not dry_run:
        raise UserError(refusal, file=FILE.as_posix())
    if not named.model_package_arn:
        _require_nothing(production.endpoint)
        return Promotion(None, production.endpoint.name, refusal=refusal)
    done: list[str] = []
    while True:
        seen = look(production, named)
        steps = decide(seen, new_account=new_account)
        if dry_run:
            break
        done += apply(production, seen, steps)
        if not any(isinstance(step, Wait) for step in steps):
            steps = []
            break
    return Promotion(seen.package, production.endpoint.name, seen.release.config_name, done, steps, refusal)


def _require_nothing(endpoint: Endpoint) -> None:
    """Raise `UserError` where an endpoint serves though Git names no version: this command never takes one
    away.
    """
    state = endpoint.look()
    if state.exists:
        served = endpoint.package_arn(state) or f"config {state.config}"
        raise UserError(
            f'{SOURCE} = "", but endpoint {endpoint.name} serves {served}: name a version, or remove the '
            "endpoint with `automl teardown --only production`"
        )


def apply(production: ProductionServices, seen: Situation, chosen: Sequence[steps.Step]) -> list[str]:
    """Take the steps that `decide` gave for what was seen; returns what was done, in words.

    Raises `RunError` where the deployment failed: then the version before serves, and the registry says what happened.
    """
    return _Application(production, seen, chosen).run()


class _Application:
    def __init__(self, production: ProductionServices, seen: Situation, chosen: Sequence[steps.Step]) -> None:
        self._production = production
        self._output = production.project.output
        self._seen = seen
        self._steps = chosen
        self._done: list[str] = []
        self._holdout: HoldoutSample | None = None
        self._checks: list[Check] = []
        self._record = seen.recorded

    def run(self) -> list[str]:
        # Before anything is changed: without it there is no deployment.
        if any(isinstance(step, steps.Verify) for step in self._steps):
            self._holdout = self._load_holdout()
        for step in self._steps:
            self._take(step)
        return self._done

    def _take(self, step: steps.Step) -> None:
        production, seen = self._production, self._seen
        match step:
            case steps.Wait():
                production.endpoint.settle_before_change(seen.release.config_name)
            case steps.Approve(label):
                description = approval_description(production.pull_request, sign(production.project.aws))
                production.registry.approve(seen.package, description)
                self._say(f"approved {label}")
            case steps.SetAlarms(names):
                production.alarms.put(names)
                self._say("set the alarms")
            case steps.DeleteEndpoint():
                production.endpoint.remove_dead(seen.endpoint)
            case steps.CreateEndpoint():
                self._require(create(production.endpoint, seen.release))
            case steps.StopScaling():
                production.scaling.remove()
            case steps.UpdateEndpoint():
                self._require(self._update(step))
            case steps.Verify():
                self._verify(step)
            case steps.RecordDeployment(label):
                self._record = self._make_record(DEPLOYED, "")
                production.records.write(self._record)
                self._done.append(f"deployed {label}")
            case steps.SetScaling():
                self._set_scaling()
            case steps.NoteDeployed():
                production.registry.note(seen.package, **deployed_note(self._recorded, seen.bucket))
            case steps.NoteReplaced(previous):
                production.registry.note(previous, **replaced_note(self._recorded))
            case steps.DeleteParts(parts):
                for kind, name in parts:
                    production.endpoint.delete_part(kind, name)
            case _:
                assert_never(step)

    @property
    def _recorded(self) -> DeploymentRecord:
        """The record of what serves: an earlier run's, or the one that this run has written."""
        assert self._record is not None  # noqa: S101 - decide() puts that step before all that needs it
        return self._record

    def _say(self, words: str) -> None:
        self._output.say(words)
        self._done.append(words)

    def _set_scaling(self) -> None:
        # A new endpoint may have the target of one that was deleted.
        if not self._production.scaling.is_right():
            self._production.scaling.put()
            self._say("set the autoscaling")

    def _update(self, step: steps.UpdateEndpoint) -> Rollout:
        return update(
            self._production,
            self._seen.release,
            way_back=step.way_back,
            keep_instances=step.keep_instances,
            holdout=self._holdout if self._holdout and self._reads_the_same() else None,
        )

    def _require(self, rollout: Rollout) -> None:
        if rollout.reason:
            self._production.endpoint.remove_dead(rollout.state)
            self._fail(ROLLED_BACK if rollout.state.status == "InService" else FAILED, rollout.reason)

    def _verify(self, step: steps.Verify) -> None:
        """Labels, numbers and agreement; what would trouble people (bad rows, load) is staging's."""
        self._checks = [*self._answers(), self._same_bytes()]
        failed = [check for check in self._checks if check.outcome == "failed"]
        if failed:
            self._go_back_to(step.before)
            reason = "; ".join(f"{check.name}: {check.detail}" for check in failed)
            self._fail(ROLLED_BACK, f"it did not pass its verification in production: {reason}")

    def _answers(self) -> list[Check]:
        """What it answers; asked once more where something is wrong, as it may be with one request alone."""
        checks = self._asked()
        return self._asked() if any(check.outcome == "failed" for check in checks) else checks

    def _asked(self) -> list[Check]:
        if self._holdout is None:
            return []
        production = self._production
        subject = make_subject(production.project, production.environment, self._seen.package, self._holdout)
        try:
            return check_csv(subject)[0]
        except (RunError, UserError, ClientError, BotoCoreError):
            raise  # nothing that it answered: the next run asks again
        except Exception as error:  # whatever is wrong with an answer, nobody is to depend on it
            return [Check("answers csv", "failed", f"{type(error).__name__}: {error}")]

    def _same_bytes(self) -> Check:
        known = self._seen.archives
        words = archives.difference(known, archives.read_again(self._production.project.client("s3"), known))
        return Check("loaded what was verified", "failed" if words else "passed", words)

    def _go_back_to(self, config_name: str) -> None:
        """Serve again what served before, or nothing where nothing did."""
        endpoint = self._production.endpoint
        if not config_name:
            endpoint.delete()
            return
        endpoint.update(config_name)
        require_success(endpoint.name, endpoint.settle(), config_name)

    def _fail(self, outcome: str, reason: str) -> None:
        """Record what failed, note it on the version, and raise `RunError` with what serves now."""
        production, package, last = self._production, self._seen.package, self._seen.last
        record = self._make_record(outcome, reason)
        production.records.write(record)
        state = production.endpoint.look()
        serves = state.status == "InService"
        if serves:
            self._set_scaling()
        if serves and last and last.package_arn == package.arn:
            raise RunError(f"{package.label} serves as before, without the new config: {reason}")
        status = "RolledBack" if outcome == ROLLED_BACK else "Failed"
        production.registry.note(
            package, stage=(STAGE, status), description=reason, **metadata(record, production.bucket)
        )
        now = f"the endpoint is {state.status}" if state.exists else "nothing serves"
        if serves and last:
            now = f"version {last.version} serves"
        raise RunError(f"{package.label} is not in production, {now}: {reason}")

    def _make_record(self, outcome: str, reason: str) -> DeploymentRecord:
        production, seen, last = self._production, self._seen, self._seen.last
        return DeploymentRecord(
            outcome=outcome,
            reason=reason,
            package_arn=seen.package.arn,
            version=seen.package.version,
            endpoint=seen.release.endpoint,
            endpoint_config=seen.release.config_name,
            model=seen.release.model_name,
            containers_sha256=seen.package.containers_sha256,
            previous_package_arn=last.package_arn if last else "",
            previous_endpoint_config=last.endpoint_config if last else "",
            previous_model=last.model if last else "",
            pull_request=production.pull_request,
            signature=sign(production.project.aws),
            account=seen.account,
            checks=[check.document() for check in self._checks],
            archives=dict(seen.archives),
        )

    def _load_holdout(self) -> HoldoutSample | None:
        """Rows with known answers; a version that goes back to production does without if they are gone."""
        project, package = self._production.project, self._seen.package
        try:
            return load_holdout(
                project.aws, self._production.bucket, package, project.config.verification.rows
            )
        except RunError as error:
            if not self._seen.proved:
                raise
            self._output.notice(f"{package.label} is not verified again: {error}")
            return None

    def _reads_the_same(self) -> bool:
        """Whether the version that serves takes the new one's rows: else these would be errors of its own."""
        production, package = self._production, self._seen.package
        try:
            served = production.registry.find(self._seen.served_arn, production.endpoint.name)
            before, now = (self._features(one) for one in (served, package))
        except (RunError, UserError) as error:
            self._output.notice(f"nothing is asked during the update: {error}")
            return False
        if before != now:
            self._output.notice(
                f"nothing is asked during the update: {served.label} reads other columns than {package.label}"
            )
        return before == now

    def _features(self, package: ModelPackage) -> list[str]:
        """The columns that a version reads, in order."""
        evaluation = read_evaluation(self._production.project.aws, self._production.bucket, package)
        return evaluation.dataset.features
