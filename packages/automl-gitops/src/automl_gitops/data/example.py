"""`dataset example`: rows that fit automl.toml.

The hospital readmission data where its target is predicted, real if it can be had, synthetic if not; for any other
target rows that are made up.
"""

import math
import socket
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from automl_gitops.data import hospital, synthetic
from automl_gitops.data.made_up import made_up, problem_type
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output

OPENML_ID = 4541  # "Diabetes130US" on https://www.openml.org: UCI's data set
_CONNECT_SECONDS = 10
_DOWNLOAD_SECONDS = 60
_PATIENCE_SECONDS = 5
_MADE_UP_ROWS = 5_000  # enough for every part of the evaluation, few enough to train in a minute
_LEAST_TO_TRAIN_ON = 500 * 1.1  # what Autopilot wants, and a little more


@dataclass(frozen=True)
class Example:
    """The file that was written, where its rows come from, and whether they are made up."""

    path: Path
    source: str
    synthetic: bool
    rows: int


def example(
    folder: Path, given: Path | None, rows: int | None, output: Output, config: Config | None = None
) -> Example:
    """Write the CSV file of the example that fits ``config`` into ``folder``; without ``config`` the hospital's.

    The hospital's comes from UCI's file where that is ``given``, else it is downloaded, else made up. ``rows`` are
    at most 50,000 of the hospital's unless given, and of others as many as the split needs, 5,000 or more.
    A given file that is not UCI's is a `UserError`; a download that does not work is no error.
    """
    if given is None and config is not None and not is_hospital(config):
        return _made_up(folder, rows, output, config)
    return _hospital(folder, given, rows or hospital.ROWS, output)


def is_hospital(config: Config) -> bool:
    """Whether the hospital readmission data is what ``config`` predicts from, its slices included."""
    features = [name for name in hospital.COLUMNS if name != hospital.TARGET]
    return (
        config.dataset.target == hospital.TARGET
        and config.autopilot.problem_type in ("MulticlassClassification", "infer")
        and not config.evaluation.unknown_slices(features)
    )


def _made_up(folder: Path, rows: int | None, output: Output, config: Config) -> Example:
    target, kind = config.dataset.target, problem_type(config)
    least = math.ceil(_LEAST_TO_TRAIN_ON / (1 - config.dataset.holdout))
    frame = made_up(config, rows or max(_MADE_UP_ROWS, least), hospital.SEED)
    output.notice(
        f'there is no data set yet: the example is SYNTHETIC, made up for the target "{target}" and {kind}; '
        "it says nothing about your subject"
    )
    path = folder / "synthetic-example.csv"
    return Example(path, "synthetic", True, hospital.save(frame, path, len(frame)))


def _hospital(folder: Path, given: Path | None, rows: int, output: Output) -> Example:
    real = folder / "hospital-readmission.csv"
    if given is not None:
        if not hospital.is_source(Table.open(given).columns):
            output.notice(f"{given}: lacks columns of UCI's file")
        return Example(real, str(given), False, hospital.prepare(given, real, rows))
    output.say("Downloading the hospital readmission data from OpenML ...")
    try:
        frame = _download(output)
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        output.notice(
            f"no download ({reason}): the example is SYNTHETIC "
            "data of the same columns and class shares; for the real one give UCI's file with --from PATH"
        )
        stand_in = folder / "synthetic-hospital-readmission.csv"
        written = hospital.save(synthetic.hospital(rows, hospital.SEED), stand_in, rows)
        return Example(stand_in, "synthetic", True, written)
    return Example(real, f"OpenML {OPENML_ID}", False, hospital.save(frame, real, rows))


def _download(output: Output) -> pd.DataFrame:
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
        started = time.monotonic()
        while thread.is_alive() and (left := started + _DOWNLOAD_SECONDS - time.monotonic()) > 0:
            thread.join(min(left, _PATIENCE_SECONDS))
            if thread.is_alive():
                output.say(
                    f"  {time.monotonic() - started:.0f} s; without an answer it is given up at {_DOWNLOAD_SECONDS} s"
                )
    finally:
        socket.setdefaulttimeout(before)
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError(f"no answer within {_DOWNLOAD_SECONDS} s")
    return hospital.transform(found[0], f"OpenML {OPENML_ID}")


def _fetch() -> pd.DataFrame:
    from sklearn.datasets import fetch_openml

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each attempt warns; what is wrong is said once, in a sentence
        frame = fetch_openml(data_id=OPENML_ID, as_frame=True, n_retries=1, delay=1.0).frame
    # OpenML's categories keep the quotes that ARFF puts around values such as '[70-80)'.
    return frame.astype(str).apply(lambda column: column.str.strip("'\""))
