"""The rendered workflows, from the first push to the teardown; what counts is what AWS and GitHub have afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit
from scenes import HARD, Life, small
from stage import SIGN_IN, Stage
from story import Story
from strangers.observer import save
from strangers.owner import project_of
from strangers.tables import TABLES
from warmed import Warmed

COSTS = {"false_positive": 1.0, "false_negative": 20.0}  # of a table with one positive row in a hundred
NOTHING = {"staging": "", "production": ""}

# One process plays it: what is asked of the scenes is asked of one record.


@pytest.fixture(scope="module")
def story(template: Path, warmed: Warmed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The scenes, each played when a test first asks for it, with a table that is not ours."""
    folder, table = tmp_path_factory.mktemp("stage"), TABLES["flaws"]
    project = project_of(
        template, folder / "baked", table, table.problem_type, "BalancedAccuracy", table.name
    )
    small(project)
    path = project / "automl.toml"
    document = tomlkit.parse(path.read_text())
    document["decision"] = {"positive": "1", "threshold": "validation", "costs": COSTS}
    path.write_text(tomlkit.dumps(document))
    with Stage(project, folder, warmed.prefix("story", script=SIGN_IN)) as stage:
        yield Story(Life(stage, project, table.write(folder)))


def test_the_first_push_is_green_and_says_what_is_missing(story):
    scene = story.first_push

    assert {name: run.green for name, run in scene.runs.items()} == {"promote.yml": True, "retrain.yml": True}
    for name, variable in (("retrain.yml", "AWS_RETRAIN_ROLE"), ("promote.yml", "AWS_PROMOTE_ROLE")):
        run = scene.runs[name]
        assert run.jobs == {"configuration": "success"}, run
        (notice,) = run.annotations
        assert notice.kind == "notice"
        assert variable in notice.text
        assert "make bootstrap" in notice.text
    assert scene.world.executions == []


def test_the_administrator_s_command_sets_everything_up_and_then_changes_nothing(story):
    first, again = story.set_up.facts["first"], story.set_up.facts["again"]

    assert {setting["outcome"] for setting in first["settings"]} == {"created", "changed"}
    assert {setting["outcome"] for setting in again["settings"]} == {"unchanged"}
    assert again["outcome"] == "unchanged"


def test_a_merge_before_there_is_data_is_green_and_says_what_is_missing(story):
    (run,) = story.without_data.runs.values()

    assert run.workflow == "retrain.yml"
    assert run.jobs == {"configuration": "success", "train": "success"}, run
    assert [(one.kind, "automl data push" in one.text) for one in run.annotations] == [("notice", True)]
    assert story.without_data.world.executions == []


def test_a_mistake_is_shown_at_its_line_and_the_comment_says_what_is_missing(story):
    run, number = story.typo.runs["pull-request.yml"], story.typo.facts["number"]

    assert run.jobs["report"] == "failure", run
    mistakes = [one for one in run.annotations if "did you mean max_candidates" in one.text]
    assert {(one.kind, one.file) for one in mistakes} == {("error", "automl.toml")}
    (comment,) = story.typo.world.comments[number]
    assert comment["body"].count(":x: There is no report") == 2


def test_a_pull_request_is_checked_planned_and_rehearsed_in_one_comment(story):
    scene = story.pull_request
    run = scene.runs["pull-request.yml"]

    assert run.jobs == {"check": "success", "report": "success"}, run
    (comment,) = scene.world.comments[scene.facts["number"]]
    short, _, folded = comment["body"].partition("<details>")
    assert "Merging this trains a model: at most 9.0 instance-hours" in short, (
        "with a transform of the validation rows"
    )
    assert "pipeline absent" in short
    assert "Rehearsal :white_check_mark:" in short
    assert len(short.splitlines()) < 25
    assert "Ceiling of the cost" in folded
    assert "Plan" in run.summary
    assert "Doctor: nothing" in run.summary, "what AWS would refuse, as advice"
    assert scene.world.executions == [], "a pull request never trains where it costs"


def test_ten_pushes_leave_one_comment(story):
    before = story.pull_request.world.comments
    number = story.pull_request.facts["number"]

    (comment,) = story.pushes.world.comments[number]

    assert comment["id"] == before[number][0]["id"]
    assert "push 10" in comment["body"]
    assert "push 9" not in comment["body"]


