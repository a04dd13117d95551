"""The bytes of a string column, all at once: most columns are settled by a look at these."""

import numpy as np
import pyarrow as pa


def ends(column: pa.Array) -> np.ndarray:
    """Where each text ends, behind where the first one begins: (texts + 1,)."""
    offsets = column.buffers()[1]
    bounds = np.frombuffer(offsets, np.int64 if pa.types.is_large_string(column.type) else np.int32)
    return bounds[column.offset : column.offset + len(column) + 1]


def text_bytes(column: pa.Array) -> np.ndarray:
    """The bytes of all texts, one after the other, without a copy: uint8."""
    if not len(column):
        return np.zeros(0, np.uint8)
    values, bounds = column.buffers()[2], ends(column)
    first, last = int(bounds[0]), int(bounds[-1])
    return np.frombuffer(values, np.uint8)[first:last] if last > first else np.zeros(0, np.uint8)


def least_byte(column: pa.Array) -> int:
    """The least of all texts' bytes; 255 where there is none."""
    return int(text_bytes(column).min(initial=255))


def has_any(column: pa.Array, characters: str) -> bool:
    """Whether a text has one of these ASCII characters; a regular expression takes fifty times as long."""
    content = text_bytes(column)
    least = least_byte(column)  # control characters are hardly ever there, and are below all others
    return any(ord(one) >= least and bool((content == ord(one)).any()) for one in characters)


def are_of_digits(column: pa.Array) -> bool:
    """Whether every text has a digit, and digits alone."""
    content = text_bytes(column)
    digits = len(content) and content.min() >= ord("0") and content.max() <= ord("9")
    return bool(digits) and bool((np.diff(ends(column)) > 0).all())


class Growing:
    """Numbers of one kind that are added to, in one array: parts put together in the end would be there twice."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._room, self._size = np.empty(2**16, kind), 0

    def __len__(self) -> int:
        return self._size

    def add(self, numbers: np.ndarray) -> None:
        """Append them."""
        start, self._size = self._size, self._size + len(numbers)
        if self._size > len(self._room):
            room = np.empty(2 * self._size, self._room.dtype)  # what is not written takes no memory
            room[:start] = self._room[:start]
            self._room = room
        self._room[start : self._size] = numbers

    @property
    def values(self) -> np.ndarray:
        """All of them, shape (numbers,)."""
        return self._room[: self._size]
