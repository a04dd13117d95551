"""Who has to review what changes main: `.github/CODEOWNERS`.

GitHub lets a workflow of a pull request's own branch approve that very pull request, where Actions may open any: one
setting is for both. The approval of a workflow is no owner's.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import replace_text

FILE = Path(".github/CODEOWNERS")
_HEAD = (
    "# Of these somebody has to review each change of main (automl bootstrap --github --code-owner LOGIN).\n"
)
_OWNER = re.compile(r"@?([A-Za-z0-9][A-Za-z0-9-]*(/[\w.-]+)?)", re.ASCII)


def check(owners: Sequence[str]) -> None:
    """Raise `UserError` for what is no login, and no team as `organisation/team`."""
    for owner in owners:
        if not _OWNER.fullmatch(owner):
            raise UserError(f"--code-owner {owner} is no login, and no team: write NAME or ORGANISATION/TEAM")


def write(owners: Sequence[str]) -> bool:
    """Write the file for these owners; tells whether it changed. One that somebody else wrote is a `UserError`."""
    names = " ".join(f"@{owner.lstrip('@')}" for owner in owners)
    if FILE.exists() and not FILE.read_text(encoding="utf-8").startswith(_HEAD):
        raise UserError(
            f"{FILE.as_posix()} is not this command's: write `* {names}` into it by hand, then leave --code-owner out"
        )
    FILE.parent.mkdir(exist_ok=True)
    return replace_text(FILE, f"{_HEAD}* {names}\n")


def requires(rule: object) -> bool:
    """Whether one of GitHub's rules of a branch asks for an owner's review."""
    parameters = rule.get("parameters") if isinstance(rule, dict) else None
    return bool(parameters and parameters.get("require_code_owner_review"))
