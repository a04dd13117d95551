"""What nobody could know before a flight: each question, what the project assumes, and what the account answered.

The questions are those of the first reading of AWS's documents, and the rows "not documented" of the table in the
README of local-sagemaker by which an account may differ from the local AWS. A question is put where it costs nothing
beyond the flight itself; the others say why not.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.kernel import logs
from automl_gitops.kernel.aws import error_code, explain, listed
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.markdown import escape, table
from automl_gitops.kernel.names import Names

Outcome = Literal["as assumed", "not as assumed", "unclear", "not reached", "not asked"]
_TUNING = "HYPERPARAMETER_TUNING"
T = TypeVar("T")
_LONGEST = 600  # characters of an answer in the report


class FlightSeen(Protocol):
    """What a flight saw; ``results`` holds the JSON of each command's first run by its name."""

    names: Names
    config: Config
    results: dict[str, dict[str, Any]]
    rows_found: dict[str, list[dict[str, str]]]
    endpoint_states: list[dict[str, str]]

    def client(self, service: str) -> Any:
        """A client of the account."""


@dataclass(frozen=True)
class AssumptionAnswer:
    """What the account answered."""

    outcome: Outcome
    evidence: str


class _NotReachedError(Exception):
    """The flight ended before it could see what a question is about."""


@dataclass(frozen=True)
class Assumption:
    """A question, and how it is asked or why it is not; ``row`` is its row in the README of local-sagemaker where it
    has one.
    """

    key: str
    question: str
    assumed: str
    ask: Callable[[FlightSeen], AssumptionAnswer] | str
    row: str = ""

    def document(self, seen: FlightSeen) -> dict[str, str]:
        """Question and answer as JSON."""
        answer = self._answer(seen)
        told = {"key": self.key, "question": self.question, "assumed": self.assumed}
        return told | asdict(answer) | ({"row": self.row} if self.row else {})

    def _answer(self, seen: FlightSeen) -> AssumptionAnswer:
        if isinstance(self.ask, str):
            return AssumptionAnswer("not asked", self.ask)
        try:
            return self.ask(seen)
        except _NotReachedError:
            return AssumptionAnswer("not reached", "the flight ended before")
        except ClientError as error:
            return AssumptionAnswer("unclear", _told(error))
        except BotoCoreError as error:
            return AssumptionAnswer("unclear", str(explain(error)))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            return AssumptionAnswer("unclear", f"the answer has another form: {type(error).__name__} {error}")


def answers(seen: FlightSeen) -> list[dict[str, str]]:
    """All questions with their answers; some are put to the account only now."""
    return [one.document(seen) for one in ASSUMPTIONS]


# --- What the life itself showed --------------------------------------------------------------------------------------


def _judged(good: object, evidence: str) -> AssumptionAnswer:
    return AssumptionAnswer("as assumed" if good else "not as assumed", evidence)


def _reached(value: T | None) -> T:
    """What a flight saw; raises `_NotReachedError` where that is nothing."""
    if not value:
        raise _NotReachedError
    return value


def _run(seen: FlightSeen, key: str) -> Any:
    """What the run of the pipeline told."""
    return _reached(seen.results.get("run", {}).get(key))


def _step(seen: FlightSeen, name: str) -> dict[str, Any]:
    return _reached(next((step for step in _run(seen, "steps") if step["name"] == name), None))


def _succeeded(name: str, more: Callable[[FlightSeen, dict[str, Any]], str] | None = None) -> Any:
    """Asks whether a step of the pipeline succeeded."""

    def ask(seen: FlightSeen) -> AssumptionAnswer:
        step = _step(seen, name)
        told = f"{name} {step['status']}" + (f": {step['failure_reason']}" if step["failure_reason"] else "")
        return _judged(step["status"] == "Succeeded", told + (more(seen, step) if more else ""))

    return ask


def _environment(seen: FlightSeen, step: dict[str, Any]) -> str:
    described = seen.client("sagemaker").describe_processing_job(ProcessingJobName=step["job"])
    return f"; Environment {json.dumps(described.get('Environment', {}), sort_keys=True)}"


def _check(name: str, good: Sequence[str] = ("passed",)) -> Any:
    """Asks for the outcome of one of the checks of staging."""

    def ask(seen: FlightSeen) -> AssumptionAnswer:
        checks = seen.results.get("verify", {}).get("checks", [])
        named = _reached(next((check for check in checks if check["name"] == name), None))
        return _judged(named["outcome"] in good, f"{named['outcome']}: {named['detail']}")

    return ask


