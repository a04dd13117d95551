"""A dry run of the project's measures and gate on made-up figures: a mistake is known before a training is paid for.

Imported after the SDK, with which numpy comes.
"""

import ast
import importlib
import io
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from automl_evaluation.conditions import Evidence, SliceValue
from automl_evaluation.errors import EvaluationError
from automl_evaluation.intervals import Estimate
from automl_evaluation.layout import Condition
from automl_evaluation.measures import Measure, declared
from automl_evaluation.metrics import METRICS, REGRESSION
from automl_evaluation.typed import load
from automl_gitops.data.consistency.case import Case
from automl_gitops.kernel.errors import UserError
from automl_gitops.runs.bundle import FOLDER
from automl_gitops.runs.project import Project


def require(project: Project) -> None:
    """Raise `UserError` where metrics.py or gate.py would end an evaluation.

    Nothing is tried that evaluate.py calls in its own way, or where Autopilot may infer several problem types.
    """
    case = Case(project.config, project.lock)
    own = {path.stem: path.read_bytes() for path in FOLDER.glob("*.py")}
    if len(case.problems) > 1:
        return
    entry, file = own["evaluate"].decode(), "metrics"
    metrics = [name for name, metric in METRICS.items() if case.problems[0] in metric.problem_types]
    with _modules([*own]):
        try:
            if "declared(metrics)" in entry:
                metrics += _measures(importlib.import_module(file), case, b"\n".join(own.values()))
            file = "gate"
            if "judge(settings.gate, chosen.threshold, evidence)" in entry:
                _judge(importlib.import_module(file), case, metrics)
        except Exception as error:
            raise _placed(error, file) from None


def _measures(module: ModuleType, case: Case, source: bytes) -> list[str]:
    """The measures' names, after a call of each on all pairs of some values.

    A function that could be one was not declared where no text in the syntax of ``source``, the evaluation's, names it.
    """
    values = np.array(_values(case))
    predicted, true = (pairs.ravel() for pairs in np.meshgrid(values, values))
    predicted.flags.writeable = False  # as a constant answer is
    found = declared(module)
    for measure in found:
        measure(true, predicted)
    nodes = [vars(node) for node in ast.walk(ast.parse(source)) if not isinstance(node, ast.FunctionDef)]
    named = {text for node in nodes for text in node.values() if isinstance(text, str)}
    for name, one in vars(module).items():
        if (
            isinstance(one, FunctionType)
            and one.__module__ == "metrics"
            and not (name[0] == "_" or name in named)
        ):
            try:
                Measure(one, less_is_better=False)(true, predicted)
            except Exception:  # noqa: S112
                continue
            raise EvaluationError(
                f"{name} gives each row a number: decorate it with lower_is_better or higher_is_better, or "
                "begin its name with an underscore"
            )
    return [measure.name for measure in found]


def _values(case: Case) -> list[str] | list[float]:
    """Some of the target's values; of numbers some well within their range."""
    if case.problems[0] != REGRESSION:
        return [*(case.classes or ())][:20]
    target = case.target
    least, most = (target.least, target.most) if target else (None, None)
    if least is None or most is None:
        return [1.0, 2.0, 4.0]
    values = [least + share * (most - least) for share in (0.23, 0.51, 0.77)]
    return [float(round(value)) or 1.0 for value in values] if isinstance(least, int) else values


def _judge(module: ModuleType, case: Case, metrics: list[str]) -> None:
    """Call the conditions without a champion and with one. Raises `EvaluationError`, or what they raise."""
    gate, groups = case.config.gate, 100 if case.config.dataset.group else None
    settings, figures = gate.model_dump(mode="json", exclude_none=True), dict.fromkeys(metrics, _figure(0.5))
    slices = _Slices(
        SliceValue(f"{column}: {value}", 500, False, value, _figure(value).interval, groups)
        for column in case.config.evaluation.slices
        for value in (0.4, 0.6)
    )
    differences = dict.fromkeys(metrics, _figure(0.1))
    for champion, value, status in (({}, None, "none"), (differences, 0.4, "compared")):
        evidence = Evidence(
            case.objectives[0], case.metric or "", 1000, figures, differences, "always the same", 0.4,
            champion, value, status, slices=slices, groups=groups,
        )  # fmt: skip
        for condition in getattr(module, "CONDITIONS", ()):
            name = getattr(condition, "__name__", "a condition")
            _call(name, partial(condition, settings, evidence), slices)
        _call("judge", partial(module.judge, settings, float(gate.threshold), evidence), slices)


class _Slices(list[SliceValue]):
    """Slices that know whether they were read: who looks for one by its name, which is made up, may well be right."""

    read = False

    def __iter__(self) -> Iterator[SliceValue]:
        self.read = True
        return super().__iter__()


def _call(name: str, judge: Callable[[], Any], slices: _Slices) -> None:
    """Raise what ``judge`` raises, and `EvaluationError` where evaluation.json could not have what it gives."""
    slices.read = False
    try:
        given = judge()
    except (EvaluationError, NameError):
        raise
    except Exception:
        if slices.read:
            return
        raise
    try:
        for one in given:
            load(Condition, json.loads(json.dumps(vars(one), allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise EvaluationError(f"{name} gives {given!r:.80}, no list of conditions: {error}") from None


def _figure(value: float) -> Estimate:
    return Estimate(value, lambda confidence: (value - 0.05, value + 0.05))


@contextmanager
def _modules(names: list[str]) -> Iterator[None]:
    """The evaluation's modules can be imported here alone, and print nothing."""
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    folder = str(FOLDER.resolve())
    sys.path.insert(0, folder)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        sys.path.remove(folder)
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def _placed(error: Exception, file: str) -> UserError:
    """The error with file and line of the project's own code."""
    own = [
        one
        for one in traceback.extract_tb(error.__traceback__)
        if Path(one.filename).parent == FOLDER.resolve()
    ]
    file = f"{FOLDER}/{Path(own[-1].filename).stem if own else file}.py"
    said = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, EvaluationError):
        said = str(error).removeprefix(f"{file}: ").removeprefix("gate.py: ")
    sentence = f"{file}: {said} (with made-up figures): correct it; docs/change.md has examples"
    return UserError(sentence, file=file, line=own[-1].lineno if own else None)
