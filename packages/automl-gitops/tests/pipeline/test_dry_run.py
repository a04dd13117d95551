"""The project's own measures and gate are tried before anything is paid for."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from making import automl_toml, lock, lock_by_reference

from automl_gitops.commands.main import main
from automl_gitops.data.lock import Column, DatasetLock, GroupCounts, SplitRule
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.errors import UserError
from automl_gitops.runs import definition, dry_run
from automl_gitops.runs.project import Project
from automl_gitops.runs.upsert import upsert
from support.project import PROJECT

METRICS = "import numpy as np\nfrom automl_evaluation.measures import higher_is_better, lower_is_better\n"
COST = METRICS + "@lower_is_better\ndef cost(truth, predicted):\n"
LAST = "_slices, _calibration)"
NUMBERS = {
    "autopilot": {"problem_type": "Regression", "objective": "RMSE"},
    "gate": {"minimum": None, "maximum": 9.0},
}


@pytest.fixture
def evaluation(folder: Path) -> Path:
    """The template's, in a project of this test."""
    place = folder / "evaluation"
    shutil.copytree(PROJECT / "evaluation", place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


@contextmanager
def refused(sentence: str) -> Iterator[None]:
    """The error as the command line prints it."""
    with pytest.raises(UserError) as caught:
        yield
    assert re.search(sentence, str(caught.value.findings[0]))


@pytest.fixture
def tried(evaluation: Path) -> Callable[..., None]:
    """`tried(metrics, condition, locked, **changes)`: a dry run with another metrics.py, or a condition more."""

    def run(
        metrics: str = "", condition: str = "", locked: DatasetLock | None = None, **changes: Any
    ) -> None:
        if metrics:
            (evaluation / "metrics.py").write_text(metrics)
        if condition:
            add(evaluation / "gate.py", condition)
        (evaluation.parent / "automl.toml").write_text(automl_toml(**changes))
        (locked or lock()).save()
        dry_run.require(Project())

    return run


def add(gate: Path, condition: str) -> None:
    """A function `_own` more, and its place in `CONDITIONS`."""
    source = gate.read_text()
    assert LAST in source
    function, conditions, _ = source.partition("# In the order in which the report shows them.")
    gate.write_text(f"{function}{condition}\n\n\n{conditions}\nCONDITIONS = (_rows, _own)\n")


MEASURES = [
    ("    return 1.0\n", r": cost gives float64 of shape \(\) for 9 rows, not a number each"),
    ("    return truth\n", ": cost gives <U3 of shape"),
    ("    return None\n", ": cost gives object of shape"),
    (
        "    return np.where(predicted == '>30', np.nan, 0)\n",
        ": cost gives nan where the truth is .* and the prediction >30",
    ),
    ("    return (truth == predicted) / len(truth)\n", ": cost gives a row another number when"),
    ("    return dear * (truth != predicted)\n", ":5: NameError: name 'dear' is not defined"),
]


@pytest.mark.parametrize(("body", "sentence"), MEASURES)
def test_a_mistake_in_a_measure_is_placed(tried: Callable[..., None], body: str, sentence: str) -> None:
    with refused(rf"^evaluation/metrics\.py{sentence}.*: correct it; docs/change.md"):
        tried(COST + body)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("@lower_is_better\ndef cost(truth): return 0\n", r": TypeError: cost\(\) takes 1 positional"),
        (
            "@lower_is_better\ndef accuracy(truth, predicted): return truth == predicted\n",
            ": accuracy is the name",
        ),
        ("import no_such_package\n", ":3: ModuleNotFoundError: No module named 'no_such_package'"),
        ("@lower\ndef cost(truth, predicted): ...\n", ":3: NameError: name 'lower' is not defined"),
    ],
)
def test_a_wrong_declaration_is_placed(tried: Callable[..., None], source: str, sentence: str) -> None:
    with refused(rf"^evaluation/metrics\.py{sentence}"):
        tried(METRICS + source)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "    return None\n",
            ": _own gives None, no list of conditions: 'NoneType' object is not iterable",
        ),
        ("    return at_least('a', None, 0.5)\n", r": _own gives Condition\(.*, no list of conditions"),
        ("    return ['passed']\n", r": _own gives \['passed'\], no list of conditions"),
        ("    return [Condition('a', 'ok', '')]\n", r":\d+: the outcome of \"a\" is 'ok', not one of passed"),
        (
            "    return [Condition('a', 'passed', None)]\n",
            ": _own gives .*: reason = None is not a text",
        ),
        (
            "    return [Condition('a', 'passed', '', float('nan'))]\n",
            ": _own gives .*: Out of range float values",
        ),
        ("    return evidence.metrics['kappa']\n", r":\d+: KeyError: 'kappa'"),
        ("    return [at_least('a', evidence.champion['accuracy'], 0.5)]\n", r":\d+: KeyError: 'accuracy'"),
        ("    return [at_leest('a', None, 0.5)]\n", r":\d+: NameError: name 'at_leest' is not defined"),
        (
            "    return [at_least('a', evidence.baseline_value - 'x', 0)] if evidence.champion else []\n",
            r":\d+: TypeError",
        ),
    ],
)
def test_a_mistake_in_a_condition_is_placed(tried: Callable[..., None], body: str, sentence: str) -> None:
    with refused(rf"^evaluation/gate\.py{sentence}.*: correct it; docs/change.md"):
        tried(condition=f"def _own(settings, evidence):\n{body}")


