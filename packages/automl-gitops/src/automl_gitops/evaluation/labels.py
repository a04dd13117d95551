"""Class labels as text: which spellings mean the same class, and in which order classes stand.

Training reads its CSV with type inference, so that `1`, `1.0` and `01` in a column of numbers are one class,
as are `True` and `true` in a column of booleans; a model may answer in another spelling than the data's. In
every other column a label is the text as it stands.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_BOOLEANS = {"false": False, "true": True}

Key = Decimal | bool | str


def kind(labels: Iterable[str]) -> str:
    """`number`, `boolean` or `text`: what a reader with type inference would take these labels for."""
    found = list(labels)
    if found and all(label.strip().lower() in _BOOLEANS for label in found):
        return "boolean"
    if found and all(_NUMBER.fullmatch(label.strip()) for label in found):
        return "number"
    return "text"


def key(label: str, of_kind: str) -> Key:
    """What two spellings of one class have in common (`Decimal`, so that large whole numbers stay apart)."""
    if of_kind == "boolean":
        return _BOOLEANS[label.strip().lower()]
    if of_kind == "number":
        return Decimal(label.strip()) + 0  # `-0` is 0
    return label


class Classes:
    """The classes of a problem, sorted: numbers by value, false before true, text by code point.

    ``spellings`` are groups of labels, the group whose spelling is to be shown first.
    """

    def __init__(self, *spellings: Sequence[str]) -> None:
        """Of all labels of the groups."""
        self._kind = kind(label for group in spellings for label in group)
        shown: dict[Key, str] = {}
        for group in spellings:
            for label in group:
                shown.setdefault(key(label, self._kind), label)
        ordered = sorted(shown)
        self.labels = [shown[item] for item in ordered]
        self._codes = {item: code for code, item in enumerate(ordered)}

    def add(self, labels: Iterable[str]) -> None:
        """Append the classes of labels that are of none so far; the codes of the others stay."""
        for label in labels:
            try:
                self.code(label)
            except KeyError:
                self._codes[self._key(label)] = len(self.labels)
                self.labels.append(label)

    def __len__(self) -> int:
        """The number of classes."""
        return len(self.labels)

    def code(self, label: str) -> int:
        """The class's place in `labels`. Raises `KeyError` for a label of no class."""
        return self._codes[self._key(label)]

    def _key(self, label: str) -> Key:
        try:
            return key(label, self._kind)
        except (ArithmeticError, KeyError):  # no number among numbers, no boolean among booleans
            return label

    def recode(self, codes: np.ndarray, labels: Sequence[str]) -> np.ndarray:
        """``codes`` that count in ``labels``, as codes of these classes in the smallest type."""
        table = np.array([self.code(label) for label in labels], dtype=code_type(len(self)))
        recoded: np.ndarray = table[codes]
        return recoded


def code_type(classes: int) -> type[np.unsignedinteger]:
    """The smallest unsigned integer type that numbers so many classes."""
    return np.uint8 if classes <= 1 << 8 else np.uint16 if classes <= 1 << 16 else np.uint32
