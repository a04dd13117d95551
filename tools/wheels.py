"""The wheels of the packages, which a generated project installs from its folder `vendor/`.

`python -m tools.wheels` builds them into the template and writes their hashes into its locks; `make wheels` calls it.
The same sources give the same bytes, whenever and wherever they were checked out: times are fixed, modes are those
that Git knows. (Another compressor gives other bytes; then the wheels differ, and their contents do not.)
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("automl-evaluation", "automl-gitops", "automl-rehearsal", "local-sagemaker")
TEMPLATE = Path("{{cookiecutter.project}}")
VENDOR = TEMPLATE / "vendor"
EPOCH = "315532800"  # 1 January 1980, the earliest time that a zip file can hold

# In a process of its own, because a build backend works in the current folder.
_BUILD = "import sys; from flit_core.buildapi import build_wheel; print(build_wheel(sys.argv[1]))"
# A package's lines in a lock: its version and hashes, each line but the last ending in a backslash.
_LOCKED = r"^{name}==\S+ \\\n(?:    --hash=\S+(?: \\)?\n)+"


def build(root: Path, folder: Path) -> list[Path]:
    """Build the packages of the repository at ``root`` into ``folder``; returns the wheels in the order of `PACKAGES`.

    Nothing is fetched: the build backend is the environment's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    wheels = []
    for package in PACKAGES:
        done = subprocess.run(  # noqa: S603 - this Python
            [sys.executable, "-c", _BUILD, folder.resolve()],
            cwd=root / "packages" / package,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"packages/{package} cannot be built:\n{done.stderr}")
        wheels.append(folder / done.stdout.strip())
    return wheels


def renew(root: Path, *, small: bool = False) -> list[Path]:
    """Replace the wheels of the template at ``root``, and their lines in its locks; returns the wheels.

    ``small`` ones are for a commit.
    """
    vendor = root / VENDOR
    shutil.rmtree(vendor, ignore_errors=True)
    wheels = build(root, vendor)
    for wheel in wheels if small else ():
        shrink(wheel)
    for lock in sorted((root / TEMPLATE).glob("*.lock")):
        lock.write_text(locked(lock.read_text(encoding="utf-8"), wheels), encoding="utf-8", newline="\n")
    return wheels


def shrink(wheel: Path) -> None:
    """Compress a wheel again, ten seconds for a fortieth less: Git keeps each that is committed.

    A machine for which there is no zopfli leaves it as it is.
    """
    try:
        import zopfli  # of what checks, which a demo does without
    except ImportError:
        return

    smaller = wheel.with_suffix(".smaller")
    with (
        zipfile.ZipFile(wheel) as archive,
        zopfli.ZipFile(smaller, "w", compression=zipfile.ZIP_DEFLATED, iterations=5) as shrunk,
    ):
        for file in archive.infolist():
            shrunk.writestr(file, archive.read(file))
    smaller.replace(wheel)


def locked(lock: str, wheels: Iterable[Path]) -> str:
    """The text of a lock whose lines of each wheel's package name this wheel; other lines stay."""
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        name = name.replace("_", "-")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines = f"{name}=={version} \\\n    --hash=sha256:{digest}\n"
        lock = re.sub(_LOCKED.format(name=name), lines.replace("\\", r"\\"), lock, flags=re.MULTILINE)
    return lock


def of_others(lock: str) -> str:
    """The text of a lock without these packages, which the template's environment has as their sources."""
    for package in PACKAGES:
        lock = re.sub(_LOCKED.format(name=package), "", lock, flags=re.MULTILINE)
    return re.sub(r"^--find-links .*\n", "", lock, flags=re.MULTILINE)


def contents(wheel: Path) -> dict[str, tuple[object, ...]]:
    """What is in a wheel: of each file its time, mode and checksum."""
    with zipfile.ZipFile(wheel) as archive:
        return {file.filename: (file.date_time, file.external_attr, file.CRC) for file in archive.infolist()}


def outdated(root: Path) -> list[str]:
    """The wheels of the template at ``root`` that are missing, or hold something else than the sources give."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = {wheel.name: contents(wheel) for wheel in build(root, Path(folder))}
    committed = {wheel.name: contents(wheel) for wheel in (root / VENDOR).glob("*.whl")}
    return sorted(name for name in fresh | committed if fresh.get(name) != committed.get(name))


def main(arguments: list[str]) -> None:
    """Without arguments renew the template's wheels; with `of-others LOCK` print the lock without them."""
    if arguments[:1] == ["of-others"]:
        print(of_others(Path(arguments[1]).read_text(encoding="utf-8")), end="")
        return
    for wheel in renew(ROOT, small=True):
        print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
