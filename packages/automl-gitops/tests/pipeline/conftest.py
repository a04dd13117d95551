from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from making import BUCKET, REGION, automl_toml

from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from support.moto_bucket import moto_bucket


@pytest.fixture
def config() -> Callable[..., Config]:
    """A checked configuration of some sections' changes: `config(autopilot={"mode": "AUTO"})`."""
    return lambda **changes: Config.parse(automl_toml(**changes))


@pytest.fixture
def output() -> Output:
    return Output()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, and the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "automl.toml").write_text(automl_toml())
    return tmp_path


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """AWS within the process, with the project's bucket."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with moto_bucket(BUCKET, REGION):
        yield Aws(REGION)
