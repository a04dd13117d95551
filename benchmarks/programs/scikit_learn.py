"""scikit_learn.py FOLDER: seconds of the same figures with scikit-learn and a bootstrap by rows.

Report and matrix of two models, and as many replicates as the evaluation draws, each of which computes four averages
of both models on the drawn rows: less than the evaluation does in each of its own.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    precision_recall_fscore_support,
)

from automl_evaluation.intervals import REPLICATES


def column(folder: Path, header: int | None) -> np.ndarray:
    """The first column of the parts."""
    return (
        pd.concat([pd.read_csv(path, header=header) for path in sorted(folder.iterdir())])
        .iloc[:, 0]
        .to_numpy()
    )


def figures(truth: np.ndarray, predicted: np.ndarray) -> list[float]:
    """Accuracy and the macro averages."""
    return [
        accuracy_score(truth, predicted),
        *precision_recall_fscore_support(truth, predicted, average="macro")[:3],
    ]


def main(folder: Path) -> None:
    """Compute, print the seconds."""
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    names, truth = np.unique(column(folder / "y_test", 0), return_inverse=True)
    models = [
        np.searchsorted(names, column(folder / "labels" / model, None)) for model in ("candidate", "champion")
    ]
    for predicted in models:
        classification_report(truth, predicted, output_dict=True)
        confusion_matrix(truth, predicted)
    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(REPLICATES):
        rows = generator.integers(0, len(truth), len(truth))
        drawn.append([figures(truth[rows], predicted[rows]) for predicted in models])
    np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
