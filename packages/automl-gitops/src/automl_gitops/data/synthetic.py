"""A stand-in for the hospital readmission data where that cannot be had: the same columns, made up.

It shows that everything works, and nothing about hospitals. Its files and whatever is made from them are
called synthetic.
"""

import numpy as np
import pandas as pd

from automl_gitops.data.hospital import COLUMNS, TARGET

# Shares of the classes in UCI's data, by increasing risk.
SHARES = {"no": 0.539, ">30": 0.349, "<30": 0.112}
_RACES = {
    "race_Caucasian": 0.748,
    "race_African_American": 0.189,
    "race_Hispanic": 0.020,
    "race_Asian": 0.006,
    "race_Other": 0.015,
}


def hospital(rows: int, seed: int) -> pd.DataFrame:
    """Rows of the example's 15 columns. The risk that decides the class grows with earlier stays,
    emergencies, diagnoses, days in hospital and medication; noise of the same order keeps it from being read
    off.
    """
    random = np.random.RandomState(seed)
    severity = random.gamma(2.0, 1.0, rows)
    race = random.choice(len(_RACES) + 1, rows, p=[*_RACES.values(), 1 - sum(_RACES.values())])
    made = {name: (race == code).astype(int) for code, name in enumerate(_RACES)}
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
    order = np.argsort(risk, kind="stable")
    ends = np.round(np.cumsum(list(SHARES.values())) * rows).astype(int)
    label = np.empty(rows, dtype=object)
    label[order] = np.repeat(list(SHARES), np.diff(ends, prepend=0))
    made[TARGET] = label
    return pd.DataFrame(made, columns=list(COLUMNS))
