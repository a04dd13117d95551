"""The one issue about a difference between AWS and Git."""

from __future__ import annotations

import pytest

from automl_gitops.commands.main import main
from automl_gitops.kernel import cli
from automl_gitops.kernel.errors import RunError
from automl_gitops.promotion.drift import LABEL, MARKER, report
from automl_gitops.promotion.promote import promote
from automl_gitops.promotion.status import Served, Status


def found(*differences: str) -> Status:
    return Status({}, {}, Served("a-staging"), Served("a-production"), list(differences), [])


def test_it_is_opened_kept_up_to_date_and_closed(world, github):
    project = world.project()

    outcomes = [
        report(project, found(*differences)).outcome
        for differences in ((), ("one",), ("one",), ("one", "two"), (), ())
    ]

    assert outcomes == ["unchanged", "opened", "unchanged", "updated", "closed", "unchanged"]
    (issue,) = github.issues.values()
    assert issue["state"] == "closed"
    assert "- two" in issue["body"]
    assert len(github.comments[issue["number"]]) == 1


def test_a_new_difference_after_that_is_a_new_issue(world, github):
    for differences in (("one",), (), ("one",)):
        report(world.project(), found(*differences))

    assert [issue["state"] for issue in github.issues.values()] == ["closed", "open"]


def test_issues_of_others_stay(world, github):
    path = f"/repos/{github.repository}/issues"
    body = {"title": "AWS differs from Git", "body": "somebody's own", "labels": [LABEL]}
    github.answer("POST", path, {}, body, github.token)

    report(world.project(), found("one"))
    report(world.project(), found())

    assert [(issue["state"], issue["body"].startswith(MARKER)) for issue in github.issues.values()] == [
        ("open", False),
        ("closed", True),
    ]


def test_what_github_refuses_says_which_right_is_missing(world, github):
    github.fail("POST", "issues", 403, "Resource not accessible by integration")

    with pytest.raises(RunError, match="issues: write"):
        report(world.project(), found("one"))


def test_an_archive_that_was_replaced_is_reported_and_gone_once_it_is_restored(world, github):
    world.name_in_git(world.sign_off(world.register()))
    promote(world.project())
    world.put("autopilot/model.tar.gz", "another archive")
    newest = world.s3.head_object(Bucket=world.bucket, Key="autopilot/model.tar.gz")["VersionId"]

    ended = main(["drift"])
    world.s3.delete_object(Bucket=world.bucket, Key="autopilot/model.tar.gz", VersionId=newest)

    assert (ended, main(["drift"])) == (cli.DRIFT, 0)
    (issue,) = github.issues.values()
    assert f"autopilot/model.tar.gz is version {newest}" in issue["body"]
    assert issue["state"] == "closed"


def test_the_command_ends_with_3_where_they_differ(world, github, capsys):
    arn = world.sign_off(world.register())

    before = main(["drift"])
    world.name_in_git(arn)
    after = main(["drift"])

    assert (before, after) == (0, cli.DRIFT)
    (issue,) = github.issues.values()
    assert "there is no endpoint" in issue["body"]
    assert issue["html_url"] in capsys.readouterr().out
