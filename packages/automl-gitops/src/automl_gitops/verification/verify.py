"""Verify a version by asking the endpoint that serves it, and note the outcome for promotion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from automl_evaluation.layout import Evaluation
from automl_evaluation.metrics import REGRESSION
from automl_gitops.kernel.csv_text import write_row
from automl_gitops.kernel.environments import Environment, ServingProject
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.settings.endpoints import Verification as Limits
from automl_gitops.kernel.signature import sign
from automl_gitops.serving import archives
from automl_gitops.serving.endpoint import Endpoint, EndpointState
from automl_gitops.serving.registry import ModelPackage, Registry
from automl_gitops.serving.release import release
from automl_gitops.verification import record as records
from automl_gitops.verification.checks import Check, Subject, check_csv, check_json, check_malformed
from automl_gitops.verification.client import Client, Load, run_load
from automl_gitops.verification.holdout import HoldoutSample, load_holdout, read_evaluation
from automl_gitops.verification.payload import Decider, response_keys
from automl_gitops.verification.record import VERIFIED, VerificationRecord

STAGE = "Staging"  # of the model package's life cycle


def verify(project: ServingProject, arn: str | None) -> dict[str, Any]:
    """Check the version on the staging endpoint, record and sign the outcome, and return the record.

    ``arn`` says which version that has to be. Raises `UserError` where staging serves none or another one,
    `RunError` where the holdout is gone. A failed check is an outcome, not an exception.
    """
    environment = project.staging
    registry = Registry(project.aws, project.names)
    endpoint = Endpoint(environment.aws, environment.endpoint, project.output)
    state = endpoint.settle()
    if arn and not state.exists and not project.config.staging.keep:
        # A run that is repeated after staging was torn down has nothing left to ask.
        earlier = records.read(project.aws, project.names.bucket, registry.check(arn, "--model-package"))
        if earlier and earlier["outcome"] == VERIFIED and earlier["model_package_arn"] == arn:
            endpoint.tidy(keep=set())
            return earlier
    package = _served(project, registry, endpoint, state, arn)
    loaded = _loaded(project, endpoint, state.config, package)
    holdout = load_holdout(project.aws, project.names.bucket, package, project.config.verification.rows)
    limits = project.config.verification
    project.output.say(
        f"asking {environment.endpoint} about {len(holdout.rows)} rows of the holdout, then "
        f"{limits.requests} times "
        f"by {limits.concurrency} clients at once"
    )
    subject = make_subject(project, environment, package, holdout)
    outcome = make_verification(project, environment, loaded, examine(subject, limits))
    uri = records.write(project.aws, project.names.bucket, outcome)
    note(registry, package, outcome, uri)
    if not project.config.staging.keep:
        endpoint.delete()
        endpoint.tidy(keep=set())
    return outcome.document()


@dataclass(frozen=True)
class LoadedVersion:
    """A version as an endpoint serves it: the bytes of its archives (`archives`), and the endpoint config's name."""

    package: ModelPackage
    archives: dict[str, str]
    config_name: str


@dataclass(frozen=True)
class Answers:
    """What an endpoint's answers came to; without any there is no load."""

    checks: Sequence[Check]
    load: Load | None = None


def examine(subject: Subject, limits: Limits) -> Answers:
    """Everything that a version has to show before people use it; without an answer the rest is not asked."""
    checks, predictions = check_csv(subject)
    if not predictions:
        return Answers(checks)
    checks.append(check_json(subject, predictions))
    checks.append(check_malformed(subject))
    bodies = [write_row(row) for row in subject.holdout.rows]
    load = run_load(subject.client, bodies, requests=limits.requests, concurrency=limits.concurrency)
    return Answers(checks + judge_load(load, limits), load)


