"""The promotion pull request: one, complete, and the same again."""

from __future__ import annotations

import json

import pytest

from automl_gitops.commands.main import main
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.promotion.production_file import FILE, ProductionFile
from automl_gitops.promotion.propose import propose
from automl_gitops.promotion.stage import stage
from automl_gitops.verification.verify import verify


@pytest.fixture
def verified(world):
    """Registers a version that staging has signed off."""
    return lambda **rule: world.sign_off(world.register(**rule))


@pytest.fixture
def repository(world, github):
    """GitHub, with the project's files on its main branch."""
    github.git.commit_files("main", {FILE.as_posix(): FILE.read_text(), "README.md": "# project\n"}, "Start")
    return github


def proposed(repository):
    return ProductionFile.parse(repository.git.read("promote-production", FILE.as_posix()))


def test_one_pull_request_with_the_file_and_the_report(world, repository):
    arn = world.register(PROBABILITIES="1", threshold=0.55)
    stage(world.project(), arn)
    verify(world.project(), arn)
    before = FILE.read_text()

    proposal = propose(world.project(), None)

    (pull,) = repository.pulls.values()
    assert proposal.url == pull["html_url"]
    assert pull["title"] == f"Promote {world.name} version 1 to production"
    content = proposed(repository)
    assert content.model_package_arn == arn
    assert content.metrics == {"f1": 0.8, "accuracy": 0.9}
    assert content.verification.outcome == "verified"
    assert content.archives == world.read("verifications/1/verification.json")["archives"] != {}
    assert content.verification.record == f"s3://{world.bucket}/verifications/1/verification.json"
    assert repository.git.changed_files("main", "promote-production") == [FILE.as_posix()]
    for part in (
        arn,
        "| F1 | 0.8 |",
        "f1 0.8 is at least 0",
        "agrees with the evaluation",
        "canary of 10 %",
        "A row is called yes from a probability of 0.55 on.",
    ):
        assert part in pull["body"]
    assert FILE.read_text() == before


def test_again_changes_nothing(world, repository, verified):
    arn = verified()
    propose(world.project(), arn)
    written = list(repository.writes)

    again = propose(world.project(), arn)

    assert not again.changed
    assert repository.writes == written


def test_what_somebody_added_to_the_branch_does_not_ride_along(world, repository, verified):
    arn = verified()
    propose(world.project(), arn)
    repository.git.commit_files("promote-production", {"pipeline/more.py": "x = 1\n"}, "Ride along")

    proposal = propose(world.project(), arn)

    assert proposal.changed
    assert repository.git.read("promote-production", "pipeline/more.py") is None
    assert proposed(repository).model_package_arn == arn


def test_a_newer_version_takes_the_same_pull_request(world, repository, verified):
    propose(world.project(), verified())
    second = verified()

    propose(world.project(), second)

    (pull,) = repository.pulls.values()
    assert pull["state"] == "open"
    assert "version 2" in pull["title"]
    assert proposed(repository).model_package_arn == second
    assert repository.git.ahead("main", "promote-production") == 1


def test_the_version_in_production_is_the_one_that_main_names(world, repository, verified):
    first, second = verified(), verified()
    propose(world.project(), first)
    repository.merge(1)

    propose(world.project(), second)

    pull = repository.pulls[2]
    assert proposed(repository).previous_model_package_arn == first
    assert "In production: version 1" in pull["body"]
    assert "names version 1 again" in pull["body"]


def test_a_version_that_main_names_already_is_not_proposed(world, repository, verified):
    arn = verified()
    propose(world.project(), arn)
    repository.merge(1)
    written = list(repository.writes)

    proposal = propose(world.project(), arn)

    assert proposal.in_production
    assert repository.writes == written


def test_after_a_revert_the_same_version_can_be_proposed_again(world, repository, verified):
    arn = verified()
    before = repository.git.read("main", FILE.as_posix())
    propose(world.project(), arn)
    repository.merge(1)
    repository.git.commit_files("main", {FILE.as_posix(): before}, "Revert the promotion")

    propose(world.project(), arn)

    assert repository.pulls[2]["state"] == "open"
    assert repository.git.ahead("main", "promote-production") == 1


@pytest.mark.parametrize("step", ["git/trees", "git/commits", "git/refs", "^pulls$"])
def test_a_run_that_github_broke_off_is_completed_by_the_next(world, repository, verified, step):
    arn = verified()
    repository.fail("POST", step, 403, "Resource not accessible by integration")

    with pytest.raises(RunError, match="pull-requests: write"):
        propose(world.project(), arn)
    propose(world.project(), arn)

    assert [pull["state"] for pull in repository.pulls.values()] == ["open"]
    assert proposed(repository).model_package_arn == arn


@pytest.mark.parametrize(
    ("status", "message", "kind", "words"),
    [
        (401, "Bad credentials", UserError, "does not accept GITHUB_TOKEN"),
        (404, "Not Found", UserError, "GITHUB_REPOSITORY"),
        (403, "API rate limit exceeded for installation", RunError, "rate limit"),
        (422, "Validation Failed", RunError, "Validation Failed"),
        (500, "Server Error", RunError, "500"),
    ],
)
def test_what_github_refuses_is_one_sentence(world, repository, verified, status, message, kind, words):
    arn = verified()
    repository.fail("POST", "git/trees", status, message, times=9)

    with pytest.raises(kind, match=words):
        propose(world.project(), arn)


def test_github_that_does_not_answer_is_one_sentence(world, verified, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")

    with pytest.raises(RunError, match="GITHUB_API_URL"):
        propose(world.project(), verified())


def test_without_github_the_file_is_changed_once(world, git, verified):
    arn = verified()

    first = propose(world.project(), arn)
    second = propose(world.project(), arn)

    assert (first.changed, second.changed) == (True, False)
    assert ProductionFile.load().model_package_arn == arn
    git("commit", "--quiet", "-am", "Promote")
    assert propose(world.project(), arn).in_production


def test_a_version_that_staging_has_not_verified_is_not_proposed(world, repository):
    arn = world.register()

    with pytest.raises(UserError, match="staging has not verified it"):
        propose(world.project(), arn)

    assert repository.pulls == {}


def test_without_staging_and_arn_the_way_out_is_said(world, capsys):
    status = main(["propose"])

    assert status == 2
    assert "--model-package" in capsys.readouterr().err


def test_the_command_prints_where_the_pull_request_is(world, repository, verified, capsys):
    arn = verified()

    status = main(["propose", "--model-package", arn, "--json"])

    printed = json.loads(capsys.readouterr().out)
    assert status == 0
    assert printed["pull_request"] == "https://github.com/owner/name/pull/1"
    assert printed["model_package_arn"] == arn
