"""A project that was promoted once, in a process of its own for each life: commands, merges, changes by hand, faults.

The life's state is what `Life.facts` sees of account, repository and folder after each step.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from faults_runner import Fork, Runner
from faults_walk import PROMOTE, RETRAIN, STEPS, Walk, until_the_execution_ends
from faults_world import AGENT, World

from automl_evaluation.layout import Evaluation
from local_sagemaker import Fault
from support.github.server import Refusal
from support.waiting import wait_until

LIVED = "promote 1"  # the last step before a life begins; a second version is registered then
ROLES = {
    "stage": RETRAIN,
    "verify": RETRAIN,
    "propose": RETRAIN,
    "upsert": RETRAIN,
    "run": RETRAIN,
    "promote": PROMOTE,
    "rollback": "",
}
FILE = "environments/production.toml"
Facts = dict[str, Any]


class Beginning:
    """The world in which each life begins, and which no life changes."""

    def __init__(self, folder: Path) -> None:
        self._kept = folder / "kept"
        walk = Walk(folder, STEPS, lambda _: False, lambda *_: None, lambda _: None)
        walk.live_until(LIVED)
        self.world = walk.world
        shutil.copytree(self.world.root, self._kept, symlinks=True)

    def life(self) -> Life:
        """A new life in a fork; one at a time."""
        return Life(self)

    def restore(self) -> None:
        """Take back what a life did to the files."""
        shutil.rmtree(self.world.root)
        shutil.copytree(self._kept, self.world.root, symlinks=True)


class Life(Fork):
    """A fork in which things happen: each method of `_Happenings` can be called by its name."""

    def __init__(self, beginning: Beginning) -> None:
        self._beginning = beginning
        super().__init__(lambda orders, answer: _live(beginning.world, orders, answer))

    def do(self, what: str, *arguments: Any) -> Any:
        """What a happening returns; fails where it raised an error."""
        result, error = self.ask([what, arguments])
        assert not error, error
        return result

    def end(self) -> None:
        """End the process, and take back what it did."""
        super().end()
        self._beginning.restore()


def _live(world: World, orders: Iterator[Any], answer: Callable[[Any], None]) -> None:
    happenings = _Happenings(world, Runner())
    world.resume()
    for what, arguments in orders:
        try:
            answer([getattr(happenings, what)(*arguments), ""])
        except BaseException:
            answer([None, traceback.format_exc()])
    happenings.end()


class _Happenings:
    def __init__(self, world: World, runner: Runner) -> None:
        self._world = world
        self._runner = runner
        self._output = world.root.parent / "output"

    def end(self) -> None:
        self._runner.end()
        self._world.aws.stop()

    def command(self, arguments: list[str], fault: list[Any] | None) -> Facts:
        """A command's status and output; ``fault`` is a kind, the number of the call, and whether it lasts."""
        world = self._world
        faults = []
        if fault:
            kind, number, lasts = fault
            faults = [Fault(kind, number, agent=f"*app/{AGENT}*", attempts=0 if lasts else 1)]
        plan = world.aws.faults(*faults)
        variables = world.environment(ROLES.get(arguments[0], RETRAIN))
        status = self._runner.run(arguments, variables, world.project, self._output)
        world.aws.faults()
        return {"status": status, "output": self._output.read_text(), "struck": plan.struck}

    def wait_for_training(self) -> None:
        until_the_execution_ends(self._world)

    def push(self) -> None:
        """Push what a command or a person committed."""
        self._world.git("push", "--quiet", "origin", "HEAD:main")

    def merge(self) -> bool:
        """Merge the open pull request, where there is one that can be merged."""
        if not any(pull["state"] == "open" for pull in self._world.github.pulls.values()):
            return False
        try:
            self._world.merge()
        except (Refusal, subprocess.CalledProcessError):
            return False
        return True

    def revert(self) -> bool:
        """`git revert` of the last commit of main that changed the file."""
        git = self._world.git
        commit = git("log", "-1", "--first-parent", "--format=%H %P", "--", FILE).split()
        if len(commit) < 2:
            return False
        try:
            git("revert", "--no-edit", *(("-m", "1") if len(commit) > 2 else ()), commit[0])
        except subprocess.CalledProcessError:
            git("reset", "--quiet", "--hard", "HEAD")
            return False
        self.push()
        return True

    def register(self, number: int) -> None:
        """Another version, a copy of the first with an archive of its own."""
        from automl_rehearsal import sabotage

        sabotage.KEY = f"autopilot/version-{number}/model.tar.gz"
        sabotage.register_copy(
            self._world.client("sagemaker"),
            self._world.client("s3"),
            self._world.names.bucket,
            self._arns()[0],
        )

    def judge(self, arn: str, status: str) -> None:
        """Somebody approves or rejects a version in the console."""
        self._world.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)

    def delete_staging(self) -> None:
        """Somebody deletes the staging endpoint."""
        sagemaker, name = self._world.client("sagemaker"), self._endpoint("staging")
        if name in self._endpoints():
            sagemaker.delete_endpoint(EndpointName=name)
            wait_until(lambda: name not in self._endpoints())

    def tag(self, which: str, arn: str) -> None:
        """Somebody writes another version into an endpoint's tag."""
        sagemaker, name = self._world.client("sagemaker"), self._endpoint(which)
        if name in self._endpoints():
            endpoint = sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"]
            sagemaker.add_tags(ResourceArn=endpoint, Tags=[{"Key": "model-package-arn", "Value": arn}])

    def overwrite(self, arn: str, content: str) -> None:
        """Somebody puts other bytes into the place of an archive; those of the beginning for ""."""
        bucket, key = self._archive(arn)
        s3 = self._world.client("s3")
        s3.put_object(Bucket=bucket, Key=key, Body=content.encode() or b"a recorded model")

    def facts(self) -> Facts:
        """What there is now, once no endpoint is on its way: a command may have ended in an error and left it so."""
        sagemaker = self._world.client("sagemaker")
        endpoints = wait_until(self._endpoints, _are_settled)
        pages = sagemaker.get_paginator("list_endpoint_configs").paginate()
        configs = [one["EndpointConfigName"] for page in pages for one in page["EndpointConfigs"]]
        found: Facts = {
            "endpoints": endpoints,
            "configs": configs,
            "versions": {arn: self._version(arn) for arn in self._arns()},
            "named": self._named(),
            "open": sum(pull["state"] == "open" for pull in self._world.github.pulls.values()),
            "changed": self._world.git("status", "--porcelain"),
        }
        for which in ("staging", "production"):
            config = endpoints.get(self._endpoint(which), ["", ""])[1]
            found[which] = {
                "config": config,
                "arn": self._served(config, found["versions"]) if config else "",
            }
        return found

    def _endpoint(self, which: str) -> str:
        return f"{self._world.names.project}-{which}"

    def _endpoints(self) -> dict[str, list[str]]:
        sagemaker = self._world.client("sagemaker")
        names = [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]]
        described = [sagemaker.describe_endpoint(EndpointName=name) for name in names]
        return {one["EndpointName"]: [one["EndpointStatus"], one["EndpointConfigName"]] for one in described}

    def _served(self, config: str, versions: dict[str, Any]) -> str:
        sagemaker = self._world.client("sagemaker")
        variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
        container = model.get("PrimaryContainer") or model["Containers"][0]
        if "ModelPackageName" in container:
            return str(container["ModelPackageName"])
        return next(arn for arn, one in versions.items() if one["url"] == container["ModelDataUrl"])

    def _arns(self) -> list[str]:
        group = self._world.names.model_package_group
        listed = self._world.client("sagemaker").list_model_packages(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Ascending", MaxResults=100
        )["ModelPackageSummaryList"]
        return [one["ModelPackageArn"] for one in listed]

    def _archive(self, arn: str) -> tuple[str, str]:
        package = self._world.client("sagemaker").describe_model_package(ModelPackageName=arn)
        url = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return bucket, key

    def _version(self, arn: str) -> Facts:
        package = self._world.client("sagemaker").describe_model_package(ModelPackageName=arn)
        noted = package.get("CustomerMetadataProperties", {})
        bucket, key = self._archive(arn)
        s3 = self._world.client("s3")
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return {
            "url": f"s3://{bucket}/{key}",
            "approval": package["ModelApprovalStatus"],
            "verification": noted.get("verification", ""),
            "noted": noted.get("archive_1", "").partition(" ")[0],
            "sha256": hashlib.sha256(content).hexdigest(),
            "report": self._report(noted.get("evaluation", "")),
        }

    def _report(self, prefix: str) -> str:
        """Why a version has no report that can be read, "" where it has."""
        bucket, _, key = prefix.removeprefix("s3://").partition("/")
        try:
            body = self._world.client("s3").get_object(
                Bucket=bucket, Key=f"{key.rstrip('/')}/evaluation.json"
            )["Body"]
            Evaluation.load(body.read(), prefix)
        except (ClientError, ValueError) as error:
            return f"{prefix}: {error}"
        return ""

    def _named(self) -> str:
        import tomllib

        text = self._world.github.git.git("show", f"main:{FILE}")
        return str(tomllib.loads(text)["model_package_arn"])


def _are_settled(endpoints: dict[str, list[str]]) -> bool:
    return not any(status.endswith("ing") or status == "RollingBack" for status, _ in endpoints.values())