def judge_load(load: Load, limits: Limits) -> list[Check]:
    """Latency and error rate against the limits of automl.toml."""
    checks = []
    for name, seen, most in (
        ("p50 latency", load.p50_ms, limits.max_latency_p50_ms),
        ("p95 latency", load.p95_ms, limits.max_latency_p95_ms),
    ):
        seen_text = "no answer" if seen is None else f"{seen:.0f} ms"
        good = seen is not None and seen <= most
        checks.append(Check(name, "passed" if good else "failed", f"{seen_text} (at most {most:g} ms)"))
    errors = f"{load.failed} of {load.requests} requests failed (at most {limits.max_error_rate:.2%})"
    if load.requests < limits.requests:
        errors += f", {limits.requests - load.requests} more did not fit into the time"
    if load.first_failure:
        errors += f"; the first: {load.first_failure}"
    good = load.error_rate <= limits.max_error_rate and load.requests == limits.requests
    return [*checks, Check("error rate", "passed" if good else "failed", errors)]


def make_subject(
    project: ServingProject, environment: Environment, package: ModelPackage, holdout: HoldoutSample
) -> Subject:
    """What the checks ask, on the endpoint of an environment."""
    client = Client.of(environment, project.config.verification.concurrency)
    keys = response_keys(package)
    if package.problem_type == REGRESSION:
        return Subject(client, holdout, keys, classes=None)
    evaluation = read_evaluation(project.aws, project.names.bucket, package)
    return Subject(client, holdout, keys, training_classes(evaluation), Decider.of(evaluation))


def make_verification(
    project: ServingProject, environment: Environment, loaded: LoadedVersion, answers: Answers
) -> VerificationRecord:
    """The signed record of what a version answered."""
    package = loaded.package
    return VerificationRecord(
        package_arn=package.arn,
        version=package.version,
        containers_sha256=package.containers_sha256,
        archives=loaded.archives,
        environment=environment.name,
        endpoint=environment.endpoint,
        endpoint_config=loaded.config_name,
        checks=tuple(answers.checks),
        load=answers.load,
        signature=sign(project.aws),
    )


def training_classes(evaluation: Evaluation) -> frozenset[str]:
    """The labels that a classifier can have learnt."""
    return frozenset(evaluation.dataset.classes or (entry.label for entry in evaluation.classes))


def _served(
    project: ServingProject, registry: Registry, endpoint: Endpoint, state: EndpointState, arn: str | None
) -> ModelPackage:
    asked = f"automl stage{f' --model-package {arn}' if arn else ''}"
    if arn:
        registry.check(arn, "--model-package")
    if not state.exists:
        raise UserError(f"there is no endpoint {endpoint.name}: run `{asked}` first")
    if state.status != "InService":
        raise RunError(
            f"endpoint {endpoint.name} is {state.status} ({state.reason or 'no reason given'}): run `{asked}`"
        )
    served = endpoint.package_arn(state)
    if not served:
        raise UserError(
            f"endpoint {endpoint.name} serves config {state.config}, which this project did not make: "
            f"run `{asked}`"
        )
    if arn and served != arn:
        raise UserError(f"endpoint {endpoint.name} serves {served}, not {arn}: run `{asked}` first")
    return registry.find(served, endpoint.name)


def _loaded(
    project: ServingProject, endpoint: Endpoint, config_name: str, package: ModelPackage
) -> LoadedVersion:
    """What the endpoint loaded: its model's name tells which bytes lay there before."""
    now = archives.read(project.client("s3"), package)
    wanted = release(package, project.staging, project.names.bucket, archives.notes(now))
    if [one["ModelName"] for one in endpoint.variants(config_name)] != [wanted.model_name]:
        raise UserError(
            f"{package.label}'s archive or automl.toml changed since it was staged: "
            f"run `automl stage --model-package {package.arn}` first"
        )
    return LoadedVersion(package, now, config_name)


def note(registry: Registry, package: ModelPackage, outcome: VerificationRecord, uri: str) -> None:
    """Note the outcome on the model package, where promotion looks for it; ``uri`` is the record."""
    # A version that went on to production stays there in the registry's eyes; its proof is renewed all the
    # same.
    moved_on = package.stage not in ("", "Development", STAGE)
    registry.note(
        package,
        stage=None if moved_on else (STAGE, outcome.outcome.capitalize()),
        verification=outcome.outcome,
        verification_by=outcome.signature.by,
        verification_at=outcome.signature.at,
        verification_run=outcome.signature.run,
        verification_record=uri,
        **archives.notes(outcome.archives),
    )
