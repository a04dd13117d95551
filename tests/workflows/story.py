"""The scenes in their order; each is played once, when it is first asked for, and leaves a record of what was then."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml
from act import Run
from botocore.exceptions import ClientError
from scenes import Life
from stage import edit

PUSHES = 10


@dataclass(frozen=True)
class World:
    """What AWS and GitHub have after a scene."""

    executions: list[str]
    versions: dict[str, tuple[str, str]]  # by ARN: approval, and deployment as the registry has it
    staging: str
    production: str
    pulls: dict[int, dict[str, Any]]
    issues: dict[int, dict[str, Any]]
    comments: dict[int, list[dict[str, Any]]]


@dataclass(frozen=True)
class Scene:
    """The runs of a scene by workflow, the world after it, and whatever else a test wants to know."""

    runs: dict[str, Run]
    world: World
    facts: dict[str, Any] = field(default_factory=dict)


class Story:
    """A project from its first push to its teardown."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.stage = life.stage

    @cached_property
    def first_push(self) -> Scene:
        """Nothing is set up yet."""
        return self._scene(self.life.first_push())

    @cached_property
    def set_up(self) -> Scene:
        """The administrator's one command."""
        assert self.first_push
        return self._scene([], first=self.life.set_up(), again=self.life.set_up())

    @cached_property
    def without_data(self) -> Scene:
        """A change is merged before there is any data set."""
        assert self.set_up
        change = edit("automl.toml", ('champion_margin = "5%"', 'champion_margin = "4%"'))
        return self._scene(self.stage.merge(self.life.propose_change("margin", "Be stricter", change)))

    @cached_property
    def typo(self) -> Scene:
        """A pull request with a mistake in automl.toml; it is given up."""
        assert self.without_data
        change = edit("automl.toml", ("max_candidates", "max_candidate"))
        number = self.life.propose_change("typo", "Train longer", change)
        run = self.stage.check(number, job="report")
        self.stage.github.pulls[number]["state"] = "closed"
        return self._scene([run], number=number)

    @cached_property
    def pull_request(self) -> Scene:
        """The first data set is proposed."""
        assert self.without_data
        number = self.life.propose_data()
        return self._scene([self.stage.check(number)], number=number)

    @cached_property
    def pushes(self) -> Scene:
        """Nine more pushes to it: the Comment step's own command with other reports."""
        number = self.pull_request.facts["number"]
        workflow = yaml.safe_load((self.stage.clone / ".github/workflows/pull-request.yml").read_text())
        (step,) = [one for one in workflow["jobs"]["report"]["steps"] if one.get("name") == "Comment"]
        found = re.fullmatch(r"\.venv/bin/automl (.+)", step["run"])
        assert found
        reports = self.stage.clone / "build" / "report"
        reports.mkdir(parents=True, exist_ok=True)
        for push in range(2, PUSHES + 1):
            for name in ("plan", "rehearsal"):
                (reports / f"{name}.md").write_text(f"### {name} of push {push}\n")
            self.stage.command(*found[1].split(), environment={"PULL_REQUEST": str(number)})
        return self._scene([])

    @cached_property
    def merge(self) -> Scene:
        """It is merged at once with another one; GitHub lets the first of the two runs open no pull request."""
        change = edit("automl.toml", ("confidence = 0.95", "confidence = 0.9"))
        numbers = (
            self.pull_request.facts["number"],
            self.life.propose_change("confidence", "Be surer", change),
        )
        self.stage.github.fail(
            "POST", "^pulls$", 403, "GitHub Actions is not permitted to create pull requests"
        )
        first, second = self.stage.merge(*numbers)
        return self._scene([second], first=first)

    @cached_property
    def promotion(self) -> Scene:
        """The proposal is merged: production serves."""
        assert self.merge
        return self._scene(self.stage.merge(self.life.promotion()), named=self.life.named())

    @cached_property
    def bad_change(self) -> Scene:
        """A change whose model the gate rejects is merged."""
        before = self.promotion.world
        number = self.life.propose_harder_gate()
        return self._scene(self.stage.merge(number), before=before)

    @cached_property
    def fork(self) -> Scene:
        """Somebody else's pull request changes the columns of the data set."""
        assert self.bad_change
        number = self.life.propose_column()
        return self._scene([self.stage.check(number, fork=True, job="report")], number=number)

    @cached_property
    def second_promotion(self) -> Scene:
        """Another version is proposed and merged."""
        assert self.bad_change
        second = self.life.propose_copy()
        runs = self.stage.merge(self.life.promotion())
        return self._scene(runs, second=second, commit=self.stage.github.git.head("main"))

    @cached_property
    def revert(self) -> Scene:
        """That promotion is reverted."""
        assert self.second_promotion
        return self._scene(self.life.revert(), named=self.life.named())

    @cached_property
    def repeated(self) -> Scene:
        """Somebody repeats the run of the promotion that was reverted since."""
        assert self.revert
        return self._scene([self.stage.repeat("promote.yml", self.second_promotion.facts["commit"])])

    @cached_property
    def drift(self) -> Scene:
        """Somebody deletes an alarm; the daily comparison sees it, twice."""
        assert self.repeated
        calm = self.stage.dispatch("drift.yml")
        self.stage.aws.client("cloudwatch").delete_alarms(AlarmNames=[f"{self.stage.name}-production-5xx"])
        scene = self._scene([self.stage.dispatch("drift.yml")], calm=calm)
        again = self._scene([self.stage.dispatch("drift.yml")])
        return Scene(scene.runs, scene.world, scene.facts | {"again": again.world})

    @cached_property
    def repair(self) -> Scene:
        """Promote by hand brings it back, and the next comparison closes the issue."""
        assert self.drift
        return self._scene([self.stage.dispatch("promote.yml"), self.stage.dispatch("drift.yml")])

    @cached_property
    def refused_teardown(self) -> Scene:
        """Somebody types another name."""
        assert self.repair
        return self._scene([self.stage.dispatch("teardown.yml", project="another")])

    @cached_property
    def teardown(self) -> Scene:
        """The project's name is typed in."""
        assert self.refused_teardown
        return self._scene([self.stage.dispatch("teardown.yml", project=self.stage.name, delete_data="true")])

    def _scene(self, runs: list[Run], **facts: Any) -> Scene:
        return Scene({run.workflow: run for run in runs}, self._look(), facts)

    def _look(self) -> World:
        sagemaker, github = self.stage.aws.client("sagemaker"), self.stage.github
        name = self.stage.name
        return World(
            executions=_executions(sagemaker, name),
            versions=_versions(sagemaker, name),
            staging=_served(sagemaker, f"{name}-staging"),
            production=_served(sagemaker, f"{name}-production"),
            pulls={number: dict(pull) for number, pull in github.pulls.items()},
            issues={number: dict(issue) for number, issue in github.issues.items()},
            comments={number: [dict(one) for one in found] for number, found in github.comments.items()},
        )


