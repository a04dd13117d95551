"""How long a command leaves its terminal without a sign of life.

`python -m benchmarks.silence [--columns N] [--limit SECONDS] [--log FILE] -- make demo` runs the command on a
pseudo-terminal of its own, shows what it prints, and reports the longest silences and what came before each. The
exit status is the command's, or 1 where it was silent for longer than the limit.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

_CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\r\x00-\x08\x0b-\x1f]")
_SHOWN = 5  # silences
_KEPT = 4096  # bytes of the output's end, to say what was on the screen


@dataclass(frozen=True)
class Silence:
    """Seconds without output, when it began (seconds after the start), and the last line before it."""

    seconds: float
    began: float
    after: str


def listen(command: list[str], columns: int, log: str | None = None) -> tuple[int, list[Silence], float]:
    """Run ``command`` on a terminal of so many columns: its exit status, its silences, and its duration in seconds."""
    started = last = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.execvp(command[0], command)  # noqa: S606 - the command is the caller's
        finally:
            os._exit(127)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    silences: list[Silence] = []
    screen = b""
    with Path(log or os.devnull).open("wb") as file:
        while True:
            select.select([terminal], [], [])
            try:
                data = os.read(terminal, 65536)
            except OSError:  # Linux says so where the other end is closed
                data = b""
            now = time.monotonic()
            silences.append(Silence(now - last, last - started, _last_line(screen)))
            last = now
            if not data:
                break
            screen = (screen + data)[-_KEPT:]
            file.write(data)
            os.write(sys.stdout.fileno(), data)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), silences, time.monotonic() - started


def _last_line(screen: bytes) -> str:
    lines = [line.strip() for line in _CONTROL.sub(b"", screen).split(b"\n") if line.strip()]
    return lines[-1].decode(errors="replace")[:100] if lines else "the start"


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--limit", type=float, default=10.0, help="seconds")
    parser.add_argument("--log", help="file for what was printed")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    status, silences, seconds = listen(given.command, given.columns, given.log)
    longest = sorted(silences, key=lambda silence: silence.seconds, reverse=True)[:_SHOWN]
    print(f"\n{seconds:.0f} s in all; the longest silences:")
    for silence in longest:
        print(f"{silence.seconds:6.1f} s from {silence.began:6.1f} s on, after: {silence.after}")
    return status or int(longest[0].seconds > given.limit)


if __name__ == "__main__":
    sys.exit(main())
