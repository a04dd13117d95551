"""The pipeline's definition: a pure function of the project's files and the account.

The project's own `pipeline/definition.py` says which parameters and steps it has; what it builds them with is here.
Nothing here calls AWS, and the same input gives the same bytes. The `sagemaker` SDK is kept to what a definition needs:
no network, no files of the machine, no logging.
"""

import gc
import importlib
import json
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import botocore.session
from pydantic import BaseModel

from automl_gitops.data.lock import DatasetLock
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.service import limits, loader
from automl_gitops.runs.bundle import Bundle

_UNUSED = "unused"


@contextmanager
def alone(region: str) -> Iterator[None]:
    """Keep the SDK away from whatever is around it while a definition is built.

    Its import makes a client, which wants a region and credentials and would look for them as far as the
    network; so it gets a region and keys that nobody uses, and the process's own environment and default
    session come back afterwards.
    """
    environment = {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": _UNUSED,
        "AWS_SECRET_ACCESS_KEY": _UNUSED,
        "AWS_SESSION_TOKEN": None,
        "AWS_PROFILE": None,
        # The SDK's own configuration files, which would change the definition: these are empty.
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": os.devnull,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": os.devnull,
    }
    root = logging.getLogger()
    handlers, level, session = root.handlers[:], root.level, boto3.DEFAULT_SESSION
    before = _set(environment)
    boto3.DEFAULT_SESSION = _boto(region)
    logging.disable(logging.WARNING)  # the SDK sets up logging by itself, and tells where it found its keys
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _import_sdk()
            yield
    finally:
        _set(before)
        boto3.DEFAULT_SESSION = session
        logging.disable(logging.NOTSET)
        root.handlers[:] = handlers
        root.setLevel(level)


def _import_sdk() -> None:
    """Import the SDK, unless it is there; raises `UserError` where it is not installed.

    What it defines stays: the garbage collector, a third of the time, is kept from it, and pydantic builds the
    validators of its shapes, a quarter, when they are used.
    """
    if "sagemaker.mlops.workflow.pipeline" in sys.modules:
        return
    collects = gc.isenabled()
    gc.disable()
    BaseModel.model_config["defer_build"] = True
    try:
        import sagemaker.mlops.workflow.pipeline  # noqa: F401 - is the group installed?

        gc.freeze()
    except ModuleNotFoundError as error:
        raise UserError(f"the package {error.name} is not installed: run `make setup`") from None
    finally:
        del BaseModel.model_config["defer_build"]
        if collects:
            gc.enable()


def _set(environment: dict[str, str | None]) -> dict[str, str | None]:
    """Set (or with `None` remove) environment variables; returns what they were."""
    before = {key: os.environ.pop(key, None) for key in environment}
    os.environ.update({key: value for key, value in environment.items() if value is not None})
    return before


def _boto(region: str) -> boto3.session.Session:
    core = botocore.session.get_session()
    core.register_component("data_loader", loader())  # which the SDK's session after session has in common
    return boto3.session.Session(_UNUSED, _UNUSED, region_name=region, botocore_session=core)


def session(region: str, bucket: str) -> Any:
    """A `PipelineSession` that has no credentials to call anything with; use it within `alone`."""
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    return PipelineSession(_boto(region), default_bucket=bucket)


def evaluation_image(version: str, region: str, session: Any = None) -> str:
    """The address of the scikit-learn image; ``session`` is the SDK's, where there is one.

    Raises `UserError` for a version that the region does not have.
    """
    from sagemaker.core import image_uris

    try:
        return image_uris.retrieve("sklearn", region, version=version, sagemaker_session=session)
    except ValueError as error:
        # Without the advice to upgrade the SDK, which the lock file has.
        known = re.sub(r"You may need .*?\. (?=Supported)", "", " ".join(str(error).split()))
        raise UserError(
            f'automl.toml: [evaluation] container_version = "{version}" is no image in {region}: {known}',
            file="automl.toml",
        ) from None


def feature_specification(config: Config, lock: DatasetLock) -> str:
    """The JSON for FeatureSpecificationS3Uri, "" where Autopilot decides about all of it.

    It names the features where the data to train on have other columns beside them, which pushed data do not, and the
    types that automl.toml sets (API reference, TabularJobConfig).
    """
    specification: dict[str, Any] = {}
    if lock.reference and config.dataset.no_features:
        specification["FeatureAttributeNames"] = [column.name for column in lock.features]
    if config.autopilot.types:
        specification["FeatureDataTypes"] = config.autopilot.types
    return json.dumps(specification, ensure_ascii=False) if specification else ""


NONE = "none"  # a parameter's value cannot be empty
MODULE = "pipeline.definition"
Parameters = dict[str, str | int | float]


