"""A function as it stands deployed: what moto keeps of it, its code unpacked, its process's environment."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from moto.awslambda.models import lambda_backends

from local_sagemaker import runtime
from local_sagemaker.bridge import AWSError


@dataclass(frozen=True)
class Function:
    """One deployed state of a function; two that are equal can share a process."""

    arn: str
    name: str
    version: str
    account: str
    region: str
    role: str
    handler: str
    runtime: str
    timeout: int
    memory: int
    variables: tuple[tuple[str, str], ...]
    log_group: str
    code: str

    @property
    def runs(self) -> bool:
        """Whether it can run here."""
        return self.runtime.startswith("python")

    @property
    def directory(self) -> Path:
        """Where this machine keeps what belongs to the function."""
        folder = runtime.current().directory / "lambda"
        return runtime.place(folder, f"{self.account}/{self.region}/{self.name}")


def find(account: str, region: str, name: str, qualifier: str | None = None) -> Function:
    """The function with this name or ARN, its code unpacked; raises :class:`AWSError` if there is none."""
    try:
        known = lambda_backends[account][region].get_function(name, qualifier)
    except Exception as error:
        arn = name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{name}"
        raise AWSError("ResourceNotFoundException", f"Function not found: {arn}", 404) from error
    function = Function(
        arn=known.function_arn,
        name=known.function_name,
        version=str(known.version),
        account=account,
        region=region,
        role=known.role,
        handler=known.handler or "",
        runtime=known.run_time or "",
        timeout=int(known.timeout),
        memory=int(known.memory_size),
        variables=tuple(sorted((k, str(v)) for k, v in (known.environment_vars or {}).items())),
        log_group=known.logs_group_name,
        code=hashlib.sha256(known.code_bytes).hexdigest(),
    )
    _unpack(known.code_bytes, task_root(function))
    return function


def task_root(function: Function) -> Path:
    """The folder with the function's code."""
    return function.directory / "code" / function.code[:16]


def environment(function: Function, credentials: dict[str, str], log_stream: str) -> dict[str, str]:
    """All that a process of the function finds in its environment."""
    scratch = function.directory / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    return {
        **dict(function.variables),
        **credentials,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "HOME": str(scratch),  # no configuration of this machine's user reaches the function
        "LAMBDA_TASK_ROOT": str(task_root(function)),
        "TMPDIR": str(scratch),
        "TZ": ":UTC",
        "_HANDLER": function.handler,
    }


def _unpack(code: bytes, folder: Path) -> None:
    """Put the code there, unless it is: several invocations may do so at once, and none finds half of it."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        unfinished = Path(scratch) / folder.name
        try:
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                archive.extractall(unfinished)
        except zipfile.BadZipFile as error:
            message = "Could not unzip uploaded file. Please check your file, then try to upload again."
            raise AWSError("InvalidParameterValueException", message) from error
        try:
            unfinished.rename(folder)
        except OSError:  # another invocation was faster
            if not folder.exists():
                raise
