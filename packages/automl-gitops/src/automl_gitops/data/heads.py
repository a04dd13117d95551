"""The first rows of objects that are too large to be read: their columns, and the types of these as far as seen."""

import codecs
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError
from rich.progress import track

from automl_evaluation.values import UNKNOWN
from automl_gitops.data.contract import Contract
from automl_gitops.data.contract.check import Checker
from automl_gitops.data.csv_rows import has_unknown
from automl_gitops.data.formats import format_of
from automl_gitops.data.listing import Listing, S3Object, refusal
from automl_gitops.data.profile import check_number, profile, widest
from automl_gitops.data.statistics import Encoded
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError

LEAST_HEAD, MOST_HEAD = 64 * 2**10, 8 * 2**20  # bytes of one object
SAMPLE = 64 * 2**20  # bytes of all heads together, unless the least of each is more
_THREADS = 8


class Heads:
    """The heads of all objects of a listing, which have to be CSV with one and the same header.

    ``columns`` are the header's, ``types`` the narrowest of each column in the rows that were read, and ``labels`` are
    what the target has in these; ``is_whole``: there are no others.
    """

    def __init__(self, s3: Any, listing: Listing, config: Config, contract: Contract, output: Output) -> None:
        self._s3, self._listing, self._config, self._contract = s3, listing, config, contract
        self.labels: set[str] = set()
        self.is_whole = True
        self._marked: list[int] = []  # the objects that begin with a byte order mark
        self._unknown: dict[str, int] = {}  # columns with a question mark, and an object that has it
        self._size = min(max(SAMPLE // len(listing.items), LEAST_HEAD), MOST_HEAD)
        pool = ThreadPoolExecutor(_THREADS)
        with tempfile.TemporaryDirectory(prefix="heads-") as folder:
            self._folder = Path(folder)
            try:
                found = list(
                    track(
                        pool.map(self._types, range(len(listing.items))),
                        description="first rows",
                        total=len(listing.items),
                        console=output.console,
                        transient=True,
                        disable=not output.live,
                    )
                )
            finally:
                pool.shutdown(cancel_futures=True)  # after an error nobody waits for thousands of objects
        marked = sorted(self._marked)
        if marked:
            output.notice(
                f"{self._uri(listing.items[marked[0]])}: begins with a byte order mark"
                + (f" (one of {len(marked):,} objects that do)" if len(marked) > 1 else "")
                + ": a reader that does not know it takes it into the first column's name; write the data without it"
            )
        if self._unknown:
            output.notice(
                f"{self._uri(listing.items[min(self._unknown.values())])}: has {UNKNOWN} in "
                f"{', '.join(sorted(self._unknown))}: Autopilot reads it as a text, and numbers with it as texts, "
                "while the holdout has an empty value for it; leave empty what is missing"
            )
        self.columns = list(found[0])
        for item, types in zip(listing.items, found, strict=True):
            check_header(self._uri(item), list(types), self._uri(listing.items[0]), self.columns)
        self.types = widest(found)

    def _types(self, number: int) -> dict[str, str]:
        """Columns of an object and their types."""
        item = self._listing.items[number]
        uri, path = self._uri(item), self._folder / f"{number}.csv"
        head = self._read(item, uri)
        path.write_bytes(head)
        if head.startswith(codecs.BOM_UTF8):
            self._marked.append(number)
        kind = format_of(path, uri)
        if kind != "csv":
            raise UserError(
                f"{uri}: is {'gzipped' if kind == 'csv.gz' else 'Parquet'}: by reference only plain CSV with a "
                "header is offered; write it as CSV, or push it with `automl data push FILE`"
            )
        if len(head) < item.size:
            lines = whole_lines(head)
            if not lines:
                raise UserError(f"{uri}: no line ends in its first {len(head):,} bytes: is it CSV?")
            path.write_bytes(lines)
            self.is_whole = False
        table = Table.open(path, uri)
        # What splits the rows may be the holdout's alone.
        unused = self._config.dataset.only_split
        checker = Checker(self._contract, table.columns, uri, scope="rows", without=unused)

        def watch(batch: pa.RecordBatch, encoded: Encoded) -> None:
            for name in table.columns:
                if name not in self._config.dataset.exclude and has_unknown(batch.column(name)):
                    self._unknown[name] = number
            checker.see(batch, encoded)

        seen = profile(table, self._config.dataset.target, watch)
        checker.require()
        self.labels.update(seen.target.classes or ())
        self.is_whole &= seen.target.classes is not None
        check_number(self._config, table, seen)
        seen.refuse_cells(self._config, uri)
        path.unlink()
        return seen.types

    def _read(self, item: S3Object, uri: str) -> bytes:
        """The first bytes of an object."""
        if not item.size:
            raise UserError(f"{uri}: is empty, and Autopilot would read it as data: remove it")
        try:
            answer = self._s3.get_object(
                Bucket=self._listing.bucket,
                Key=item.key,
                Range=f"bytes=0-{self._size - 1}",
                IfMatch=item.etag,
            )
        except ClientError as error:
            raise refusal(error, uri) from None
        return answer["Body"].read()

    def _uri(self, item: S3Object) -> str:
        return f"s3://{self._listing.bucket}/{item.key}"


def check_header(uri: str, columns: list[str], other_uri: str, other: list[str]) -> None:
    """Raise `UserError` where two objects do not have the same columns in the same order."""
    if columns == other:
        return
    difference = sorted({*columns} ^ {*other})
    what = f'differ in "{difference[0]}"' if difference else "are in another order"
    raise UserError(f"{uri}: its columns and those of {other_uri} {what}: all need the same header")


def whole_lines(head: bytes) -> bytes:
    """``head`` up to its last line end that is not within quotes; nothing where there is none."""
    end, quotes = len(head), head.count(b'"')
    while True:
        cut = head.rfind(b"\n", 0, end)
        if cut < 0:
            return b""
        quotes -= head.count(b'"', cut, end)
        if quotes % 2 == 0:
            return head[: cut + 1]
        end = cut