class Shared:
    """What all steps refer to.

    ``config`` is automl.toml, ``lock`` dataset.lock, ``names`` has the name of everything in AWS, and ``bundle`` is the
    evaluation's code.
    ``parameters`` (the pipeline's, by name), ``execution`` (the execution variables) and ``session`` (a
    `PipelineSession`) are objects of the SDK.
    """

    def __init__(
        self, config: Config, lock: DatasetLock, names: Names, bundle: Bundle, defaults: Parameters
    ) -> None:
        from sagemaker.core.workflow.execution_variables import ExecutionVariables
        from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString

        kinds = {str: ParameterString, int: ParameterInteger, float: ParameterFloat}
        self.config, self.lock, self.names, self.bundle = config, lock, names, bundle
        self.parameters: dict[str, Any] = {
            name: kinds[type(value)](name, default_value=value) for name, value in defaults.items()
        }
        self.execution = ExecutionVariables
        self.session = session(names.region, names.bucket)

    def of_execution(self, prefix: str, *rest: str) -> Any:
        """An S3 URI below ``prefix`` and the execution's id."""
        from sagemaker.core.workflow.functions import Join

        return Join(on="/", values=[self.names.s3(prefix), self.execution.PIPELINE_EXECUTION_ID, *rest])

    def lambda_step(
        self,
        name: str,
        function: str,
        inputs: dict[str, Any],
        outputs: list[str],
        after: list[Any] | None = None,
    ) -> Any:
        """A step that invokes a Lambda function of the project.

        ``function`` is the name of its file in lambdas/, with hyphens; ``inputs`` is the event that it gets, and
        ``outputs`` are the keys of what it returns.
        """
        from sagemaker.core.lambda_helper import Lambda
        from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep

        return LambdaStep(
            name=name,
            # With an ARN and no code the SDK only refers to the function; the stack deploys it.
            lambda_func=Lambda(function_arn=self.names.function_arn(function), session=self.session),
            inputs=inputs,
            outputs=[LambdaOutput(output, LambdaOutputTypeEnum.String) for output in outputs],
            depends_on=after or [],
        )


@contextmanager
def _placed() -> Iterator[None]:
    """Say file and line where the project's own code cannot be imported."""
    try:
        yield
    except (ImportError, SyntaxError) as error:
        frames = [(one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__)]
        if isinstance(error, SyntaxError):
            frames.append((error.filename or "", error.lineno))
        folder = f"{Path.cwd()}{os.sep}"
        own = [one for one in frames if one[0].startswith(folder) and "site-packages" not in one[0]]
        if not own:
            raise
        file, line = own[-1][0].removeprefix(folder), own[-1][1]
        raise UserError(f"{file}:{line}: {error.msg}", file=file, line=line) from None


@_placed()
def parameters(config: Config, lock: DatasetLock, champion: str = "") -> Parameters:
    """The pipeline's parameters with their defaults, as the project has them."""
    return _of_project().parameters(config, lock, champion)


@_placed()
def build(config: Config, lock: DatasetLock, account: str, bundle: Bundle, champion: str = "") -> str:
    """The definition as JSON (version 2020-12-01) without spaces.

    ``account`` has twelve digits; ``bundle`` is the code that EvaluateModel runs. Raises `UserError` where
    the SDK is not installed, does not know the container's version, or the definition is longer than the
    service takes.
    """
    names = Names(config, account)
    with alone(config.project.region):
        text = _text(Shared(config, lock, names, bundle, parameters(config, lock, champion)))
    most = limits("PipelineDefinition")[1]
    if most is not None and len(text) > most:
        raise UserError(
            f"the pipeline's definition has {len(text)} characters, more than the {most} that SageMaker takes"
        )
    return text


def _text(shared: Shared) -> str:
    from sagemaker.mlops.workflow.pipeline import Pipeline

    pipeline = Pipeline(
        name=shared.names.pipeline,
        parameters=list(shared.parameters.values()),
        pipeline_experiment_config=None,
        steps=_of_project().steps(shared),
        sagemaker_session=shared.session,
    )
    return json.dumps(json.loads(pipeline.definition()), ensure_ascii=False, separators=(",", ":"))


def sources() -> list[str]:
    """What decides how a definition looks, besides its input: the project's code, and this package's part in it.

    Its text, not its version: a wheel may have other contents under the same version.
    """
    own, ours = Path(MODULE.partition(".")[0]), files("automl_gitops.runs") / "definition.py"
    places = (*sorted(own.glob("*.py")), ours)
    return [place.read_text(encoding="utf-8") for place in places]


def _of_project() -> ModuleType:
    """The project's module; `automl` has its folder on the path."""
    try:
        return importlib.import_module(MODULE)
    except ModuleNotFoundError as error:
        if error.name not in (MODULE, MODULE.partition(".")[0]):
            raise
        raise UserError("pipeline/definition.py: not found: take the file from Git") from None