def _executions(sagemaker: Any, name: str) -> list[str]:
    try:
        pages = list(
            sagemaker.get_paginator("list_pipeline_executions").paginate(
                PipelineName=name, SortOrder="Ascending"
            )
        )
    except ClientError:
        return []
    return [one["PipelineExecutionStatus"] for page in pages for one in page["PipelineExecutionSummaries"]]


def _versions(sagemaker: Any, name: str) -> dict[str, tuple[str, str]]:
    try:
        pages = list(sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name))
    except ClientError:
        return {}
    arns = [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
    told = {arn: sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns}
    return {
        arn: (one["ModelApprovalStatus"], one.get("CustomerMetadataProperties", {}).get("deployment", ""))
        for arn, one in told.items()
    }


def _served(sagemaker: Any, endpoint: str) -> str:
    """The model package that an endpoint serves, "" where there is no endpoint."""
    try:
        told = sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError:
        return ""
    config = sagemaker.describe_endpoint_config(EndpointConfigName=told["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    tags = sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"]
    containers = [model.get("PrimaryContainer") or {}, *(model.get("Containers") or [])]
    named = [one["ModelPackageName"] for one in containers if one.get("ModelPackageName")]
    return (named + [tag["Value"] for tag in tags if tag["Key"] == "model-package-arn"])[0]
