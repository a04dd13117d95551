"""What of a project's files cannot hold on the local AWS, and is left out of the copy that is rehearsed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomlkit

from deployment.production_file import FILE as PRODUCTION
from deployment.production_file import ProductionFile

_ACCOUNTS_OWN = {
    "encryption": "[encryption]: the key is the account's",
    "network": "[network]: subnets and security groups are the account's",
}
_PATIENCE_MS = 60_000  # how fast this machine answers says nothing about an endpoint
# Bounds that any model keeps.
_OPEN = {"minimum": -1e12, "maximum": 1e12}


def adapt(project: Path, *, open_gate: bool) -> list[str]:
    """Change the files of the copy in ``project``; returns what was left out, a line each.

    ``open_gate``: the data is made up, so that how good a model is says nothing, and the gate accepts any.
    """
    file = project / "automl.toml"
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    left_out = [line for section, line in _ACCOUNTS_OWN.items() if document.pop(section, None) is not None]
    if open_gate:
        document["gate"] = _open(document["gate"])
        left_out.append("[gate]: a model of made-up rows cannot be judged")
    verification = document.setdefault("verification", tomlkit.table())
    for key in ("max_latency_p50_ms", "max_latency_p95_ms"):
        verification[key] = _PATIENCE_MS
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    production = project / PRODUCTION
    if production.exists() and ProductionFile.load(production).model_package_arn:
        ProductionFile(model_package_arn="").save(production)
        left_out.append(f"{PRODUCTION.as_posix()}: the champion is the account's")
    return left_out


def _open(gate: Any) -> dict[str, Any]:
    bound = next(key for key in _OPEN if key in gate)
    return {bound: _OPEN[bound], "better_than_baseline": False, "minimum_rows": 1}