def _job(seen: FlightSeen) -> dict[str, Any]:
    name = _run(seen, "autopilot")["job"]
    return seen.client("sagemaker").describe_auto_ml_job_v2(AutoMLJobName=name)


def _tuning(seen: FlightSeen) -> AssumptionAnswer:
    mode = seen.config.autopilot.mode
    if mode != _TUNING:
        return AssumptionAnswer("not asked", f"the flight's mode is {mode}, as in automl.toml")
    return _succeeded("EvaluateModel")(seen)


def _explanation(seen: FlightSeen) -> AssumptionAnswer:
    job = _job(seen)
    best = job.get("BestCandidate", {}).get("CandidateProperties", {}).get("CandidateArtifactLocations", {})
    prefix, partial = best.get("Explainability", ""), job.get("PartialFailureReasons", [])
    count = 0
    if prefix:
        bucket, _, key = prefix.removeprefix("s3://").partition("/")
        count = seen.client("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount", 0)
    told = f"job {job['AutoMLJobStatus']}; objects below CandidateArtifactLocations.Explainability: {count}"
    if partial:
        told += f"; PartialFailureReasons {json.dumps(partial)}"
    return _judged(count and not partial, told)


def _start_time(seen: FlightSeen) -> AssumptionAnswer:
    _step(seen, "WaitForAutopilot")
    unread = [line for line in _said(seen, "check-autopilot") if "cannot be read: using the time" in line]
    return _judged(not unread, unread[0] if unread else "the function read it as a time")


def _denied(seen: FlightSeen, _: dict[str, Any]) -> str:
    count = sum("AccessDenied" in line for line in _said(seen, "check-autopilot"))
    return f"; lines of AccessDenied in the function's log: {count}"


def _said(seen: FlightSeen, function: str) -> list[str]:
    """What a function of the project printed."""
    group = f"/aws/lambda/{seen.names.function(function)}"
    events = listed(seen.client("logs"), "filter_log_events", "events", logGroupName=group)
    return [event["message"].strip() for event in events]


def _quotas(seen: FlightSeen) -> AssumptionAnswer:
    rows = _reached([row for row in seen.rows_found["before"] if row["area"] == "quotas"])
    good = all(row["outcome"] in ("good", "later") for row in rows)
    return _judged(good, "; ".join(f"{row['asked']}: {row['found']}" for row in rows))


def _source_account(seen: FlightSeen) -> AssumptionAnswer:
    step = _step(seen, "EvaluateModel")
    role = seen.client("iam").get_role(RoleName=seen.names.execution_role)["Role"]
    conditions = [one.get("Condition") for one in role["AssumeRolePolicyDocument"]["Statement"]]
    return _judged(step["job"], f"a job ran as a role that is trusted on {json.dumps(conditions)}")


def _job_logs(seen: FlightSeen) -> AssumptionAnswer:
    client, step = seen.client("logs"), _reached(_step(seen, "EvaluateModel")["job"])

    def streams_of(group: str, prefix: str) -> list[str]:
        told = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        return [one["logStreamName"] for one in told]

    streams, own = streams_of(logs.PROCESSING, f"{step}/"), list[str]()
    for group in (logs.PROCESSING, logs.TRAINING):
        with suppress(ClientError):  # there is none
            own += streams_of(group, _run(seen, "autopilot")["job"])
    told = f"{len(streams)} streams of {logs.PROCESSING} begin with the job's name and a slash; Autopilot's: "
    return _judged(streams, told + ", ".join(own))


def _optional_parts(seen: FlightSeen) -> AssumptionAnswer:
    sagemaker = seen.client("sagemaker")
    version = sagemaker.describe_model_package(ModelPackageName=_run(seen, "model_package_arn"))
    parts = {name: bool(version.get(name)) for name in ("ModelCard", "SourceUri", "ModelLifeCycle")}
    asked = sagemaker.list_model_packages(ModelPackageGroupName=seen.names.model_package_group)
    count = len(asked["ModelPackageSummaryList"])
    told = f"registered with {json.dumps(parts)}; ListModelPackages of the group gave {count}"
    if seen.results.get("promote"):
        told += "; autoscaling was registered"
    return _judged(all(parts.values()), told)


