"""Why the evaluation failed, at the place where the service looks for it: the job's ExitMessage.

Importing this module makes sure of it for what nobody expects, so that evaluate.py imports it before the project's
other modules: an error in one of those, too, leaves its reason. Source: SageMaker, "Build Your Own Processing
Container", /opt/ml/output/message, of which the first 1,024 characters are read.
"""

import sys
import traceback
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import TracebackType

MESSAGE = Path("/opt/ml/output/message")
LONGEST = 1024
_CODE = Path(__file__).parents[1]  # where evaluate.py lies, and this package beside it


def leave(text: str, message: Path) -> None:
    """Write the reason, in a container that has a place for it."""
    with suppress(OSError):
        message.write_text(text[:LONGEST], encoding="utf-8", errors="replace")


def described(error: BaseException) -> str:
    """An error that nobody expected: its type, its message, and the last line of ours that it came through."""
    words = " ".join("".join(traceback.format_exception_only(error)[-1:]).split())
    if isinstance(error, SyntaxError) and error.filename:
        return f"{words} ({Path(error.filename).name}, line {error.lineno})"
    ours = [
        frame for frame in traceback.extract_tb(error.__traceback__) if _CODE in Path(frame.filename).parents
    ]
    return f"{words} ({Path(ours[-1].filename).name}, line {ours[-1].lineno})" if ours else words


def message_of(arguments: list[str]) -> Path:
    """The place that the command line names, else the container's."""
    given = dict(pairwise(arguments)).get("--message")
    return Path(given) if given else MESSAGE


def _on_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    leave(described(error), message_of(sys.argv))
    sys.__excepthook__(kind, error, trace)


sys.excepthook = _on_unexpected
