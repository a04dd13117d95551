"""Text in charts: how wide it is, and how a long label is set in lines.

Whoever reads a page has other fonts than the engine that lays its charts out. So each text says how wide it is (SVG's
`textLength`), and the browser fits whatever font it has to that width: nothing is cut, nothing overlaps, and the text
is still text.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

SIZE = 11  # CSS pixels
MOST_LINES = 3
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_JOINER = "\N{ZERO WIDTH JOINER}"
_PRINTABLE = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x180)]))
_ELEMENT = re.compile(r"<(text|tspan)\b([^>]*[^/>])?>([^<]+)</\1>")
# Without letters, or hidden since there was no room for it.
_UNSEEN = re.compile(r'<text\b(?:[^>]*/>|[^>]*></text>|[^>]* opacity="0"[^>]*>.*?</text>)')
_ENDS = re.compile(r"(?<=[\s_\-/,.;:|])")  # a line may end there

_known: dict[str, float] = {}


def width(text: str) -> float:
    """CSS pixels that a text takes at `SIZE`."""
    return sum(_advance(character, before) for before, character in pairwise(" " + text))


def _advance(character: str, before: str) -> float:
    """Of one character: nothing for one that is drawn over or into the one ``before``."""
    if before == _JOINER or (unicodedata.category(character) in ("Mn", "Me", "Cf", "Sk") and character > "~"):
        return 0.0
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return float(SIZE)  # a square, whether or not the engine has a font with it
    if character not in _known:
        _known.update(_measured({*_PRINTABLE, character} - {*_known}))
    return _known[character]


def _measured(characters: Iterable[str]) -> dict[str, float]:
    """The engine's advance widths. The engine trims blanks, hence the bars."""
    import vl_convert

    wanted = sorted(characters)
    texts = ["||", *(f"|{character}|" for character in wanted)]
    size = {"value": SIZE}
    drawn = vl_convert.vega_to_scenegraph(
        {
            "$schema": "https://vega.github.io/schema/vega/v6.json",
            "data": [{"name": "texts", "values": [{"text": text} for text in texts]}],
            "marks": [
                {
                    "type": "text",
                    "name": "set",
                    "from": {"data": "texts"},
                    "encode": {"enter": {"text": {"field": "text"}, "fontSize": size}},
                },
                {
                    "type": "rect",
                    "from": {"data": "set"},
                    "encode": {"update": {"width": {"signal": "datum.bounds.x2 - datum.bounds.x1"}}},
                },
            ],
        }
    )
    marks = drawn["scenegraph"]["items"][0]["items"]
    rectangles = next(mark["items"] for mark in marks if mark["marktype"] == "rect")
    bars, *widths = (rectangle["width"] for rectangle in rectangles)
    return {character: max(width - bars, 0.0) for character, width in zip(wanted, widths, strict=True)}


def fitted(svg: str) -> str:
    """An SVG whose every text has the width that the chart was laid out for."""

    def with_width(match: re.Match[str]) -> str:
        name, attributes, content = match.groups()
        wide = width(html.unescape(content))
        fit = f' textLength="{wide:.1f}" lengthAdjust="spacingAndGlyphs"' if wide else ""
        return f"<{name}{attributes or ''}{fit}>{content}</{name}>"

    return _ELEMENT.sub(with_width, _UNSEEN.sub("", svg))


@cache
def lines(text: str, limit: float, most: int = MOST_LINES) -> Sequence[str]:
    """A label in at most ``most`` lines of at most ``limit`` pixels each.

    What is longer loses its middle: names that go together differ at their ends.
    """
    text = " ".join(text.split())
    broken = _broken(text, limit)
    kept = len(text)
    while len(broken) > most:
        kept -= 1
        broken = _broken(f"{text[: (kept + 1) // 2]}{ELLIPSIS}{text[len(text) - kept // 2 :]}", limit)
    return broken


def _broken(text: str, limit: float) -> list[str]:
    """Lines filled one after the other; a word that is wider than a line is broken where the line ends."""
    filled = [""]
    for word in _ENDS.split(text):
        if width((filled[-1] + word).rstrip()) <= limit:
            filled[-1] += word
            continue
        filled.append("")
        for character in word:
            if width((filled[-1] + character).rstrip()) > limit:
                filled.append("")
            filled[-1] += character
    return [line.strip() for line in filled if line.strip()]
