"""simulate_groups.py TRUE CORRELATION GROUPS START COUNT: how often intervals of rows in groups hold the truth.

``COUNT`` data sets of ``GROUPS`` groups of 1 to 50 rows, with the seeds from ``START`` on. A row takes over its group's
own record (truth and both models' predictions) with a probability of the root of ``CORRELATION``, and has one of its
own otherwise: two rows of a group are the same record with a probability of ``CORRELATION``, which is therefore the
intraclass correlation of whatever is computed from a row. Printed are the data sets that held, by intervals that know
the groups and, of every fifth one, by intervals that do not.

``TRUE`` has the true values as JSON, which ``simulate_groups.py START COUNT`` prints: means over so many samples of a
million independent rows. Of one sample they would be a tenth of a standard error of 500 groups off, or two of it.
"""

import json
import sys
from pathlib import Path

import numpy as np
from simulate import SHARES, ends

from automl_evaluation import regression
from automl_evaluation.assess_classes import Groups, Model, assess, figures
from automl_evaluation.classification import by_class
from automl_evaluation.clusters import Clusters

MANY = 1_000_000
MOST_ROWS = 50
BY_ROWS = 5  # of so many data sets, one is also judged as if its rows were independent
DIFFERENCE = "candidate - champion"
OF_RAREST = ("precision", "recall", "f1")
CLASSES = (
    *(f"{name} of the rarest class" for name in OF_RAREST),
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "f1_weighted",
    "precision_macro",
    "matthews_correlation",
    "auc",
    "average_precision",
    "log_loss",
    "brier",
)
NUMBERS = ("r2", "rmse", "mse", "mae", "mean_error")


def classified(generator: np.random.Generator, rows: int) -> list[np.ndarray]:
    """The truth of three classes, and the probabilities of two models of the same quality."""
    truth = generator.choice(3, rows, p=SHARES)
    records = [truth]
    for _ in range(2):
        scores = generator.normal(size=(rows, 3)) + np.log(SHARES)
        scores[np.arange(rows), truth] += 0.8
        given = np.exp(scores)
        records.append(given / given.sum(axis=1, keepdims=True))
    return records


def regressed(generator: np.random.Generator, rows: int) -> list[np.ndarray]:
    """A target of which two models know the same part, up to skewed errors of their own."""
    signal = generator.normal(0, 2, rows)
    errors = [generator.gamma(2, 0.5, rows) - 1 for _ in range(2)]
    return [signal + generator.normal(0, 1, rows), *(signal + error for error in errors)]


def of_classes(records: list[np.ndarray], clusters: Clusters | None) -> Groups:
    """Metrics of both classifiers."""
    truth, *given = records
    models = []
    for probabilities in given:
        predicted = probabilities.argmax(axis=1)
        kept = figures(probabilities.T, [0, 1, 2], truth, predicted, None, draw=False, clusters=clusters)
        models.append(Model(predicted, kept))
    candidate, champion = models
    found, table = assess(truth, candidate, champion, 3, None, clusters)
    for way, kind in enumerate(("candidate", "champion")):
        rarest = by_class(table.only(0, 1 + way), 3)[0]
        found[kind] |= {f"{name} of the rarest class": rarest[name] for name in OF_RAREST}
    return found


def of_numbers(records: list[np.ndarray], clusters: Clusters | None) -> Groups:
    """Metrics of both regressions."""
    truth, candidate, champion = records
    return regression.compared(truth, candidate, champion, clusters)


KINDS = ((classified, of_classes, CLASSES), (regressed, of_numbers, NUMBERS))


def true_values(start: int, count: int) -> None:
    """Print the true values by metric."""
    found: dict[str, float] = {}
    for kind, (draw, assessed, names) in enumerate(KINDS):
        samples = [
            assessed(draw(np.random.default_rng([kind, seed]), MANY), None)["candidate"]
            for seed in range(start, start + count)
        ]
        found |= {name: float(np.mean([sample[name].value for sample in samples])) for name in names}
    print(json.dumps(found))


def main(true: Path, correlation: float, groups: int, start: int, count: int) -> None:
    """Simulate, print the counts by metric."""
    values = json.loads(true.read_text(encoding="utf-8"))
    held: dict[str, dict[str, int]] = {"groups": {}, "rows": {}}
    for draw, assessed, names in KINDS:
        for seed in range(start, start + count):
            generator = np.random.default_rng(seed)
            group = np.repeat(np.arange(groups), generator.integers(1, MOST_ROWS, groups, endpoint=True))
            shared = generator.random(len(group)) < np.sqrt(correlation)
            own, common = draw(generator, len(group)), draw(generator, groups)
            records = [
                np.where(shared[(...,) + (None,) * (mine.ndim - 1)], theirs[group], mine)
                for mine, theirs in zip(own, common, strict=True)
            ]
            for way, clusters in (("groups", Clusters(group, groups)), ("rows", None)):
                if way == "rows" and seed % BY_ROWS:
                    continue
                found = assessed(records, clusters)
                wanted = {("candidate", name): values[name] for name in names}
                wanted |= {(DIFFERENCE, name): 0.0 for name in names if name in found[DIFFERENCE]}
                for (kind, name), value in wanted.items():
                    low, high = ends(found[kind][name])
                    of = f"{name}, difference" if kind == DIFFERENCE else name
                    held[way][of] = held[way].get(of, 0) + bool(low <= value <= high)
    held["groups"]["data sets"], held["rows"]["data sets"] = (
        count,
        len(range(-(-start // BY_ROWS), -(-(start + count) // BY_ROWS))),
    )
    print(json.dumps(held))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        true_values(*map(int, sys.argv[1:]))
    else:
        main(Path(sys.argv[1]), float(sys.argv[2]), *map(int, sys.argv[3:]))
