"""The two ways in which a command ends badly, and what the process's exit status says about them."""


class UserError(Exception):
    """Something that the person at the keyboard has to change: a file, a key, an argument, credentials (exit
    status 2).

    The message is one sentence that names the file, the key, the value and the way out. ``file`` and ``line``
    (from 1) place it in the project where they are known, so that GitHub can annotate it.
    """

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.file = file
        self.line = line


class RunError(Exception):
    """The command was right, but what it started or asked for failed; the message has the reason (exit status
    1).
    """
