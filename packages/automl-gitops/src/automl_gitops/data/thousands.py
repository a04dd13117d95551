"""Points between thousands, which a trainer reads as decimal ones: 1.412 beside 426."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_evaluation import values as reading

_FORM = r"^[ \t]*[+-]?(0|[1-9][0-9]{0,2}(\.[0-9]{3})?)[ \t]*$"


class Thousands:
    """A column, batch after batch; ``rows`` have a point, ``row`` (from 1) is the first and ``value`` what it has, and
    ``whole`` the first value without.
    """

    def __init__(self) -> None:
        self.rows = self.row = self._whole_rows = self._small_rows = 0
        self.value = self.whole = ""
        self._may_be = True
        self._wholes, self._endings = np.zeros((2, 1000), bool)

    def see(self, values: pa.Array, rows: np.ndarray | None, column: pa.Array, before: int) -> None:
        """Take in ``values`` of a ``column``, none missing, each in so many ``rows``; ``before`` rows came before."""
        self._may_be = self._may_be and all(
            pc.all(pc.match_substring_regex(part, _FORM)).as_py() is not False
            for part in (values[:10], values)
        )
        if not self._may_be:
            return
        texts = pc.utf8_trim(values, characters=reading.BLANKS)
        points = pc.match_substring(texts, ".").to_numpy(zero_copy_only=False)
        numbers = np.rint(np.abs(texts.cast(pa.float64()).to_numpy()) * 1000).astype(np.int64)
        self._wholes[numbers[~points] // 1000] = True
        self._endings[numbers[points] % 1000] = True
        if points.any() and not self.rows:
            first = int(points.argmax())
            self.row, self.value = before + pc.index(column, values[first]).as_py() + 1, texts[first].as_py()
        if not points.all() and not self.whole:
            self.whole = texts[int(points.argmin())].as_py()
        counts = np.ones(len(values), np.int64) if rows is None else rows
        self.rows += int(counts[points].sum())
        self._whole_rows += int(counts[~points].sum())
        self._small_rows += int(counts[points & (numbers < 10_000)].sum())

    def __bool__(self) -> bool:
        """Whether they are thousands by all that was seen.

        Who writes decimals with as many digits each gives whole numbers a point, and who drops zeros writes 1.4, and
        one of ten fractions shorter. What is left are decimals beside whole numbers of another source, or codes; these
        hardly reach from 1 to 999 and never below 1, as do quantities that pass 1,000.
        """
        endings = int(self._endings.sum())
        return (
            self._may_be
            and endings >= (10 if self._endings[::10].any() else 20)
            and int(self._wholes[100:].sum()) >= 10
            and self._whole_rows >= 0.02 * (self._whole_rows + self.rows)
            and self._small_rows >= 0.1 * self.rows
        )

    def said(self, target: str) -> str:
        """What is wrong with a target, and the way out."""
        return (
            f'row {self.row} has "{self.value}" in the target column "{target}" and others "{self.whole}": points '
            f"between thousands, it seems, which a trainer reads as decimal: write {self.value.replace('.', '')}, and "
            f"all others so; where they are decimal, write {self.whole}.000"
        )
