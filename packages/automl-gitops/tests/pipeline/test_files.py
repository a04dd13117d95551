from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import replace_text, write_text

WRITERS = [write_text, replace_text]


@pytest.mark.parametrize("write", WRITERS)
def test_folders_below_build_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, str], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("build") / "new" / "file.txt"

    write(path, "größe\n")

    assert path.read_bytes() == "größe\n".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_place_that_cannot_be_written_is_the_users_error(
    tmp_path: Path, write: Callable[[Path, str], object]
) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")

    with pytest.raises(UserError, match=r"taken/file\.txt: .*(cannot be written|is no folder)"):
        write(tmp_path / "taken" / "file.txt", "text")
    with pytest.raises(UserError, match="cannot be written"):
        write(tmp_path, "text")


@pytest.mark.parametrize("place", ["new/file.txt", "build/../new/file.txt", "buildings/file.txt"])
def test_folders_elsewhere_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError, match=r"does not exist: make it, or name a place in build/"):
        write_text(Path(place), "text")

    assert list(tmp_path.iterdir()) == []


def test_replacing_tells_a_change(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"

    assert [replace_text(path, text) for text in ("one", "one", "two")] == [True, False, True]
    assert path.read_text() == "two"


def test_a_file_that_cannot_be_replaced_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")
    (tmp_path / ".file.txt.writing").mkdir()

    with pytest.raises(UserError, match="cannot be written"):
        replace_text(path, "after")

    assert path.read_text() == "before"
