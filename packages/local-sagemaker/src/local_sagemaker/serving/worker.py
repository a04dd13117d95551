"""The process that serves one model: loads its containers, then answers requests."""

from __future__ import annotations

import logging
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from local_sagemaker.serving import joining
from local_sagemaker.serving.errors import BadInput


def serve(connection: Connection, containers: list[dict[str, Any]]) -> None:
    """Answer requests until the connection is closed.

    ``containers`` are ``{"archive", "folder", "environment"}`` in order. The first message out is
    ("ready", "") or ("error", reason). Each list of requests that fit each other gets a list of their outcomes
    (see :mod:`local_sagemaker.serving.joining`).
    """
    logging.disable(logging.INFO)
    try:
        chain = [_loaded(container) for container in containers]
    except Exception as error:
        traceback.print_exc()
        connection.send(("error", f"{type(error).__name__}: {error}"))
        return
    connection.send(("ready", ""))
    while True:
        try:
            requests = connection.recv()
        except EOFError:
            return
        connection.send(joining.answers(lambda request: _answer(chain, *request), requests))


def _loaded(container: dict[str, Any]) -> Any:
    from local_sagemaker.serving import archive, containers

    folder = Path(container["folder"])
    description = archive.unpack(Path(container["archive"]), folder)
    return containers.load(folder, description, container["environment"])


def _answer(chain: list[Any], body: bytes, content_type: str, accept: str) -> tuple[Any, ...]:
    try:
        for number, container in enumerate(chain):
            # What the caller accepts counts for the last; between containers it is CSV.
            last = number == len(chain) - 1
            body, content_type = container(body, content_type, accept if last else "text/csv")
        return "answer", body, content_type
    except BadInput as error:
        return "refused", str(error)
    except Exception as error:
        traceback.print_exc()
        return "error", f"{type(error).__name__}: {error}"
