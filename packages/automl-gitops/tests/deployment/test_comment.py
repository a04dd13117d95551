"""The one comment on a pull request."""

from __future__ import annotations

from pathlib import Path

import pytest
from github.GithubObject import GithubObject

from automl_gitops.commands.main import main
from automl_gitops.github.pull_request import MARKER, MOST_CHARACTERS, comment, compose, explained
from automl_gitops.kernel.errors import RunError, UserError


@pytest.fixture
def pull(github, monkeypatch) -> int:
    """A pull request, whose number the environment has."""
    github.git.commit_files("main", {"a": "1"}, "Start")
    github.git.commit_files("change", {"a": "2"}, "Change")
    body = {"head": "change", "base": "main", "title": "Change"}
    number = github.answer("POST", f"/repos/{github.repository}/pulls", {}, body, github.token)[1]["number"]
    monkeypatch.setenv("PULL_REQUEST", str(number))
    return number


@pytest.fixture
def report(tmp_path: Path):
    """Writes a report; returns its path."""

    def write(text: str, name: str = "plan.md") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_it_is_made_once_and_updated_in_place(github, pull, report):
    first = comment("owner/name", [report("### Plan\n\none")])
    second = comment("owner/name", [report("### Plan\n\ntwo")])
    third = comment("owner/name", [report("### Plan\n\ntwo")])

    (found,) = github.comments[pull]
    assert "two" in found["body"]
    assert (first.changed, second.changed, third.changed) == (True, True, False)
    assert first.url == second.url


def test_comments_of_others_stay_and_a_quote_of_ours_is_not_ours(github, pull, report):
    for body in ("looks good", f"> {MARKER}\n> ### Plan"):
        path = f"/repos/{github.repository}/issues/{pull}/comments"
        github.answer("POST", path, {}, {"body": body}, github.token)

    comment("owner/name", [report("### Plan")])

    assert [found["body"].startswith(MARKER) for found in github.comments[pull]] == [False, False, True]


def test_a_comment_of_somebody_else_s_that_begins_like_ours_stays(github, pull, report):
    path = f"/repos/{github.repository}/issues/{pull}/comments"
    github.answer("POST", path, {}, {"body": f"{MARKER}\n### Plan\n\nall is well"}, github.token)
    github.act_in_workflow()

    for text in ("one", "two"):
        comment("owner/name", [report(f"### Plan\n\n{text}")])

    theirs, ours = github.comments[pull]
    assert (theirs["user"]["login"], "all is well" in theirs["body"]) == ("administrator", True)
    assert (ours["user"]["login"], "two" in ours["body"]) == ("github-actions[bot]", True)


def test_what_is_short_stands_above_everything_that_is_folded():
    folded = "<details><summary>more</summary>\n\nx\n\n</details>"

    text = compose(
        [f"### Plan\n\nshort one\n\n{folded}", f"### Rehearsal\n\nshort two\n\n{folded}"], "https://run"
    )

    assert text.index("short one") < text.index("short two") < text.index("<details>")
    assert text.count("<details>") == text.count("</details>") == 2
    assert "[The run](https://run)" in text


def test_a_text_that_github_would_refuse_is_cut_to_its_short_part():
    text = compose([f"### Plan\n\nshort\n\n<details>{'x' * MOST_CHARACTERS}</details>"], "https://run")

    assert len(text) <= MOST_CHARACTERS
    assert "short" in text
    assert "<details>" not in text
    assert "the run's summary" in text


def test_a_report_that_was_not_written_is_said_to_be_missing(github, pull, report, tmp_path):
    comment("owner/name", [report("### Plan"), tmp_path / "rehearsal.md"])

    assert "### Rehearsal\n\n:x:" in github.comments[pull][0]["body"]


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "PULL_REQUEST"])
def test_without_token_or_number_there_is_the_summary_alone(
    github, pull, report, tmp_path, monkeypatch, missing
):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv(missing, "")

    made = comment("owner/name", [report("### Plan")])

    assert made.url == ""
    assert github.comments == {}
    assert "### Plan" in summary.read_text()


@pytest.mark.parametrize(
    ("status", "message", "kind", "words"),
    [
        (401, "Bad credentials", UserError, "does not accept GITHUB_TOKEN"),
        (403, "Resource not accessible by integration", RunError, "pull-requests: write"),
        (403, "API rate limit exceeded for installation", RunError, "rate limit"),
        (429, "Too many requests", RunError, "rate limit"),
        (404, "Not Found", UserError, "GITHUB_REPOSITORY"),
        (422, "Validation Failed", RunError, "Validation Failed"),
        (502, "Bad Gateway", RunError, "502"),
    ],
)
def test_what_github_refuses_is_one_sentence(github, pull, report, status, message, kind, words):
    github.fail("POST", "comments", status, message, times=9)

    with pytest.raises(kind, match=words):
        comment("owner/name", [report("### Plan")])


def test_the_command_comments_though_automl_toml_is_wrong(github, pull, report, tmp_path, monkeypatch):
    (tmp_path / "automl.toml").write_text("[")
    monkeypatch.chdir(tmp_path)

    status = main(["comment", str(report("### Plan")), "rehearsal.md"])

    assert status == 0
    assert "### Rehearsal\n\n:x:" in github.comments[pull][0]["body"]


def test_a_number_that_is_none_is_refused(github, report, monkeypatch):
    monkeypatch.setenv("PULL_REQUEST", "12; rm")

    with pytest.raises(UserError, match="PULL_REQUEST"):
        comment("owner/name", [report("### Plan")])


def test_a_mistake_of_our_own_is_no_answer_of_github_s():
    with pytest.raises(AttributeError), explained("read it"):
        None.sha  # noqa: B018
    with pytest.raises(AssertionError), explained("read it"):
        raise AssertionError
    with pytest.raises(RunError, match="what answers is no API of GitHub's"), explained("read it"):
        GithubObject._makeStringAttribute({}).value  # noqa: B018
