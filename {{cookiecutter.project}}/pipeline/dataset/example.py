"""`dataset example`: the hospital readmission data, real if it can be had, synthetic if not."""

import socket
import threading
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.console import Output
from pipeline.dataset import hospital, synthetic
from pipeline.dataset.table import Table

OPENML_ID = 4541  # "Diabetes130US" on https://www.openml.org: UCI's data set
_CONNECT_SECONDS = 10
_DOWNLOAD_SECONDS = 60


@dataclass(frozen=True)
class Example:
    """The file that was written, where its rows come from, and whether they are made up."""

    path: Path
    source: str
    synthetic: bool
    rows: int


def example(folder: Path, given: Path | None, rows: int, output: Output) -> Example:
    """Write the example's CSV file into ``folder``: from UCI's file where that is given, else downloaded,
    else made up.

    A given file that is not UCI's is a `UserError`; a download that does not work is no error.
    """
    real = folder / "hospital-readmission.csv"
    if given is not None:
        if not hospital.is_source(Table.open(given).columns):
            output.notice(f"{given}: lacks columns of UCI's file")
        return Example(real, str(given), False, hospital.prepare(given, real, rows))
    output.say("Downloading the hospital readmission data from OpenML ...")
    try:
        frame = _download()
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        output.notice(
            f"no download ({reason}): the example is SYNTHETIC "
            "data of the same columns and class shares; for the real one give UCI's file with --from PATH"
        )
        made_up = folder / "synthetic-hospital-readmission.csv"
        written = hospital.save(synthetic.hospital(rows, hospital.SEED), made_up, rows)
        return Example(made_up, "synthetic", True, written)
    return Example(real, f"OpenML {OPENML_ID}", False, hospital.save(frame, real, rows))


def _download() -> pd.DataFrame:
    """The example's columns from OpenML, within a minute; scikit-learn keeps what it has downloaded."""
    found: list[pd.DataFrame] = []
    failed: list[BaseException] = []

    def fetch() -> None:
        try:
            found.append(_fetch())
        except BaseException as error:
            failed.append(error)

    # In a thread of its own, because scikit-learn takes no deadline and a slow server answers for ever.
    thread = threading.Thread(target=fetch, daemon=True)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_CONNECT_SECONDS)
    try:
        thread.start()
        thread.join(_DOWNLOAD_SECONDS)
    finally:
        socket.setdefaulttimeout(before)
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError(f"no answer within {_DOWNLOAD_SECONDS} s")
    return hospital.transform(found[0], f"OpenML {OPENML_ID}")


def _fetch() -> pd.DataFrame:
    from sklearn.datasets import fetch_openml

    frame = fetch_openml(data_id=OPENML_ID, as_frame=True, n_retries=1, delay=1.0).frame
    # OpenML's categories keep the quotes that ARFF puts around values such as '[70-80)'.
    return frame.astype(str).apply(lambda column: column.str.strip("'\""))
