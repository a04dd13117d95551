"""Differences between two documents of JSON's types, each at its path."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """A value that is another one, new (``before`` is `None`), or gone (``after`` is `None`)."""

    path: str
    before: Any
    after: Any

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"path": self.path, "before": self.before, "after": self.after}


def changes(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """The differences, in the order of ``before`` and then of what is new; paths look like `a.b[0].c`."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            inner = f"{path}.{key}" if path else str(key)
            yield from changes(before.get(key), after.get(key), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changes(one, other, f"{path}[{index}]")
    else:
        yield Change(path, before, after)
