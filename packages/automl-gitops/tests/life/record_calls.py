"""A life in which every role of the project plays its part, and a record of all that these were allowed.

It goes on with staging and production in accounts of their own, whose roles act in the place of the project's.

`python record_calls.py FOLDER` in a project's folder, with LOCAL_AWS_RECORD naming the record's file; the template's
`make calls` makes infrastructure/calls.json of that. FOLDER/grouping.json says how the run kept groups apart.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomlkit
from small_tables import table
from warmed_life import WarmedLife

from automl_gitops.kernel.config import Config
from automl_rehearsal.commands import with_credentials
from support import keys
from support.waiting import wait_until

PROJECT, STAGING, PRODUCTION = "123456789012", "222222222222", "333333333333"
# What the workflow of each role sets where both have accounts of their own (docs/set-up.md): the role there.
HOSTED = {
    "RetrainRole": {"STAGING_ROLE_ARN": (STAGING, "StagingRole")},
    "PromoteRole": {"PRODUCTION_ROLE_ARN": (PRODUCTION, "ProductionRole")},
    "PlanRole": {
        "STAGING_ROLE_ARN": (STAGING, "PlanRole"),
        "PRODUCTION_ROLE_ARN": (PRODUCTION, "PlanRole"),
    },
    "TeardownRole": {
        "STAGING_ROLE_ARN": (STAGING, "TeardownRole"),
        "PRODUCTION_ROLE_ARN": (PRODUCTION, "TeardownRole"),
    },
}
ADMINISTRATOR = "administrator"  # the user of the local AWS
TRAINING_SECONDS = 20
# What a project may have besides what it has at first.
OPTIONS = """
[production.autoscaling]
min_instances = 2
max_instances = 3