@pytest.mark.parametrize(
    "body",
    [
        "    found = next(one for one in evidence.slices if one.name == 'ward: surgery')\n",
        "    found = {one.name: one for one in evidence.slices}['ward: surgery']\n",
        "    found = {one.name: one for one in evidence.slices}.get('ward: surgery').value > 0.5\n",
    ],
)
def test_what_looks_for_a_slice_by_its_name_is_no_mistake(tried: Callable[..., None], body: str) -> None:
    condition = f"def _own(settings, evidence):\n{body}    return []\n"

    tried(condition=condition, evaluation={"slices": ["ward"]})


def test_a_mistake_in_what_looks_for_a_slice_is_placed(tried: Callable[..., None]) -> None:
    body = "    return [one for one in evidence.slices if one.name == wrad]\n"

    with refused(r"^evaluation/gate\.py:\d+: NameError: name 'wrad'"):
        tried(condition=f"def _own(settings, evidence):\n{body}", evaluation={"slices": ["ward"]})


def test_a_condition_of_another_signature_is_named(tried: Callable[..., None]) -> None:
    with refused(r"^evaluation/gate\.py: TypeError: _own\(\) takes 1 positional"):
        tried(condition="def _own(evidence):\n    return []\n")


@pytest.mark.parametrize("slices", [[], ["ward"]])
@pytest.mark.parametrize(
    "gate", [{}, {"worst_slice": 0.2, "maximum_calibration_error": 0.2, "minimums": {"recall_macro": 0.1}}]
)
def test_the_templates_code_passes(
    tried: Callable[..., None], slices: list[str], gate: dict[str, Any]
) -> None:
    if gate and not slices:
        gate = {**gate, "worst_slice": None}
    tried(evaluation={"slices": slices}, gate=gate)


def test_a_condition_gets_what_the_evaluation_gives(tried: Callable[..., None]) -> None:
    rule = SplitRule(group=["ward"], groups=GroupCounts(train_validation=9, test=3), columns=[])

    tried(
        metrics=COST + "    return truth != predicted\n",
        condition="""def _own(settings, evidence):
    assert evidence.groups == 100
    assert {one.name.partition(":")[0] for one in evidence.slices} == {"age"}
    assert evidence.metric == "f1_macro"
    assert {"cost", "auc"} < {*evidence.metrics}
    return [at_most("cost", evidence.metrics["cost"], settings["maximums"]["cost"])]
""",
        locked=lock(split=rule),
        dataset={"group": "ward"},
        evaluation={"slices": ["age"]},
        gate={"maximums": {"cost": 1.0}},
    )


@pytest.mark.parametrize(
    ("least", "most", "kind", "body"),
    [
        (
            10,
            90,
            "integer",
            "    assert set(truth) <= {28.0, 51.0, 72.0}\n    return abs(truth - predicted) / truth\n",
        ),
        (0.5, 0.9, "number", "    assert truth.min() > 0.5\n    return np.log(truth)\n"),
        (None, None, "number", "    return (truth - predicted) ** 2\n"),
    ],
)
def test_numbers_are_of_the_targets_range(
    tried: Callable[..., None], least: float | None, most: float | None, kind: Any, body: str
) -> None:
    columns = [
        Column(name="ward", type="text"),
        Column(name="label", type=kind, least=least, most=most),
    ]

    tried(metrics=COST + body, locked=lock(columns=columns, classes=None), **NUMBERS)


