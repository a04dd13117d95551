"""The installation, with programs in the place of Python and uv that do what a network may do to the real ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from automl_rehearsal import install

LOCK = "uv==1.2.3 \\\n    --hash=sha256:00\nrich==14.0\n"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment whose pip writes the locked uv, and whose uv writes its arguments to a file."""
    folder = tmp_path / "env with a blank"
    (folder / "bin").mkdir(parents=True)
    program(
        folder / "bin" / "python",
        f"""
        if "--version" in sys.argv: print("pip 25.0")
        else: pathlib.Path({str(folder / "asked")!r}).write_text(" ".join(sys.argv[1:]))
        """,
    )
    (tmp_path / "requirements.lock").write_text(LOCK)
    return folder


def program(path: Path, body: str) -> None:
    lines = [line.strip() for line in body.strip().splitlines()]
    path.write_text("\n".join((f"#!{sys.executable}", "import pathlib, sys, time", *lines, "")))
    path.chmod(0o755)


def test_what_is_missing_is_installed(environment: Path, tmp_path: Path, capfd) -> None:
    uv = 'print("uv 1.2.3") if "--version" in sys.argv else print("Downloading rich (2.5MiB)", file=sys.stderr)'
    program(environment / "bin" / "uv", uv)

    status = install.main([str(environment), str(tmp_path / "requirements.lock")])

    assert status == 0
    assert not (environment / "asked").exists(), "the locked uv is there"
    lock = tmp_path / "requirements.lock"
    assert f"the packages of {lock} are installed in {environment} in " in capfd.readouterr().out


def test_another_uv_is_replaced_by_the_locked_one(environment: Path, tmp_path: Path) -> None:
    program(environment / "bin" / "uv", 'print("uv 0.1.0")')

    install.main([str(environment), str(tmp_path / "requirements.lock")])

    asked = (environment / "asked").read_text()
    assert f"--require-hashes --requirement {environment}/uv.lock" in asked
    assert (environment / "uv.lock").read_text() == LOCK.removesuffix("rich==14.0\n"), "with its hash"


def test_a_lock_without_uv_installs_nothing(environment: Path, tmp_path: Path, capfd) -> None:
    (tmp_path / "requirements.lock").write_text("rich==14.0\n")

    assert install.main([str(environment), str(tmp_path / "requirements.lock")]) == 1
    assert "requirements.lock has no uv: `make lock` writes it" in capfd.readouterr().err
    assert not (environment / "asked").exists()


def test_a_vendored_package_is_installed_again_since_its_version_may_be_the_same(
    environment: Path, tmp_path: Path
) -> None:
    body = f"""
        if "--version" in sys.argv: print("uv 1.2.3")
        else: pathlib.Path({str(environment / "asked")!r}).write_text(" ".join(sys.argv[1:]))
        """
    program(environment / "bin" / "uv", body)
    (tmp_path / "requirements.lock").write_text(LOCK + "of-ours==0.1.0\n")
    (tmp_path / "vendor").mkdir()
    for package in ("of_ours", "of_another_lock"):
        (tmp_path / "vendor" / f"{package}-0.1.0-py3-none-any.whl").touch()

    install.main([str(environment), str(tmp_path / "requirements.lock")])

    assert (environment / "asked").read_text().startswith("pip install --require-hashes ")
    assert (environment / "asked").read_text().endswith("requirements.lock --reinstall-package of-ours")


def test_a_lock_that_is_written_anew_with_the_same_content_installs_nothing(
    environment: Path, tmp_path: Path
) -> None:
    asked, lock = tmp_path / "asked", tmp_path / "requirements.lock"
    body = f"""
        if "--version" in sys.argv: print("uv 1.2.3")
        else: open({str(asked)!r}, "a").write("again ")
        """
    program(environment / "bin" / "uv", body)

    for text in (LOCK, LOCK, LOCK + "typer==0.1\n", LOCK):
        lock.write_text(text)
        assert install.main([str(environment), str(lock)]) == 0

    assert asked.read_text().split() == ["again"] * 3


def test_a_failure_ends_with_the_reason_and_what_to_do(environment: Path, tmp_path: Path, capfd) -> None:
    body = """
        if "--version" in sys.argv: print("uv 1.2.3")
        else: sys.exit("no route to host")
        """
    program(environment / "bin" / "uv", body)

    status = install.main([str(environment), str(tmp_path / "requirements.lock")])

    told = capfd.readouterr().err
    assert status == 1
    assert "no route to host" in told
    assert "Traceback" not in told
    assert "Type the same again" in told


def test_somebody_who_waits_sees_what_is_fetched(
    environment: Path, tmp_path: Path, capfd, monkeypatch
) -> None:
    monkeypatch.setattr(install, "_EACH_SECONDS", 0.05)
    body = f"""
        if "--version" in sys.argv: print("uv 1.2.3"); sys.exit()
        print("Downloading rich (2.5MiB)", "Downloading boto3 (512.0KiB)", sep=chr(10), file=sys.stderr, flush=True)
        while not pathlib.Path({str(tmp_path / "seen")!r}).exists(): time.sleep(0.01)
        """
    program(environment / "bin" / "uv", body)
    lines: list[str] = []

    def show(self: install.Steps, what: str) -> None:
        real(self, what)
        lines.append(capfd.readouterr().out)
        if "downloads of 3 MB in 2 packages" in lines[-1]:
            (tmp_path / "seen").touch()

    real = install.Steps._show
    monkeypatch.setattr(install.Steps, "_show", show)

    assert install.main([str(environment), str(tmp_path / "requirements.lock")]) == 0
    assert any("downloads of 3 MB in 2 packages" in line for line in lines)
