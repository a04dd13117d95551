"""What strangers may send: texts that steer what shows them, great numbers, brackets without end, damaged files."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any

from hypothesis import strategies as st

# Each was a fault of somebody's: escape sequences, directions of text, formulas, markup, commands, paths, numbers.
NASTY = (
    "\x1b[2J", "\x9b31m", "\x07", "\x00", "\x7f", "\u202e", "\u2066", "\ufeff", "\ud800", "\r\n", "\u2028",
    "=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "<script>alert(1)</script>", "</details>", "<!-- -->",
    "![x](http://x)", "| a | b |", "```", "$(id)", "`id`", "${{ github.token }}", "::set-output name=x::y", "##[error]",
    "../../etc/passwd", "/etc/passwd", "C:\\x", "a" * 300, "NaN", "Infinity", "-Infinity", "1e400", "9" * 400, "0x10",
    "true", "null", "", " ", '"', "'", "\\", "\t", ",", ";", "é", "e\u0301", "名前", "1_000", "2024-02-30",
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=40),
    st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=5)), max_size=4).map("".join),
)
DEPTHS = st.sampled_from((2, 100, 1_000, 5_000, 20_000))
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from((10**400, -(10**30), 2**63)))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def as_json(value: Any) -> str:
    """As a careless service writes it: with NaN, and characters as they are."""
    return json.dumps(value, ensure_ascii=False)


JSON_TEXTS = st.one_of(
    JSON.map(as_json),
    TEXTS,
    DEPTHS.map(lambda n: "[" * n),
    DEPTHS.map(lambda n: "[" * n + "]" * n),
    DEPTHS.map(lambda n: '{"a":' * n + "1" + "}" * n),
    st.sampled_from(("9" * 5_000, "1e999999", '{"a": 1, "a": 2}', "[1,]", '"\\ud800"')),
)


@st.composite
def edited(draw: st.DrawFn, text: str) -> str:
    """A text in which somebody replaced, doubled, cut or inserted something, up to three times."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 1, 5, 40))))
        text = text[:start] + draw(st.one_of(TEXTS, st.just(text[start:end] * 2))) + text[end:]
    return text


@st.composite
def with_value(draw: st.DrawFn, text: str) -> str:
    """A TOML text one of whose values is another one."""
    lines = text.split("\n")
    places = [number for number, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    place = draw(st.sampled_from(places or [0]))
    value = draw(
        st.one_of(
            TEXTS.filter(lambda given: not any("\ud800" <= c <= "\udfff" for c in given)).map(json.dumps),
            DEPTHS.map(lambda n: "[" * n + "]" * n),
            st.sampled_from(
                ("nan", "-inf", "1e400", "9" * 5_000, "true", "[]", "{}", "1979-05-27", "00:00", "{a = {}}", "[[1]]")
            ),
            st.integers().map(str),
            st.floats(allow_nan=False, allow_infinity=False).map(str),
        )
    )  # fmt: skip
    lines[place] = f"{lines[place].partition('=')[0]}= {value}"
    return "\n".join(lines)


def tomls(text: str) -> st.SearchStrategy[str]:
    """TOML texts, most of them near ``text``."""
    deep = DEPTHS.map(lambda n: f"{text}\nx = " + "[" * n + "]" * n)
    dotted = DEPTHS.map(lambda n: f"{text}\n[" + ".".join("a" * min(n, 5_000)) + "]")
    inline = DEPTHS.map(lambda n: f"{text}\nx = " + "{a=" * n + "1" + "}" * n)
    return st.one_of(edited(text), with_value(text), TEXTS, deep, dotted, inline)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """The bytes of a table: rows of texts and numbers, sometimes quoted, damaged, packed, or no table at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    names = draw(st.lists(st.one_of(TEXTS, st.sampled_from(("age", "label", "id"))), min_size=1, max_size=4))
    cells = st.one_of(TEXTS, NUMBERS.map(str), st.sampled_from(("yes", "no", "1", "2", "")))
    width = len(names)
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=8))
    quoted = draw(st.booleans())
    lines = [
        ",".join('"' + cell.replace('"', '""') + '"' if quoted else cell for cell in row) for row in (names, *rows)
    ]  # fmt: skip
    content = "\n".join(lines).encode(draw(st.sampled_from(("utf-8", "utf-16"))), "surrogatepass")
    if draw(st.integers(0, 4)) == 0:
        content = content[: draw(st.integers(0, len(content)))]
    if draw(st.integers(0, 6)) == 0:
        packed = gzip.compress(content)
        content = packed[: draw(st.integers(10, len(packed)))]
    return content


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """A `model.tar.gz` whose members have names, kinds and contents of a stranger's; sometimes damaged."""
    buffer = io.BytesIO()
    kinds = (
        tarfile.REGTYPE,
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.DIRTYPE,
        tarfile.FIFOTYPE,
        tarfile.CHRTYPE,
    )
    names = st.one_of(
        TEXTS.map(lambda name: name.replace("\x00", "").encode("utf-8", "replace").decode()),
        st.just("model.json"),
    )
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for _ in range(draw(st.integers(0, 3))):
            member = tarfile.TarInfo(draw(names))
            member.type = draw(st.sampled_from((*kinds, tarfile.REGTYPE, tarfile.REGTYPE)))
            member.linkname = draw(names)
            content = draw(JSON_TEXTS).encode("utf-8", "surrogatepass") if member.isreg() else b""
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    packed = bytearray(buffer.getvalue())
    if draw(st.integers(0, 2)) == 0:
        place = draw(st.integers(0, len(packed) - 1))
        packed[place] ^= draw(st.integers(1, 255))
    return bytes(packed[: draw(st.sampled_from((len(packed), len(packed) // 2)))])
