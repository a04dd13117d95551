"""The evaluation's code as the processing job gets it: the project's evaluation/, the package `automl_evaluation`, and
the settings.

The bundle lies in S3 under the hash of its content, so that a definition names exactly the code that it was
made with.
"""

import ast
import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from automl_gitops.data.lock import DatasetLock
from automl_gitops.kernel.config import Config, not_found
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import read_python
from automl_gitops.kernel.settings.model import RESOURCES

FOLDER = Path("evaluation")
ENTRY_POINT = "evaluate.py"
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Bundle:
    """Files by their names in the bundle, and the SHA-256 (hexadecimal) of names and contents."""

    files: dict[str, bytes]

    @property
    def sha256(self) -> str:
        """The hash under which the bundle lies in S3."""
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    @property
    def prefix(self) -> str:
        """The key prefix in the project's bucket, without a slash at the end."""
        return f"code/evaluation/{self.sha256}"


def settings(config: Config, lock: DatasetLock) -> dict[str, Any]:
    """What the evaluation has to know and no parameter of a run changes.

    `project` and `description`; `dataset` as in dataset.lock without the addresses, which are the run's
    parameters, and without the columns' statistics; `gate` as in automl.toml; the keys of [evaluation] that are
    not about instances; `network` and `tags`; `decision` where it is made here and not by Autopilot.
    """
    network = config.network
    decision = config.decision.model_dump(mode="json", exclude_none=True)
    if config.decision.from_probability is not None:
        decision["threshold"] = config.decision.from_probability
    return {
        "project": config.project.name,
        "description": config.project.description,
        "dataset": {key: value for key, value in lock.plain().items() if key != "uris"},
        "gate": config.gate.model_dump(mode="json", exclude_none=True),
        **config.evaluation.model_dump(mode="json", exclude=RESOURCES),
        "network": network.model_dump(mode="json") if network else {},
        "tags": config.project.every_tag,
        **({"decision": decision} if decision else {}),
    }


def build(config: Config, lock: DatasetLock, folder: Path = FOLDER) -> Bundle:
    """The bundle of the project.

    A module that is missing, is no Python, or imports `automl_gitops`, is a `UserError`, and so is a function's code
    that is no Python, which runs in the same pipeline: all of it is said before anything is paid for.
    """
    if not (folder / ENTRY_POINT).is_file():
        raise not_found(folder / ENTRY_POINT)
    own = {path.name: read_python(path) for path in sorted(folder.glob("*.py"))}
    imports = {name: _imported(source) for name, source in own.items()}
    for name in ("gate", "metrics"):  # the template's; what else the container has is not known here
        if name in imports[ENTRY_POINT] and f"{name}.py" not in own:
            raise UserError(
                f"{folder / name}.py: not found, but {ENTRY_POINT} imports it: take the file from Git"
            )
    for name, found in imports.items():
        if strange := sorted(one for one in found if one.partition(".")[0] == "automl_gitops"):
            raise UserError(
                f"{folder / name}: imports {strange[0]}, which its container does not have: import from "
                "automl_evaluation, which goes there, and was automl_gitops.evaluation before"
            )
    for path in sorted(folder.with_name("lambdas").glob("*.py")):
        read_python(path)
    document = json.dumps(settings(config, lock), indent=1, sort_keys=True, ensure_ascii=False)
    return Bundle({**of_package(), **own, SETTINGS: document.encode()})


def _imported(source: bytes) -> set[str]:
    """The modules that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
    return found


def of_package() -> dict[str, bytes]:
    """The package's part of the bundle, `automl_evaluation`, since the container has no network to get it."""
    return {
        f"automl_evaluation/{one.name}": one.read_bytes()
        for one in files("automl_evaluation").iterdir()
        if one.name.endswith(".py")
    }
