"""Findings on a terminal: short, with the way to the rest."""

from collections.abc import Sequence

from automl_gitops.data.contract import FILE as CONTRACT
from automl_gitops.data.lock import DataFinding
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.words import counted

MOST_SHOWN = 10


def show(output: Output, findings: Sequence[DataFinding]) -> None:
    """A line for each of the first ones, and where to find what to do."""
    for one in findings[:MOST_SHOWN]:
        output.notice(one.text)
    if findings:
        more = len(findings) - MOST_SHOWN
        shown = f"{more:,} more findings" if more > 0 else counted(len(findings), "finding")
        stops = "what contract.toml has in `block` stops a push; " if CONTRACT.exists() else ""
        output.say(f"{shown}; {stops}after a push `automl data show` says what to do")
