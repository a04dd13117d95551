"""`python -m showcase.first_look`: refuse what cannot work, else say what `make demo` is about to do.

Python's standard library alone: nothing is installed yet.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from automl_gitops.kernel.errors import UserError
from automl_rehearsal.first_look import (
    Task,
    Wish,
    look,
    of_project,
    refuse,
    require_git,
    say_what_comes,
    show_anything,
)
from showcase import RESULTS
from showcase.answers import called
from showcase.record import Record


def main() -> None:
    """Look, and say."""
    show_anything()
    try:
        require_git()
        wish = Wish.of(os.environ)
        edited = edited_project(wish)
        task = of_project(wish, edited / "automl.toml") if edited else Task(wish.target, wish.problem)
        seen = look(wish, task) if wish.data else None
    except UserError as error:
        refuse(error)
    rows = _rows_of(wish, seen.target if seen else "")
    if edited:
        rows = f"{wish.data or 'as the project has it'}, target {task.target}"
    say_what_comes(rows, Path(".venv/project"), results=str(RESULTS))


def edited_project(wish: Wish) -> Path | None:
    """The project that an earlier demo generated and that its owner has worked in since: it is not generated anew."""
    project = RESULTS / called(wish.data, wish.target, wish.problem)
    return project if Record(project).is_edited() else None


def _rows_of(wish: Wish, target: str) -> str:
    if not wish.data:
        example = (
            f"rows made up for the target {wish.target}"
            if wish.target
            else "the hospital readmission example"
        )
        return f"{example}; yours: make demo DATA=FILE"
    if wish.target or not target:
        return f"{wish.data}, target {wish.target or 'its last column'}"
    named = shlex.quote(target)
    return f"{wish.data}, target {named} (its last column; another: {wish.command(TARGET='COLUMN')})"


if __name__ == "__main__":
    main()
