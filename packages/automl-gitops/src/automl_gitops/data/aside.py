"""Work on the batches of a table beside what else is done with them, on another core."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow as pa

from automl_gitops.data.profile import Watch
from automl_gitops.data.statistics import Encoded


@contextmanager
def aside(watches: Sequence[Watch]) -> Iterator[Watch]:
    """A function that hands a batch to all ``watches``, which see the batches in their order, one behind at most.

    Arrow and NumPy let go of the interpreter, so that this is a gain. What a watch raises is raised at the next batch,
    or at the end.
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
