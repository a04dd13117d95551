"""Where the candidate came from: its data set, the Autopilot job's candidates, and enough to find everything again."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from automl_evaluation.layout import Dataset, Evaluation, SplitRule
from automl_evaluation.metrics import named
from automl_evaluation.values import sorted_labels
from automl_gitops.data.lock import FILE as LOCK
from automl_gitops.data.lock import NOT_COUNTED, DatasetLock, Reference
from automl_gitops.data.lock import SplitRule as Rule
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.names import Names
from automl_gitops.report import words
from automl_gitops.report.blocks import Block, Bullets, Cell, DescriptionList, Section, Table, Text
from automl_gitops.runs import evaluation_file
from automl_gitops.runs.execution import Execution

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class Provenance:
    """What the evaluation itself does not know; empty where nobody knows."""

    execution_arn: str = ""
    commit: str = ""
    repository: str = ""
    run_url: str = ""
    model_package_arn: str = ""
    findings: tuple[str, ...] = ()

    @classmethod
    def of(cls, execution: Execution) -> "Provenance":
        """From the parameters that an execution was started with; `none` stands for nothing there."""

        def given(name: str) -> str:
            value = execution.parameters.get(name, "")
            return "" if value == "none" else value

        return cls(
            execution_arn=execution.arn,
            commit=given("CommitId"),
            repository=given("Repository"),
            run_url=given("RunUrl"),
            model_package_arn=execution.model_package_arn or "",
        )

    @property
    def repository_url(self) -> str:
        """The repository's page on GitHub."""
        return (
            f"https://github.com/{quote(self.repository)}" if _REPOSITORY.fullmatch(self.repository) else ""
        )


def findings(evaluation: Evaluation, file: Path = LOCK) -> Iterator[str]:
    """What the evaluation's data showed when they were pushed, as sentences; none where ``file`` is of other data."""
    with contextlib.suppress(UserError):
        lock = DatasetLock.load(file) if file.exists() else None
        if lock and lock.sha256 == evaluation.dataset.sha256:
            yield from map(str, lock.findings or ())


def of_execution(s3: Any, names: Names, execution: Execution) -> Evaluation:
    """An execution's evaluation. Raises `RunError` where it has none, with the execution's own reason."""
    evaluation = evaluation_file.find(s3, names.bucket, execution.id)
    if evaluation is None:
        why = f": {execution.reason}" if execution.reason else ""
        raise RunError(f"execution {execution.id} has no evaluation (status {execution.status}){why}")
    return evaluation


_MOST_CLASSES, _MOST_NAMES = 30, 20


def dataset_section(evaluation: Evaluation) -> Section:
    """Facts, changes and classes."""
    dataset = evaluation.dataset
    blocks: list[Block] = [_facts(dataset)]
    champion = evaluation.champion
    before = champion.dataset if champion else None
    if before:
        sentences = list(changes(dataset, before))
        blocks.append(
            Text(
                "Since the champion's data set:" if sentences else "It is the champion's data set, unchanged."
            )
        )
        blocks += [Bullets(sentences)] if sentences else []
    elif champion:
        blocks.append(Text("What the champion was trained on could not be read."))
    if dataset.classes:
        blocks.append(_classes(dataset.classes, before.classes if before else None))
    return Section("dataset", "Data set", blocks)


def findings_section(provenance: Provenance) -> Section | None:
    """What a person would want to know of the data; no figure of the evaluation shows it."""
    if not provenance.findings:
        return None
    text = Text("The rows showed this when they were pushed. The figures above do not know of it.")
    return Section("findings", "Findings on the data", [text, Bullets(provenance.findings)])


def _facts(dataset: Dataset) -> DescriptionList:
    kind = "synthetic: made up, it says nothing about real cases" if dataset.synthetic else "real"
    return DescriptionList(
        [
            ("Name", Cell(dataset.name)),
            ("Kind", Cell(kind, tone="bad" if dataset.synthetic else "plain")),
            ("SHA-256", Cell(dataset.sha256, code=True)),
            ("Rows", Cell(_split(dataset))),
            *(
                [("Split", Cell(f"{_rule(dataset.split)}{_held_out(dataset.split)}"))]
                if dataset.split
                else []
            ),
            ("Columns", Cell(words.number(len(dataset.columns)))),
            ("Target", Cell(dataset.target, code=True)),
        ]
    )


def _split(dataset: Dataset) -> str:
    rows = dataset.rows
    held_out = f"{words.number(rows.test)} held out"
    if dataset.reference:
        objects = Reference(**asdict(dataset.reference))
        return f"{NOT_COUNTED} in the {objects} to train and validate; {held_out}"
    total, train = words.number(rows.total), words.number(rows.train_validation)
    if not rows.validation:
        return f"{total}: {train} to train and validate, {held_out}"
    left_out = f", {words.number(rows.left_out)} left out" if rows.left_out else ""
    return f"{total}: {train} to train, {words.number(rows.validation)} to validate, {held_out}{left_out}"


def _rule(split: SplitRule | None) -> str:
    """The rule in words."""
    if split is None:
        return "at random"
    return str(Rule(group=split.group, time=split.time, gap=split.gap, split=split.split))


def _held_out(split: SplitRule) -> str:
    return f"; {words.number(split.groups.test)} groups held out, each as a whole" if split.groups else ""


