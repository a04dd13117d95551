"""Writing files, with a place that cannot be written as a sentence.

One rule for every file or folder that a command is told to write: below the project's `build/` the folders above
it are made, elsewhere they have to be there, so that a misspelt path makes none.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl_gitops.kernel.errors import UserError

BUILD = Path("build")  # of the project; Git ignores it


def at_home(path: str | Path) -> Path:
    """A path whose `~` a shell may have left to us; `~nobody` stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's raises for nobody's


def write_text(path: Path, text: str) -> None:
    """Write what a command was asked to write. Raises `UserError` where that cannot be."""
    prepare(path)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise refused(path, error) from None


def prepare(path: Path) -> None:
    """Make the folders above a file or folder that will be written. Raises `UserError` by the rule of this module."""
    folder = path.parent
    if folder.is_dir():
        return
    if not folder.resolve().is_relative_to(BUILD.resolve()):
        what = "is no folder" if folder.exists() else "does not exist"
        raise UserError(
            f"{path}: {folder} {what}: make it, or name a place in {BUILD}/, whose folders are made"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(path, error) from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside ``path`` that takes its place in the end, so that this is written as a whole or not at all.

    Raises `UserError` where it cannot be written.
    """
    half = path.with_name(f".{path.name}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield half
        half.replace(path)
    except OSError as error:
        raise refused(path, error) from None


def replace_text(path: Path, text: str) -> bool:
    """Write a file of the project as a whole or not at all; tells whether its text changed.

    Raises `UserError` where it cannot be written.
    """
    try:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
    except OSError as error:
        raise refused(path, error) from None
    with replacing(path) as half:
        half.write_text(text, encoding="utf-8")
    return True


def read_python(path: Path) -> bytes:
    """A module of the project. Raises `UserError` where it is no Python."""
    source = path.read_bytes()
    try:
        compile(source, path.name, "exec")
    except (SyntaxError, ValueError) as error:
        line, told = getattr(error, "lineno", None), getattr(error, "msg", error)
        place = f"{path}:{line}" if line else str(path)
        raise UserError(f"{place}: not valid Python: {told}", file=str(path), line=line) from None
    return source


def refused(path: Path, error: OSError) -> UserError:
    """What to say where a file cannot be written."""
    return UserError(
        f"{path}: cannot be written ({error.strerror or error}): name another place, or free this one"
    )
