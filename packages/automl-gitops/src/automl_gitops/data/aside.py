"""Work on the batches of a table beside what else is done with them, on another core.

Arrow and NumPy let go of the interpreter, so that this is a gain.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

import pyarrow as pa

from automl_gitops.data.statistics import Encoded, Watch

T = TypeVar("T")  # of batches


def ahead(batches: Iterator[T]) -> Iterator[T]:
    """The batches, of which the next one is read meanwhile; ``batches`` are a generator, which is closed."""
    with closing(batches), ThreadPoolExecutor(1, "reading") as pool:  # type: ignore[type-var]
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


@contextmanager
def aside(watches: Sequence[Watch]) -> Iterator[Watch]:
    """A function that hands a batch to all ``watches``, which see the batches in their order, one behind at most.

    What a watch raises is raised at the next batch, or at the end.
    """
    pool = ThreadPoolExecutor(1, "batches")
    last: list[Future[None]] = []

    def work(batch: pa.RecordBatch, encoded: Encoded) -> None:
        for watch in watches:
            watch(batch, encoded)

    def hand_over(batch: pa.RecordBatch, encoded: Encoded) -> None:
        if last:
            last.pop().result()
        last.append(pool.submit(work, batch, encoded))

    try:
        yield hand_over
        if last:
            last.pop().result()
    finally:
        pool.shutdown()
