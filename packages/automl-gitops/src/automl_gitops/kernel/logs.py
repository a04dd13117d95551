"""The end of a log in CloudWatch Logs, made fit to be shown: what a job printed is anybody's text."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.kernel.aws import explain, is_missing, listed, may_not

PROCESSING, TRAINING, TRANSFORM = (
    f"/aws/sagemaker/{kind}Jobs" for kind in ("Processing", "Training", "Transform")
)
LINES = 30
LONGEST = 300  # characters of a line
_STREAMS = 3  # of many, those that said something last
_PAGES = 5  # CloudWatch answers with empty pages at times
_ROOM = timedelta(seconds=5)  # between a step's clock and a function's
# Colours, movements of the cursor, titles of windows: ECMA-48's control sequences, and strings up to their end.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|[ -/]*[0-~])")
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True)
class Tail:
    """The last lines of what ``what`` said, in the log group ``group``; without lines ``problem`` says why, and
    ``absent`` whether it is that there are none.
    """

    what: str
    group: str
    lines: tuple[str, ...] = ()
    problem: str = ""
    absent: bool = False


def of_job(client: Any, what: str, group: str, prefix: str) -> Tail:
    """The end of the log of the streams whose names begin with ``prefix``."""

    def look() -> list[dict[str, Any]]:
        streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        newest = sorted(streams, key=lambda stream: stream.get("lastEventTimestamp", 0))[-_STREAMS:]
        return [event for stream in newest for event in _last(client, group, stream["logStreamName"])]

    return _tail(what, group, look)


def of_function(client: Any, what: str, group: str, start: datetime | None, end: datetime | None) -> Tail:
    """The end of what a function printed between two times, in whichever of its streams."""
    times = {
        name: int(moment.timestamp() * 1000)
        for name, moment in (("startTime", start and start - _ROOM), ("endTime", end and end + _ROOM))
        if moment
    }

    def look() -> list[dict[str, Any]]:
        return list(listed(client, "filter_log_events", "events", logGroupName=group, **times))

    return _tail(what, group, look)


def _tail(what: str, group: str, look: Any) -> Tail:
    """No error of CloudWatch ends the command: the failure's reason is known without the log."""
    try:
        events = sorted(look(), key=lambda event: event["timestamp"])
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and is_missing(error):
            return _absent(what, group)
        if isinstance(error, ClientError) and may_not(error):
            return Tail(
                what,
                group,
                problem=f"these credentials may not read its log in {group} ({error.operation_name}): use others, or "
                "have an administrator run `automl bootstrap` if the project's roles are behind",
            )
        return Tail(what, group, problem=f"its log in {group} could not be read: {explain(error)}")
    lines = tuple(shown(event["message"] for event in events))
    return Tail(what, group, lines[-LINES:]) if lines else _absent(what, group)


def _absent(what: str, group: str) -> Tail:
    return Tail(what, group, problem=f"it has left no log in {group}", absent=True)


def _last(client: Any, group: str, stream: str) -> list[dict[str, Any]]:
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        page = client.get_log_events(
            logGroupName=group, logStreamName=stream, limit=LINES, startFromHead=False, **token
        )
        if page["events"] or page.get("nextBackwardToken") in (None, token.get("nextToken")):
            return page["events"]
        token = {"nextToken": page["nextBackwardToken"]}
    return []


def shown(messages: Iterable[str]) -> Iterable[str]:
    """The lines of messages, without what a terminal or GitHub would take for a command, and cut."""
    for message in messages:
        # A split at line feeds alone: other separators are neutralised with the rest.
        for line in message.split("\n"):
            text = plain(line)
            if text:
                yield text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."


def plain(line: str) -> str:
    """A line as it would stand on a screen in the end, of characters that only show.

    A carriage return writes over the line, as progress bars do.
    """
    text = _ESCAPES.sub("", line).expandtabs(4).rstrip("\r").rpartition("\r")[2]
    text = "".join("?" if unicodedata.category(c) in _CONTROLS else c for c in text)
    # GitHub's runner reads old commands anywhere in a line.
    return text.replace("##[", "## [").rstrip()
