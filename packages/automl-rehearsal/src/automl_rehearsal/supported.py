"""Say in a sentence where the project's packages have no wheel for this Python or machine; `make setup` asks first.

Standard library alone, and any Python 3 can run it. Which versions of Python are taken stands in the pyproject.toml of
the current folder.
"""

import platform
import re
import sys
from pathlib import Path

LEAST_GLIBC = (2, 28)  # of 2018: Debian 10, Ubuntu 20.04, RHEL 8, Amazon Linux 2023
RANGE = re.compile(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"$', re.MULTILINE)


def problem(
    system: str, machine: str, libc: "tuple[str, str]", python: "tuple[int, int]", pyproject: str
) -> "str | None":
    """A sentence on what is in the way, or `None`.

    ``system`` and ``machine`` are what `platform` says, ``libc`` its name and version, ``python`` a pair of numbers.
    """
    versions = RANGE.search(pyproject)
    if versions is None:
        return 'pyproject.toml has no requires-python = ">=3.X,<3.Y": take the line from Git'
    least, above = map(int, versions.groups())
    if system == "Windows" or system.startswith(("CYGWIN", "MINGW", "MSYS")):
        return "Windows by itself cannot run this: use WSL 2 (wsl --install), and type the same there"
    if system == "Darwin" and machine != "arm64":
        return (
            "this Python is one for Intel Macs, which cryptography has no wheel for: "
            "on Apple silicon take a native Python, else a Linux machine"
        )
    if system == "Linux" and machine not in ("x86_64", "aarch64"):
        return f"Linux on {machine} has no wheels of the packages; x86_64 and aarch64 have"
    if system == "Linux" and (libc[0] != "glibc" or numbers(libc[1]) < LEAST_GLIBC):
        library = " ".join(libc).strip() or "another, such as musl"
        return f"Linux with glibc 2.28 or newer is needed (found {library})"
    if not (3, least) <= python < (3, above):
        needed = f"Python 3.{least} to 3.{above - 1} is needed"
        wanted = f"PYTHON=/path/to/python3.{above - 2}"
        return f"{needed} (found {python[0]}.{python[1]}): give make one by {wanted}"
    return None


def numbers(version: str) -> "tuple[int, ...]":
    """The numbers of a version, to compare it."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def main() -> int:
    """The exit status that make looks at; 1 with the sentence where something is in the way."""
    pyproject = Path("pyproject.toml").read_text(encoding="utf-8")
    sentence = problem(
        platform.system(), platform.machine(), platform.libc_ver(), sys.version_info[:2], pyproject
    )
    if sentence:
        print(sentence[0].upper() + sentence[1:], file=sys.stderr)
    return 1 if sentence else 0


if __name__ == "__main__":
    sys.exit(main())
