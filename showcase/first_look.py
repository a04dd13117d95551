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
    refuse,
    require_git,
    say_what_comes,
    show_anything,
)
from showcase import RESULTS


def main() -> None:
    """Look, and say."""
    show_anything()
    try:
        require_git()
        wish = Wish.of(os.environ)
        seen = look(wish, Task(wish.target, wish.problem)) if wish.data else None
    except UserError as error:
        refuse(error)
    say_what_comes(_rows_of(wish, seen.target if seen else ""), Path(".venv/project"), results=str(RESULTS))


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
