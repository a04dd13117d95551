"""`python objectives.py FOLDER`: the project in the current folder is trained for each of `TRAINED` on one local AWS.

Before each training automl.toml is changed as a data scientist changes it; its commands are those of a merge. What came
of them is in FOLDER/trained.json, a list in the order of `TRAINED`, and what S3 has of them below FOLDER/stored.
"""

import json
import sys
from pathlib import Path
from typing import Any

import tomlkit

sys.path.append(str(Path(__file__).resolve().parents[1]))

from strangers.observer import save
from strangers.tables import TABLES, Stranger

from automl_rehearsal.life import Life

TRAINING_SECONDS = 10
ROWS = 1500  # of a table
# With the demos of the tables and the workflows' stories: each objective once.
TRAINED = (
    ("houses", "binary", "Accuracy"),
    ("houses", "binary", "Precision"),
    ("houses", "binary", "Recall"),
    ("houses", "multiclass", "RecallMacro"),
    ("digits", "regression", "MAE"),
    ("digits", "regression", "MSE"),
    ("digits", "regression", "R2"),
)
PROBLEM_TYPES = {
    "binary": "BinaryClassification",
    "multiclass": "MulticlassClassification",
    "regression": "Regression",
}
ERRORS = ("MAE", "MSE", "RMSE")  # less of them is better, so that the gate's bound of them is a maximum


def ask_for(project: Path, table: Stranger, problem_type: str, objective: str) -> None:
    """Write into automl.toml what is to be predicted, and by which objective."""
    path = project / "automl.toml"
    document = tomlkit.parse(path.read_text())
    document["dataset"]["target"] = table.target
    document["autopilot"] |= {"problem_type": PROBLEM_TYPES[problem_type], "objective": objective}
    gate = document["gate"]
    for bound in ("minimum", "maximum"):
        gate.pop(bound, None)
    gate |= {"maximum": 1e12} if objective in ERRORS else {"minimum": 0.0}
    path.write_text(tomlkit.dumps(document))


class Trainings(Life):
    """One project, one account, and one training after the other."""

    def found(self) -> None:
        """What an administrator does once, and the workflow after the first merge."""
        self._as_administrator("bootstrap", "--github-oidc-subject", self.subject)
        self._as_retrain("stack")

    def train_for(self, file: Path, table: Stranger, problem_type: str, objective: str) -> dict[str, Any]:
        """Change automl.toml, push ``file`` where it is another data set, merge, train, stage and verify."""
        ask_for(self.copy.directory, table, problem_type, objective)
        if self.lock is None or self.data != file:
            self.data = file
            self._push_data()
        self.copy.commit(f"Train for {objective}")
        self._as_retrain("upsert")
        run = self._as_retrain("run", "--wait", "--parameter", f"MaxSeconds={TRAINING_SECONDS}")
        arn = run["model_package_arn"]
        self._as_retrain("stage", "--model-package", arn)
        verified = self._as_retrain("verify", "--model-package", arn)
        assert self.lock is not None
        return {
            "execution": run["execution"]["id"],
            "dataset": self.lock.uris.x_test.rsplit("/", 3)[-3],
            "status": run["execution"]["status"],
            "staging": verified["outcome"],
        }


def main(folder: Path) -> None:
    """Train for each, in a copy of the project in the current folder."""
    files = {name: TABLES[name].write(folder) for name in dict.fromkeys(name for name, *_ in TRAINED)}
    first = files[TRAINED[0][0]]
    with Trainings(Path.cwd(), folder / "rehearsal", first, ROWS, TRAINING_SECONDS) as life:
        life.found()
        trained = [life.train_for(files[name], TABLES[name], *wanted) for name, *wanted in TRAINED]
        save(life.aws.client("s3"), folder / "stored")
    (folder / "trained.json").write_text(json.dumps(trained))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