def test_its_merge_trains_stages_verifies_and_proposes(story):
    scene = story.merge
    run = scene.runs["retrain.yml"]

    assert run.jobs == {"configuration": "success", "train": "success", "stage": "success"}, run
    assert scene.world.executions == ["Succeeded"]
    ((arn, (approval, _)),) = scene.world.versions.items()
    assert approval == "PendingManualApproval"
    assert scene.world.staging == "", "removed once its version is verified"
    assert scene.world.production == ""
    (proposal,) = [pull for pull in scene.world.pulls.values() if pull["head"]["ref"] == "promote-production"]
    assert arn in proposal["body"]
    assert "is registered" in run.summary
    assert "Leaderboard" in run.summary


def test_two_merges_at_once_train_once_and_the_second_run_does_what_the_first_could_not(story):
    """Both take what main says when they start; the one proposal is the second's, since GitHub refused the first."""
    first, second = story.merge.facts["first"], story.merge.runs["retrain.yml"]

    assert first.jobs == {"configuration": "success", "train": "success", "stage": "failure"}, first
    (error,) = first.annotations
    assert error.kind == "error"
    assert "GitHub Actions is not permitted to create pull requests" in error.text
    assert "Settings > Actions > General" in error.text
    assert first.steps["Verify it"] == "success"
    assert second.green, second
    assert story.merge.world.executions == ["Succeeded"]
    assert len(story.merge.world.versions) == 1


def test_merging_the_proposal_puts_it_into_production(story):
    scene = story.promotion
    (run,) = scene.runs.values()

    assert run.workflow == "promote.yml"
    assert run.jobs == {"configuration": "success", "promote": "success"}, run
    arn = scene.facts["named"]
    assert scene.world.production == arn
    assert scene.world.versions == {arn: ("Approved", "deployed")}


def test_a_model_that_the_gate_rejects_is_red_and_changes_nothing_that_serves(story):
    scene = story.bad_change
    run, before = scene.runs["retrain.yml"], scene.facts["before"]

    assert run.jobs == {"configuration": "success", "train": "failure"}, run
    assert scene.world.executions == ["Succeeded", "Failed"]
    assert (scene.world.versions, scene.world.staging, scene.world.production) == (
        before.versions,
        before.staging,
        before.production,
    )
    assert {pull["head"]["ref"] for pull in scene.world.pulls.values() if pull["state"] == "open"} == set()
    (error,) = run.annotations
    assert error.kind == "error"
    assert f"below the minimum of {HARD}" in error.text
    assert "the gate rejected the model" in run.summary
    assert f"below the minimum of {HARD}" in run.summary


def test_the_threshold_that_validation_rows_chose_goes_with_its_version_into_production(story, tmp_path):
    named = story.promotion.facts["named"]
    assert story.bad_change
    save(story.stage.aws.client("s3"), tmp_path)
    documents = [json.loads(path.read_text()) for path in tmp_path.glob("evaluations/*/evaluation.json")]
    first, second = sorted(documents, key=lambda one: one["champion"] is not None)

    chosen = first["threshold"]
    assert (chosen["costs"], chosen["chosen"]["by"]) == (COSTS, "cost")
    assert chosen["chosen"]["value"] <= chosen["chosen"]["usual_value"]
    told = story.stage.aws.client("sagemaker").describe_model_package(ModelPackageName=named)
    noted = told["CustomerMetadataProperties"]
    assert (noted["positive_class"], float(noted["threshold"])) == ("1", chosen["value"])
    said = f"{chosen['value']:.4g}"
    (proposal,) = [one for one in story.promotion.world.pulls.values() if named in one["body"]]
    assert f"{said} on, chosen on its validation rows" in proposal["body"]
    # The next version is judged by its own, and the one in production by the one that it decides by there.
    assert second["champion"]["model_package_arn"] == named
    assert (second["champion"]["positive_class"], second["champion"]["threshold"]) == ("1", chosen)
    assert second["threshold"]["chosen"]["by"] == "cost"
    again = second["champion"]["metrics"]
    assert {name: again[name] for name in ("f1", "precision", "recall")} == pytest.approx(
        {name: first["metrics"][name] for name in ("f1", "precision", "recall")}
    ), "the same rows, the same model, the same threshold"


def test_a_fork_s_pull_request_is_planned_and_rehearsed_without_any_right(story):
    run, number = story.fork.runs["pull-request.yml"], story.fork.facts["number"]

    assert run.jobs == {"report": "success"}, run
    assert run.steps["Rehearse"] == "success"
    assert "Sign in to AWS, read-only" not in run.steps
    assert number not in story.fork.world.comments
    assert "AWS was not looked at" in run.summary
    assert story.fork.world.executions == story.bad_change.world.executions


