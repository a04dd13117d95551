"""The `sagemaker` SDK with no more of it than a definition needs: no network, no files of the machine, no
logging.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from automl_gitops.kernel.errors import UserError

_UNUSED = "unused"
# Not empty, so that the SDK does not read the machine's configuration files: they would change the
# definition.
_NO_DEFAULTS = {"SchemaVersion": "1.0"}


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
    }
    root = logging.getLogger()
    handlers, level, session = root.handlers[:], root.level, boto3.DEFAULT_SESSION
    before = _set(environment)
    boto3.DEFAULT_SESSION = None
    logging.disable(logging.WARNING)  # the SDK sets up logging by itself, and tells where it found its keys
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                import sagemaker.mlops.workflow.pipeline  # noqa: F401 - is the group installed?
            except ModuleNotFoundError as error:
                raise UserError(f"the package {error.name} is not installed: run `make setup`") from None
            yield
    finally:
        _set(before)
        boto3.DEFAULT_SESSION = session
        logging.disable(logging.NOTSET)
        root.handlers[:] = handlers
        root.setLevel(level)


def _set(environment: dict[str, str | None]) -> dict[str, str | None]:
    """Set (or with `None` remove) environment variables; returns what they were."""
    before = {key: os.environ.pop(key, None) for key in environment}
    os.environ.update({key: value for key, value in environment.items() if value is not None})
    return before


def session(region: str, bucket: str) -> Any:
    """A `PipelineSession` that has no credentials to call anything with; use it within `alone`."""
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    boto = boto3.session.Session(_UNUSED, _UNUSED, region_name=region)
    made = PipelineSession(boto, default_bucket=bucket, sagemaker_config=_NO_DEFAULTS)
    # Each of some twenty look-ups would check it against its JSON schema, which takes seconds in all.
    made.sagemaker_config = {}
    return made
