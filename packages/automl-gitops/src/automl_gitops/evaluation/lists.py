"""Lists of numbers such as `[0.2, 0.8]`, a row each, as a model writes its probabilities."""

import numpy as np
import pyarrow as pa

from automl_gitops.evaluation.reading import offsets, plain

_OPENED, _CLOSED, _COMMA, _BLANK = b"[], "


def read_lists(column: pa.Array, width: int) -> np.ndarray | None:
    """The lists of a binary column (rows, width); None where one of them is no list of so many numbers."""
    found = _in_place(column, width)
    if found is not None:
        return found
    lists = [read_list(text) for text in column.to_pylist()]
    whole = all(numbers is not None and len(numbers) == width for numbers in lists)
    return np.array(lists, dtype=np.float64).reshape(-1, width) if whole else None


def read_list(text: bytes) -> list[float] | None:
    """The numbers of one list, blanks and quotes around them passed over; None where it is no such list."""
    text = text.strip()
    if not (text.startswith(b"[") and text.endswith(b"]")):
        return None
    try:
        return [float(item.strip(b' "')) for item in text[1:-1].split(b",")]
    except ValueError:
        return None


def _in_place(column: pa.Array, width: int) -> np.ndarray | None:
    """`read_lists`, without a copy of the text; None also for blanks elsewhere than behind a comma.

    Arrow reads numbers where one begins as the one before it ends: here it is told that what stands between two of them
    is a missing value. No step holds the GIL.
    """
    bounds, text = offsets(column), column.buffers()[2]
    ends = bounds[1:] - 1
    if (ends <= bounds[:-1]).any():
        return None
    data = np.frombuffer(text, np.uint8)
    if (data.take(bounds[:-1]) != _OPENED).any() or (data.take(ends) != _CLOSED).any():
        return None
    commas = np.flatnonzero(data[bounds[0] : bounds[-1]] == _COMMA) + bounds[0]
    if len(commas) != len(column) * (width - 1):
        return None
    edges = np.empty((len(column), width, 2), np.int32)  # where each number begins and ends
    edges[:, 0, 0], edges[:, -1, 1] = bounds[:-1] + 1, ends
    edges[:, :-1, 1] = commas.reshape(len(column), width - 1)
    behind = commas + 1
    edges[:, 1:, 0] = (behind + (data.take(behind) == _BLANK)).reshape(len(column), width - 1)
    places = edges.ravel()
    if (places[1:] < places[:-1]).any():  # a comma of another row's
        return None
    parts = len(places) - 1
    every_second = np.full(parts // 8 + 1, 0b01010101, np.uint8)
    buffers = [pa.py_buffer(every_second), pa.py_buffer(places), text]
    try:
        numbers = pa.Array.from_buffers(pa.string(), parts, buffers).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return plain(numbers, np.float64)[::2].reshape(len(column), width)
