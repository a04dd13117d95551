from __future__ import annotations

import threading

from automl_gitops.kernel.console import Output
from automl_gitops.kernel.waiting import patience


class Listening(Output):
    """An output that sets `heard` with the first line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.heard = threading.Event()

    def say(self, text: str, style: str = "") -> None:
        self.lines.append(text)
        self.heard.set()


def test_a_long_silence_is_broken() -> None:
    output = Listening()

    with patience(output, "deployment stack", each=0.01):
        assert output.heard.wait(30)

    assert output.lines[0].startswith("  deployment stack: ")


def test_what_is_quickly_done_gets_no_word() -> None:
    output = Listening()

    with patience(output, "deployment stack", each=3600):
        pass

    assert output.lines == []
