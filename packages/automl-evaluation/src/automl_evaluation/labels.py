"""Classes: the labels of a problem, in which order they stand, and in which spelling they are shown.

Which spellings mean the same class `values` says; a model may answer in another spelling than the data's.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from automl_evaluation.values import Key, key, kind


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
                self._codes[key(label, self._kind)] = len(self.labels)
                self.labels.append(label)

    def __len__(self) -> int:
        """The number of classes."""
        return len(self.labels)

    def code(self, label: str) -> int:
        """The class's place in `labels`. Raises `KeyError` for a label of no class."""
        return self._codes[key(label, self._kind)]

    def recode(self, codes: np.ndarray, labels: Sequence[str]) -> np.ndarray:
        """``codes`` that count in ``labels``, as codes of these classes in the smallest type."""
        table = np.array([self.code(label) for label in labels], dtype=code_type(len(self)))
        return table[codes]


def code_type(classes: int) -> type[np.unsignedinteger]:
    """The smallest unsigned integer type that numbers so many classes."""
    return np.uint8 if classes <= 1 << 8 else np.uint16 if classes <= 1 << 16 else np.uint32