[production.data_capture]
percent = 100
"""


class RecordedLife(WarmedLife):
    """The rehearsal's life with a key that encrypts; who plans, pushes data or tears down has their own role."""

    accounts = (PROJECT, STAGING, PRODUCTION)
    hosted = False

    def name_key(self) -> None:
        """Let the copy's automl.toml name a key, whose own policy is that of docs/set-up.md."""
        account, administrator = self.aws.account, self.aws.client("sts").get_caller_identity()["Arn"]
        found = keys.statements(self.copy.directory, self.aws.region, account, STAGING)
        principals: list[str] = found[0]["Principal"]["AWS"]
        principals.append(principals[1].replace(STAGING, PRODUCTION))
        key = keys.make(self.aws.client("kms"), administrator, found)
        file = self.copy.directory / "automl.toml"
        document = tomlkit.parse(file.read_text())
        document["encryption"] = {"kms_key": key}
        file.write_text(tomlkit.dumps(document))
        self.copy.commit("Encrypt with a key of our own")

    def choose_options(self) -> None:
        """Add `OPTIONS` to the copy's automl.toml."""
        file = self.copy.directory / "automl.toml"
        document, options = tomlkit.parse(file.read_text()), tomlkit.parse(OPTIONS)
        document["production"].update(options["production"])
        file.write_text(tomlkit.dumps(document))
        self.copy.commit("Scale and capture")

    def grouping(self) -> dict[str, Any]:
        """The Autopilot job's channels, what the evaluation says of groups, and y_test's columns."""
        sagemaker, s3 = self.aws.client("sagemaker"), self.aws.client("s3")
        name = self.summary.document["autopilot"]["job"]
        job = sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name)
        execution = self.summary.document["pipeline"]["arn"].rsplit("/", 1)[-1]
        evaluation = self._evaluation(execution)
        bucket, _, key = f"{self.lock.uris.y_test}part-00000.csv".removeprefix("s3://").partition("/")
        header = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()[0]
        return {
            "channels": sorted(channel["ChannelType"] for channel in job["AutoMLJobInputDataConfig"]),
            "evaluation": evaluation.grouping and asdict(evaluation.grouping),
            "groups": self.lock.split and self.lock.split.groups.test,
            "y_test": header.split(","),
        }

    def train_again(self) -> None:
        """The next training, which is compared with what production serves, once a function was changed."""
        self._add_to_function("# changed\n")
        self._as_retrain("upsert")
        self.second_arn = self._as_retrain("run", "--wait", *self._training)["model_package_arn"]
        self._stage_again()

    def fail_and_stop(self) -> None:
        """Executions that end before their time, by Autopilot, the evaluation, somebody's wish and a function; and a
        message that none understands.
        """
        assert self.lock is not None  # `train` pushed it
        nothing, features = f"s3://{self.names.bucket}/datasets/nothing/", self.lock.uris.x_test
        for attempt, wrong in enumerate((f"TrainValidationUri={nothing}", f"YTestUri={features}"), start=2):
            options = (*self._training, "--again", str(attempt), "--parameter", wrong)
            self._fails("run", "--wait", *options)
        run = self._as_retrain("run", "--again", "4")
        self._as_retrain("stop", run["execution"]["id"])
        self._fails("execution", run["execution"]["id"], "--wait")
        self._add_to_function("raise RuntimeError('broken')\n")
        self._fails("run", "--wait", "--again", "5", *self._training)
        sqs = self.aws.client("sqs")
        queue, letters = (
            sqs.get_queue_url(QueueName=name)["QueueUrl"]
            for name in (self.names.queue, self.names.dead_letter_queue)
        )
        sqs.send_message(QueueUrl=queue, MessageBody="no message of a step")
        wait_until(
            lambda: sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["All"])["Attributes"],
            lambda found: int(found["ApproximateNumberOfMessages"]) > 0,
        )

    def _stage_again(self) -> None:
        """A version on staging, in the place of which another one comes, and stays."""
        for version in (self.second_arn, self.model_package_arn):
            self._as_retrain("stage", "--model-package", version)

    def _add_to_function(self, line: str) -> None:
        with (self.copy.directory / "lambdas" / "start_autopilot.py").open("a") as function:
            function.write(line)
        self.copy.commit("Change a function")
        self._as_retrain("stack")

    @property
    def _training(self) -> tuple[str, str]:
        return "--parameter", f"MaxSeconds={self.training_seconds}"

    def _fails(self, *arguments: str) -> None:
        self._call(self._role("RetrainRole", "ref:refs/heads/main"), *arguments, status=1)

    def move(self) -> None:
        """Staging and production go to accounts of their own, get a new version there, go back to the old one, and are
        taken away.
        """
        for account in (STAGING, PRODUCTION):
            self._call(self._administrator_of(account), "bootstrap", "--project-account", PROJECT)
        self._as_administrator(
            "stack", "--share-with", f"staging={STAGING}", "--share-with", f"production={PRODUCTION}"
        )
        self.hosted = True
        for version in (self.model_package_arn, self.second_arn):
            self._as_retrain("stage", "--model-package", version)
            self._as_retrain("invoke", str(self._rows()))
            self._as_retrain("verify", "--model-package", version)
            if version != self.model_package_arn:
                self._as_retrain("propose", "--model-package", version)
                self.copy.commit("Promote the next version")
            self._as_promote("promote", "--new-account")
            self._as_promote("invoke", str(self._rows()), "--endpoint", "production")
        self._as_administrator("rollback")
        self._as_promote("promote")
        self._stage_again()
        plan = self._role("PlanRole", "pull_request")
        self._call(plan, "status")
        self._call(plan, "doctor")
        teardown = self._role("TeardownRole", "environment:teardown")
        self._call(teardown, "teardown", "--confirm", self.names.project)
        self.hosted = False

    def compare(self) -> None:
        """What pull requests and the daily comparison ask for."""
        plan = self._role("PlanRole", "pull_request")
        self._call(plan, "plan", "--base", "HEAD")
        self._call(plan, "status")
        self._call(plan, "doctor")
        self._as_retrain("summary")

    def tear_down(self) -> None:
        """What is left in the project's account goes, with the data."""
        teardown = self._role("TeardownRole", "environment:teardown")
        self._call(teardown, "teardown", "--delete-data", "--confirm", self.names.project)

    def _as_administrator(self, *arguments: str) -> dict[str, Any]:
        if arguments[0] == "data":
            return self._call(self._data_scientist(), *arguments)
        if arguments[0] == "bootstrap":
            arguments += ("--data-scientist", f"arn:aws:iam::{self.aws.account}:user/{ADMINISTRATOR}")
        return super()._as_administrator(*arguments)

    def _role(self, role: str, subject: str) -> dict[str, str]:
        there = HOSTED[role] if self.hosted else {}
        return super()._role(role, subject) | {
            variable: f"arn:aws:iam::{account}:role/{self.names.project}-{name}"
            for variable, (account, name) in there.items()
        }

    def _administrator_of(self, account: str) -> dict[str, str]:
        """As an organisation's first account gets into its others."""
        arn = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        given = self.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="record")["Credentials"]
        return with_credentials(self.aws.environment, given)

    def _data_scientist(self) -> dict[str, str]:
        arn = self.names.role_arn(f"{self.names.project}-DataScientistRole")
        given = self.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="record")["Credentials"]
        return self.aws.environment | {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }


def main(folder: Path) -> None:
    """Live it, in a copy of the project in the current folder."""
    project = Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    config, data = Config.load(project / "automl.toml"), folder / "table.csv"
    table(config.autopilot.problem_type, config.dataset.target).to_csv(data, index=False)
    life = RecordedLife(project, folder / "life", data, None, TRAINING_SECONDS)
    life.choose_options()
    with life:
        life.name_key()
        life.train()
        (folder / "grouping.json").write_text(json.dumps(life.grouping()))
        life.serve()
        life.verify()
        life.promote()
        life.break_and_go_back()
        life.train_again()
        life.fail_and_stop()
        life.compare()
        life.move()
        life.tear_down()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
