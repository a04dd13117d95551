"""[gate] against the problem and the holdout: every condition can be judged, and a model can pass."""

from automl_evaluation.metrics import (
    BINARY,
    METRICS,
    MOST_CLASSES_WITH_PROBABILITIES,
    REGRESSION,
    Metric,
    metric_of,
    unnamed_positive,
)
from automl_gitops.data.consistency.case import Case, Checks
from automl_gitops.kernel.words import counted, some

_TEMPLATES_MAXIMUM = 1e12  # stands for "not decided yet"
_SIMILAR = {"f1": "f1_macro", "precision": "precision_macro", "recall": "recall_macro"}
# What a model that says the same of every row reaches, whatever the classes' shares.
_CHANCE = {"auc": 0.5, "cohen_kappa": 0.0, "matthews_correlation": 0.0}


def side(case: Case) -> Checks:
    """The bound is on the right side of an objective that Autopilot infers."""
    gate = case.config.gate
    given, wanted = ("minimum", "maximum") if gate.minimum is not None else ("maximum", "minimum")
    misfits = [
        name for name in case.objectives if METRICS[metric_of(name)].less_is_better != (given == "maximum")
    ]
    if not misfits or case.config.autopilot.metric:
        return  # config says so of an objective that is named
    better = "less" if wanted == "maximum" else "more"
    misfit = f"{given} = {gate.threshold:g} does not fit {some(misfits)}, of which {better} is better"
    sentence = f"{misfit} and which Autopilot"
    if len(misfits) == len(case.objectives):
        yield case.wrong(("gate", given), f"{sentence} chooses for this target: use {wanted}")
    else:
        yield case.odd(
            ("gate", given), f"{sentence} may choose: name the problem type in [autopilot] problem_type"
        )


def _general(bounds: dict[str, float]) -> dict[str, float]:
    """Without the project's own measures, of which nothing is known but the name."""
    return {name: bound for name, bound in bounds.items() if name in METRICS}


def names(case: Case) -> Checks:
    """The metrics exist for the problem, and can be computed."""
    for key, bounds in (("minimums", case.config.gate.minimums), ("maximums", case.config.gate.maximums)):
        for name in _general(bounds):
            sentence = _missing(case, name)
            if sentence:
                yield case.wrong(
                    ("gate", key, name), f'{key} has "{name}", {sentence}: {_way_out(case, key, name)}'
                )
            elif not set(case.problems) <= set(METRICS[name].problem_types) and case.lock:
                yield case.odd(
                    ("gate", key, name),
                    f'{key} has "{name}", which is no metric of {_only(case, METRICS[name])}, and Autopilot may infer '
                    "that: name the problem type in [autopilot] problem_type",
                )
    bound = case.config.gate.maximum_calibration_error
    missing = _missing(case, "calibration_error") if bound is not None else ""
    if missing:
        yield case.wrong(
            ("gate", "maximum_calibration_error"),
            f"maximum_calibration_error = {bound:g} is about probabilities, {missing}: remove it",
        )


def _missing(case: Case, name: str) -> str:
    """Why a metric does not exist, "" where it may."""
    metric = METRICS[name]
    if not set(case.problems) & set(metric.problem_types):
        return f"which {' and '.join(case.problems)} does not have"
    classes = len(case.lock.classes or ()) if case.lock else 0
    if metric.of_probabilities and classes > MOST_CLASSES_WITH_PROBABILITIES:
        return (
            f"which needs probabilities, and a model of {classes:,} classes is asked for its label alone (from "
            f"{MOST_CLASSES_WITH_PROBABILITIES + 1} on)"
        )
    return ""


def _only(case: Case, metric: Metric) -> str:
    return " and ".join(problem for problem in case.problems if problem not in metric.problem_types)


def _way_out(case: Case, key: str, name: str) -> str:
    similar = _SIMILAR.get(name)
    if similar and not _missing(case, similar):
        return f"use {similar}"
    better = "minimize" if key == "maximums" else "maximize"
    offered = [
        one
        for one, metric in METRICS.items()
        if metric.direction == better and one != "calibration_error" and not _missing(case, one)
    ]
    return f"use one of {', '.join(offered)}" if offered else "remove it"


def positive(case: Case) -> Checks:
    """What is judged is hardly meant of the class that most rows have."""
    if case.config.decision.positive is not None or BINARY not in case.problems:
        return
    for metric in (case.metric, *case.config.gate.minimums, *case.config.gate.maximums):
        sentence = unnamed_positive(metric, case.classes or {})
        if sentence:
            yield case.odd(("decision", "positive"), sentence)
            return


def bounds(case: Case) -> Checks:
    """A model can be on the right side of every bound, and one can be on the wrong side."""
    gate = case.config.gate
    if case.metric:
        shown = case.objective or case.metric
        given = "minimum" if gate.minimum is not None else "maximum"
        if METRICS[case.metric].less_is_better == (given == "maximum"):
            yield from _bound(case, (given,), case.metric, gate.threshold, shown)
        if gate.worst_slice is not None:
            yield from _bound(case, ("worst_slice",), case.metric, gate.worst_slice, shown)
    for key, listed in (("minimums", gate.minimums), ("maximums", gate.maximums)):
        for name, bound in _general(listed).items():
            if not _missing(case, name):
                yield from _bound(case, (key, name), name, bound, name)