def _rights(seen: FlightSeen) -> AssumptionAnswer:
    rows = _reached(seen.rows_found["rights"])
    unseen = [row["found"] for row in rows if row["outcome"] == "unknown"]
    denied = [row["found"] for row in rows if row["outcome"] in ("stops", "later")]
    if unseen and not denied:
        return AssumptionAnswer("unclear", "; ".join(unseen))
    return _judged(not denied, "; ".join(denied or [f"{row['asked']} allowed" for row in rows]))


def _back(seen: FlightSeen) -> AssumptionAnswer:
    states = _reached(seen.endpoint_states)
    order = [state["status"] for state in states]
    told = " > ".join(status for status, before in zip(order, ["", *order], strict=False) if status != before)
    reason = next((state["reason"] for state in reversed(states) if state["reason"]), "")
    expected = set(order) <= {"InService", "Updating", "RollingBack"} and order[-1] == "InService"
    return _judged(expected and reason, f"{told}; FailureReason: {reason or 'none'}")


def _config_during_update(seen: FlightSeen) -> AssumptionAnswer:
    # At its creation, and once the old fleet has ended, there is only one that it could show.
    updating = _reached(
        [
            state
            for state in seen.endpoint_states
            if state["status"] in ("Updating", "RollingBack") and state["pending"]
        ]
    )
    kept = all(state["config"] != state["pending"] for state in updating)
    told = "; ".join(
        f"{state['status']}: {state['config']} (pending {state['pending']})" for state in updating
    )
    return _judged(kept, told)


def _order(seen: FlightSeen) -> AssumptionAnswer:
    job = _run(seen, "autopilot")
    candidates = seen.client("sagemaker").list_candidates_for_auto_ml_job(
        AutoMLJobName=job["job"], SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )["Candidates"]
    values = [
        one["FinalAutoMLJobObjectiveMetric"] for one in candidates if "FinalAutoMLJobObjectiveMetric" in one
    ]
    best = bool(candidates) and candidates[0]["CandidateName"] == job["best"]["name"]
    metric = job["best"]["objective"]
    told = f"{metric}: {', '.join(str(round(one['Value'], 5)) for one in values)}; the best is first: {best}"
    return _judged(best, told)


def _inferred(seen: FlightSeen) -> AssumptionAnswer:
    if seen.config.autopilot.problem_type != "infer":
        return AssumptionAnswer("not asked", f"automl.toml says {seen.config.autopilot.problem_type}")
    resolved = _job(seen).get("ResolvedAttributes")
    return AssumptionAnswer("unclear", f"ResolvedAttributes {json.dumps(resolved, default=str)}")


# --- What is asked beside it, without cost ----------------------------------------------------------------------------


def _told(error: ClientError) -> str:
    return (
        f"{error.operation_name} answered {error_code(error)}: {error.response['Error'].get('Message', '')}"
    )


def _refused(
    call: Callable[[], Any], codes: Sequence[str], undo: Callable[[], Any] = lambda: None
) -> AssumptionAnswer:
    """Asks whether a call is refused with one of some codes; ``undo`` takes back one that was not."""
    try:
        call()
    except ClientError as error:
        return _judged(error_code(error) in codes, _told(error))
    undo()
    return _judged(False, "the call was accepted")


def _line_break(seen: FlightSeen) -> AssumptionAnswer:
    change = {"ModelPackageArn": _run(seen, "model_package_arn"), "ApprovalDescription": "two\nlines"}
    return _refused(lambda: seen.client("sagemaker").update_model_package(**change), ["ValidationException"])


def _bad_definition(seen: FlightSeen) -> AssumptionAnswer:
    _reached("upsert" in seen.results)
    sagemaker, name = seen.client("sagemaker"), f"{seen.names.pipeline}-refused"
    definition = {
        "Version": "2020-12-01",
        "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {}, "DependsOn": ["b"]}],
    }
    return _refused(
        lambda: sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps(definition),
            RoleArn=seen.names.execution_role_arn,
            ClientRequestToken=name.ljust(32, "-"),
        ),
        ["ValidationException"],
        lambda: sagemaker.delete_pipeline(PipelineName=name),
    )


