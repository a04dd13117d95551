"""The local AWS itself: moto's server on the loopback address, with what the other modules add to it."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import socket
import tempfile
import threading
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from socketserver import BaseServer
from types import TracebackType
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)

from local_sagemaker import accounts, actors, clock, faults, quotas, runtime, serving, tokens, workers
from local_sagemaker.authorization import principals
from local_sagemaker.authorization import record as records
from local_sagemaker.authorization.gate import Gate
from local_sagemaker.bridge import REQUEST, Bridge
from local_sagemaker.connections import Handler, Server
from local_sagemaker.door import Door
from local_sagemaker.faults import Fault, Faults, Plan
from local_sagemaker.lambda_ import pool

# Whatever answers operations that moto lacks registers them when it is imported. One line each; a module that
# has a function `start` is called once the address is known. What comes later is in :mod:`local_sagemaker.late`.
MODULES: tuple[str, ...] = (
    "local_sagemaker.cloudformation",
    "local_sagemaker.cloudwatch",
    "local_sagemaker.iam",
    "local_sagemaker.simulation",
    "local_sagemaker.ecr",
    "local_sagemaker.lambda_",
    "local_sagemaker.log_groups",
    "local_sagemaker.quotas",
    "local_sagemaker.s3",
    "local_sagemaker.sagemaker.autopilot.operations",
    "local_sagemaker.sagemaker.endpoints",
    "local_sagemaker.sagemaker.models",
    "local_sagemaker.sagemaker.processing",
    "local_sagemaker.sagemaker.registry",
    "local_sagemaker.sagemaker.transform.operations",
    "local_sagemaker.sagemaker.tags",
    "local_sagemaker.sqs",
)

HOST = "127.0.0.1"
# What is about to end when a pause is asked for may do so.
PATIENCE_SECONDS = 5.0
# How soon the server notices that it is to end.
LOOK_SECONDS = 0.1
log = logging.getLogger("local_sagemaker")


class LocalAWS:
    """One running local AWS; a process can have one.

    ``directory`` holds the log and what jobs write (by default a temporary folder that is removed in the
    end); port 0 takes a free one. ``account`` exists from the start; another one comes into being with
    :meth:`administrator`. A ``lenient`` one trains on fewer rows than the real Autopilot takes.
    ``record`` is a file to which every call is appended that was allowed to a role (see
    :mod:`local_sagemaker.authorization.record`); the variable ``LOCAL_AWS_RECORD`` names one as well.
    """

    def __init__(
        self,
        directory: str | Path | None = None,
        port: int = 0,
        account: str = "123456789012",
        region: str = "eu-west-1",
        *,
        lenient: bool = False,
        record: str | Path | None = None,
    ) -> None:
        self.account = account
        self.region = region
        self.lenient = lenient
        self._record_path = record or os.environ.get(records.VARIABLE)
        self._record: records.Record | None = None
        self._port = port
        self._given_directory = directory
        self._administrators: dict[str, dict[str, str]] = {}

    def start(self) -> LocalAWS:
        """Listen; returns when the first request can be sent.

        Raises OSError where the port is taken, or the directory (the error's ``filename``) cannot be used,
        and ValueError for a wrong time scale (see :mod:`local_sagemaker.clock`).
        """
        clock.shortened(0)
        self._ends = ExitStack()
        try:
            self._start(self._ends)
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self, ends: ExitStack) -> None:
        """Each part, and to ``ends`` how it ends: at :meth:`stop`, the last one first."""
        # Werkzeug ends the whole process when it cannot have the port; a socket of our own raises OSError.
        with socket.create_server((HOST, self._port), backlog=128) as listening:
            self.directory = Path(self._given_directory or tempfile.mkdtemp(prefix="local-aws-")).resolve()
            if self._given_directory is None:
                ends.callback(shutil.rmtree, self.directory, ignore_errors=True)
            self.directory.mkdir(parents=True, exist_ok=True)
            log_file = _log_to(self.directory / "local-aws.log")
            ends.callback(log_file.close)
            ends.callback(log.removeHandler, log_file)
            for part in (runtime, records, faults):
                ends.callback(part.set_current, None)
            if self._record_path:
                self._record = records.Record(Path(self._record_path))
                ends.callback(self._record.close)
            port = listening.getsockname()[1]
            door = Door(Gate(Faults(Bridge(_Dispatcher(create_backend_app)))), port)
            self._server = Server(HOST, port, door, _RequestHandler, fd=listening.fileno())
            self._thread = self._server_thread()
            ends.callback(self._end_server)
        self.url = f"http://{HOST}:{self._server.port}"
        self._runtime = runtime.Runtime(self.url, self.directory, lenient=self.lenient)
        runtime.set_current(self._runtime)
        records.set_current(self._record)
        ends.callback(workers.end)
        ends.callback(lambda: self._runtime.stop())  # which a pause replaces
        self._serve()
        self.environment = self.administrator(self.account)

    def _serve(self) -> None:
        for module in map(importlib.import_module, MODULES):
            getattr(module, "start", lambda: None)()
        if self._thread.ident is not None:  # it has served before
            self._thread = self._server_thread()
        self._thread.start()

    def _server_thread(self) -> threading.Thread:
        # Werkzeug's own closes the socket when it ends, which a pause does not.
        serve = BaseServer.serve_forever
        return threading.Thread(target=serve, args=(self._server, LOOK_SECONDS), name="server", daemon=True)

    def pause(self) -> None:
        """Answer nothing until :meth:`resume`: requests wait. No thread and no process of it is left.

        A process may be forked then, and each of the two resumes with a state of its own; they share the address, so
        one of them at a time. Raises RuntimeError where a job, an execution or a deployment still runs.
        """
        busy = self._runtime.busy(PATIENCE_SECONDS)
        if busy:
            raise RuntimeError(f"still at work: {', '.join(busy)}; wait for the end of it")
        self._server.shutdown()
        self._thread.join()
        self._server.end_threads(wait=True)
        self._runtime.stop()
        pool.clear()

    def resume(self) -> None:
        """Go on after :meth:`pause`, perhaps in a fork."""
        self._runtime = self._runtime.again()
        runtime.set_current(self._runtime)
        self._serve()

    def faults(self, *given: Fault) -> Plan:
        """Let calls meet these faults from now on, in the place of those before; without any, calls are only counted.

        As a context manager the plan ends with its block. Its ``calls`` are those made meanwhile, and ``struck`` says
        whether a fault met one.
        """
        plan = Plan(given)
        faults.set_current(plan)
        return plan

    def administrator(self, account: str) -> dict[str, str]:
        """The environment variables with which a command acts as the administrator of ``account``."""
        if account not in self._administrators:
            keys = accounts.create(account, trusted=self.account)
            self._administrators[account] = {
                "AWS_ENDPOINT_URL": self.url,
                **keys,
                "AWS_DEFAULT_REGION": self.region,
                "AWS_REGION": self.region,
                tokens.VARIABLE: self._runtime.token_secret,
            }
        return dict(self._administrators[account])

    def client(self, service: str, account: str | None = None) -> Any:
        """A boto3 client of ``service`` that acts as the administrator of ``account``."""
        return actors.client_with(service, self.administrator(account or self.account))

    def assume(self, role_arn: str) -> dict[str, str]:
        """The environment variables of a new session of a role, whomever its trust policy names.

        Raises LookupError where there is no such role.
        """
        if principals.find_role(role_arn) is None:
            raise LookupError(f"there is no role {role_arn}")
        return actors.credentials(role_arn, None, self.region)

    def web_identity_token(self, subject: str, **claims: Any) -> str:
        """A token with which AssumeRoleWithWebIdentity makes a session of a role that trusts its issuer and claims.

        As GitHub gives one to a workflow: ``subject`` is its claim `sub`; ``claims`` add to the others, or replace
        them (`iss`, `aud`, and in Unix seconds `iat`, `nbf`, `exp`).
        """
        return tokens.issue(self._runtime.token_secret, subject, **claims)

    def set_quota(self, name: str, value: float | None, account: str | None = None) -> None:
        """Give an account another quota of SageMaker's than the default; None takes that back.

        ``name`` is Service Quotas' own, such as "ml.m5.large for transform job usage"; raises ValueError for another.
        """
        quotas.set_quota(account or self.account, self.region, name, value)

    @property
    def predictor(self) -> Any:
        """What serves models, on endpoints and in transform jobs; a test may set a class of its own.

        Such a class has a class method ``start(containers, credentials, region)`` that returns an object with
        ``predict(body, content_type, accept)``, which returns the answer's body and content type, and ``stop()``.
        Transform jobs give ``predict`` a fourth argument, the seconds that an answer may take. ``start`` may raise
        `local_sagemaker.ModelError`, ``predict`` that and `local_sagemaker.BadInput`.
        """
        return serving.Predictor

    @predictor.setter
    def predictor(self, kind: Any) -> None:
        serving.Predictor = kind  # type: ignore[misc]

    def stop(self) -> None:
        """End every job, then the server; nothing is left running."""
        self._ends.close()

    def _end_server(self) -> None:
        if self._thread.is_alive():  # otherwise nothing would end what `shutdown` waits for
            self._server.shutdown()
        self._server.end_threads(wait=False)
        self._server.server_close()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def __enter__(self) -> LocalAWS:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Dispatcher(DomainDispatcherApplication):
    """Moto's, which reads a form without an Authorization header, and all names in its own folder for each request,
    while it holds a lock of all requests.
    """

    def __init__(self, create_app: Any) -> None:
        super().__init__(create_app)
        self._backend_of = lru_cache(maxsize=1024)(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Moto's name of the service at ``host``."""
        return self._backend_of(host)

    def get_application(self, environ: dict[str, Any]) -> Any:
        """The application of the service that is asked; the body is there before the lock is taken."""
        form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        if form and "HTTP_AUTHORIZATION" not in environ:
            _ = environ[REQUEST].body
        return super().get_application(environ)


class _RequestHandler(Handler):
    """Handles connections, with its log in the directory instead of the terminal; the gate logs what was asked."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log(self, type: str, message: str, *args: Any) -> None:
        log.warning(message, *args)


def _log_to(path: Path) -> logging.Handler:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    return handler
