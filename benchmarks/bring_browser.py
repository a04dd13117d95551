"""`python -m benchmarks.bring_browser`: see that there is a Chromium for the report's tests and figures.

The machine's own; else the one that Playwright fetches; else, as root on Debian or Ubuntu, the package `chromium`.
Without any of them the run goes on: the tests that need a browser then fail in CI (`CI=true`), where what was not
tested must not look like what passed, and elsewhere say at the end of the run that they were not run.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

from benchmarks.browser import MISSING, chromium_path

SECONDS = 240  # for each attempt: a proxy that swallows a download must not hold up the build
_APT = ("apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=60", "-o", "Acquire::http::Timeout=30")


def attempts() -> Iterator[tuple[str, Sequence[Sequence[str]]]]:
    """Ways to get one, each with its commands."""
    yield "playwright install chromium", [(sys.executable, "-m", "playwright", "install", "chromium")]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        yield (
            "apt-get install chromium",
            [(*_APT, "update"), (*_APT, "install", "--yes", "--no-install-recommends", "chromium")],
        )


def bring(seconds: float = SECONDS) -> bool:
    """Bring one, unless there is one; whether there is one now."""
    if chromium_path():
        return True
    for name, commands in attempts():
        print(f"no Chromium yet: {name} (at most {seconds:.0f} s) ...", flush=True)
        if all(_done(command, seconds) for command in commands) and chromium_path():
            return True
    print(f"warning: {MISSING}", file=sys.stderr)
    return False


def _done(command: Sequence[str], seconds: float) -> bool:
    """Run it in a group of its own, so that what it started ends with it; its last line where it fails."""
    quick = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "20000"}  # milliseconds, for each of its mirrors
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"} | quick
    with subprocess.Popen(  # noqa: S603 - the commands are ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            print(f"  gave up after {seconds:.0f} s", flush=True)
            return False
        except BaseException:
            os.killpg(process.pid, 9)  # the terminal's Ctrl-C does not reach its group
            raise
    if process.returncode:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        why = next(
            (line for line in lines if "error" in line.lower() or line.startswith("E:")), (lines or [""])[-1]
        )
        print(f"  failed: {why[:200]}", flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    bring()
