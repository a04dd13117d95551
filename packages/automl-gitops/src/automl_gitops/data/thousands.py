"""Points between thousands, which a trainer reads as decimal ones: 1.412 beside 426."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl_evaluation import values as reading

_FORM = r"^[ \t]*[+-]?(0|[1-9][0-9]{0,2}(\.[0-9]{3})?)[ \t]*$"
_FIRST = 10  # values that are looked at first, since most columns are settled by these
_LEAST_WHOLE = 10  # different numbers of three digits without a point: more than codes for "no value"
_LEAST_SHARE = 0.02  # of the rows without a point: fewer may be slips
_LEAST_SMALL = 0.1  # of the numbers with a point, those below 10
_LEAST_ENDINGS = 20  # different digits behind a point
_LEAST_WITH_ZERO = 10  # of these, where some end in 0


class Thousands:
    """A column, batch after batch; ``rows`` have a point, ``example`` is the first row (from 1) and value of these,
    and ``whole`` the first value without.

    One value of another form settles that points are decimal: 1.5 and 0.125, but also 1412 and 12.0.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.example: tuple[int, str] = (0, "")
        self.whole = ""
        self._rows_whole = self._rows_small = 0
        self._may_be = True
        self._wholes, self._endings = np.zeros(1000, bool), np.zeros(1000, bool)

    def see(self, values: pa.Array, rows: np.ndarray | None, column: pa.Array, before: int) -> None:
        """Take in ``values`` of a ``column``, none missing, each in so many ``rows``; ``before`` rows came before."""
        self._may_be = self._may_be and all(
            pc.all(pc.match_substring_regex(part, _FORM)).as_py() is not False
            for part in (values[:_FIRST], values)
        )
        if not self._may_be or not len(values):
            return
        counts = np.ones(len(values), np.int64) if rows is None else rows
        has_point = pc.match_substring(values, ".")
        points = has_point.to_numpy(zero_copy_only=False)
        numbers = pc.utf8_trim(values, characters=reading.BLANKS).cast(pa.float64()).to_numpy()
        thousandths = np.rint(np.abs(numbers) * 1000).astype(np.int64)
        self._wholes[thousandths[~points] // 1000] = True
        self._endings[thousandths[points] % 1000] = True
        if points.any() and not self.rows:
            value = values[pc.index(has_point, True).as_py()].as_py()
            self.example = before + pc.index(column, value).as_py() + 1, value.strip()
        if not self.whole and not points.all():
            self.whole = values[pc.index(has_point, False).as_py()].as_py().strip()
        self.rows += int(counts[points].sum())
        self._rows_whole += int(counts[~points].sum())
        self._rows_small += int(counts[points & (thousandths < 10_000)].sum())

    def __bool__(self) -> bool:
        """Whether they are thousands by all that was seen.

        Whoever writes decimals with as many digits each gives whole numbers a point, and whoever drops zeros writes
        1.4 for 1.400, and one of ten fractions shorter. What is left are decimals and whole numbers of two sources:
        unlike quantities that pass 1,000, these hardly reach from 1 to 999 and never below 1.
        """
        endings = int(self._endings.sum())
        return (
            self._may_be
            and endings >= (_LEAST_WITH_ZERO if self._endings[::10].any() else _LEAST_ENDINGS)
            and int(self._wholes[100:].sum()) >= _LEAST_WHOLE
            and self._rows_whole >= _LEAST_SHARE * (self._rows_whole + self.rows)
            and self._rows_small >= _LEAST_SMALL * self.rows
        )

    @property
    def plain(self) -> str:
        """The example without its point."""
        return self.example[1].replace(".", "")
