"""A page in a terminal: the same words as in Markdown, within its width, in the characters that it knows."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console

from automl_gitops.kernel.cli import run, workflow_command
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.page import Bullets, Code, Links, Log, Page, Section, Strong, Table, Warn
from automl_gitops.kernel.terminal import show

LABELS = [f"class {number}" for number in range(20)]
PAGE = Page(
    "Run abcdefghijkl: failed",
    (
        Bullets([("Run ", Code("make bootstrap"), " once it is merged. " + "Word " * 30)]),
        Section("Steps", (Table(("step", "seconds"), [(Strong("Train"), "1,234")], "lr"),), folded=True),
        Section(
            "Confusion matrix",
            (
                Table(
                    ("truth", *LABELS),
                    [(Strong(one), *["0"] * 19, "12345") for one in LABELS],
                    "l" + "r" * 20,
                ),
            ),
        ),
        Section("Log", (Log(["::error::not a command", "x" * 100]),)),
        (Warn(), " The data set's schema changes."),
        Links("AWS console", [("stack", "https://eu-west-1.console.aws.amazon.com/" + "x" * 90)]),
        "A label \x1b[31m of anybody's\nin one line",
    ),
    "bad",
)


def printed(*, width: int, terminal: bool) -> str:
    stream = io.StringIO()
    show(PAGE, Console(file=stream, width=width, force_terminal=terminal, highlight=False))
    return stream.getvalue()


def test_nothing_of_markdown_or_html_is_in_it() -> None:
    text = printed(width=80, terminal=False)

    assert not any(mark in text for mark in ("**", "<details>", "###", "```", "| ---", "&#"))
    assert "make bootstrap once it is merged" in text
    assert "warning: The data set's schema changes." in text


def test_only_logs_and_addresses_are_wider_than_the_terminal() -> None:
    Console(file=io.StringIO())
    text = printed(width=80, terminal=True)

    plain = "".join(part.partition("m")[2] if "\x1b" in text else part for part in text.split("\x1b["))
    wide = [line for line in plain.splitlines() if len(line) > 80]

    assert all("xxx" in line for line in wide)


def test_a_table_wider_than_the_terminal_is_a_line_for_each_row() -> None:
    text = printed(width=80, terminal=False)

    assert "  class 3: class 19 12345" in text.splitlines()


def test_where_no_terminal_is_there_are_no_colours_and_no_broken_sentences() -> None:
    text = printed(width=80, terminal=False)

    assert "\x1b" not in text
    assert "- Run make bootstrap once it is merged. " + ("Word " * 30).strip() in text


def test_a_log_s_line_is_no_command_to_github() -> None:
    assert "| : :error: :not a command" in printed(width=80, terminal=False).splitlines()


COMMANDS = ("::set-output name=to-stage::x", "::stop-commands::x", "::Add-Mask::the", "##[error]x")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_is_a_command_to_github(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    parts = (
        Table((command, "rows"), [(command, "1")], "lr"),
        Bullets([f"a\n{command}"]),
        Section(command, ()),
    )
    output = Output()
    show(Page(command, parts), output.console)
    output.say(f"the reason\n  {command}")
    output.table(("label",), [(command,)])

    printed = capsys.readouterr().out

    assert "x" in printed or "the" in printed
    assert not re.search(r"^\s*::[a-z-]+[^:]*::|##\[", printed, re.IGNORECASE | re.MULTILINE)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:s3:::lake from now on",
        "arn:aws:iam::123456789012:role/x",
        "arn:aws:iam::aws:policy/x",
        "a::b",
    ],
)
def test_what_has_colons_stays(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Output().say(text)

    assert capsys.readouterr().out == f"{text}\n"


def test_json_is_no_command_to_github_and_stays_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).result({"label": "##[set-output name=x]y"})

    printed = capsys.readouterr().out

    assert "##[" not in printed
    assert json.loads(printed) == {"label": "##[set-output name=x]y"}


def test_a_file_s_name_adds_nothing_to_a_command() -> None:
    made = workflow_command("error", "a\nb", "x,line=9::::stop-commands::y\n", 3)

    assert made == "::error file=x%2Cline=9%3A%3A%3A%3Astop-commands%3A%3Ay%0A,line=3::a%0Ab"


def test_a_control_character_does_nothing() -> None:
    assert r"A label \x1b[31m of anybody's in one line" in printed(width=80, terminal=False)


def command(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_a_character_gets_a_spelling_of_it(folder: Path, encoding: str) -> None:
    rows = "".join(f"{number},{'größe' if number % 2 else '大'}\n" for number in range(60))
    (folder / "größe.csv").write_text(f"größe,大\n{rows}", encoding="utf-8")
    arguments = ("automl_gitops", "data", "inspect", "größe.csv")

    told = command(*arguments, folder=folder, PYTHONIOENCODING=encoding, PYTHONUTF8="0", LC_ALL="C.UTF-8")
    document = command(
        *arguments, "--json", folder=folder, PYTHONIOENCODING=encoding, PYTHONUTF8="0", LC_ALL="C.UTF-8"
    )

    assert (told.returncode, told.stderr) == (0, b"")
    assert [one["name"] for one in json.loads(document.stdout.decode(encoding))["columns"]] == ["größe", "大"]


def test_an_error_that_names_no_text_is_still_a_sentence(folder: Path) -> None:
    told = command("automl_gitops", "data", "inspect", "\udcff.csv", folder=folder)

    assert told.returncode == 2
    assert b"Traceback" not in told.stderr
    assert b"not found" in told.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("data", "inspect", "rows.csv")])
def test_a_reader_that_has_seen_enough_is_no_error(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "rows.csv").write_text("a,b\n" + "1,2\n" * 60)
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run(
        [sys.executable, "-m", "automl_gitops", *arguments],
        cwd=folder,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)

    assert ended.stderr == b""
    assert ended.returncode == 141


STEERING = "a\x1b]0;title\x07b\x9bm\u202ec\u2066\ud800\x00d"
SHOWN = r"a\x1b]0;title\x07b\x9bm\u202ec\u2066\ud800\x00d"


@pytest.mark.parametrize("terminal", [True, False])
def test_no_text_of_anybody_s_steers_a_terminal(terminal: bool) -> None:
    stream = io.StringIO()
    page = Page(
        STEERING,
        (
            Bullets([(STEERING, Code(STEERING), Strong(STEERING))]),
            Table((STEERING,), [(STEERING,), (Code(STEERING),)]),
            Section(
                STEERING, (Log([STEERING]), Links(STEERING, [(STEERING, f"https://example.com/{STEERING}")]))
            ),
        ),
    )

    show(page, Console(file=stream, width=2_000, force_terminal=terminal, highlight=False, no_color=True))

    assert not {*STEERING[1:]} & {"\x07", "\x9b", "\u202e", "\u2066", "\ud800", "\x00"} & {*stream.getvalue()}
    assert "\x1b]0" not in stream.getvalue()
    assert stream.getvalue().count(SHOWN) >= 10


def test_what_a_command_says_steers_no_terminal(capsys) -> None:
    output = Output()
    output.say(STEERING)
    output.notice(STEERING)
    output.table([STEERING], [[STEERING]], STEERING)
    Output(as_json=True).result({"label": STEERING})

    printed = capsys.readouterr()
    text = "".join((printed.out + printed.err).split())
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\ud800", "\x00"} & {*text}
    assert text.count(SHOWN) >= 5
    document = printed.out[printed.out.index("{") :]
    assert json.loads(document) == {"label": STEERING}


def test_an_error_steers_no_terminal(capsys, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise UserError(f"t.csv: column {STEERING}", file="t.csv", line=1)

    assert run(app, []) == 2

    text = capsys.readouterr().err
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\ud800", "\x00"} & {*text}
    assert text.count(SHOWN) == 2
