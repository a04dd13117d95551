"""The wheel: what is in it, and that it works where nothing else of this repository is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from core_kit import wait_until

PACKAGE = Path(__file__).parents[2]
MOST_BYTES = 400_000
BUILD = "import sys; from flit_core import buildapi; print(buildapi.build_wheel(sys.argv[1]))"


def build(folder: Path) -> Path:
    folder.mkdir()
    environment = os.environ | {"SOURCE_DATE_EPOCH": "315532800"}
    built = subprocess.run(
        [sys.executable, "-c", BUILD, folder],
        cwd=PACKAGE,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return folder / built.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel") / "built")


def test_it_holds_the_modules_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    modules = {file.relative_to(PACKAGE / "src").as_posix() for file in (PACKAGE / "src").rglob("*.py")}
    assert names == modules | {"local_sagemaker/py.typed"}
    assert wheel.stat().st_size <= MOST_BYTES


def test_the_same_sources_give_the_same_bytes(wheel, tmp_path):
    assert build(tmp_path / "again").read_bytes() == wheel.read_bytes()


def test_it_serves_from_a_folder_that_has_nothing_else(wheel, tmp_path):
    site, folder = tmp_path / "site", tmp_path / "empty"
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    environment = os.environ | {"PYTHONPATH": str(site)}
    ready, command = tmp_path / "ready", [sys.executable, "-m", "local_sagemaker"]

    where = subprocess.run(
        [sys.executable, "-c", "import local_sagemaker; print(local_sagemaker.__file__)"],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    server = subprocess.Popen(
        [*command, "up", "--ready-file", ready], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: ready.exists() or server.poll() is not None)
        served = ready.exists()
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(60)

    assert where.stdout.startswith(str(site))
    assert served
    assert status == 0
    assert list(folder.iterdir()) == []
