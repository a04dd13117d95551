"""A push: speed and memory of all that `automl data push` does before it uploads, on ten million rows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from automl_gitops.data.contract import draft
from automl_gitops.data.profile import profile
from automl_gitops.data.table import Table
from benchmarks.figures import Figure

MILLION = 1_000_000
PROGRAMS = Path(__file__).parent / "programs"
CONFIGURATION = """\
[project]
name = "bench"
description = "A push that is measured"
region = "eu-west-1"
repository = "bench/bench"
[dataset]
target = "label"
group = "patient"
[autopilot]
problem_type = "BinaryClassification"
objective = "F1"
[gate]
minimum = 0.5
"""


def figures(work: Path) -> Iterator[Figure]:
    """Measure; the tables stay in ``work`` for the next time."""
    (work / "automl.toml").write_text(CONFIGURATION, encoding="utf-8")
    small, large = (_table(work / f"{rows}.csv", rows) for rows in (MILLION, 10 * MILLION))
    looked_at = Table.open(small)
    seen = profile(looked_at, "label")
    rules = 'rules = ["age >= 0", "if ward == \'ward 1\' then stays <= 1000"]'
    contract = draft(seen.columns(seen.types, has_classes=False), seen.rows, small.name)
    # Bounds of a tenth of the rows are not those of all.
    kept = [line for line in contract.splitlines() if not line.startswith(("patient", "measure"))]
    text = "\n".join(kept).replace("[table]", f"[table]\n{rules}")
    (work / "contract.toml").write_text(text, encoding="utf-8")
    runs = [_run(work, large) for _ in range(2)]
    fastest = min(runs, key=lambda run: run["seconds"])
    name = "push of 10 M rows x 15 columns (CSV, contract and findings on), without the upload"
    yield Figure.of(f"{name}, times of reading it once", fastest["seconds"] / fastest["reading"], "", "<= 3")
    yield Figure.of("its peak memory", fastest["peak_bytes"] / 1e6, "MB", "< 1000")
    compared = _run(work, large, small, program="refer_groups.py")
    name = f"memory of data refer's look for groups in two parts, {compared['read'] / 1e9:.2g} GB of objects"
    yield Figure.of(name, compared["peak_bytes"] / 1e6, "MB", "< 300")


def _run(work: Path, *tables: Path, program: str = "push_table.py") -> dict[str, Any]:
    ended = subprocess.run(  # noqa: S603 - a program of this folder
        [sys.executable, PROGRAMS / program, *tables], cwd=work, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(ended.stdout)


def _table(path: Path, rows: int) -> Path:
    """Fifteen columns of every kind; every patient has three rows."""
    if path.exists():
        return path
    random = np.random.RandomState(1)
    half = path.with_suffix(".writing")
    writer: Any = None
    for start in range(0, rows, MILLION // 2):
        size = min(MILLION // 2, rows - start)
        columns: dict[str, Any] = {"patient": random.randint(0, rows // 3, size)}
        columns["age"] = random.randint(0, 100, size)
        columns["ward"] = _names("ward", 20, random.randint(0, 20, size))
        columns |= {name: random.randint(0, 1000, size) for name in ("stays", "days", "visits", "doses")}
        columns |= {f"measure_{number}": random.normal(size=size).round(4) for number in range(4)}
        columns |= {
            f"code_{number}": _names("code", 300, random.randint(0, 300, size)) for number in range(3)
        }
        columns["label"] = np.where(random.rand(size) < 0.3, "yes", "no")
        batch = pa.table(columns)
        writer = writer or pyarrow.csv.CSVWriter(half, batch.schema)
        writer.write(batch)
    writer.close()
    half.replace(path)
    return path


def _names(what: str, number: int, chosen: np.ndarray) -> np.ndarray:
    return np.array([f"{what} {index}" for index in range(number)])[chosen]