def _bound(case: Case, key: tuple[str, ...], name: str, bound: float, shown: str) -> Checks:
    metric, path = METRICS[name], ("gate", *key)
    said = f"{'.'.join(key)} = {bound:g}"
    if metric.less_is_better:
        if bound < 0:
            yield case.wrong(path, f"{said} can be reached by no model: {shown} is never below 0")
        elif bound == 0:
            yield case.odd(path, f"{said} asks for a model without any error")
        elif _is_wide(case, name, bound):
            yield case.odd(path, f"{said} lets every model pass: replace it with what your use case needs")
        return
    assert metric.most is not None  # noqa: S101 - more of a metric without end would have no best value
    if bound > metric.most:
        percent = (
            f", and {bound:g} % is {bound / 100:g}" if metric.most < bound and 10 <= bound <= 100 else ""
        )
        yield case.wrong(path, f"{said} can be reached by no model: {shown} goes {_range(metric)}{percent}")
    elif bound == metric.most:
        yield case.odd(path, f"{said} asks for a model without any error")
    elif metric.least is not None and bound <= metric.least:
        yield case.odd(path, f"{said} lets every model pass: replace it with what your use case needs")
    else:
        constant = _constant(case, name)
        if constant is not None and bound <= constant and not case.config.gate.better_than_baseline:
            yield case.odd(
                path,
                f"{said} lets a model pass that says the same of every row ({shown} {constant:.3g}): raise it, or set "
                "better_than_baseline = true",
            )


def _range(metric: Metric) -> str:
    return f"up to {metric.most:g}" if metric.least is None else f"from {metric.least:g} to {metric.most:g}"


def _is_wide(case: Case, name: str, bound: float) -> bool:
    """Whether an error is greater than any that stays within the target's values."""
    most = METRICS[name].most
    if most is not None:
        return bound >= most
    target = case.target
    if (
        METRICS[name].problem_types == (REGRESSION,)
        and target
        and target.least is not None
        and target.most is not None
    ):
        spread = target.most - target.least
        return bound >= (spread**2 if name == "mse" else spread)
    return bound >= _TEMPLATES_MAXIMUM


def _constant(case: Case, name: str) -> float | None:
    """What always naming the most frequent class reaches; `None` where that depends."""
    if not case.classes:
        return None
    if name in ("accuracy", "recall_weighted"):
        return max(case.classes.values()) / sum(case.classes.values())
    if name in ("balanced_accuracy", "recall_macro"):
        return 1 / len(case.classes)
    return _CHANCE.get(name)


def holdout(case: Case) -> Checks:
    """The holdout has as many rows as the gate asks for."""
    gate, test = case.config.gate, case.test_rows
    if test is not None and gate.minimum_rows > test:
        key = ("gate", "minimum_rows")
        given = "" if "minimum_rows" in gate.model_fields_set else " (the default)"
        yield case.wrong(
            key,
            f"minimum_rows = {gate.minimum_rows:,}{given} is more than the {counted(test, 'row')} of the holdout, so "
            "that every model would be rejected: lower it, "
            + (
                "refer to a larger holdout"
                if case.lock and case.lock.reference
                else "raise [dataset] holdout, or push more rows"
            ),
        )


def margins(case: Case) -> Checks:
    """The margin to the champion says something."""
    gate, path = case.config.gate, ("gate", "champion_margin")
    if not gate.not_worse_than_champion:
        if "champion_failure" in gate.model_fields_set:
            yield case.odd(
                ("gate", "champion_failure"),
                "champion_failure has no effect with not_worse_than_champion = false: remove it",
            )
        return
    margin = gate.champion_margin
    if isinstance(margin, str):
        if float(margin.rstrip("%")) >= 100:
            yield case.odd(path, f'champion_margin = "{margin}" lets every model pass against the champion')
    elif case.metric and METRICS[case.metric].most is not None and METRICS[case.metric].least is not None:
        metric = METRICS[case.metric]
        assert metric.most is not None and metric.least is not None  # noqa: S101, PT018 - asked above
        if margin >= metric.most - metric.least:
            share = f'; for {margin:g} % write "{margin:g}%"' if margin <= 100 else ""
            yield case.odd(
                path, f"champion_margin = {margin:g} lets every model pass against the champion{share}"
            )


def twice(case: Case) -> Checks:
    """The objective is bounded once."""
    for key, listed in (("minimums", case.config.gate.minimums), ("maximums", case.config.gate.maximums)):
        if case.metric in listed:
            yield case.odd(
                ("gate", key, case.metric or ""),
                f"{key} bounds {case.metric}, which is the objective that {key[:-1]} bounds: the stricter one "
                "decides, so keep one",
            )


CHECKS = (side, names, positive, bounds, holdout, margins, twice)
