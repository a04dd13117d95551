"""A life whose rows lie in somebody else's bucket, as a script whose whole output its test can read.

`python by_reference.py FOLDER` in a project's folder leaves what happened in FOLDER/facts.json.
"""

import json
import sys
from pathlib import Path

import tomlkit
from small_tables import table
from warmed_life import WarmedLife

from automl_gitops.data.lock import DatasetLock
from automl_gitops.kernel.config import Config
from automl_rehearsal.commands import CommandFailedError

LAKE = "a-lake-of-somebody-else"
PATIENTS_A_HELD_OUT_ONE = 5
TRAINING_SECONDS = 180  # it ends once all candidates are trained, much sooner


class LifeByReference(WarmedLife):
    """Two objects to train on, and one held out, in the bucket `LAKE`; with all that may be said of their columns.

    Of two classes, since [decision] is of two; three are in the tests of `refer` and its runs.
    """

    def configure(self) -> None:
        """What the owner writes into automl.toml before an administrator deploys the roles."""
        file = self.copy.directory / "automl.toml"
        document = tomlkit.parse(file.read_text())
        document["dataset"] |= {"buckets": [LAKE], "exclude": ["ward"], "weight": "times"}
        document["autopilot"] |= {
            "problem_type": "BinaryClassification",
            "objective": "F1",
            "algorithms": ["lightgbm", "linear-learner"],
            "types": {"stays": "categorical"},
        }
        document["decision"] = {"positive": "no", "threshold": 0.4}
        file.write_text(tomlkit.dumps(document))

    def _push_data(self) -> None:
        config, s3 = Config.load(self.copy.directory / "automl.toml"), self.aws.client("s3")
        region = config.project.region
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=LAKE, **({} if region == "us-east-1" else elsewhere))
        rows = table(config.autopilot.problem_type, config.dataset.target).assign(times=1.5)
        apart = rows["patient_nbr"] % PATIENTS_A_HELD_OUT_ONE == 0
        train, held_out = rows[~apart], rows[apart]
        for key, part in (("train/a.csv", train[::2]), ("train/b.csv", train[1::2]), ("test.csv", held_out)):
            s3.put_object(Bucket=LAKE, Key=key, Body=part.to_csv(index=False).encode())
        addresses = ("--train-validation", f"s3://{LAKE}/train/", "--test", f"s3://{LAKE}/test.csv")
        self._as_administrator("data", "refer", *addresses)
        self.lock = DatasetLock.load(self.copy.directory / "dataset.lock")

    def facts(self) -> dict[str, object]:
        """What was registered, from which data, and what of it lies in the project's bucket."""
        sagemaker, s3 = self.aws.client("sagemaker"), self.aws.client("s3")
        version = sagemaker.describe_model_package(ModelPackageName=self.model_package_arn)
        name = version["CustomerMetadataProperties"]["automl_job"]
        job = sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name)
        (channel,) = job["AutoMLJobInputDataConfig"]
        tabular = job["AutoMLProblemTypeConfig"]["TabularJobConfig"]
        key = tabular["FeatureSpecificationS3Uri"].removeprefix(f"s3://{self.names.bucket}/")
        features = s3.get_object(Bucket=self.names.bucket, Key=key)["Body"].read()
        stored = s3.list_objects_v2(Bucket=self.names.bucket, Prefix="datasets/")["Contents"]
        return {
            "approval": version["ModelApprovalStatus"],
            "trained_on": channel["DataSource"]["S3DataSource"]["S3Uri"],
            "features": json.loads(features),
            "weight": tabular["SampleWeightAttributeName"],
            "algorithms": tabular["CandidateGenerationConfig"]["AlgorithmsConfig"],
            "candidates": [
                candidate["CandidateName"]
                for candidate in sagemaker.list_candidates_for_auto_ml_job(AutoMLJobName=name)["Candidates"]
            ],
            "threshold": version["CustomerMetadataProperties"]["threshold"],
            "positive_class": version["CustomerMetadataProperties"]["positive_class"],
            "stored": sorted(item["Key"].partition("/")[2].partition("/")[2] for item in stored),
        }

    def verified(self) -> dict[str, str]:
        """The outcomes of staging's checks by name."""
        self._as_retrain("stage", "--model-package", self.model_package_arn)
        self.verify()
        return self.summary.document["staging"]["checks"]

    def run_on_changed_data(self) -> int:
        """Somebody adds an object, and the commit is run once more; returns the command's exit status."""
        self.aws.client("s3").put_object(Bucket=LAKE, Key="train/c.csv", Body=b"more")
        try:
            self._as_retrain("run", "--again", "2")
        except CommandFailedError as error:
            return error.status
        return 0


def main(folder: Path) -> None:
    """Live it, in a copy of the project in the current folder."""
    life = LifeByReference(Path.cwd(), folder, None, None, TRAINING_SECONDS)
    life.configure()
    with life:
        life.train()
        facts = life.facts()
        facts["checks"] = life.verified()
        facts["status_on_changed_data"] = life.run_on_changed_data()
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