def _second_answer(seen: FlightSeen) -> AssumptionAnswer:
    sagemaker, execution = seen.client("sagemaker"), _run(seen, "execution")
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution["arn"])
    callbacks = [step.get("Metadata", {}).get("Callback", {}) for step in steps["PipelineExecutionSteps"]]
    token = _reached(next((one["CallbackToken"] for one in callbacks if one.get("CallbackToken")), ""))

    def send(token: str) -> AssumptionAnswer:
        return _refused(
            lambda: sagemaker.send_pipeline_execution_step_failure(
                CallbackToken=token, FailureReason="again"
            ),
            ["ValidationException", "ConflictException", "ResourceNotFound"],
        )

    again, unknown = send(token), send(token[::-1])
    good = {again.outcome, unknown.outcome} == {"as assumed"}
    return _judged(good, f"again: {again.evidence}; a token that nobody gave: {unknown.evidence}")


def _unapproved(seen: FlightSeen) -> AssumptionAnswer:
    sagemaker, name = seen.client("sagemaker"), f"{seen.names.project}-unapproved"
    arn = _register(seen, "unapproved-")
    return _refused(
        lambda: sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"ModelPackageName": arn},
            ExecutionRoleArn=seen.names.execution_role_arn,
        ),
        ["ValidationException"],
        lambda: sagemaker.delete_model(ModelName=name),
    )


def _same_token(seen: FlightSeen) -> AssumptionAnswer:
    again = _register(seen)
    return _judged(again == _run(seen, "model_package_arn"), f"gave version {again.rsplit('/', 1)[-1]}")