def test_a_measure_that_writes_into_a_constant_answer_is_told(tried: Callable[..., None]) -> None:
    with refused(r"^evaluation/metrics\.py:5: ValueError: .*read-only"):
        tried(
            metrics=COST + "    predicted -= truth\n    return predicted\n",
            locked=lock(
                columns=[Column(name="age", type="integer"), Column(name="label", type="number")],
                classes=None,
            ),
            **NUMBERS,
        )


def test_the_classes_are_those_of_the_holdout_where_it_alone_was_counted(tried: Callable[..., None]) -> None:
    body = "    assert {*truth, *predicted} <= {'<30', '>30', 'no'}\n    return truth != predicted\n"

    tried(metrics=COST + body, locked=lock_by_reference(), dataset={"buckets": ["lake"]})


UNDECLARED = "def cost(truth, predicted):\n    return 5 * (truth != predicted)\n"


def test_a_measure_that_nobody_declared_is_told(tried: Callable[..., None]) -> None:
    with pytest.raises(
        UserError, match=r"^evaluation/metrics\.py: cost gives each row .* decorate it with lower_is"
    ):
        tried(METRICS + UNDECLARED)


@pytest.mark.parametrize(
    "more",
    [
        "dear = lower_is_better(cost)\n",
        "@lower_is_better\ndef dear(truth, predicted):\n    return 2 * cost(truth, predicted)\n",
        "_of = {'cost': cost}\n",
    ],
)
def test_a_function_that_is_used_is_none(tried: Callable[..., None], more: str) -> None:
    tried(METRICS + UNDECLARED + more)


@pytest.mark.parametrize(
    "helper",
    [
        "def _cost(truth, predicted):\n    return truth != predicted\n",
        "def share(part, whole):\n    return part / whole\n",  # of texts none
        "def dear(truth):\n    return truth == 'no'\n",
        "def total(truth, predicted):\n    return (truth != predicted).sum()\n",
    ],
)
def test_a_helper_is_none(tried: Callable[..., None], helper: str) -> None:
    tried(METRICS + helper)


def test_a_helper_of_the_gate_is_none(evaluation: Path, tried: Callable[..., None]) -> None:
    gate = evaluation / "gate.py"
    gate.write_text(gate.read_text() + "\nfrom metrics import cost\n")

    tried(METRICS + UNDECLARED)


def test_what_is_called_in_another_way_is_not_known(evaluation: Path, tried: Callable[..., None]) -> None:
    entry = evaluation / "evaluate.py"
    calls = {"declared(metrics)": "declared(metrics, 1)", "evidence)": "evidence, 1)"}
    for had, now in calls.items():
        entry.write_text(entry.read_text().replace(had, now))

    tried(metrics=COST + "    return None\n", condition="def _own(settings):\n    return None\n")


def test_what_autopilot_may_infer_in_two_ways_is_not_tried(tried: Callable[..., None]) -> None:
    columns = [Column(name="ward", type="text"), Column(name="label", type="integer")]
    dataset = lock(columns=columns, classes={"1": 200, "2": 300, "3": 500})

    tried(
        metrics=COST + "    return truth - predicted\n",
        locked=dataset,
        autopilot={"problem_type": "infer", "objective": None},
    )


def test_nothing_is_left_behind(
    evaluation: Path, tried: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    before, path = {name: sys.modules.get(name) for name in ("metrics", "gate")}, [*sys.path]

    tried(metrics=COST + "    print(truth)\n    return truth != predicted\n")

    assert {name: sys.modules.get(name) for name in before} == before
    assert sys.path == path
    assert capsys.readouterr() == ("", "")


def test_an_upsert_with_a_mistake_makes_nothing(
    evaluation: Path, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock().save()
    (evaluation / "metrics.py").write_text(COST + "    return None\n")
    monkeypatch.setattr(definition, "build", lambda *_: json.dumps({"Steps": []}))
    project = Project()
    project.__dict__["aws"] = aws

    with refused(r"evaluation/metrics\.py: cost gives object"):
        upsert(project)

    assert aws.client("sagemaker").list_pipelines()["PipelineSummaries"] == []
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=project.names.bucket)


def test_a_definition_with_a_mistake_is_none(
    evaluation: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`automl plan` builds it by this command."""
    lock().save()
    add(evaluation / "gate.py", "def _own(settings, evidence):\n    return None\n")
    monkeypatch.setattr(definition, "build", lambda *_: "{}")

    assert main(["definition", "--account", "123456789012"]) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "evaluation/gate.py: _own gives None, no list of conditions" in " ".join(printed.err.split())
