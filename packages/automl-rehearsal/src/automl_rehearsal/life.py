"""The life of a model, step by step, each by the command that people and workflows use."""

import io
import tempfile
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

from automl_evaluation.layout import Evaluation
from automl_gitops.data.formats import Dialect
from automl_gitops.data.lock import DatasetLock
from automl_gitops.data.positive import apart
from automl_gitops.data.prepared import prepare
from automl_gitops.data.table import Table
from automl_gitops.data.uci import is_source
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.waiting import patience
from automl_gitops.runs import evaluation_file
from automl_gitops.verification.client import Answer, Client, Stream
from automl_rehearsal import sabotage
from automl_rehearsal.aws import LocalAws
from automl_rehearsal.commands import CommandFailedError, Leash, assume, call
from automl_rehearsal.copy import LENIENT_ROWS, ProjectCopy, adapt
from automl_rehearsal.data import find_lock, sample, stand_in
from automl_rehearsal.example import is_hospital
from automl_rehearsal.summary import Summary, remove_earlier

ROWS_TO_PREDICT = 10
CLIENTS, CLIENT_PAUSE_SECONDS = 2, 0.05  # of production while a broken version is rolled out
STEPS_TO_STAGING, STEPS_BACK = 6, 4


class Life:
    """A copy of the project in ``source``, and a local AWS of its own for as long as the ``with`` block lasts.

    ``output`` gets summary.json, report.html, and in ``project/`` the copy; ``data`` is a data set's file or `None`:
    then it is rows that are made up as dataset.lock describes them, or else the example; ``rows`` limits them;
    ``dialect`` is how a CSV file is written;
    ``training_seconds`` is the Autopilot job's budget; ``lenient`` lets it train on fewer rows than the real one
    takes. Every step raises `CommandFailedError` where its command fails.
    """

    accounts: tuple[str, ...] = ()  # of the local AWS, the project's first; its one where none is named

    def __init__(
        self,
        source: Path,
        output: Path,
        data: Path | None,
        rows: int | None,
        training_seconds: int,
        dialect: Dialect | None = None,
        *,
        lenient: bool = False,
    ) -> None:
        self.source = source
        self.output = output
        self.data = data.resolve() if data else None
        self.rows = rows
        self.training_seconds = training_seconds
        self.dialect = dialect
        self.lenient = lenient
        self.leash: Leash | None = None
        self.rejected: Evaluation | None = None  # where the gate let no model through
        self.title = "Before the first step"
        self.step, self.steps = 0, STEPS_TO_STAGING + STEPS_BACK
        self.say = Output()
        # What is wrong with the project or the data is said before anything is copied, or removed.
        config = Config.load(source / "automl.toml")
        self.is_source = self.data is not None and _is_source(self.data, config, dialect)
        if self.data and rows is None:
            require_fit(config, self.data, dialect, lenient=lenient)
        self.lock = find_lock(source)
        remove_earlier(output)
        self.copy = ProjectCopy(source, output / "project")
        made_up = data is None and (self.lock is not None or not is_hospital(config))
        open_gate = made_up and not (self.lock is None and _is_as_generated(config))
        self.left_out = adapt(self.copy.directory, open_gate=open_gate, lenient=lenient, rows=rows)
        self.copy.commit("Rehearse on the local AWS")
        self.summary = Summary(output / "summary.json")
        self.summary.update(project=config.project.name)

    def __enter__(self) -> "Life":
        config = Config.load(self.copy.directory / "automl.toml")
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="local-aws-")))
            region, lenient = config.project.region, self.lenient
            self.aws = stack.enter_context(LocalAws(folder, region, lenient=lenient, accounts=self.accounts))
            self.names = Names(config, self.aws.account)
            self.subject = f"repo:{config.project.repository}"
            self.say.done(f"a local AWS answers on {self.aws.url}")
            self._open = stack.pop_all()  # last: until here whatever is raised ends the local AWS
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def train(self) -> None:
        """From the account's first day to a registered model package."""
        self._step("An administrator creates roles, bucket and registry, once")
        self._as_administrator("bootstrap", "--github-oidc-subject", self.subject)
        self._step("The workflow deploys queue and functions")
        self._as_retrain("stack")
        self._step("A data scientist pushes a data set")
        self._push_data()
        self.copy.commit("Train on the data set")
        self._step("The merge upserts the pipeline and runs it")
        self._as_retrain("upsert")
        budget = ("--parameter", f"MaxSeconds={self.training_seconds}")
        try:
            run = self._as_retrain("run", "--wait", *budget)
        except CommandFailedError as error:
            if _was_evaluated(error.document):
                self._look_at_rejected(error.document)
            raise
        self.summary.add_run(run)
        self.model_package_arn = run["model_package_arn"]
        evaluation = self._evaluation(run["execution"]["id"])
        written = self._report()
        self.summary.document["autopilot"]["note"] = apart(
            evaluation.objective.metric,
            [one.label for one in evaluation.classes],
            evaluation.positive_class,
        )
        self.summary.update(
            metrics=evaluation.metrics, model_package_arn=self.model_package_arn, report=written["report"]
        )

    def _look_at_rejected(self, run: dict[str, Any]) -> None:
        """Report an evaluation after which the execution failed, as JSON."""
        evaluation = self._evaluation(run["execution"]["id"])
        if evaluation.decision == "reject":
            self.rejected = evaluation
        self.summary.add_run(run)
        self.summary.update(metrics=evaluation.metrics, reasons=evaluation.reasons)
        self.summary.update(report=self._report()["report"])

    def _report(self) -> dict[str, Any]:
        return self._as_retrain("report", "--output", str(self.output / "report.html"))

    def serve(self) -> None:
        """The registered version on the staging endpoint, and its predictions."""
        self._step("The version goes to staging")
        staged = self._as_retrain("stage", "--model-package", self.model_package_arn)
        answers = self._as_retrain("invoke", str(self._rows()))
        self.summary.update(
            endpoint={
                "name": staged["endpoint"],
                "status": staged["status"],
                "predictions": answers["predictions"],
            }
        )

    def verify(self) -> None:
        """The staging endpoint signed off."""
        self._step("Staging is verified by invoking it")
        self._verify(self.model_package_arn)

    def promote(self) -> None:
        """Proposed, approved, and in production."""
        self._as_retrain("propose", "--model-package", self.model_package_arn)
        self._step("The promotion is approved: this rehearsal merges the pull request in your place")
        self.copy.commit("Promote version 1")
        promoted = self._as_promote("promote")
        answers = self._as_promote("invoke", str(self._rows()), "--endpoint", "production")
        self.summary.update(
            production={
                "model_package_arn": promoted["model_package_arn"],
                "endpoint": promoted["endpoint"],
                "config": promoted["config"],
                "predictions": answers["predictions"],
            }
        )

    def break_and_go_back(self) -> None:
        """A second version that breaks after staging: the canary throws it out, and Git goes back."""
        sagemaker, s3 = self.aws.client("sagemaker"), self.aws.client("s3")
        self._step("A second version passes staging")
        second = sabotage.register_copy(sagemaker, s3, self.names.bucket, self.model_package_arn)
        self._as_retrain("stage", "--model-package", second)
        self._verify(second)
        self._as_retrain("propose", "--model-package", second)
        broken = self._broken(s3)
        self.copy.commit("Promote version 2")
        self._step("While it is promoted somebody overwrites its archive: the canary has to throw it out")
        rows = self._rows().read_bytes().splitlines()
        endpoint = self.names.production_endpoint
        answers: list[Answer] = []
        with (
            sabotage.overwriting(sagemaker, s3, self.names.bucket, broken, endpoint),
            Stream(
                Client(self.aws.client("sagemaker-runtime"), endpoint),
                rows,
                lambda _, answer: answers.append(answer),
                senders=CLIENTS,
                pause=CLIENT_PAUSE_SECONDS,
            ) as clients,
        ):
            self._as_promote("promote", status=1)
        if clients.error:
            raise clients.error
        self.say.done("this error was to happen: clients go on with version 1")
        before = self.summary.document["production"]["config"]
        config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        self.summary.update(
            broken_release={
                "model_package_arn": second,
                "outcome": "rolled back" if config == before else "in production",
                "requests": len(answers),
                "failed_requests": sum(not answer.ok for answer in answers),
            }
        )
        self._step("The promotion is reverted, so that Git says again what production serves")
        reverted = self._as_administrator("rollback")
        promoted = self._as_promote("promote")
        status = self._as_promote("status")
        self.summary.update(
            rollback={
                "commit": reverted["commit"],
                "leaves": reverted["leaves"],
                "returns_to": reverted["returns_to"],
                "model_package_arn": promoted["model_package_arn"],
                "differences": status["differences"],
            }
        )

    def _broken(self, s3: Any) -> bytes:
        """The second version's archive, which loads and then refuses every request."""
        return sabotage.broken_archive(s3, self.names.bucket)

    def _verify(self, arn: str) -> None:
        record = self._as_retrain("verify", "--model-package", arn)
        self.summary.document.setdefault(
            "staging",
            {
                "model_package_arn": record["model_package_arn"],
                "outcome": record["outcome"],
                "checks": {check["name"]: check["outcome"] for check in record["checks"]},
            },
        )

    def end(self, error: BaseException | None, *, total: float, setup: float) -> None:
        """Write summary.json, also of a rehearsal that ``error`` ended; ``total`` and ``setup`` are seconds."""
        outcome = {"outcome": "succeeded"}
        if error is not None:
            kind = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            outcome = {"outcome": "rejected" if self.rejected else kind, "step": self.title}
            outcome |= {"error": str(error)} if str(error) else {}
        seconds = {"total": round(total, 1), "setup": round(setup, 1)}
        self.summary.document = {**outcome, **self.summary.document, "seconds": seconds}
        self.summary.save()

    def show(self) -> None:
        """Print the closing table."""
        self.say.say("")
        self.summary.show(self.say)

    def _push_data(self) -> None:
        file = self._prepared_data()
        lock = self._as_administrator("data", "push", str(file["file"]), *file["options"])
        self.lock = DatasetLock.load(self.copy.directory / "dataset.lock")
        self.summary.update(
            left_out=self.left_out,
            project=self.names.project,
            dataset={
                "rows": lock["rows"]["total"],
                "columns": len(lock["columns"]),
                "sha256": lock["sha256"],
                "synthetic": lock["synthetic"],
            },
        )

    def _prepared_data(self) -> dict[str, Any]:
        """The file to push: the given one, the example, or rows of the kind that dataset.lock describes."""
        size = ("--rows", str(self.rows)) if self.rows else ()
        if self.data is None and self.lock is not None:
            config = Config.load(self.copy.directory / "automl.toml")
            file = stand_in(self.lock, config, self.rows or 1000, self.output / "data")
            return {"file": file, "options": ("--synthetic",)}
        if self.data is None:
            made = self._as_administrator("data", "example", *size)
        else:
            if not self.is_source:
                if self.rows:
                    dataset = Config.load(self.copy.directory / "automl.toml").dataset
                    table = Table.open(self.data, dialect=self.dialect)
                    return {
                        "file": sample(table, self.rows, self.output / "data", dataset),
                        "options": ("--real",),
                    }
                dialect = self.dialect or Dialect()
                written = ("--delimiter", dialect.delimiter, "--encoding", dialect.encoding)
                return {"file": self.data, "options": ("--real", *written)}
            made = self._as_administrator("data", "prepare-hospital", str(self.data), *size)
        return {"file": made["file"], "options": ("--synthetic" if made["synthetic"] else "--real",)}

    def _rows(self) -> Path:
        """A file of the first rows of the holdout, as somebody who wants predictions would have it."""
        assert self.lock is not None  # noqa: S101 - `train` pushed it
        bucket, _, key = self.lock.uris.x_test.removeprefix("s3://").partition("/")
        s3 = self.aws.client("s3")
        first = s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"][0]["Key"]
        text = s3.get_object(Bucket=bucket, Key=first)["Body"].read().decode()
        path = self.copy.directory / "build" / "rows.csv"
        path.parent.mkdir(exist_ok=True)
        # Line ends alone end a row: other separators of Unicode may stand within a value.
        path.write_text("".join(io.StringIO(text, newline="\n").readlines()[:ROWS_TO_PREDICT]), "utf-8")
        return path

    def _evaluation(self, execution_id: str) -> Evaluation:
        evaluation = evaluation_file.find(self.aws.client("s3"), self.names.bucket, execution_id)
        assert evaluation is not None  # noqa: S101 - the version that it accepted is registered
        return evaluation

    def _step(self, title: str) -> None:
        self.title = title
        self.step += 1
        self.say.say("")
        self.say.say(f"[{self.step}/{self.steps}] {title}", "bold")

    def _as_promote(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """As the workflow does that runs in the environment `production`."""
        return self._call(self._role("PromoteRole", "environment:production"), *arguments, status=status)

    def _as_administrator(self, *arguments: str) -> dict[str, Any]:
        return self._call(self.aws.environment, *arguments)

    def _as_retrain(self, *arguments: str) -> dict[str, Any]:
        """As the workflow does that runs after a merge: with the RetrainRole's rights, and no more."""
        return self._call(self._role("RetrainRole", "ref:refs/heads/main"), *arguments)

    def _call(self, environment: dict[str, str], *arguments: str, status: int = 0) -> dict[str, Any]:
        # On a terminal it redraws a table, and elsewhere it tells what changes.
        shows_by_itself = arguments[:1] == ("run",) and self.say.live
        words = " ".join(part for part in arguments[:2] if part.isalpha())
        with nullcontext() if shows_by_itself else patience(self.say, words):
            return call(self.copy.directory, environment, *arguments, status=status, leash=self.leash)

    def _role(self, role: str, subject: str) -> dict[str, str]:
        arn = self.names.role_arn(f"{self.names.project}-{role}")
        return assume(self.aws.environment, arn, f"{self.subject}:{subject}")


def _was_evaluated(run: dict[str, Any]) -> bool:
    """Whether an execution that failed, as JSON, has an evaluation: then its gate rejected the model."""
    return any(
        (step["name"], step["status"]) == ("EvaluateModel", "Succeeded") for step in run.get("steps", [])
    )


def require_fit(config: Config, data: Path, dialect: Dialect | None, *, lenient: bool) -> None:
    """Raise `UserError` where the push of a rehearsal would refuse the file; UCI's is no data set yet."""
    if not _is_source(data, config, dialect):
        prepare(_lenient(config) if lenient else config, data, _Unheard(), dialect)


def _lenient(config: Config) -> Config:
    """The configuration that `adapt` will write for a lenient local AWS."""
    autopilot = config.autopilot.model_copy(update={"least_rows": LENIENT_ROWS})
    return config.model_copy(update={"autopilot": autopilot})


class _Unheard(Output):
    """For a check of which `automl data push` will say all again, at the step where it belongs."""

    def say(self, text: str, style: str = "") -> None:
        pass


def _is_as_generated(config: Config) -> bool:
    """Whether the gate is still the questions', which any model keeps that learned something of the example."""
    return config.gate.model_dump(exclude_defaults=True) in ({"minimum": 0.0}, {"maximum": 1e12})


def _is_source(path: Path, config: Config, dialect: Dialect | None) -> bool:
    """Whether a file is UCI's, and the example that is made of it is what the project predicts from."""
    return is_hospital(config) and is_source(Table.open(path, dialect=dialect).columns)
