"""`automl data example`: rows that fit automl.toml.

The hospital readmission data where its target is predicted, real if it can be had, synthetic if not; for any other
target rows that are made up. These show that the project works, and nothing about its subject: their files and
whatever is made from them are called synthetic.
"""

import math
import socket
import threading
import time
import warnings
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl_evaluation.metrics import BINARY, MULTICLASS, REGRESSION
from automl_gitops.data.profile import without
from automl_gitops.data.table import Table
from automl_gitops.data.uci import PATIENT, TARGET, is_source
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_rehearsal import hospital
from automl_rehearsal.made_up import Kind, in_order, shared_out
from automl_rehearsal.made_up import columns as rule_columns

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
    The hospital's have the patient's number where ``config`` splits by it.
    A given file that is not UCI's is a `UserError`; a download that does not work is no error.
    """
    if given is None and config is not None and not is_hospital(config):
        return _made_up(folder, rows, output, config)
    patients = config is None or hospital.splits_by_patient(config.dataset)
    return _hospital(folder, given, rows or hospital.ROWS, output, patients=patients)


def is_hospital(config: Config) -> bool:
    """Whether the hospital readmission data is what ``config`` predicts from, its slices included."""
    features = [name for name in hospital.COLUMNS if name != TARGET]
    return (
        config.dataset.target == TARGET
        and config.autopilot.problem_type in ("MulticlassClassification", "infer")
        and not config.evaluation.unknown_slices(features)
        and not without(config.dataset.rule_columns, [PATIENT, *features])
    )


def _made_up(folder: Path, rows: int | None, output: Output, config: Config) -> Example:
    target, kind = config.dataset.target, problem_type(config)
    least = math.ceil(_LEAST_TO_TRAIN_ON / config.training_share)
    frame = made_up(config, rows or max(_MADE_UP_ROWS, least), hospital.SEED)
    output.notice(
        f'there is no data set yet: the example is SYNTHETIC, made up for the target "{target}" and {kind}; '
        "it says nothing about your subject"
    )
    path = folder / "synthetic-example.csv"
    return Example(path, "synthetic", True, hospital.save(frame, path, len(frame)))


def _hospital(folder: Path, given: Path | None, rows: int, output: Output, *, patients: bool) -> Example:
    real = folder / "hospital-readmission.csv"
    if given is not None:
        if not is_source(Table.open(given).columns):
            output.notice(f"{given}: lacks columns of UCI's file")
        return Example(real, str(given), False, hospital.prepare(given, real, rows, patients=patients))
    output.say("Downloading the hospital readmission data from OpenML ...")
    try:
        frame = _download(output, patients=patients)
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        output.notice(
            f"no download ({reason}): the example is SYNTHETIC "
            "data of the same columns and class shares; for the real one give UCI's file with --from PATH"
        )
        stand_in = folder / "synthetic-hospital-readmission.csv"
        frame = hospital.synthetic(rows, hospital.SEED, patients=patients)
        written = hospital.save(frame, stand_in, rows)
        return Example(stand_in, "synthetic", True, written)
    return Example(real, f"OpenML {OPENML_ID}", False, hospital.save(frame, real, rows))


def _download(output: Output, *, patients: bool) -> pd.DataFrame:
    """The example's columns from OpenML, within a minute; scikit-learn keeps what it has downloaded."""
    frames: list[pd.DataFrame] = []
    failed: list[BaseException] = []

    def fetch() -> None:
        try:
            frames.append(_fetch())
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
    if not frames:
        raise TimeoutError(f"no answer within {_DOWNLOAD_SECONDS} s")
    return hospital.transform(frames[0], f"OpenML {OPENML_ID}", patients=patients)


def _fetch() -> pd.DataFrame:
    from sklearn.datasets import fetch_openml

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each attempt warns; what is wrong is said once, in a sentence
        frame = fetch_openml(data_id=OPENML_ID, as_frame=True, n_retries=1, delay=1.0).frame
    # OpenML's categories keep the quotes that ARFF puts around values such as '[70-80)'.
    return frame.astype(str).apply(lambda column: column.str.strip("'\""))


# Shares of the classes, by increasing score; the last of two is the positive one.
_CLASSES = {
    BINARY: {"no": 0.65, "yes": 0.35},
    MULTICLASS: {"low": 0.45, "medium": 0.35, "high": 0.2},
}
_REGIONS = ("east", "north", "south", "west")
_CHANNELS = ("phone", "shop", "web")
_PLANS = ("basic", "standard", "premium")
_COMMENTS = (("late", "rude", "broken"), ("fine", "as agreed", "on time"), ("friendly", "quick", "splendid"))
_GROUPS, _GROUP_SHARES = ("a", "b", "c"), (0.5, 0.3, 0.2)
_READY = ("region", "plan")  # columns that can be sliced as they are


