"""What came of pairs, kept by the pair's name while others are still to be tried."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faults_walk import WAYS, Outcome, Pair


class Results:
    """All runs' outcomes in ``build``/faults; those of this one are appended to the file ``name``.jsonl of it."""

    def __init__(self, build: Path, name: str) -> None:
        self.failed = False
        self._build = build
        (build / "faults").mkdir(parents=True, exist_ok=True)
        self._own = build / "faults" / f"{name}.jsonl"
        self._outcomes: dict[str, Outcome] = {}
        for file in sorted((build / "faults").glob("*.jsonl")):
            for line in file.read_text().splitlines():
                kept = json.loads(line)
                outcome, known = Outcome(**kept["outcome"]), self._outcomes.get(kept["pair"])
                if known is None or outcome.converged or file == self._own:
                    self._outcomes[kept["pair"]] = outcome

    def converged(self, pair: Pair) -> bool:
        """Whether a pair was tried, and ended as without the fault."""
        known = self._outcomes.get(str(pair))
        return known is not None and known.converged

    def keep(self, pair: Pair, outcome: Outcome) -> None:
        """Write down what came of a pair."""
        self._outcomes[str(pair)] = outcome
        self.failed |= not outcome.converged
        with self._own.open("a") as file:
            file.write(json.dumps({"pair": str(pair), "outcome": asdict(outcome)}) + "\n")

    def write(self, calls: Mapping[str, int]) -> dict[str, Any]:
        """Write build/faults.json, and return it; ``calls`` are those of each command that was walked through."""
        path = self._build / "faults.json"
        before = json.loads(path.read_text())["commands"] if path.exists() else {}
        total = summary(before | dict(calls), self._outcomes)
        path.write_text(json.dumps(total, indent=1) + "\n")
        return total


def summary(calls: Mapping[str, int], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The document of build/faults.json; a pair counts where its fault met the call."""
    met = {pair: one for pair, one in outcomes.items() if one.struck or not one.converged}
    return {
        "calls": sum(calls.values()),
        "faults": len(WAYS),
        "pairs": len(met),
        "converged": sum(one.converged for one in met.values()),
        "duplicates": sum(bool(one.duplicates) for one in met.values()),
        "orphans": sum(bool(one.orphans) for one in met.values()),
        "lost": sum(bool(one.lost) for one in met.values()),
        "seconds": round(sum(one.seconds for one in met.values())),
        "commands": dict(calls),
        "not_converged": [{"pair": pair, **asdict(one)} for pair, one in met.items() if not one.converged],
    }
