"""Data scientists can do with their role what the documents say; with record_uses.py also: what of it they use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.environment import unsigned_environment

RUN = Path(__file__).resolve().with_name("live_as_data_scientist.py")


def test_a_data_scientist_pushes_data_and_reads_plans_runs_and_reports(tmp_path: Path) -> None:
    """In a process of its own, whose local AWS trains nothing."""
    environment = unsigned_environment()

    done = subprocess.run(
        [sys.executable, RUN], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
    )

    assert done.returncode == 0, done.stdout + done.stderr