def _register(seen: FlightSeen, before: str = "") -> str:
    """Register the run's version again, by another description; returns its ARN.

    The token is the run's own, which has something ``before`` it.
    """
    sagemaker = seen.client("sagemaker")
    first = sagemaker.describe_model_package(ModelPackageName=_run(seen, "model_package_arn"))
    token = before + _run(seen, "execution")["id"]
    keys = ("Image", "ModelDataUrl", "Environment")
    containers = [
        {key: one[key] for key in keys if one.get(key)}
        for one in first["InferenceSpecification"]["Containers"]
    ]
    return sagemaker.create_model_package(
        ModelPackageGroupName=seen.names.model_package_group,
        ModelApprovalStatus="PendingManualApproval",
        ModelPackageDescription=f"Asked by a flight with the token {token}",
        InferenceSpecification={
            "Containers": containers,
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ClientToken=token,
    )["ModelPackageArn"]


_GITHUB = "it is a question to GitHub, not to AWS"
_FEW = "a flight has fewer than a page of anything"

ASSUMPTIONS = (
    Assumption(
        "1",
        "Does the evaluation find its region?",
        "AWS_DEFAULT_REGION, which the step sets, is what it takes.",
        _succeeded("EvaluateModel", _environment),
    ),
    Assumption(
        "2",
        "Do an endpoint and the batch transform answer alike?",
        "Yes, within what float32 leaves open.",
        _check("agrees with the evaluation"),
    ),
    Assumption(
        "3",
        "May the function's role register a version?",
        "Three rights on AWS's images do.",
        _succeeded("RegisterModel"),
    ),
    Assumption(
        "4",
        "May the function answer the callback step?",
        "Yes, with the right on every resource.",
        _succeeded("WaitForAutopilot", _denied),
    ),
    Assumption(
        "5",
        "What do the containers answer to rows that cannot be read?",
        "Nothing that looks like a prediction.",
        _check("predicts nothing for malformed rows", ("passed", "warning")),
        row="Rows that cannot be read",
    ),
    Assumption(
        "6",
        "Does a transform by several containers need a payload size?",
        "No, the containers give their own.",
        _tuning,
    ),
    Assumption(
        "7",
        "May Autopilot explain its best model and clean up?",
        "Yes, with the rights that the developer guide lists.",
        _explanation,
    ),
    Assumption(
        "8",
        "May Autopilot write with the account's KMS key?",
        "Yes, with kms:Encrypt and kms:ReEncrypt*.",
        "a flight uses no key of the account",
    ),
    Assumption(
        "9",
        "Does a scheduled run replace one that waits?",
        "Not in a concurrency group of its own.",
        _GITHUB,
    ),
    Assumption(
        "10",
        "Is a line break in a version's description refused?",
        "Yes, with ValidationException, so that none is sent.",
        _line_break,
    ),
    Assumption(
        "11",
        "Has a job that was stopped at its limit a best candidate?",
        "Often, and then it is taken.",
        "it would take a training beyond its limit, and its cost",
    ),
    Assumption(
        "12",
        "How does a callback's message tell when the execution began?",
        "As ISO 8601, or as seconds or milliseconds since 1970.",
        _start_time,
    ),
    Assumption(
        "13",
        "What does it cost what stays up?",
        "What `automl plan` prints by [prices].",
        "prices are AWS's list, not an answer of the account",
    ),
    Assumption(
        "14",
        "Are the quotas enough, and named as assumed?",
        "Those of automl.toml's instance types are listed, and large enough.",
        _quotas,
    ),
    Assumption(
        "15",
        "Does SageMaker assume a role that is trusted for this account alone?",
        "Yes, it gives aws:SourceAccount.",
        _source_account,
    ),
    Assumption(
        "16",
        "Does GitHub protect who reaches production?",
        "On a plan with environments and branch rules.",
        _GITHUB,
    ),
    Assumption("17", "Where is a job's log?", "In streams whose names begin with the job's.", _job_logs),
    Assumption(
        "18",
        "Are the optional parts of a version taken, and autoscaling with these rights?",
        "Yes.",
        _optional_parts,
    ),
    Assumption("19", "Does a training outlast a job of GitHub?", "The workflow goes on by itself.", _GITHUB),
    Assumption(
        "rights",
        "May each role do what it does in the life, by IAM's simulation?",
        "All calls of infrastructure/calls.json are allowed.",
        _rights,
    ),
    Assumption(
        "pipelines-1",
        "How is a definition refused?",
        "With ValidationException.",
        _bad_definition,
        row="Messages of refused definitions",
    ),
    Assumption(
        "pipelines-2",
        "What becomes of other steps once one has failed?",
        "They run to their end, and no other starts.",
        "no step of a flight is to fail",
        row="After a step has failed",
    ),
    Assumption(
        "pipelines-3",
        "How is a second answer to a callback step refused?",
        "ValidationException; a token that nobody gave is ResourceNotFound.",
        _second_answer,
        row="Answering a callback token twice",
    ),
    Assumption(
        "pipelines-4",
        "What of outputs that are not as declared?",
        "Refused for a callback, and a function's fail the step.",
        "it would take a pipeline that is wrong",
        row="Outputs of a callback or a function that are not as declared",
    ),
    Assumption(
        "pipelines-5",
        "What of a comparison of a text with a number?",
        "It fails the step.",
        "it would take a pipeline that is wrong",
        row="Comparing a text with a number in a condition",
    ),
    Assumption(
        "pipelines-6",
        "What of the same start token with other parameters?",
        "It gives the execution that the token started.",
        "were it otherwise, a second training would start",
        row="The same start token with other parameters",
    ),
    Assumption(
        "pipelines-7",
        "How long is a page of a List operation?",
        "10 items.",
        _FEW,
        row="Pages of List operations",
    ),
    Assumption(
        "autopilot-1",
        "Which problem does Autopilot infer?",
        "Two values: binary; text or few whole numbers: multiclass; else regression.",
        _inferred,
        row="Inferred problem type",
    ),
    Assumption(
        "autopilot-2",
        "What becomes of a job that may not explain its model?",
        "It completes, and PartialFailureReasons says so.",
        "the role of a flight has the rights",
        row="Explainability without the rights that it takes",
    ),
    Assumption(
        "autopilot-3",
        "Is the best candidate first, in descending order of the objective?",
        "Yes, of a metric to be minimised too.",
        _order,
        row="Candidates by FinalObjectiveMetricValue",
    ),
    Assumption(
        "autopilot-4",
        "Which columns has a request, where a specification chooses some?",
        "Those alone.",
        "a flight's data have no other columns",
        row="FeatureSpecificationS3Uri",
    ),
    Assumption(
        "processing-1",
        "How does a job end at its MaxRuntimeInSeconds?",
        "As Stopped, after SIGTERM.",
        "it would take a job beyond its limit",
        row="MaxRuntimeInSeconds",
    ),
    Assumption(
        "registry-1",
        "How is a model of an unapproved version refused?",
        "With ValidationException.",
        _unapproved,
        row="Messages for unapproved packages, tags of a version, invalid cards or policies",
    ),
    Assumption(
        "registry-2",
        "What does a second request with the same ClientToken give?",
        "The first version.",
        _same_token,
        row="The same ClientToken with other parameters",
    ),
    Assumption(
        "endpoints-1",
        "How is a canary's share rounded to instances?",
        "It does not matter to the project.",
        "it takes traffic that is counted by instance",
        row="CAPACITY_PERCENT",
    ),
    Assumption(
        "endpoints-2",
        "What does an alarm do that fires before the deployment?",
        "It rolls back before any traffic moves.",
        "no alarm of a flight is to fire",
        row="An alarm that fires before the deployment begins",
    ),
    Assumption(
        "endpoints-3",
        "Which states does an endpoint have that goes back?",
        "Updating, RollingBack once traffic has moved, InService with FailureReason.",
        _back,
        row="Status while a deployment goes back",
    ),
    Assumption(
        "endpoints-4",
        "Which endpoint config does an update show?",
        "The old one until the old fleet has ended.",
        _config_during_update,
        row="`EndpointConfigName` during an update",
    ),
    Assumption(
        "endpoints-5",
        "Are failed requests captured?",
        "No.",
        "a flight captures nothing",
        row="Capture of failed requests",
    ),
    Assumption(
        "ecr-1",
        "Which rights on images does registering a version take?",
        "BatchGetImage, DescribeImages and GetDownloadUrlForLayer.",
        _succeeded("RegisterModel"),
        row="Rights on the images of a version that is registered",
    ),
)


# --- The report -------------------------------------------------------------------------------------------------------


def masked(value: Any, account: str, *secret: str) -> Any:
    """``value`` without what says whose account it is: account numbers but for their last four digits, who calls
    (``secret``), and ids of access keys.
    """
    if isinstance(value, Mapping):
        return {key: masked(one, account, *secret) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [masked(one, account, *secret) for one in value]
    if not isinstance(value, str):
        return value
    for text in sorted(filter(None, secret), key=len, reverse=True):
        value = value.replace(text, "WHO-CALLS")
    value = value.replace(account, _hidden(account))
    value = re.sub(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])", lambda match: _hidden(match[0]), value)
    return re.sub(r"\b(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}", r"\1************", value)


def _hidden(account: str) -> str:
    return "*" * (len(account) - 4) + account[-4:]


def write(document: Mapping[str, Any], folder: Path) -> None:
    """Write report.json and report.md."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
    (folder / "report.json").write_text(text, encoding="utf-8")
    (folder / "report.md").write_text("\n\n".join(_markdown(document)) + "\n", encoding="utf-8")


def _markdown(document: Mapping[str, Any]) -> Iterator[str]:
    stopped = document.get("stopped")
    yield f"# Flight {document['flight']}: {document['outcome']}"
    if stopped:
        yield f"It stopped at: {escape(stopped['step'])}"
        yield f"What stopped it ({stopped['kind']}): {escape(stopped['reason'])}"
    left = document["left"]
    if left is None:
        yield "Nothing was removed yet: `automl rehearse --on-aws --clean`."
    elif left:
        yield "**What could not be removed:**"
        yield table(
            ("what", "name", "why"),
            [(one["kind"], escape(one["name"]), escape(one["reason"])) for one in left],
        )
    else:
        yield "Nothing of it is left in the account."
    yield f"Region {document['region']}, account {document['account']}; at most {document['ceiling']:g} USD."
    yield "## Who did what"
    yield escape(document["proved"])
    rows = [
        (escape(one["command"]), escape(one["actor"]), f"{one['seconds']:.0f}", one["outcome"])
        for one in document["acts"]
    ]
    yield table(("command", "as", "seconds", "outcome"), rows, "llrl")
    yield "## What was assumed, and what the account answered"
    told = [
        (
            one["key"],
            escape(one["question"]),
            escape(one["assumed"]),
            one["outcome"],
            escape(one["evidence"][:_LONGEST]),
        )
        for one in document["assumptions"]
    ]
    yield table(("", "question", "assumed", "outcome", "what was seen"), told)
    for title, key in (("Before the start", "before"), ("Rights, by simulation", "rights")):
        cells = [(escape(row["asked"]), row["outcome"], escape(row["found"])) for row in document[key]]
        if cells:
            yield f"## {title}"
            yield table(("asked", "outcome", "found"), cells)
