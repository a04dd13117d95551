"""A table of difficult words by the rendered workflows: a pull request over a data set that is trained on already,
merge, proposal and promotion, and its metrics once more by scikit-learn.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pytest
from scenes import Life, small
from stage import Stage, edit
from story import Scene, Story
from strangers.observer import save
from strangers.owner import project_of
from strangers.scoring import Stored, recomputed
from strangers.tables import TABLES

# One process plays it: what is asked of the scenes is asked of one record.

OBJECTIVE = "PrecisionMacro"


class ShortStory(Story):
    """A story whose data set is merged first, and whose changes come after it."""

    @cached_property
    def pull_request(self) -> Scene:
        """The first data set is proposed; nobody looks."""
        assert self.set_up
        return self._scene([], number=self.life.propose_data())

    @cached_property
    def merge(self) -> Scene:
        """It is merged: the model is trained, staged, verified and proposed."""
        return self._scene(self.stage.merge(self.pull_request.facts["number"]))

    @cached_property
    def change(self) -> Scene:
        """A pull request that changes one line, over the data set that main has; it is given up."""
        assert self.merge
        change = edit("automl.toml", ("max_candidates = 2", "max_candidates = 5"))
        number = self.life.propose_change("candidates", "Try more candidates", change)
        run = self.stage.check(number, job="report")
        self.stage.github.pulls[number]["state"] = "closed"
        return self._scene([run], number=number)


@pytest.fixture(scope="module")
def story(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShortStory]:
    """The scenes, each played when a test first asks for it."""
    folder, table = tmp_path_factory.mktemp("stage"), TABLES["penguins"]
    project = project_of(template, folder / "baked", table, table.problem_type, OBJECTIVE, table.name)
    small(project)
    with Stage(project, folder) as stage:
        yield ShortStory(Life(stage, project, table.write(folder)))


def test_its_merge_trains_stages_verifies_and_proposes(story):
    scene = story.merge
    run = scene.runs["retrain.yml"]

    assert run.jobs == {"configuration": "success", "train": "success", "stage": "success"}, run
    assert scene.world.executions == ["Succeeded"]
    ((arn, (approval, _)),) = scene.world.versions.items()
    assert approval == "PendingManualApproval"
    assert scene.world.staging == "", "removed once its version is verified"
    (proposal,) = [pull for pull in scene.world.pulls.values() if pull["head"]["ref"] == "promote-production"]
    assert arn in proposal["body"]


def test_a_pull_request_over_an_existing_data_set_is_planned_and_rehearsed(story):
    scene = story.change
    run = scene.runs["pull-request.yml"]

    assert run.jobs == {"report": "success"}, run
    assert run.steps["Plan"] == "success"
    assert run.steps["Rehearse"] == "success"
    (comment,) = scene.world.comments[scene.facts["number"]]
    assert "Rehearsal :white_check_mark:" in comment["body"]
    assert "Merging this trains a model" in comment["body"]
    assert scene.world.executions == ["Succeeded"], "a pull request never trains where it costs"


def test_merging_the_proposal_puts_it_into_production(story):
    scene = story.promotion

    assert scene.runs["promote.yml"].green, scene.runs["promote.yml"]
    assert scene.world.production == scene.facts["named"]
    assert scene.world.versions == {scene.facts["named"]: ("Approved", "deployed")}


def test_its_metrics_are_those_that_scikit_learn_computes_from_the_transform_s_output(story):
    assert story.merge
    folder = story.stage.folder / "stored"

    save(story.stage.aws.client("s3"), folder)

    stored = Stored(folder)
    again = recomputed(stored)
    metrics = stored.evaluation["metrics"]
    assert stored.evaluation["objective"]["name"] == OBJECTIVE
    assert {name: metrics.get(name) for name in again} == pytest.approx(again, rel=1e-9, abs=1e-10)
