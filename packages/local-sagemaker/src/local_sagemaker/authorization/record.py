"""A record of what was allowed to roles: each call that their policies let pass, once.

It is kept where somebody asks for it (`LocalAWS(record=FILE)`, or the variable :data:`VARIABLE`): a life that was
lived with it tells what its roles need. Each line of the file is a JSON object with ``role`` (ARN), ``action``,
``resource`` (ARN or ``*``) and ``context``, the condition keys of the call in lower case.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import IO, Any

from local_sagemaker.authorization.conditions import Context
from local_sagemaker.authorization.policies import Principal
from local_sagemaker.authorization.questions import Question

VARIABLE = "LOCAL_AWS_RECORD"


class Record:
    """The file ``path``, to which calls are appended until it is closed. Safe to use by threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("a", encoding="utf-8")
        self._written: set[str] = set()
        self._lock = threading.Lock()

    def add(self, role: str, question: Question, keys: Context) -> None:
        """Append one call, unless it is there already."""
        call: dict[str, Any] = {
            "role": role,
            "action": question.action,
            "resource": question.resources[0],
            "context": {key: list(values) for key, values in {**keys, **question.context}.items()},
        }
        # Keys of the request as such (time, address, agent) are other ones each time, and say nothing of the call.
        known = {key: value for key, value in call["context"].items() if not key.startswith("aws:")}
        line = json.dumps({**call, "context": known}, sort_keys=True)
        with self._lock:
            if line not in self._written and not self._file.closed:
                self._written.add(line)
                self._file.write(line + "\n")
                self._file.flush()

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            self._file.close()


_current: Record | None = None


def set_current(record: Record | None) -> None:
    """Called by :mod:`local_sagemaker.server` alone."""
    global _current
    _current = record


def allowed(principal: Principal, question: Question, keys: Context) -> None:
    """Note that ``principal`` was allowed what ``question`` asks, where he is a role and a record is kept."""
    if _current is not None and principal.context.get("aws:principaltype") == ["AssumedRole"]:
        _current.add(principal.context["aws:principalarn"][0], question, keys)
