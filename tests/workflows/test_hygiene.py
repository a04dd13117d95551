"""What is true of every rendered workflow."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import bake

from automl_gitops.plan import PROMOTES
from automl_gitops.runs.run import RETRAINS

TOOLS = Path(sys.executable).parent
FILES = ("drift.yml", "promote.yml", "pull-request.yml", "retrain.yml", "scan.yml", "teardown.yml")


@pytest.fixture(scope="module")
def rendered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project as a user gets it."""
    output = tmp_path_factory.mktemp("rendered")
    result = bake(template, output)
    assert result.returncode == 0, result.stderr
    return output / "readmission"


def text_of(rendered: Path, name: str) -> str:
    return (rendered / ".github" / "workflows" / name).read_text()


def workflow_of(rendered: Path, name: str) -> dict:
    return yaml.safe_load(text_of(rendered, name))


def steps_of(rendered: Path, name: str) -> list[dict]:
    return [step for job in workflow_of(rendered, name)["jobs"].values() for step in job["steps"]]


def test_these_are_all(rendered):
    assert sorted(path.name for path in (rendered / ".github" / "workflows").iterdir()) == list(FILES)


def test_actionlint_has_nothing_to_say(rendered):
    files = sorted((rendered / ".github" / "workflows").iterdir())

    done = subprocess.run([TOOLS / "actionlint", *files], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_zizmor_has_nothing_to_say(rendered):
    command = [TOOLS / "zizmor", "--offline", "--no-progress", "--persona", "auditor", rendered / ".github"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_every_action_is_pinned_with_its_version_beside_it(rendered, name):
    lines = [line for line in text_of(rendered, name).splitlines() if "uses:" in line]

    assert lines or name == "none"
    assert [
        line for line in lines if not re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)
    ] == []


@pytest.mark.parametrize("name", FILES)
def test_rights_are_none_at_the_top_and_named_on_each_job(rendered, name):
    workflow = workflow_of(rendered, name)

    assert workflow["permissions"] == {}
    assert [job for job, content in workflow["jobs"].items() if "permissions" not in content] == []


@pytest.mark.parametrize("name", FILES)
def test_every_job_ends_and_no_run_in_progress_is_cancelled(rendered, name):
    workflow = workflow_of(rendered, name)

    assert [job for job, content in workflow["jobs"].items() if "timeout-minutes" not in content] == []
    assert workflow["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("name", FILES)
def test_no_expression_stands_in_a_script_and_no_secret_is_named(rendered, name):
    scripts = [step["run"] for step in steps_of(rendered, name) if "run" in step]

    assert [script for script in scripts if "${{" in script] == []
    assert "secrets." not in text_of(rendered, name)


@pytest.mark.parametrize("name", FILES)
def test_no_checkout_leaves_the_token_behind(rendered, name):
    checkouts = [
        step for step in steps_of(rendered, name) if step.get("uses", "").startswith("actions/checkout@")
    ]

    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@pytest.mark.parametrize("name", FILES)
def test_no_answer_of_the_template_is_in_it(rendered, name):
    template = Path(__file__).resolve().parents[2] / "{{cookiecutter.project}}"

    assert text_of(rendered, name) == (template / ".github" / "workflows" / name).read_text()
    assert not re.search(r"\bcookiecutter\b|readmission", text_of(rendered, name))


def test_a_pull_request_gets_no_role_that_can_change_anything(rendered):
    text = text_of(rendered, "pull-request.yml")

    assert "AWS_PLAN_ROLE" in text
    assert not re.search(r"AWS_(RETRAIN|PROMOTE|TEARDOWN)_ROLE", text)
    assert "pull_request_target" not in text


def test_a_fork_s_pull_request_signs_in_nowhere_and_comments_nowhere(rendered):
    ours = "github.event.pull_request.head.repo.full_name == github.repository"
    steps = [step for step in steps_of(rendered, "pull-request.yml") if "name" in step]
    (sign_in,) = [step for step in steps if step["name"].startswith("Sign in to AWS")]
    (comment,) = [step for step in steps if step["name"] == "Comment"]

    assert ours in sign_in["if"]
    assert comment["env"]["GITHUB_TOKEN"] == f"${{{{ {ours} && github.token || '' }}}}"


@pytest.mark.parametrize("name", FILES)
def test_downloads_are_kept_by_their_lock_where_all_packages_are_installed_and_only_there(rendered, name):
    """What promotes, compares or tears down installs little, and takes nothing that another job has written."""
    for job in workflow_of(rendered, name)["jobs"].values():
        installs = [step["run"] for step in job["steps"] if step.get("run", "").startswith("make setup")]
        caches = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/cache@")]

        assert len(caches) == installs.count("make setup")
        for cache in caches:
            assert cache["path"] == "~/.cache/uv"
            assert "steps.python.outputs.python-version" in cache["key"]
            assert "hashFiles('requirements.lock')" in cache["key"]


def test_the_plan_knows_which_files_start_which_workflow(rendered):
    def paths(name: str) -> list[str]:
        return [path.removesuffix("/**") for path in workflow_of(rendered, name)[True]["push"]["paths"]]

    assert (list(RETRAINS), list(PROMOTES)) == (paths("retrain.yml"), paths("promote.yml"))


@pytest.mark.parametrize(
    ("event", "switch", "execution", "group"),
    [
        ("push", "", "", "retrain"),
        ("push", "true", "", "retrain"),
        ("workflow_dispatch", "", "", "retrain"),
        ("schedule", "true", "", "retrain"),
        ("schedule", "", "", "retrain-not-scheduled"),
        ("schedule", "false", "", "retrain-not-scheduled"),
        ("workflow_dispatch", "", "abcd1234efgh", "retrain-execution-abcd1234efgh"),
        ("workflow_dispatch", "true", "stage", "retrain-execution-stage"),
    ],
)
def test_a_run_that_trains_nothing_replaces_no_run_that_waits(rendered, event, switch, execution, group):
    """A run joins its group, and replaces the one that waits there, before any job's `if` is asked."""
    workflow = workflow_of(rendered, "retrain.yml")
    context = {
        "github.event_name": event,
        "vars.RETRAIN_ON_SCHEDULE": switch,
        "inputs.execution": execution,
    }

    assert value_of(workflow["concurrency"]["group"], context) == group


@pytest.mark.parametrize(
    ("execution", "group"), [("abcd1234efgh", "retrain-stage"), ("", "retrain-without-version-12")]
)
def test_one_version_at_a_time_is_staged_and_a_run_without_one_replaces_none(rendered, execution, group):
    expression = workflow_of(rendered, "retrain.yml")["jobs"]["stage"]["concurrency"]["group"]
    context = {"needs.train.outputs.to-stage": execution, "github.run_id": 12}

    assert value_of(expression, context) == group


@pytest.mark.parametrize(
    ("execution", "name"),
    [("", ""), ("abcd1234efgh", "Retrain goes on with execution abcd1234efgh")],
)
def test_a_run_that_goes_on_is_named_by_its_execution(rendered, execution, name):
    """Others have no name of their own, so that GitHub names them by their commit."""
    assert value_of(workflow_of(rendered, "retrain.yml")["run-name"], {"inputs.execution": execution}) == name


def test_following_ends_an_hour_before_the_job_and_the_session_at_aws(rendered):
    job = workflow_of(rendered, "retrain.yml")["jobs"]["train"]
    (follow,) = [step for step in job["steps"] if step.get("id") == "follow"]
    (sign_in,) = [step for step in job["steps"] if step.get("name") == "Sign in to AWS"]

    minutes = int(re.search(r"--at-most (\d+)m ", follow["run"])[1])

    assert minutes == job["timeout-minutes"] - 60 == sign_in["with"]["role-duration-seconds"] / 60 - 60


RIGHTS = {
    "automl dispatch": {"actions": "write"},
    "automl propose": {"contents": "write", "pull-requests": "write"},
    "automl comment": {"pull-requests": "write"},
    "automl drift": {"issues": "write"},
}


@pytest.mark.parametrize("name", FILES)
def test_a_job_may_write_what_its_commands_write_and_no_more(rendered, name):
    for job, content in workflow_of(rendered, name)["jobs"].items():
        scripts = [step.get("run", "") for step in content["steps"]]
        needed = {
            right
            for command, rights in RIGHTS.items()
            if any(command in script for script in scripts)
            for right in rights.items()
        }
        writes = {right for right in content["permissions"].items() if right[1] == "write"}
        assert writes - {("id-token", "write")} == needed, job


def value_of(expression: str, context: dict[str, str]) -> str:
    """An expression of names, texts, `==`, `!=`, `&&`, `||` and `format`, as GitHub evaluates it."""
    text = " ".join(expression.split()).removeprefix("${{").removesuffix("}}").strip()
    for name, value in context.items():
        text = text.replace(name, repr(value))
    functions = {"__builtins__": {}, "format": str.format}
    return eval(text.replace("&&", " and ").replace("||", " or "), functions)
