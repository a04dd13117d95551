"""evaluate_files.py FOLDER KIND GATE: seconds and peak memory of an evaluation from files to evaluation.json.

All that the processing job does once the transforms have written their outputs; imports are not counted in seconds.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from evaluate import write
from gate import judge

from automl_gitops.evaluation.automl import Candidate
from automl_gitops.evaluation.holdout_classes import ClassHoldout
from automl_gitops.evaluation.layout import Champion, NoImportance
from automl_gitops.evaluation.reading import parts
from automl_gitops.evaluation.settings import Settings
from automl_gitops.evaluation.verdict import decide, measured

OUTPUTS = {"labels": ["predicted_label"], "probabilities": ["predicted_label", "probabilities", "labels"]}
DATASET = {
    "name": "made up",
    "synthetic": True,
    "sha256": "0" * 64,
    "target": "readmitted",
    "columns": [],
    "rows": {"test": 0},
    "classes": {"<30": 11, ">30": 35, "no": 54},
}


def main(folder: Path, kind: str, gate: dict[str, Any]) -> None:
    """Evaluate by [gate], write the documents, print the measurements."""
    start = time.perf_counter()
    settings = Settings("bench", "", DATASET, gate)
    found = Candidate(
        "job", "arn", "best", "MulticlassClassification", "F1macro", None, [{"Image": ""}], None, None
    )
    holdout = ClassHoldout(parts(folder / "y_test", "y_test"), False, DATASET["classes"])
    holdout.candidate(parts(folder / kind / "candidate", "candidate"), OUTPUTS[kind], found.containers)
    holdout.champion(parts(folder / kind / "champion", "champion"), OUTPUTS[kind], found.containers)
    champion = Champion("arn", "compared", "")
    evaluation, evidence = measured(found, holdout, champion, found.containers, OUTPUTS[kind], settings)
    decide(evaluation, judge(gate, gate["minimum"], evidence))
    evaluation.importance = NoImportance(None, "not measured")
    out = folder / "documents"
    out.mkdir(exist_ok=True)
    write(out, evaluation, "", "s3://bucket/x_test")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_bytes": peak, "metrics": evaluation.metrics}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
