"""Trainings that outlast the job which follows them: Retrain goes on by itself, until a version is proposed.

GitHub's five hours are some seconds here, so that every training takes several runs. The table is one of difficult
words, which pass through a rehearsal's made-up rows and a promotion too; its metrics are computed once more by
scikit-learn.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from act import Run
from scenes import Life, small
from stage import SIGN_IN, Stage, edit
from story import Story, World
from strangers.observer import save
from strangers.owner import project_of
from strangers.scoring import Stored, recomputed
from strangers.tables import TABLES
from warmed import Warmed

# One process plays it: what is asked of the scenes is asked of one record.

SECONDS = 3
OBJECTIVE = "PrecisionMacro"


class Thread:
    """The runs of one execution, the first one first; ``numbers`` are those of the dispatched ones."""

    def __init__(self, first: Run, execution: str) -> None:
        self.execution = execution
        self.runs = [first]
        self.numbers: list[int] = []


class LongStory(Story):
    """Two merges, the second while the first one's training goes on, and the newer training ends first."""

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        life.first_push()
        life.set_up()
        self.older = self._merge(life.propose_data())
        change = edit("automl.toml", ("confidence = 0.95", "confidence = 0.9"))
        self.newer = self._merge(life.propose_change("confidence", "Be surer", change))
        self.begun = self._look()
        self._play(self.newer)
        self.proposed = self._look()
        self._play(self.older)
        self.end = self._look()

    def look(self) -> World:
        """What AWS and GitHub have now."""
        return self._look()

    def _merge(self, number: int) -> Thread:
        (run,) = self.stage.merge(number)
        assert run.green, run
        return Thread(run, self.stage.dispatched()[-1]["inputs"]["execution"])

    def _play(self, thread: Thread) -> None:
        """Run what was started for the thread's execution, and what that starts, until nothing is left."""
        deadline = time.monotonic() + 600
        while waiting := [
            one for one in self.stage.dispatched() if one["inputs"]["execution"] == thread.execution
        ]:
            assert time.monotonic() < deadline, "the execution does not end"
            thread.numbers.append(waiting[0]["run"])
            thread.runs.append(self.stage.run_dispatched(waiting[0]))


@pytest.fixture(scope="module")
def story(template: Path, warmed: Warmed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongStory]:
    folder, table = tmp_path_factory.mktemp("stage"), TABLES["penguins"]
    project = project_of(template, folder / "baked", table, table.problem_type, OBJECTIVE, table.name)
    small(project)
    edit(".github/workflows/retrain.yml", ("--at-most 300m", f"--at-most {SECONDS}s"))(project)
    with Stage(project, folder, warmed.prefix("long-training", script=SIGN_IN)) as stage:
        yield LongStory(Life(stage, project, table.write(folder)))


def test_a_run_whose_time_is_up_is_green_and_stages_nothing(story):
    for thread in (story.older, story.newer):
        (first, *_) = thread.runs
        assert first.jobs == {"configuration": "success", "train": "success"}, first
        assert first.steps["Go on in another run"] == "success"
        assert "Report" not in first.steps
    assert story.begun.staging == ""
    assert open_promotions(story.begun) == []


def test_a_merge_while_another_training_goes_on_trains_at_once(story):
    assert story.older.execution != story.newer.execution
    assert story.end.executions == ["Succeeded", "Succeeded"], "and no run trains a second time"


@pytest.mark.parametrize("name", ["older", "newer"])
def test_the_runs_of_an_execution_name_each_other(story, name):
    thread = getattr(story, name)
    dispatches = {one["run"]: one for one in story.stage.github.dispatches}

    assert len(thread.runs) >= 2
    assert all(run.green for run in thread.runs), "\n".join(map(str, thread.runs))
    for run, number in zip(thread.runs, thread.numbers, strict=False):
        page = dispatches[number]["page"]
        assert f"Execution `{thread.execution}` goes on in [run {number}]({page})." in run.summary
    for run, number in zip(thread.runs[1:], thread.numbers, strict=True):
        before = dispatches[number]["inputs"]["after-run"]
        repository = story.stage.github.repository
        page = f"https://github.com/{repository}/actions/runs/{before}"
        assert f"Goes on from [run {before}]({page})." in run.summary
    assert [dispatches[number]["inputs"]["after-run"] for number in thread.numbers[1:]] == [
        str(number) for number in thread.numbers[:-1]
    ]


