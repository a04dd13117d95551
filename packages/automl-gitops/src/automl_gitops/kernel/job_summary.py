"""The summary that GitHub shows on a workflow run's page."""

import os
from pathlib import Path

VARIABLE = "GITHUB_STEP_SUMMARY"
MOST_BYTES = 1_048_576  # of one step (GitHub Actions, "Workflow commands", adding a job summary)
_CUT = "\n\n(cut: GitHub shows no more)\n"


def append(markdown: str) -> bool:
    """Add Markdown to the summary of this step; tells whether there is one, that is, whether a workflow runs."""
    path = os.environ.get(VARIABLE, "")
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
