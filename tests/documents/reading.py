"""What documents tell a reader to type, in their order: Markdown, `make help`, a closing message."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind = Literal["console", "inline", "python", "toml"]
# What the first word of a command can be. Other inline code is a name, a key or a value.
PROGRAMS = (
    r"automl|\.venv/bin/\S+|aws|cookiecutter|"
    r"cruft|curl|docker|gh|git|make|pipx?|pre-commit|pytest|python3?|sudo|uvx?"
)
_COMMAND = re.compile(rf"([A-Z_]+=\S+(\(.*\))?\s+)*({PROGRAMS})\s\S.*", re.DOTALL)
_COMMENT = re.compile(r"\s{2,}#\s.*$")
_FENCES: dict[str, Kind] = {"console": "console", "python": "python", "toml": "toml"}


@dataclass(frozen=True)
class Piece:
    """A command, or a block of Python or TOML. ``heading`` is that of the section, ``line`` counts from 1."""

    document: str
    heading: str
    line: int
    kind: Kind
    text: str

    def __str__(self) -> str:
        first, *more = self.text.splitlines()
        return f"{self.document}:{self.line}: {first}{' ...' if more else ''}"


@dataclass(frozen=True)
class Link:
    """A link of a document to a file or a heading, as it is written."""

    document: str
    line: int
    target: str


def pieces(file: Path, name: str) -> list[Piece]:
    """The commands and blocks of a Markdown file, which is called ``name``; an unknown fence is an error."""
    found: list[Piece] = []
    heading, tokens = "", _parse(file)
    line = 0
    for number, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else line
        if token.type == "heading_open":
            heading = tokens[number + 1].content
        elif token.type == "fence":
            kind = _FENCES.get(token.info.strip())
            if kind == "console":
                found.extend(Piece(name, heading, n, "console", text) for n, text in _lines(token, line + 1))
            elif kind:
                found.append(Piece(name, heading, line, kind, token.content))
            elif token.info.strip() == "json":
                json.loads(token.content)  # to be copied as it stands
            elif token.info.strip() not in ("mermaid", "text", "diff"):
                raise ValueError(f"{name}:{line}: what kind of block is `{token.info}`?")
        elif token.type == "inline":
            found.extend(
                Piece(name, heading, line, "inline", child.content)
                for child in token.children or []
                if child.type == "code_inline" and _COMMAND.fullmatch(child.content)
            )
    return found


def _lines(token: Token, first: int) -> Iterator[tuple[int, str]]:
    text, start = "", first
    for number, line in enumerate(token.content.splitlines(), start=first):
        line = _COMMENT.sub("", line).strip()
        if not text:
            start = number
        if line.endswith("\\"):
            text += line[:-1]
        elif text or (line and not line.startswith("#")):
            yield start, text + line
            text = ""


def of_help(text: str, name: str) -> list[Piece]:
    """The targets that `make help` lists."""
    targets = re.findall(r"^\s+(make [\w-]+)\s", text, re.M)
    return [Piece(name, "make help", number, "console", target) for number, target in enumerate(targets, 1)]


def of_message(text: str, name: str) -> list[Piece]:
    """The commands of a message on the terminal: its indented lines."""
    lines = enumerate(text.splitlines(), 1)
    return [
        Piece(name, "", number, "console", _COMMENT.sub("", line).strip())
        for number, line in lines
        if line.startswith("    ") and line.strip()
    ]


def links(file: Path, name: str) -> list[Link]:
    """The links and pictures of a Markdown file that lead to no other host."""
    line, found = 0, []
    for token in _parse(file):
        line = token.map[0] + 1 if token.map else line
        for child in token.children or []:
            target = child.attrs.get("href") or child.attrs.get("src")
            if target and not re.match(r"[a-z]+:", str(target)):
                found.append(Link(name, line, str(target)))
    return found


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub gives a file's headings."""
    tokens, found = _parse(file), set()
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            words = "".join(child.content for child in tokens[number + 1].children or [])
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            again = next(n for n in range(len(found) + 1) if (slug if n == 0 else f"{slug}-{n}") not in found)
            found.add(f"{slug}-{again}" if again else slug)
    return found


def named_files(file: Path) -> set[str]:
    """The documents that a file names in inline code."""
    code = (child for token in _parse(file) for child in token.children or [] if child.type == "code_inline")
    return {child.content for child in code if re.fullmatch(r"docs/[\w-]+\.md", child.content)}


def _parse(file: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(file.read_text(encoding="utf-8"))
