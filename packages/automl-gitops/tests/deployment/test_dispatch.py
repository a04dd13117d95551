"""Retrain, started again for an execution that outlasts its run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl_gitops.commands.main import main
from support.github import GitHub
from support.project import PROJECT

EXECUTION = "abcd1234efgh"
BY_HAND = f"`gh workflow run retrain.yml -f execution={EXECUTION}`"
PATH = ".github/workflows/retrain.yml"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of the run that dispatches, in a folder with the project's automl.toml."""
    (tmp_path / "automl.toml").write_text((PROJECT / "automl.toml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    monkeypatch.setenv("GITHUB_RUN_ID", "4711")
    return tmp_path / "page.md"


@pytest.fixture
def retrain(github: GitHub) -> GitHub:
    """GitHub with the project's own workflow on main, asked by a job that has the right to start it."""
    commit_file(github, (PROJECT / PATH).read_text())
    github.permissions = {"actions": "write", "contents": "read"}
    return github


def commit_file(github: GitHub, text: str, path: str = PATH) -> None:
    head = github.git.head("main")
    tree = github.git.write_tree(head, {path: text})
    github.git.set_branch("main", github.git.commit_tree(tree, [head] if head else [], "Change"))


def test_it_starts_a_run_on_main_for_the_execution_and_both_name_each_other(retrain, page, capsys):
    assert main(["dispatch", EXECUTION, "--json"]) == 0

    (run,) = retrain.dispatches
    assert (run["workflow"], run["ref"]) == ("retrain.yml", "main")
    assert run["inputs"] == {"execution": EXECUTION, "after-run": "4711"}
    assert json.loads(capsys.readouterr().out) == {"execution": EXECUTION, "run": run["page"]}
    assert page.read_text() == f"Execution `{EXECUTION}` goes on in [run {run['run']}]({run['page']}).\n\n"


def test_a_server_that_does_not_name_the_run_is_enough(retrain, page, monkeypatch):
    monkeypatch.setattr("github.Requester.Requester.requestJsonAndCheck", without_details(), raising=True)

    assert main(["dispatch", EXECUTION]) == 0

    assert len(retrain.dispatches) == 1
    assert page.read_text() == f"Execution `{EXECUTION}` goes on in another run of Retrain.\n\n"


def without_details():
    """GitHub's API before it knew `return_run_details`."""
    from github.Requester import Requester

    ask = Requester.requestJsonAndCheck

    def older(self, verb, url, *arguments, input=None, **more):
        if input:
            input.pop("return_run_details", None)
        return ask(self, verb, url, *arguments, input=input, **more)

    return older


def test_without_the_right_it_says_which_is_missing_and_how_a_person_goes_on(retrain, page, capsys):
    retrain.permissions = {"contents": "write"}

    assert main(["dispatch", EXECUTION]) == 1

    told = " ".join(capsys.readouterr().err.split())
    assert "cannot start retrain.yml: GitHub answered 403 (Resource not accessible by integration)" in told
    assert "`actions: write`" in told
    assert BY_HAND in told
    assert retrain.dispatches == []
    assert not page.exists(), "a run that was not started is not named"


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow", "must not be disabled"),
        (404, "Not Found", "GitHub has no such thing"),
        (401, "Bad credentials", "GitHub does not accept GITHUB_TOKEN"),
        (429, "API rate limit exceeded", "rate limit is used up"),
    ],
)
def test_whatever_github_refuses_the_way_on_by_hand_is_named(retrain, page, capsys, status, message, words):
    retrain.fail("POST", "dispatches$", status, message, times=9)

    assert main(["dispatch", EXECUTION]) in (1, 2)

    told = " ".join(capsys.readouterr().err.split())
    assert words in told
    assert BY_HAND in told


def test_a_hiccup_of_github_does_not_end_the_thread(retrain, page):
    retrain.fail("POST", "dispatches$", 502, "Bad Gateway", times=2)

    assert main(["dispatch", EXECUTION]) == 0

    assert len(retrain.dispatches) == 1


def test_an_older_workflow_on_main_that_knows_no_execution_is_refused(retrain, page, capsys):
    commit_file(retrain, "name: Retrain\non: {workflow_dispatch: }\n")

    assert main(["dispatch", EXECUTION]) == 1

    assert "Unexpected inputs provided" in capsys.readouterr().err
    assert retrain.dispatches == []


def test_without_a_token_nothing_is_asked(retrain, page, monkeypatch, capsys):
    monkeypatch.delenv("GITHUB_TOKEN")

    assert main(["dispatch", EXECUTION]) == 2

    assert "GITHUB_TOKEN is not set" in capsys.readouterr().err
    assert retrain.requests == []


@pytest.mark.parametrize("text", ["", "a b", "../x", "--json=", "$(id)", "a\nb"])
def test_what_is_no_id_is_never_sent(retrain, page, text):
    assert main(["dispatch", "--", text]) == 2

    assert retrain.requests == []
