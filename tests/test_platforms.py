"""Where the template and its projects can be installed: what is promised has wheels, the rest is refused in a
sentence.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

from automl_rehearsal import supported

UV = Path(sys.executable).with_name("uv")
PROJECT = ROOT / "{{cookiecutter.project}}"
LOCKS = {
    "template": ROOT / "requirements.lock",
    "tests": ROOT / "check.lock",
    "project": PROJECT / "requirements.lock",
    "serving": PROJECT / "serving.lock",
    "scan": ROOT / "scan.lock",
    "project's scan": PROJECT / "scan.lock",
}
ONE_OF = {
    "template": "cookiecutter",
    "tests": "cookiecutter",
    "project": "autogluon-tabular",
    "serving": "automl-gitops",
    "scan": "checkov",
    "project's scan": "pip-audit",
}
PYPROJECTS = {"template": ROOT / "pyproject.toml", "project": PROJECT / "pyproject.toml"}
# By uv's names: glibc 2.28 (WSL 2 among it), the same on ARM, and the oldest macOS that has them all, 13.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")


def pythons() -> list[str]:
    """The versions that pyproject.toml allows."""
    least, above = re.search(r">=3\.(\d+),<3\.(\d+)", PYPROJECTS["project"].read_text()).groups()
    return [f"3.{minor}" for minor in range(int(least), int(above))]


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> None:
    """The package index, as set-up uses it; a run of CI without it is a failure, and not a skip."""
    pin = re.search(r"^uv==[0-9.]+", LOCKS["template"].read_text(), re.MULTILINE).group()
    command = [UV, "pip", "install", "--dry-run", "--no-cache", "--target", tmp_path_factory.mktemp("t"), pin]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if asked.returncode:
        reason = (
            "the package index does not answer, so that NO WHEEL OF ANY LOCK WAS LOOKED UP: " + asked.stderr
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def wheels(lock: Path, platform: str, python: str, target: Path) -> subprocess.CompletedProcess[str]:
    """What an installation of the lock would do there, from wheels alone."""
    where = ("--python-platform", platform, "--python-version", python, "--target", target)
    command = [UV, "pip", "install", "--dry-run", "--only-binary", ":all:", "--require-hashes", *where]
    oldest = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "13.0"}
    return subprocess.run(
        [*command, "--requirement", lock],
        env=oldest,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("python", pythons())
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_wheel_where_we_say_that_it_works(index, tmp_path, lock, platform, python):
    result = wheels(LOCKS[lock], platform, python, tmp_path)

    assert result.returncode == 0, result.stderr
    assert f" + {ONE_OF[lock]}==" in result.stderr


def test_the_template_and_its_projects_ask_for_the_same_python():
    assert (
        len({tomllib.loads(path.read_text())["project"]["requires-python"] for path in PYPROJECTS.values()})
        == 1
    )


UNSUPPORTED = [
    # system, machine, libc, python, a part of the sentence
    ("Windows", "AMD64", ("", ""), (3, 12), "WSL 2"),
    ("MINGW64_NT-10.0", "x86_64", ("", ""), (3, 12), "WSL 2"),
    ("Darwin", "x86_64", ("", ""), (3, 12), "Intel Macs"),
    ("Linux", "ppc64le", ("glibc", "2.35"), (3, 12), "ppc64le"),
    ("Linux", "x86_64", ("", ""), (3, 12), "musl"),
    ("Linux", "x86_64", ("glibc", "2.17"), (3, 12), "found glibc 2.17"),
    ("Linux", "x86_64", ("glibc", "2.35"), (3, 10), "Python 3.11 to 3.14 is needed (found 3.10)"),
    ("Linux", "x86_64", ("glibc", "2.35"), (3, 15), "Python 3.11 to 3.14 is needed (found 3.15)"),
    ("Darwin", "arm64", ("", ""), (2, 7), "found 2.7"),
]


@pytest.mark.parametrize(("system", "machine", "libc", "python", "part"), UNSUPPORTED)
def test_a_machine_without_wheels_is_refused_in_a_sentence(system, machine, libc, python, part):
    sentence = supported.problem(system, machine, libc, python, PYPROJECTS["project"].read_text())

    assert part in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("python", [(3, 11), (3, 14)])
@pytest.mark.parametrize(
    ("system", "machine", "libc"),
    [
        ("Linux", "x86_64", ("glibc", "2.28")),
        ("Linux", "aarch64", ("glibc", "2.39")),
        ("Darwin", "arm64", ("", "")),
    ],
)
def test_a_machine_with_wheels_is_welcome(system, machine, libc, python):
    assert supported.problem(system, machine, libc, python, PYPROJECTS["project"].read_text()) is None


def test_set_up_says_so_before_it_makes_anything_and_says_nothing_where_all_is_well(template, tmp_path):
    """With a Python of another version, which is this one in a project that asks for a newer one."""
    project = tmp_path / "a folder with blanks"
    project.mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, project / name)
    shutil.copytree(template / "{{cookiecutter.project}}" / "vendor", project / "vendor")
    text = (project / "pyproject.toml").read_text()

    def make(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["make", f"PYTHON={sys.executable}", *arguments]
        return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)

    (project / "pyproject.toml").write_text(re.sub(r">=3\.\d+,<3\.\d+", ">=3.98,<3.99", text))
    refused = make("setup")
    (project / "pyproject.toml").write_text(text)
    command = [sys.executable, "-B", "-m", "automl_rehearsal.supported"]
    here = subprocess.run(command, cwd=project, capture_output=True, text=True)

    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0].startswith("Python 3.98 to 3.98 is needed (found 3.")
    assert refused.stdout == ""
    assert not (project / ".venv").exists()
    assert (here.returncode, here.stdout, here.stderr) == (0, "", "")
