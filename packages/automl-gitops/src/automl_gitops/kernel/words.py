"""Words of messages: counts with the right ending, and what somebody may have meant."""

import difflib
import re
import unicodedata
from collections.abc import Iterable


def counted(number: int, one: str, several: str = "") -> str:
    """`1 row`, `2,000 rows`; ``several`` is the plural where that is not ``one`` with an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def some(names: Iterable[str], most: int = 5) -> str:
    """The first few names."""
    listed = list(names)
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")


def one_line(text: str, most: int) -> str:
    """``text`` as AWS takes a description: on one line, of characters that can be seen, ``most`` at most.

    A description's pattern in AWS's API is mostly `.*`, which takes no line break of any kind.
    """
    line = " ".join("".join(" " if is_unseen(c) else c for c in text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


_JOINERS = "\u200c\u200d"  # emoji and several alphabets are written with them
_STEERING = (
    "Cc",
    "Cf",
    "Cs",
    "Zl",
    "Zp",
)  # controls, formats (of bidirectional text too), surrogates, separators


def visible(text: str) -> str:
    """A text of anybody's as every output may show it: what cannot be seen, or steers what shows it, is written as in
    Python (`\\x1b`, `\\u202e`).

    A line feed stays. Each output then escapes what is markup to it.
    """
    if text.isprintable():
        return text
    return "".join(ascii(c)[1:-1] if c != "\n" and is_unseen(c) else c for c in text)


def is_unseen(character: str) -> bool:
    """Whether a character is none that can be seen."""
    code = ord(character)
    if unicodedata.category(character) in _STEERING:
        return character not in _JOINERS
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # which Unicode keeps from being characters


def unfit_character(text: str) -> str:
    """The first character of a name that nothing draws and files and services do not pass on, in words; "" without."""
    for character in text:
        if character != "\t" and is_unseen(character) and unicodedata.category(character) != "Cf":
            return f"U+{ord(character):04X}, which is no character that can be written"
    return ""


def quoted(value: str, most: int = 60) -> str:
    """A value in quotes as a message shows it: cut to ``most`` characters, what cannot be seen written as in Python."""
    cut = value if len(value) <= most else value[: most - 1] + "…"
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) + '"'


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that is most like ``word``, or `None` if none is similar enough.

    Case, blanks, hyphens and underscores are ignored. A prefix of exactly one known word matches it; a part of several
    known words matches none.
    """
    plain = {_plain(name): name for name in known}
    wanted = _plain(str(word))
    if wanted in plain:
        return plain[wanted]
    begun = [name for key, name in plain.items() if len(wanted) > 1 and key.startswith(wanted)]
    if len(begun) == 1:
        return begun[0]
    if not begun and sum(wanted in key for key in plain) > 1:
        return None
    close = difflib.get_close_matches(wanted, plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else None


def meant(word: str, known: Iterable[str]) -> str:
    """Whether the nearest known word was meant, as a question; "" where there is none."""
    near = nearest(word, known)
    return meant_one(word, near) if near else ""


def meant_one(word: str, near: str) -> str:
    """Whether ``near`` was meant, which may look the same."""
    if unicodedata.normalize("NFC", word) != unicodedata.normalize("NFC", near):
        return f'did you mean "{near}"?'
    form = "NFC" if unicodedata.is_normalized("NFC", near) else "NFD"  # as macOS writes names
    return (
        f'did you mean "{near}", the same letters in another Unicode form ({form})? Copy it from its file, or rename '
        "it there"
    )


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFC", word).lower()) or word