def changes(now: Dataset, before: Dataset) -> Iterator[str]:
    """Sentences about what differs between two data sets' facts."""
    if now.sha256 == before.sha256:
        return
    if now.name != before.name:
        yield f"name: {before.name} became {now.name}"
    if now.synthetic != before.synthetic:
        yield "synthetic rows became real ones" if before.synthetic else "real rows became synthetic ones"
    if now.target != before.target:
        yield f"target: {before.target} became {now.target}"
    if _rule(now.split) != _rule(before.split):
        yield f"rows were split {_rule(before.split)}, and are split {_rule(now.split)}"
    total, earlier = now.rows.total, before.rows.total
    share = ""
    if total is not None and earlier:
        share = f" ({words.number(100 * (total - earlier) / earlier, 1, signed=True)}%)"
    yield f"rows: {_rows(earlier)} became {_rows(total)}{share}"
    types = {column.name: column.type for column in now.columns}
    earlier_types = {column.name: column.type for column in before.columns}
    added = [name for name in types if name not in earlier_types]
    removed = [name for name in earlier_types if name not in types]
    if added:
        yield f"new columns: {_listed(added)}"
    if removed:
        yield f"columns that are gone: {_listed(removed)}"
    changed = [
        f"{name} from {earlier_types[name]} to {types[name]}"
        for name in types
        if name in earlier_types and types[name] != earlier_types[name]
    ]
    if changed:
        yield f"columns of another type: {_listed(changed)}"
    if not added and not removed and list(types) != list(earlier_types):
        yield "the columns are in another order"


def _rows(number: int | None) -> str:
    return NOT_COUNTED if number is None else words.number(number)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _classes(now: Mapping[str, int], before: Mapping[str, int] | None) -> Table:
    total, earlier = sum(now.values()) or 1, sum((before or {}).values()) or 1
    numeric = ["Rows", "Share", *(["Share before"] if before else [])]
    rows = []
    labels = sorted({*now, *(before or {})}, key=lambda label: (-now.get(label, 0), label))
    for label in sorted_labels(labels[:_MOST_CLASSES]):
        count = now.get(label, 0)
        share = Cell(words.percent(count / total), numeric=True, bar=count / total)
        row = [Cell(label), words.count(count), share]
        if before:
            row.append(Cell(words.percent(before.get(label, 0) / earlier), numeric=True))
        rows.append(row)
    more = len(labels) - len(rows)
    caption = f"Classes of the whole data set{f'; {more} rarer ones are left out' if more > 0 else ''}"
    return Table(caption, ["Class", *numeric], rows, frozenset(numeric))


def leaderboard_section(evaluation: Evaluation) -> Section | None:
    """The best first, by the objective on Autopilot's validation rows."""
    job, objective = evaluation.automl_job, evaluation.objective
    candidates = job.candidates
    if not candidates:
        return None
    sign = -1 if objective.direction == "maximize" else 1
    known = sorted(
        candidates, key=lambda entry: (entry.value is None, sign * (entry.value or 0.0), entry.name)
    )
    numeric = [f"{named(objective.metric).label} (validation)", "Time"]
    places = words.places((entry.value, None) for entry in known)
    rows = [
        [
            Cell(entry.name, "chosen" if entry.name == job.best_candidate else "", code=True),
            Cell(entry.status),
            Cell(words.number(entry.value, places), numeric=True),
            Cell(words.seconds(entry.seconds), numeric=True),
        ]
        for entry in known
    ]
    took = f" in {words.seconds(job.seconds)}" if job.seconds else ""
    text = f"Autopilot job {job.name} tried these{took}; it chooses by rows of its own, not by the holdout."
    table = Table("Candidates", ["Candidate", "Status", *numeric], rows, frozenset(numeric))
    return Section("leaderboard", "Leaderboard", [Text(text), table], closed=True)


def provenance_section(evaluation: Evaluation, provenance: Provenance) -> Section:
    """Commit, run and execution where they are known; job, candidate, containers and times."""
    job = evaluation.automl_job
    url = provenance.repository_url
    known = {
        "Commit": Cell(
            provenance.commit,
            code=True,
            href=f"{url}/commit/{provenance.commit}" if url and provenance.commit else "",
        ),
        "Repository": Cell(provenance.repository, href=url),
        "Run": Cell(provenance.run_url, href=provenance.run_url),
        "Pipeline execution": Cell(provenance.execution_arn, code=True),
        "Model package": Cell(provenance.model_package_arn, code=True),
        "Champion": Cell(evaluation.champion.model_package_arn if evaluation.champion else "", code=True),
        "Autopilot job": Cell(job.arn, code=True),
        "Best candidate": Cell(job.best_candidate, code=True),
        "Answers": Cell(", ".join(evaluation.outputs)),
    }
    for number, container in enumerate(evaluation.containers, 1):
        name = "Container" if len(evaluation.containers) == 1 else f"Container {number}"
        known[name] = Cell(container["Image"], container.get("ModelDataUrl", ""), code=True)
    blocks: list[Block] = [DescriptionList([(name, cell) for name, cell in known.items() if cell.text])]
    if evaluation.seconds:
        times = [
            [Cell(name), Cell(words.seconds(value), numeric=True)]
            for name, value in evaluation.seconds.items()
        ]
        blocks.append(Table("Time of the evaluation's stages", ["Stage", "Time"], times, frozenset({"Time"})))
    return Section("provenance", "Provenance", blocks, closed=True)
