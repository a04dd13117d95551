"""The packages' wheels in the template: of these sources, the same bytes everywhere, and installed by hash."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

from tools import wheels

UV = Path(sys.executable).with_name("uv")
PROJECT = ROOT / wheels.TEMPLATE
LOCKS = ("requirements.lock", "serving.lock")
# What a project's life on a laptop takes, and no job that acts in production.
ON_A_LAPTOP = ("automl-rehearsal", "local-sagemaker")
LARGEST = 400_000  # bytes of a wheel: projects keep each version in their Git history


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.whl"))


def names_of(package: str) -> list[str]:
    return [name for name in names(PROJECT / "vendor") if name.startswith(package)]


def sources(folder: Path) -> Path:
    """A copy of the packages, as another checkout has them: other times, and files that only their owner may read."""
    ignored = shutil.ignore_patterns("__pycache__", "tests", ".*_cache")
    shutil.copytree(ROOT / "packages", folder / "packages", ignore=ignored)
    for path in (folder / "packages").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return folder


def install(lock: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Install the lock's own packages, without the network; the others of the lock are left out."""
    ours = [
        lines
        for lines in re.split(r"\n(?=\S)", lock.read_text())
        if lines.startswith(("--", *wheels.PACKAGES))
    ]
    alone = lock.with_name("alone.lock")
    alone.write_text("\n".join((*ours, "")))
    command = [UV, "pip", "install", "--offline", "--no-cache", "--no-deps", "--require-hashes"]
    return subprocess.run(
        [*command, "--python", sys.executable, "--target", target, "--requirement", alone],
        cwd=target.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(template, tmp_path) -> Path:
    """What an installation needs of a project."""
    folder = tmp_path / "a project"
    shutil.copytree(template / wheels.VENDOR, folder / "vendor")
    for lock in LOCKS:
        shutil.copy(template / wheels.TEMPLATE / lock, folder)
    return folder


def test_the_committed_wheels_are_those_of_the_sources():
    assert wheels.outdated(ROOT) == [], "type make wheels, and commit what it writes"


def test_a_wheel_of_other_sources_is_noticed(tmp_path):
    root = sources(tmp_path)
    wheels.build(root, root / wheels.VENDOR)
    (root / "packages/local-sagemaker/src/local_sagemaker/one_more.py").write_text("")

    assert wheels.outdated(root) == names_of("local_sagemaker")


def test_another_checkout_gives_the_same_bytes(tmp_path):
    mask = os.umask(0o077)
    try:
        elsewhere = wheels.build(sources(tmp_path / "elsewhere"), tmp_path / "one")
    finally:
        os.umask(mask)
    here = wheels.build(ROOT, tmp_path / "two")

    assert [path.name for path in elsewhere] == [path.name for path in here]
    assert [path.read_bytes() for path in elsewhere] == [path.read_bytes() for path in here]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_name_the_wheels_by_their_hashes(lock):
    text = (PROJECT / lock).read_text()
    named = dict(re.findall(rf"^({'|'.join(wheels.PACKAGES)})==\S+ \\\n    --hash=sha256:(\w+)$", text, re.M))
    there = {
        name.split("-")[0].replace("_", "-"): hashlib.sha256(
            (PROJECT / "vendor" / name).read_bytes()
        ).hexdigest()
        for name in names(PROJECT / "vendor")
    }

    assert "\n--find-links vendor\n" in text
    left_out = () if lock == LOCKS[0] else ON_A_LAPTOP
    assert named == {name: there[name] for name in wheels.PACKAGES if name not in left_out}


def test_no_wheel_is_too_large_to_be_kept_in_git():
    sizes = {path.name: path.stat().st_size for path in (PROJECT / "vendor").glob("*.whl")}

    assert [f"{name}: {size} bytes" for name, size in sizes.items() if size > LARGEST] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_project_installs_them_without_the_network(project, tmp_path, lock):
    done = install(project / lock, tmp_path / "target")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "target/automl_gitops/__init__.py").exists()
    for package in ON_A_LAPTOP:
        assert (tmp_path / "target" / package.replace("-", "_")).exists() == (lock == LOCKS[0])


def test_a_wheel_with_other_contents_is_refused(project, tmp_path):
    wheel = project / "vendor" / names_of("automl_gitops")[0]
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("automl_gitops/one_more.py", "")

    done = install(project / "serving.lock", tmp_path / "target")

    assert done.returncode != 0
    assert "ash mismatch" in done.stderr


def test_the_template_s_environment_takes_the_rest_of_the_lock():
    text = (PROJECT / "requirements.lock").read_text()

    rest = wheels.of_others(text)

    packages = re.compile(r"^([\w.-]+)==", re.MULTILINE)
    assert sorted(packages.findall(text)) == sorted([*packages.findall(rest), *wheels.PACKAGES])
    assert "find-links" not in rest
