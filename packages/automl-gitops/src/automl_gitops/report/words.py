"""Numbers with as many digits as they deserve, and other words of the report."""

import math
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol

from automl_gitops.kernel.words import visible
from automl_gitops.report.blocks import Cell

_SIGNIFICANT = 4
_MOST_DECIMALS = 8  # what needs more is written in powers of 10
_NOTHING = 1e-12  # what is left of a subtraction of equal numbers
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


def shown(value: Any) -> Any:
    """A document with its texts as `visible` writes them, those of its parts and the keys of its mappings too."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list | tuple):
        return type(value)(map(shown, value))
    if isinstance(value, dict):
        return {shown(key): shown(inner) for key, inner in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{one.name: shown(getattr(value, one.name)) for one in fields(value) if one.init}
        )
    return value


def decimals(value: float, low: float | None = None, high: float | None = None, digits: int = 2) -> int:
    """Decimals worth showing: so many digits of the interval's width or, without one, four digits of the value.

    Three at least of what lies between -1 and 1, so that scores line up.
    """
    least = 3 if max(abs(end) for end in (value, low or 0.0, high or 0.0)) <= 1 else 0
    if low is not None and high is not None and high > low:
        wanted = digits - 1 - math.floor(math.log10(high - low))
    elif abs(value) >= _NOTHING:
        wanted = _SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))
        wanted = least if 0.1 <= abs(value) <= 1 else wanted
    else:
        wanted = least
    return max(wanted, least)


class Ends(Protocol):
    """What has the ends of an interval, `None` where it has none."""

    @property
    def low(self) -> float | None:
        """The lower end."""

    @property
    def high(self) -> float | None:
        """The upper end."""


def ends(interval: Ends | None) -> dict[str, float]:
    """The ends of an interval for a chart; nothing where there is none."""
    if interval is None or interval.low is None or interval.high is None:
        return {}
    return {"low": interval.low, "high": interval.high}


def places(figures: Iterable[tuple[float | None, Ends | None]]) -> int:
    """Decimals for values that stand together, each with its interval, if any.

    What half of the intervals ask for; without any, what the value of the greatest size asks for.
    """
    known = [(value, *_ends(interval)) for value, interval in figures if value is not None]
    wide = sorted(
        decimals(value, low, high)
        for value, low, high in known
        if low is not None and high is not None and high > low
    )
    if wide:
        return wide[(len(wide) - 1) // 2]
    return decimals(max((value for value, *_ in known), key=abs, default=0.0))


def quoted(label: str) -> str:
    """A label in a sentence, where a number alone could be read as a figure."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{label}\N{RIGHT DOUBLE QUOTATION MARK}"


def number(value: float | None, places: int | None = None, *, signed: bool = False) -> str:
    """A number with a real minus sign and commas between thousands; very great and small ones in powers of 10."""
    if value is None:
        return ""
    if isinstance(value, float) and abs(value) < _NOTHING:
        value = 0.0
    shown = decimals(value) if places is None else places
    if value and not round(value, shown):
        shown = -math.floor(math.log10(abs(value)))  # a side of 0 is not rounded away
    if isinstance(value, int) and places is None:
        text = f"{value:,}"
    elif value and (shown > _MOST_DECIMALS or abs(value) >= 1e12):
        text = f"{value:.3e}"
    else:
        text = (
            f"{value:,.{min(shown, _MOST_DECIMALS)}f}"
            if value
            else f"{0:.{shown if shown <= _MOST_DECIMALS else 0}f}"
        )
    if signed and value > 0:
        text = f"+{text}"
    return text.replace("-", MINUS)


def percent(share: float) -> str:
    """A share as per cent."""
    return f"{100 * share:.1f}%"


def between(low: float | None, high: float | None, places: int, *, signed: bool = False) -> str:
    """An interval; empty where there is none."""
    if low is None or high is None:
        return ""
    ends = number(low, places, signed=signed), number(high, places, signed=signed)
    return f"{ends[0]} to {ends[1]}" if MINUS in ends[0] or signed else f"{ends[0]}{DASH}{ends[1]}"


def confidence(share: float) -> str:
    """A confidence as per cent, such as `95%` or `99.5%`."""
    return f"{100 * share:.6g}%"


def estimate(
    value: float | None,
    interval: Ends | None = None,
    places: int | None = None,
    *,
    signed: bool = False,
) -> Cell:
    """A value with its interval below it; ``places`` are the decimals of what stands beside it."""
    if value is None:
        return Cell("", numeric=True)
    low, high = _ends(interval)
    shown = decimals(value, low, high) if places is None else places
    return Cell(
        number(float(value), shown, signed=signed), between(low, high, shown, signed=signed), numeric=True
    )


def _ends(interval: Ends | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval is not None else (None, None)


def count(value: int) -> Cell:
    """A number of rows."""
    return Cell(number(value), numeric=True)


def opening(sentence: str) -> str:
    """With a capital."""
    return sentence[:1].upper() + sentence[1:]


def seconds(value: float | None) -> str:
    """A duration."""
    if value is None:
        return ""
    if value < 120:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
