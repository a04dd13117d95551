"""The holdout's files, checked before a transform is paid for."""

from collections.abc import Sequence

from errors import EvaluationError
from reading import Part

BLOCK_BYTES = 1 << 24


def check_lines(inputs: Sequence[Part], counts: Sequence[int]) -> None:
    """Raise `EvaluationError` unless each part of the inputs has a line for every label; ``counts`` are by
    part.

    Batch transform takes each line for a row, quoted or not.
    """
    if len(inputs) != len(counts):
        raise EvaluationError(f"x_test has {len(inputs)} parts, y_test has {len(counts)}")
    for part, rows in zip(inputs, counts, strict=True):
        lines = _lines(part)
        if lines != rows:
            raise EvaluationError(
                f"{part.name}: {lines} lines of inputs for {rows} labels; batch transform takes each line "
                "for a row, so that no value may hold a line break"
            )


def _lines(part: Part) -> int:
    lines, last = 0, b"\n"
    with part.path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")
