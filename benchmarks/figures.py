"""A measured figure beside its bound, and the file that holds them all."""

import json
import operator
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class NotMeasuredError(Exception):
    """What a subject's figures need is not there; the text says what."""


@dataclass(frozen=True)
class Figure:
    """One measurement. ``bound`` is a comparison such as `< 20`, in the unit of ``value``."""

    name: str
    value: float
    unit: str
    bound: str
    holds: bool

    @classmethod
    def of(cls, name: str, value: float, unit: str, bound: str) -> "Figure":
        """Compare a value with its bound."""
        sign, limit = bound.split()
        return cls(name, round(value, 4), unit, bound, _COMPARE[sign](value, float(limit)))

    def __str__(self) -> str:
        value = f"{self.value:,.4g} {self.unit}".strip()
        return f"{'ok  ' if self.holds else 'FAIL'} {self.name}: {value} (bound {self.bound})"


def write(path: Path, figures: Iterable[Figure]) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8")
