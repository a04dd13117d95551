"""What a step leaves to the GitHub workflow it is part of: text on the run's page, outputs for the steps after it."""

import os
from collections.abc import Mapping
from pathlib import Path

SUMMARY, OUTPUTS = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"  # the variables that name the files
MOST_BYTES = 1_048_576  # of one step's summary (GitHub Actions, "Workflow commands", adding a job summary)
_CUT = "\n\n(cut: GitHub shows no more)\n"


def has_page() -> bool:
    """Whether there is a run's page, that is, whether a workflow runs."""
    return bool(os.environ.get(SUMMARY))


def append_summary(markdown: str) -> bool:
    """Add Markdown to the run's page; tells whether there is one, that is, whether a workflow runs."""
    path = os.environ.get(SUMMARY, "")
    if not path:
        return False
    file = Path(path)
    room = MOST_BYTES - (file.stat().st_size if file.exists() else 0)
    content = (markdown.rstrip() + "\n\n").encode()
    if len(content) > room:
        kept = content[: max(room - len(_CUT), 0)].decode(errors="ignore")
        content = (kept + _CUT).encode()[: max(room, 0)]
    with file.open("ab") as stream:
        stream.write(content)
    return True


def set_outputs(outputs: Mapping[str, str]) -> None:
    """Set outputs of this step, by name; outside a workflow nothing happens. Values are of one line each."""
    path = os.environ.get(OUTPUTS, "")
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.writelines(f"{name}={value}\n" for name, value in outputs.items())
