from __future__ import annotations

import itertools

# One count for all tests of a process, because they share one local AWS. Two counts meet at the same name as
# soon as two folders of tests call something alike, and only in some orders of the tests.
_numbers = itertools.count(1)


def unique(stem: str) -> str:
    """``stem`` and a number that no other test of this process has; no such name is the beginning of another."""
    return f"{stem}-{next(_numbers):05d}"
