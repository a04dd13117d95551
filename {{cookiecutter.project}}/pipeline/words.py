"""Words of messages: counts with the right ending, and what somebody may have meant."""

import difflib
from collections.abc import Iterable


def counted(number: int, one: str, several: str = "") -> str:
    """`1 row`, `2,000 rows`; ``several`` is the plural where that is not ``one`` with an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that looks most like ``word``, or `None` if none is near."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(str(word).lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None
