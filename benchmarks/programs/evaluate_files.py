"""evaluate_files.py FOLDER KIND GATE: seconds and peak memory of an evaluation from files to evaluation.json.

All that the processing job does once the transforms have written their outputs; imports are not counted in seconds.
There are also the processor's seconds, `cpu_seconds`, and those of each phase.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from evaluate import write
from gate import judge

from automl_evaluation.automl import Candidate
from automl_evaluation.holdout_classes import ClassHoldout
from automl_evaluation.layout import Champion, NoImportance
from automl_evaluation.reading import parts
from automl_evaluation.settings import Settings
from automl_evaluation.verdict import decide, measured

OUTPUTS = {"labels": ["predicted_label"], "probabilities": ["predicted_label", "probabilities", "labels"]}
DATASET = {
    "name": "made up",
    "synthetic": True,
    "sha256": "0" * 64,
    "target": "readmitted",
    "columns": [],
    "rows": {"test": 0},
}
CLASSES = {2: {"no": 89, "yes": 11}, 3: {"<30": 11, ">30": 35, "no": 54}}


def main(folder: Path, kind: str, gate: dict[str, Any]) -> None:
    """Evaluate by [gate], write the documents, print the measurements."""
    cpu, times = time.process_time(), [time.perf_counter()]
    classes = CLASSES[json.loads((folder / "done").read_text())["classes"]]
    binary = len(classes) == 2
    settings = Settings("bench", "", DATASET | {"classes": classes}, gate)
    problem = ("BinaryClassification", "F1") if binary else ("MulticlassClassification", "F1macro")
    found = Candidate("job", "arn", "best", *problem, None, [{"Image": ""}], None, None)
    holdout = ClassHoldout(parts(folder / "y_test", "y_test"), binary, classes)
    times.append(time.perf_counter())
    holdout.candidate(parts(folder / kind / "candidate", "candidate"), OUTPUTS[kind], found.containers)
    times.append(time.perf_counter())
    holdout.champion(parts(folder / kind / "champion", "champion"), OUTPUTS[kind], found.containers)
    times.append(time.perf_counter())
    champion = Champion("arn", "compared", "")
    evaluation, evidence = measured(found, holdout, champion, found.containers, OUTPUTS[kind], settings)
    decide(evaluation, judge(gate, gate["minimum"], evidence))
    evaluation.importance = NoImportance(None, "not measured")
    out = folder / "documents"
    out.mkdir(exist_ok=True)
    write(out, evaluation, "", "s3://bucket/x_test")
    times.append(time.perf_counter())
    phases = dict(zip(("labels", "candidate", "champion", "metrics"), np.diff(times).tolist(), strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds, processor = times[-1] - times[0], time.process_time() - cpu
    found_all = {"metrics": evaluation.metrics, "phases": phases, "cpu_seconds": processor}
    print(json.dumps({"seconds": seconds, "peak_bytes": peak} | found_all))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
