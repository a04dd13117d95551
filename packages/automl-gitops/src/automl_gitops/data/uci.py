"""UCI's file of hospital readmissions, known by its columns; `data prepare-hospital` makes the example of it.

Source: UCI Machine Learning Repository, "Diabetes 130-US hospitals for years 1999-2008", doi 10.24432/C5230J.
"""

from collections.abc import Collection

TARGET = "readmitted"
PATIENT = "patient_nbr"  # 101,766 encounters are of 71,518 patients
COUNTS = (
    "time_in_hospital",
    "num_lab_procedures",
    "num_medications",
    "number_emergency",
    "number_inpatient",
    "number_diagnoses",
)
# Those that the example is made of.
SOURCE = (PATIENT, "race", "age", *COUNTS, "change", "diabetesMed", TARGET)


def is_source(columns: Collection[str]) -> bool:
    """Whether a file with these columns is UCI's."""
    return {"encounter_id", *SOURCE} <= set(columns)
