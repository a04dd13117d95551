"""One comment on a pull request, made of the reports of several steps and updated in place by every push."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from github.IssueComment import IssueComment

from automl_gitops.github.pull_request import explained, repository
from automl_gitops.kernel import workflow_step
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.signature import run_url

MARKER = "<!-- report of this project's pull request workflow -->"
MOST_CHARACTERS = 65_000  # GitHub takes 65,536
NUMBER = "PULL_REQUEST"
_FOLDED = "<details>"
_CUT = "\n\n(cut: the whole report is in the run's summary)\n"
_NEEDS = "the job needs `pull-requests: write`"


@dataclass(frozen=True)
class Commented:
    """The comment's address, "" where there was nobody to show it to, and whether it had to be changed."""

    url: str
    changed: bool
    text: str


def comment(default_repository: str, files: Sequence[Path]) -> Commented:
    """Put the reports into the run's summary and into the one comment of the pull request.

    A report that its step did not write is said to be missing. Without GITHUB_TOKEN (a fork's pull request)
    or PULL_REQUEST (its number) there is the summary alone. Raises `UserError` or `RunError`.
    """
    number = _number()
    reports = [_read(file) for file in files]
    text = compose(reports, run_url())
    workflow_step.append_summary("\n\n".join(reports))
    found = repository(default_repository) if number else None
    if found is None or number is None:
        return Commented("", changed=False, text=text)
    with explained(f"comment on pull request {number}", _NEEDS):
        issue = found.get_issue(number)
        ours = next((one for one in issue.get_comments() if _is_ours(one)), None)
        if ours is None:
            return Commented(issue.create_comment(text).html_url, changed=True, text=text)
        changed = ours.body.splitlines() != text.splitlines()
        if changed:
            ours.edit(text)
        return Commented(ours.html_url, changed=changed, text=text)


def compose(reports: Sequence[str], run: str) -> str:
    """The comment: what the reports say at once, then everything that they fold away."""
    short, folded = zip(*(_split(report) for report in reports), strict=True)
    link = f"\n\n[The run]({run})" if run else ""
    top = f"{MARKER}\n" + "\n\n".join(filter(None, short))
    below = "\n\n".join(filter(None, folded))
    text = f"{top}\n\n{below}".rstrip() + link + "\n"
    if len(text) <= MOST_CHARACTERS:
        return text
    room = MOST_CHARACTERS - len(_CUT) - len(link)
    # The short part alone fits: a report that was cut within its folded part would leave a fold open.
    kept = top if len(top) <= room else top[:room]
    return kept + _CUT + link + "\n"


def _split(report: str) -> tuple[str, str]:
    place = report.find(_FOLDED)
    return (report, "") if place < 0 else (report[:place].rstrip(), report[place:].rstrip())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return f"### {file.stem.capitalize()}\n\n:x: There is no report: this step failed, its log says why."


def _is_ours(one: IssueComment) -> bool:
    return (one.body or "").startswith(MARKER)


def _number() -> int | None:
    text = os.environ.get(NUMBER, "").strip()
    if text and not re.fullmatch(r"[1-9]\d*", text):
        raise UserError(f"{NUMBER} = {text!r} is no number of a pull request: write such as 12, or unset it")
    return int(text) if text else None
