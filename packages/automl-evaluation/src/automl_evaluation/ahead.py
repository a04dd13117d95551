"""Work on several threads whose results come in order, so that sums are the same to the last bit on any machine.

It pays where the work is numpy's or pyarrow's, which let other threads run meanwhile.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

THREADS = min(os.cpu_count() or 1, 4)

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``work(item)`` of each item, in order; ``items`` are drawn in the caller's thread, no more than are worked on.

    What ``items`` or ``work`` raise is raised in its turn, after the results before it.
    """
    if THREADS < 2:
        yield from map(work, items)
        return
    rest, waiting = iter(items), deque[Future[Result]]()
    failure: Exception | None = None
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            while True:
                try:
                    waiting.append(pool.submit(work, next(rest)))
                except StopIteration:
                    break
                except Exception as error:
                    failure = error
                    break
                if len(waiting) > THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
    if failure:
        raise failure