def test_the_last_one_stages_verifies_and_proposes(story):
    last = story.newer.runs[-1]

    assert last.jobs == {"configuration": "success", "train": "success", "stage": "success"}, last
    assert last.steps["Report"] == "success"
    assert "is registered" in last.summary
    (proposal,) = open_promotions(story.proposed)
    (verified,) = re.findall(r"is verified \((arn:[^)]+)\)", last.log)
    assert f"`{verified}`" in proposal["body"]


def test_an_older_training_that_ends_later_replaces_nothing(story):
    last = story.older.runs[-1]

    assert last.jobs == {"configuration": "success", "train": "success"}, last
    assert f"execution {story.newer.execution}, started after {story.older.execution}" in last.log
    assert len(story.end.versions) == 2, "its version is registered, for whoever wants it"
    assert open_promotions(story.end) == open_promotions(story.proposed)


def test_going_on_twice_is_harmless(story):
    run = story.stage.dispatch("retrain.yml", execution=story.newer.execution)

    assert run.green, run
    assert run.steps["Propose it for production"] == "success"
    after = story.look()
    assert after.executions == story.end.executions
    # The same proposal of the same version; what the second verification measured stands in it.
    (once,), (twice,) = open_promotions(story.end), open_promotions(after)
    assert (twice["number"], twice["title"]) == (once["number"], once["title"])
    assert story.stage.dispatched() == []


def test_a_pull_request_over_an_existing_data_set_is_planned_and_rehearsed(story):
    change = edit("automl.toml", ("max_candidates = 2", "max_candidates = 3"))
    number = story.life.propose_change("candidates", "Try more candidates", change)

    run = story.stage.check(number, job="report")
    story.stage.github.pulls[number]["state"] = "closed"

    assert run.jobs == {"report": "success"}, run
    assert run.steps["Plan"] == "success"
    assert run.steps["Rehearse"] == "success"
    after = story.look()
    (comment,) = after.comments[number]
    assert "Rehearsal :white_check_mark:" in comment["body"]
    assert "Merging this trains a model" in comment["body"]
    assert after.executions == story.end.executions, "a pull request never trains where it costs"


def test_its_metrics_are_those_that_scikit_learn_computes_from_the_transform_s_output(story, tmp_path):
    save(story.stage.aws.client("s3"), tmp_path)

    stored = Stored(tmp_path, story.newer.execution)
    again = recomputed(stored)
    metrics = stored.evaluation["metrics"]
    assert stored.evaluation["objective"]["name"] == OBJECTIVE
    assert {name: metrics.get(name) for name in again} == pytest.approx(again, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize(
    ("execution", "words"),
    [
        ("zzzzzzzzzzzz", "zzzzzzzzzzzz: the pipeline has no such execution"),
        ('"; touch here; echo "$(touch there)', "is no id of an execution"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:pipeline/x/execution/abc", "is not an execution of this project"),
    ],
)  # fmt: skip
def test_an_execution_that_is_none_of_this_project_is_refused(story, execution, words):
    run = story.stage.dispatch("retrain.yml", execution=execution)

    assert run.jobs == {"configuration": "success", "train": "failure"}, run
    (error,) = run.annotations
    assert (error.kind, words in error.text) == ("error", True), error
    assert "Summary" not in run.steps
    assert story.stage.dispatched() == []


def test_going_on_with_an_execution_that_was_stopped_is_red_with_the_reason(story):
    story.stage.git("fetch", "--quiet", "origin")
    story.stage.git("checkout", "--quiet", "--detach", "origin/main")
    story.stage.command("run", "--again", "7")
    story.stage.command("stop")
    # The newest one, whose id nobody has typed yet.
    execution = newest(story)

    run = story.stage.dispatch("retrain.yml", execution=execution)

    assert run.jobs == {"configuration": "success", "train": "failure"}, run
    (error,) = run.annotations
    assert f"execution {execution} stopped" in error.text
    assert "stopped" in run.summary
    assert "Report" not in run.steps, "there is nothing to report on"


def test_merging_the_proposal_puts_it_into_production(story):
    (run,) = story.stage.merge(story.life.promotion())

    assert run.green, run
    named, after = story.life.named(), story.look()
    assert after.production == named
    assert after.versions[named] == ("Approved", "deployed")


def newest(story: LongStory) -> str:
    told = story.stage.aws.client("sagemaker").list_pipeline_executions(
        PipelineName=story.stage.name, SortBy="CreationTime", SortOrder="Descending"
    )
    return told["PipelineExecutionSummaries"][0]["PipelineExecutionArn"].rsplit("/", 1)[-1]


def open_promotions(world: World) -> list[dict]:
    return [
        pull
        for pull in world.pulls.values()
        if pull["head"]["ref"] == "promote-production" and pull["state"] == "open"
    ]
