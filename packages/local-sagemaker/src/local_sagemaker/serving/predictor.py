"""A model that answers requests: its archives fetched, its containers loaded in a process of their own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import runtime, storage, workers
from local_sagemaker.serving import joining
from local_sagemaker.serving.errors import BadInput, DownloadError, ModelError

START_SECONDS = 120.0
ANSWER_SECONDS = 60.0  # InvokeEndpoint's limit
# How much of the time that the last answer took, and how long at most, the next one waits for those to come back who
# were there together.
GATHERING, MOST_GATHERING_SECONDS = 0.5, 0.1


class _Waiting:
    """A request that waits for its outcome."""

    def __init__(self, request: joining.Request, timeout: float) -> None:
        self.request = request
        self.timeout = timeout
        self.kind = joining.kind(request)
        self.outcome: joining.Outcome | None = None

    def fits(self, other: _Waiting) -> bool:
        """Whether the two can be asked as one."""
        return self.kind is not None and (self.kind, self.timeout) == (other.kind, other.timeout)


class Predictor:
    """One model in one worker process. Safe to use from several threads.

    One thread at a time asks the worker, for the others that wait as well where their requests fit (see
    :mod:`local_sagemaker.serving.joining`). A worker that died or hung is replaced with the next request.
    """

    def __init__(self, directory: Path, containers: Sequence[Mapping[str, Any]]) -> None:
        self._directory = directory
        self._containers = containers
        lock = threading.RLock()
        self._turn, self._gathering = threading.Condition(lock), threading.Condition(lock)
        self._together, self._gather_until = 0, 0.0
        self._asking = False
        self._waiting: list[_Waiting] = []
        self._worker: workers.Worker | None = None
        self._stopped = False

    @classmethod
    def start(
        cls, containers: Sequence[Mapping[str, Any]], credentials: Mapping[str, str], region: str
    ) -> Predictor:
        """Fetch the archives of ``containers`` (Image, ModelDataUrl, Environment) and load them.

        Returns when the model can answer. Raises ModelError with the reason where it cannot.
        """
        parent = runtime.current().directory / "models"
        parent.mkdir(parents=True, exist_ok=True)
        predictor = cls(Path(tempfile.mkdtemp(dir=parent)), containers)
        try:
            predictor._fetch(storage.Storage({"AWS_REGION": region, **credentials}))
            predictor._load()
        except BaseException:
            predictor.stop()
            raise
        return predictor

    def predict(
        self, body: bytes, content_type: str = "text/csv", accept: str = "", timeout: float = ANSWER_SECONDS
    ) -> tuple[bytes, str]:
        """The answer to a request and its content type.

        Raises BadInput where the container refuses the request, ModelError where it fails or takes longer
        than ``timeout`` seconds.
        """
        mine = _Waiting((body, content_type, accept), timeout)
        with self._turn:
            self._waiting.append(mine)
            self._gathering.notify()
            self._turn.wait_for(lambda: mine.outcome is not None or not self._asking)
            asked = self._take(mine) if mine.outcome is None else []
        if asked:
            self._answer(asked)
        assert mine.outcome is not None  # noqa: S101 - for the type checker: else asking has raised
        outcome, *rest = mine.outcome
        if outcome == "answer":
            return rest[0], rest[1]
        raise (BadInput if outcome == "refused" else ModelError)(rest[0])

    def _take(self, mine: _Waiting) -> list[_Waiting]:
        """Begin to ask for this request, and for those that wait and fit; the caller holds the turn."""
        self._asking = True
        if mine.kind is not None:
            self._gathering.wait_for(
                lambda: len(self._waiting) >= self._together, self._gather_until - time.monotonic()
            )
        others = [one for one in self._waiting if one is not mine and mine.fits(one)]
        asked = [mine, *others[: joining.MOST_REQUESTS - 1]]
        self._waiting = [one for one in self._waiting if one not in asked]
        return asked

    def _answer(self, asked: list[_Waiting]) -> None:
        """Find the outcome of the first of them at least. What broke the worker for several is asked by itself."""
        begun = time.monotonic()
        try:
            outcomes = self._outcomes(asked)
            if outcomes is None and len(asked) > 1:
                outcomes = self._outcomes(asked[:1])
            for one, outcome in zip(asked, outcomes or [], strict=False):
                one.outcome = outcome
        finally:
            with self._turn:
                self._asking = False
                left = [one for one in asked[1:] if one.outcome is None]
                for one in left:
                    one.kind = None
                self._waiting += left
                # Whoever has an answer comes back at once, if at all: asked by themselves, they would take turns with
                # those that wait now.
                now = time.monotonic()
                self._together = min(len(asked) - len(left) + len(self._waiting), joining.MOST_REQUESTS)
                self._gather_until = now + min((now - begun) * GATHERING, MOST_GATHERING_SECONDS)
                self._turn.notify_all()

    def stop(self) -> None:
        """End the process and remove the model's files. A request that is being answered fails."""
        self._stopped = True
        if self._worker is not None:
            self._worker.kill()
        with self._turn:
            self._turn.wait_for(lambda: not self._asking)
            self._discard()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def log(self) -> Path:
        """What the containers printed."""
        return self._directory / "log"

    def _fetch(self, source: storage.Storage) -> None:
        for number, container in enumerate(self._containers):
            uri = container.get("ModelDataUrl")
            if uri is None:
                raise ModelError("A container without ModelDataUrl has no model that could be loaded.")
            try:
                bucket, key = storage.split(uri)
                source.client.download_file(bucket, key, str(self._archive(number)))
            except (BotoCoreError, ClientError) as error:
                raise DownloadError(number + 1, uri, error) from error

    def _archive(self, number: int) -> Path:
        return self._directory / f"{number}.tar.gz"

    def _load(self) -> None:
        self._discard()
        argument = []
        for number, container in enumerate(self._containers):
            folder = Path(tempfile.mkdtemp(dir=self._directory))
            environment = dict(container.get("Environment") or {})
            argument.append(
                {
                    "archive": str(self._archive(number)),
                    "folder": str(folder),
                    "environment": environment,
                }
            )
        # A model that needs the network is broken: it gets no credentials.
        self._worker = workers.start(
            "local_sagemaker.serving.worker:serve", argument, {}, self.log, self._directory
        )
        outcome, reason = self._receive(START_SECONDS)
        if outcome != "ready":
            self._discard()
            raise ModelError(f"The model could not be loaded. {reason}")

    def _outcomes(self, asked: list[_Waiting]) -> list[joining.Outcome] | None:
        """What the worker answers; None where it broke for several. Raises ModelError where it cannot be started."""
        if self._stopped:
            raise ModelError("the model was stopped")
        if self._worker is None or self._worker.poll() is not None:
            self._load()
        assert self._worker is not None  # noqa: S101 - for the type checker; it has just been loaded
        with contextlib.suppress(OSError):  # that it is gone is what receiving says
            self._worker.connection.send([one.request for one in asked])
        received = self._receive(asked[0].timeout)
        if isinstance(received, list):
            return received
        return [received] if len(asked) == 1 else None

    def _receive(self, timeout: float) -> Any:
        worker = self._worker
        assert worker is not None  # noqa: S101 - for the type checker
        try:
            if worker.connection.poll(timeout):
                return worker.connection.recv()
            reason = f"No answer within {timeout:g} seconds"
        except (EOFError, OSError):
            reason = "The model's process ended"
        self._discard()
        return "error", reason

    def _discard(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None
