"""The model archive: ``model.tar.gz`` with a description, ``model.json``, beside what AutoGluon wrote.

=============  ==========================================================================================
kind           holds
=============  ==========================================================================================
``ensemble``   ``predictor/``: AutoGluon's predictor with one model and those that it combines
``features``   ``features.pkl``: AutoGluon's feature generator; also maps classes back to labels
``algorithm``  ``model/``: one AutoGluon model that takes the features
=============  ==========================================================================================

The pickles in it run code when they are loaded: only archives of one's own bucket belong here, as on the real
service. A script that an archive brings along (``code/``) is never run.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from local_sagemaker.serving.errors import ModelError

DESCRIPTION = "model.json"
# What tarfile and json end in where a stranger made the archive; a link to a member that is not there is a KeyError.
_DAMAGED = (
    EOFError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
    gzip.BadGzipFile,
    tarfile.TarError,
    zlib.error,
)


@dataclass(frozen=True)
class Description:
    """What a container has to know of its model.

    ``columns`` are the columns of a request in order, each ``{"name", "type"}`` with type "number" or "text";
    ``features`` those that the feature container puts out, with ``"categories"`` where they are categorical.
    ``labels`` are in the order of the probabilities, the positive class of two last; empty for a regression.
    The predicted label is the one with the greatest probability times ``decision_weights``.
    """

    kind: str
    problem_type: str
    columns: list[dict[str, Any]] = field(default_factory=list)
    features: list[dict[str, Any]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    decision_weights: list[float] = field(default_factory=list)
    model: str = ""


def pack(content: Mapping[str, Path], description: Description, archive: Path) -> Path:
    """Make ``archive`` of ``description`` and ``content``, files and folders by their names in it."""
    text = json.dumps(asdict(description), indent=1).encode()
    entry = tarfile.TarInfo(DESCRIPTION)
    entry.size = len(text)
    # The fastest compression: forests shrink to a third with it, and to little less with the slowest.
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.addfile(entry, io.BytesIO(text))
        for name, path in content.items():
            tar.add(path, arcname=name)
    return archive


def unpack(archive: Path, folder: Path) -> Description:
    """Unpack ``archive`` into ``folder``. Raises ModelError where it is not a model archive."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        return Description(**content)
    except (OSError, *_DAMAGED) as error:
        raise ModelError(f"{archive.name} is not a model archive of the local Autopilot: {error}") from error


def spoil(path: str | os.PathLike[str]) -> None:
    """Rewrite the model archive at ``path`` so that its model loads, and fails at every request.

    As if it came from a training on one column less: the container starts, and no row fits. Raises ValueError where the
    file is no model archive of the local Autopilot, or one whose container reads no columns, and OSError where it
    cannot be read or written; the file is left as it was.
    """
    archive = Path(path)
    old = archive.read_bytes()
    new = io.BytesIO()
    spoiled = False
    try:
        with (
            tarfile.open(fileobj=io.BytesIO(old), mode="r:gz") as source,
            tarfile.open(fileobj=new, mode="w:gz", compresslevel=1) as target,
        ):
            for member in source:
                content = source.extractfile(member) if member.isfile() else None
                if content is not None and member.name == DESCRIPTION:
                    text = _without_last_column(content.read())
                    member.size = len(text)
                    content = io.BytesIO(text)
                    spoiled = True
                target.addfile(member, content)
    except _DAMAGED as error:
        raise ValueError(f"{archive} is not a model archive of the local Autopilot: {error}") from error
    if not spoiled:
        raise ValueError(f"{archive} is not a model archive of the local Autopilot: it has no {DESCRIPTION}")
    _replace(archive, new.getvalue())


def _without_last_column(text: bytes) -> bytes:
    description = Description(**json.loads(text))
    if not description.columns and not description.features:
        raise ValueError("its container reads no columns")
    shorter = replace(description, columns=description.columns[:-1], features=description.features[:-1])
    return json.dumps(asdict(shorter)).encode()


def _replace(path: Path, content: bytes) -> None:
    """All of ``content`` or what was there: nobody finds half an archive."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(content)
        unfinished.chmod(path.stat().st_mode & 0o777)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
