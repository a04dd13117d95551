"""Writing files, with a place that cannot be written as a sentence."""

from pathlib import Path

from pipeline.errors import UserError


def write_text(path: Path, text: str) -> None:
    """Write what a command was asked to write, and the folders above it; `UserError` where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise refused(path, error) from None


def replace_text(path: Path, text: str) -> bool:
    """Write a file of the project as a whole or not at all; tells whether its text changed.

    Raises `UserError` where it cannot be written.
    """
    half = path.with_name(f".{path.name}.writing")
    try:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as error:
        raise refused(path, error) from None
    return True


def refused(path: Path, error: OSError) -> UserError:
    """What to say where a file cannot be written."""
    return UserError(
        f"{path}: cannot be written ({error.strerror or error}): name another place, or free this one"
    )
