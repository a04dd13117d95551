"""The hospital readmission example: 15 columns of UCI's "Diabetes 130-US hospitals for years 1999-2008", or a synthetic
stand-in with the same columns; and, for a project that splits by it, the patient's number, which is no feature.

Source: Clore, Cios, DeShazo, Strack (2014), UCI Machine Learning Repository, doi 10.24432/C5230J, CC BY 4.0. The
stand-in shows that everything works, and nothing about hospitals: its files and whatever is made from them are called
synthetic.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from automl_gitops.data.table import Table
from automl_gitops.data.uci import COUNTS, PATIENT, SOURCE, TARGET
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import replacing
from automl_gitops.kernel.settings.dataset import DatasetSettings
from automl_rehearsal.made_up import ROWS_OF_A_GROUP, group_numbers, in_order, shared_out

ROWS, SEED = 50_000, 42
_RACES = {
    "race_Caucasian": "Caucasian",
    "race_African_American": "AfricanAmerican",
    "race_Hispanic": "Hispanic",
    "race_Asian": "Asian",
    "race_Other": "Other",
}
_FLAGS = {"change": "Ch", "diabetesMed": "Yes"}
_LABELS = {"NO": "no", ">30": ">30", "<30": "<30"}
COLUMNS = (*_RACES, "age", *COUNTS, *_FLAGS, TARGET)


def splits_by_patient(dataset: DatasetSettings) -> bool:
    """Whether a project needs the patient's number."""
    return PATIENT in dataset.rule_columns


def prepare(path: Path, output: Path, rows: int = ROWS, *, patients: bool = True) -> int:
    """Make the example out of UCI's file (CSV or gzipped CSV) and write it as CSV; returns its number of
    rows.
    """
    table = Table.open(path)
    missing = [name for name in SOURCE if name not in table.columns]
    if missing:
        raise UserError(
            f"{path}: has no column {', '.join(missing)}: give UCI's diabetic_data.csv "
            "(https://archive.ics.uci.edu/dataset/296)"
        )
    frames = [batch.select(list(SOURCE)).to_pandas() for batch in table.batches()]
    if not frames:
        raise UserError(f"{path}: has a header but no rows")
    return save(transform(pd.concat(frames, ignore_index=True), str(path), patients=patients), output, rows)


def transform(source: pd.DataFrame, name: str, *, patients: bool = True) -> pd.DataFrame:
    """The 15 columns from UCI's, given as text, behind the patient's number where it is asked for. An age is the middle
    of its ten-year band; no race is five zeros.
    """

    def refuse(column: str, wrong: pd.Series, what: str) -> None:
        if wrong.any():
            row = int(np.argmax(wrong))
            raise UserError(f'{name}: row {row + 1} has "{source[column].iloc[row]}" in {column}, {what}')

    for column, values in {**{flag: (yes, "No") for flag, yes in _FLAGS.items()}, TARGET: _LABELS}.items():
        refuse(column, ~source[column].isin(list(values)), f"not {' or '.join(values)}")
    made: dict[str, pd.Series] = {
        column: (source["race"] == race).astype(int) for column, race in _RACES.items()
    }
    bands = source["age"].str.extract(r"^\[(\d+)-(\d+)\)$").astype(float)
    refuse("age", bands.isna().any(axis=1), "not a band such as [70-80)")
    made["age"] = (bands.sum(axis=1) / 2).astype(int)
    for column in COUNTS:
        numbers = pd.to_numeric(source[column], errors="coerce")
        refuse(column, numbers.isna(), "which is no number")
        made[column] = numbers.astype(int)
    made |= {column: (source[column] == yes).astype(int) for column, yes in _FLAGS.items()}
    made[TARGET] = source[TARGET].map(_LABELS)
    made[PATIENT] = source[PATIENT].str.removesuffix(".0")
    return pd.DataFrame(made, columns=_columns(patients=patients))


def _columns(*, patients: bool) -> list[str]:
    return [PATIENT, *COLUMNS] if patients else list(COLUMNS)


def save(frame: pd.DataFrame, output: Path, rows: int) -> int:
    """Write a sample without replacement, in the file's order; all rows where there are no more than asked
    for. Raises `UserError` where the file cannot be written.
    """
    if len(frame) > rows:
        # RandomState's stream is frozen (NEP 19): the sample stays the same.
        chosen = np.random.RandomState(SEED).permutation(len(frame))[:rows]
        frame = frame.iloc[np.sort(chosen)]
    with replacing(output) as half:
        frame.to_csv(half, index=False, lineterminator="\n")
    return len(frame)


# Shares of the classes in UCI's data, by increasing risk.
CLASS_SHARES = {"no": 0.539, ">30": 0.349, "<30": 0.112}
_RACE_SHARES = {
    "race_Caucasian": 0.748,
    "race_African_American": 0.189,
    "race_Hispanic": 0.020,
    "race_Asian": 0.006,
    "race_Other": 0.015,
}


def synthetic(rows: int, seed: int, *, patients: bool = True) -> pd.DataFrame:
    """Rows of the example's 15 columns, and of patients of 1.42 rows on average if asked for.

    The risk that decides the class grows with earlier stays, emergencies, diagnoses, days in hospital and medication;
    noise of the same order keeps it from being read off.
    """
    random = np.random.RandomState(seed)
    severity = random.gamma(2.0, 1.0, rows)
    race = random.choice(
        len(_RACE_SHARES) + 1, rows, p=[*_RACE_SHARES.values(), 1 - sum(_RACE_SHARES.values())]
    )
    made = {name: (race == code).astype(int) for code, name in enumerate(_RACE_SHARES)}
    made["age"] = 5 + 10 * np.clip(np.round(random.normal(6.1, 1.6, rows)), 0, 9).astype(int)
    made["time_in_hospital"] = np.clip(1 + random.poisson(1.7 * severity), 1, 14)
    made["num_lab_procedures"] = np.clip(random.normal(36, 18, rows) + 3.5 * severity, 1, 132).astype(int)
    made["num_medications"] = np.clip(random.poisson(9 + 3.5 * severity), 1, 81)
    made["number_emergency"] = random.poisson(0.12 * severity)
    made["number_inpatient"] = random.poisson(0.33 * severity)
    made["number_diagnoses"] = np.clip(random.poisson(5.5 + severity), 1, 16)
    made["diabetesMed"] = (random.random_sample(rows) < 0.77).astype(int)
    made["change"] = made["diabetesMed"] * (random.random_sample(rows) < 0.6).astype(int)
    signal = (
        1.1 * np.minimum(made["number_inpatient"], 4)
        + 0.9 * np.minimum(made["number_emergency"], 3)
        + 0.12 * made["number_diagnoses"]
        + 0.1 * made["time_in_hospital"]
        + 0.35 * made["diabetesMed"]
        + 0.008 * made["age"]
    )
    risk = signal + random.normal(0, 0.6 * signal.std(), rows)
    made[TARGET] = in_order(risk, shared_out(CLASS_SHARES, rows))
    # Drawn by itself, so that the other columns are the same with and without patients.
    made[PATIENT] = 1_000 + 37 * group_numbers(rows, ROWS_OF_A_GROUP, np.random.RandomState(seed + 1))
    return pd.DataFrame(made, columns=_columns(patients=patients))