def made_up(config: Config, rows: int, seed: int) -> pd.DataFrame:
    """``rows`` made-up rows: the target of ``config``, the columns that its slices and the rule of its split name, and
    a few usual ones.

    The usual ones are numbers, words, levels, dates and short texts, some with missing values. The target follows from
    them, with noise. The same ``config``, ``rows`` and ``seed`` give the same rows.
    """
    random = np.random.RandomState(seed)  # its stream is frozen (NEP 19)
    columns, score = _usual(random, rows)
    for entry in config.evaluation.slices:
        columns = _slice(columns, entry, config, random, rows)
    if config.dataset.rule:
        columns |= rule_columns(config.dataset, rows, Kind(), np.random.RandomState(seed + 1))
    columns.pop(config.dataset.target, None)
    columns[config.dataset.target] = _target(problem_type(config), score)
    return pd.DataFrame(columns)


def problem_type(config: Config) -> str:
    """The configured problem type; where Autopilot infers it, one that the gate can judge."""
    given = config.autopilot.problem_type
    if given in (*_CLASSES, REGRESSION):
        return given
    return REGRESSION if config.gate.minimum is None else BINARY


def _usual(random: np.random.RandomState, rows: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The columns of any table, by name, and the score (mean 0, deviation 1) that decides the target."""
    visits = random.poisson(3.0, rows)
    amount = np.exp(random.normal(4.0, 0.7, rows)).round(2)
    region = random.randint(len(_REGIONS), size=rows)
    channel = random.choice(len(_CHANNELS), rows, p=(0.2, 0.3, 0.5))
    plan = random.choice(len(_PLANS), rows, p=(0.5, 0.35, 0.15))
    days = random.randint(2000, size=rows)
    mood = random.choice(len(_COMMENTS), rows, p=(0.25, 0.5, 0.25))
    words = np.asarray(_COMMENTS)[mood, random.randint(3, size=rows)].astype(object)
    signal = (
        0.5 * visits
        + 1.2 * (np.log(amount) - 4.0)
        + 0.9 * plan
        + 0.8 * (channel == 0)
        - 0.0006 * days
        + 0.7 * (mood - 1)
    )
    signal += random.normal(0.0, 0.5 * signal.std(), rows)
    columns = {
        "visits": visits,
        "amount": _with_gaps(amount, 0.04, random),
        "region": np.asarray(_REGIONS)[region],
        "channel": _with_gaps(np.asarray(_CHANNELS)[channel].astype(object), 0.03, random),
        "plan": np.asarray(_PLANS)[plan],
        "since": (np.datetime64("2019-01-01") + days).astype(str),
        "comment": _with_gaps(words, 0.3, random),
    }
    return columns, (signal - signal.mean()) / signal.std()


def _with_gaps(values: np.ndarray, share: float, random: np.random.RandomState) -> np.ndarray:
    """The values, of which about ``share`` are missing."""
    missing: Any = np.nan if values.dtype.kind == "f" else None
    return np.where(random.random_sample(len(values)) < share, missing, values)


def _slice(
    columns: dict[str, np.ndarray], entry: str, config: Config, random: np.random.RandomState, rows: int
) -> dict[str, np.ndarray]:
    """``columns`` with those that an entry of `slices` names, of a kind that can be cut into groups."""
    if entry in config.evaluation.bands:
        return {**columns, entry: _banded(config.evaluation.bands[entry], random, rows)}
    groups = random.choice(len(_GROUPS), rows, p=_GROUP_SHARES)
    if "*" not in entry:
        return columns if entry in _READY else {**columns, entry: np.asarray(_GROUPS)[groups]}
    # The pattern stands for the 0/1 columns of one group; what else it would catch cannot be kept.
    kept = {name: values for name, values in columns.items() if not fnmatchcase(name, entry)}
    flags = {entry.replace("*", group): (groups == code).astype(int) for code, group in enumerate(_GROUPS)}
    return {**kept, **{name: values for name, values in flags.items() if fnmatchcase(name, entry)}}


def _banded(bands: int | list[float], random: np.random.RandomState, rows: int) -> np.ndarray:
    """Numbers on both sides of every edge; whole ones where the edges are."""
    if isinstance(bands, int):
        return random.normal(50.0, 15.0, rows).round(1)
    width = (bands[-1] - bands[0]) / (len(bands) - 1) if len(bands) > 1 else abs(bands[0]) / 2 or 1.0
    numbers = random.uniform(bands[0] - width, bands[-1] + width, rows)
    if width >= 2 and all(edge == round(edge) and abs(edge) < 2**53 for edge in bands):
        return np.round(numbers).astype(np.int64)
    digits = 2 - math.floor(math.log10(width))
    return numbers.round(digits) if digits > 0 else numbers


def _target(problem: str, score: np.ndarray) -> np.ndarray:
    if problem == REGRESSION:
        return (100.0 + 25.0 * score).round(2)
    return in_order(score, shared_out(_CLASSES[problem], len(score)))