def test_a_change_of_the_data_set_s_columns_is_a_warning_at_its_file(story):
    run = story.fork.runs["pull-request.yml"]

    warnings = [one for one in run.annotations if one.kind == "warning"]
    (warning,) = [one for one in warnings if "schema changes" in one.text]
    assert warning.file == "dataset.lock"
    assert "weight" in warning.text
    assert "The version in production cannot read such rows" in run.summary


def test_a_second_promotion_replaces_the_first_and_its_revert_brings_it_back(story):
    first, second = story.promotion.facts["named"], story.second_promotion.facts["second"]

    assert story.second_promotion.runs["promote.yml"].green, story.second_promotion.runs["promote.yml"]
    assert story.second_promotion.world.production == second
    (run,) = story.revert.runs.values()
    assert run.workflow == "promote.yml"
    assert run.green, run
    assert story.revert.facts["named"] == first
    assert story.revert.world.production == first
    assert len(story.revert.world.executions) == 2, "a revert trains nothing"


def test_repeating_an_old_run_does_not_bring_back_an_old_state(story):
    scene = story.repeated

    assert scene.runs["promote.yml"].green, scene.runs["promote.yml"]
    assert scene.world.production == story.promotion.facts["named"]


def test_drift_opens_one_issue(story):
    scene = story.drift

    assert scene.facts["calm"].green, scene.facts["calm"]
    assert not scene.runs["drift.yml"].green
    (issue,) = scene.world.issues.values()
    assert issue["state"] == "open"
    assert f"{story.stage.name}-production-5xx is missing" in issue["body"]
    assert scene.facts["again"].issues == scene.world.issues, "the same difference is the same issue"


def test_promote_by_hand_repairs_it_and_the_issue_is_closed(story):
    scene = story.repair

    assert {name: run.green for name, run in scene.runs.items()} == {"promote.yml": True, "drift.yml": True}
    (issue,) = scene.world.issues.values()
    assert issue["state"] == "closed"
    assert scene.world.production == story.revert.world.production


def test_a_teardown_wants_the_project_s_name(story):
    scene = story.refused_teardown

    run = scene.runs["teardown.yml"]
    assert not run.green
    assert [error.kind for error in run.annotations] == ["error"]
    assert "another" in run.annotations[0].text
    assert scene.world.production == story.repair.world.production


def test_a_teardown_leaves_nothing_but_the_roles(story):
    scene = story.teardown

    assert scene.runs["teardown.yml"].green, scene.runs["teardown.yml"]
    assert {"staging": scene.world.staging, "production": scene.world.production} == NOTHING
    assert scene.world.versions == {}
    assert story.stage.aws.client("s3").list_buckets()["Buckets"] == []
    stacks = story.stage.aws.client("cloudformation").describe_stacks()["Stacks"]
    assert {stack["StackName"] for stack in stacks} == {
        f"{story.stage.name}-{part}" for part in ("bootstrap", "services")
    }


@pytest.mark.parametrize(
    ("workflow", "variable", "green", "kind"),
    [("drift.yml", "AWS_PLAN_ROLE", True, "notice"), ("teardown.yml", "AWS_TEARDOWN_ROLE", False, "error")],
)
def test_a_missing_variable_is_named_with_the_command_that_sets_it(story, workflow, variable, green, kind):
    assert story.teardown
    variables = story.stage.github.variables[""]
    removed = variables.pop(variable)

    run = story.stage.dispatch(workflow, project=story.stage.name)
    variables[variable] = removed

    assert run.green is green, run
    assert [(one.kind, variable in one.text, "make bootstrap" in one.text) for one in run.annotations] == [
        (kind, True, True)
    ]


def test_a_role_that_does_not_trust_the_job_is_refused_by_aws(story):
    """The PromoteRole is for the environment production: on the main branch alone it cannot be assumed."""
    assert story.teardown
    variables = story.stage.github.variables[""]
    right = variables["AWS_PLAN_ROLE"]
    variables["AWS_PLAN_ROLE"] = variables["AWS_PROMOTE_ROLE"]

    run = story.stage.dispatch("drift.yml")
    variables["AWS_PLAN_ROLE"] = right

    assert run.jobs == {"configuration": "success", "compare": "failure"}, run
    (error,) = run.annotations
    assert error.kind == "error"
    assert "Not authorized to perform sts:AssumeRoleWithWebIdentity" in error.text
    assert run.steps["Sign in to AWS, read-only"] == "failure"
    assert "Compare" not in run.steps
