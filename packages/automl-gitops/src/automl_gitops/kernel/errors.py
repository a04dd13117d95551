"""The two ways in which a command ends badly, and what the process's exit status says about them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A sentence about the project's files that names the file, the key, the value and the way out.

    ``file`` and ``line`` (from 1) place it where they are known, so that GitHub can annotate it.
    """

    sentence: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        """The sentence; where it begins with its file, the line too, as compilers write it."""
        start = f"{self.file}: "
        if self.line is None or not self.sentence.startswith(start):
            return self.sentence
        return f"{self.file}:{self.line}: {self.sentence.removeprefix(start)}"


class UserError(Exception):
    """Something that the person at the keyboard has to change: a file, a key, an argument, credentials (exit
    status 2).

    The message is one sentence that names the file, the key, the value and the way out; of several `findings` it is a
    sentence a line. ``file`` and ``line`` are those of the first.
    """

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.findings: Sequence[Finding] = (Finding(message, file, line),)

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> "UserError":
        """All that is wrong at once; there is at least one finding."""
        first = findings[0]
        error = cls("\n".join(one.sentence for one in findings), file=first.file, line=first.line)
        error.findings = tuple(findings)
        return error


class RunError(Exception):
    """The command was right, but what it started or asked for failed; the message has the reason (exit status
    1).
    """
