"""`python -m automl_rehearsal.install ENVIRONMENT LOCK ...`: install locked packages, and show that it goes on.

Python's standard library alone. What was interrupted is finished by the same command: downloads are kept.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_EACH_SECONDS = 5  # a line where nobody's terminal can be redrawn
# With the lines of its hashes, which are indented.
_UV = re.compile(r"^uv==([0-9.]+).*\n(?:[ \t].*\n?)*", re.MULTILINE)
_FETCHING = re.compile(r"Downloading \S+ \(([0-9.]+)([KMG])iB\)")
_MIB = {"K": 1 / 1024, "M": 1.0, "G": 1024.0}
_TOLD = 15  # lines of what failed


class FailedError(Exception):
    """A step did not work; the message is its last lines and what to do."""


class Steps:
    """Runs commands one after the other; while one says nothing, this does."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.large = 0  # packages of a megabyte or more that are being fetched or were
        self.mebibytes = 0.0
        self._redraw = sys.stdout.isatty()

    def run(self, what: str, command: Sequence[str | Path]) -> None:
        """Run ``command`` to its end; raises `FailedError` with its words where it fails."""
        process = subprocess.Popen(  # noqa: S603 - the commands below
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        lines: list[str] = []
        reader = threading.Thread(target=self._read, args=(process, lines), daemon=True)
        reader.start()
        self._show(what)
        try:
            while reader.is_alive():
                reader.join(1 if self._redraw else _EACH_SECONDS)
                if reader.is_alive():
                    self._show(what)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.wait():
            self._clear()
            raise FailedError("".join(lines[-_TOLD:]).rstrip())

    def done(self, text: str) -> None:
        """Print a line that stays."""
        self._clear()
        print(f"{text} in {self._seconds}", flush=True)

    @property
    def _seconds(self) -> str:
        return f"{time.monotonic() - self.started:.0f} s"

    def _read(self, process: subprocess.Popen[str], lines: list[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line in process.stdout:
            lines.append(line)
            fetching = _FETCHING.search(line)
            if fetching:
                self.large += 1
                self.mebibytes += float(fetching[1]) * _MIB[fetching[2]]

    def _show(self, what: str) -> None:
        fetched = f", downloads of {self.mebibytes:,.0f} MB in {self.large} packages" if self.large else ""
        line = f"  {what}: {self._seconds}{fetched}"
        print(f"\r\x1b[K{line[:78]}" if self._redraw else line, end="" if self._redraw else "\n", flush=True)

    def _clear(self) -> None:
        if self._redraw:
            print("\r\x1b[K", end="", flush=True)


def install(environment: Path, locks: Sequence[Path]) -> None:
    """Bring ``environment`` (made where it is not there) to the packages of all ``locks``, unless it was brought there.

    A lock that is written anew with what it said before is newer to make, and no reason to install. Raises
    `FailedError` where a step does not work.
    """
    steps = Steps()
    python, uv = environment / "bin" / "python", environment / "bin" / "uv"
    content, done = _content(locks), environment / f"{'-'.join(lock.stem for lock in locks)}.sha256"
    if python.exists() and done.exists() and done.read_text(encoding="utf-8") == content:
        return
    if not python.exists():
        steps.run(f"making {environment}", [sys.executable, "-m", "venv", environment])
    wanted = _UV.search(locks[0].read_text(encoding="utf-8"))
    if wanted is None:
        raise FailedError(f"{locks[0]} has no uv: `make lock` writes it")
    if _version(uv) != wanted[1]:
        if _version(python, "-m", "pip") == "":  # its making was interrupted
            steps.run("adding pip", [python, "-m", "ensurepip", "--default-pip"])
        alone = environment / "uv.lock"
        alone.write_text(wanted[0], encoding="utf-8")  # pip takes hashes from files alone
        quiet = ("--quiet", "--disable-pip-version-check", "--require-hashes")
        steps.run("adding uv", [python, "-m", "pip", "install", *quiet, "--requirement", alone])
    given = [part for lock in locks for part in ("--requirement", lock)]
    # A vendored wheel may have other contents under the same version, which by itself installs nothing.
    given += [part for lock in locks for name in _vendored(lock) for part in ("--reinstall-package", name)]
    steps.run(
        "installing the packages", [uv, "pip", "install", "--require-hashes", "--python", python, *given]
    )
    done.write_text(content, encoding="utf-8")
    steps.done(f"the packages of {' and '.join(map(str, locks))} are installed in {environment}")


def _content(locks: Sequence[Path]) -> str:
    """A hash of the locks and of the wheels beside them."""
    files = [file for lock in locks for file in (lock, *sorted((lock.parent / "vendor").glob("*.whl")))]
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _vendored(lock: Path) -> list[str]:
    """The packages of the lock whose wheels lie beside it."""
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    wheels = (lock.parent / "vendor").glob("*.whl")
    return sorted(locked & {wheel.name.split("-")[0].replace("_", "-") for wheel in wheels})


def _version(*command: str | Path) -> str:
    """The second word of what ``command --version`` prints, or nothing where it does not work."""
    try:
        ended = subprocess.run(  # noqa: S603 - the environment's own programs
            [*command, "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    words = ended.stdout.split()
    return words[1] if ended.returncode == 0 and len(words) > 1 else ""


def main(arguments: Sequence[str]) -> int:
    """Install; the exit status is 1 after a failure, 130 after Ctrl-C."""
    environment, *locks = map(Path, arguments)
    try:
        install(environment, locks)
    except FailedError as error:
        print(
            f"{error}\nerror: the packages could not be installed; the lines above say why. ",
            end="",
            file=sys.stderr,
        )
        print("Type the same again once that is mended: what was downloaded is kept", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; type the same again to go on: what was downloaded is kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
