"""What an administrator runs once: roles for the repository, and the repository's settings on GitHub."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from automl_gitops.commands.main import main
from automl_gitops.github.github_settings import RULESET
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.stacks import bootstrap
from automl_gitops.stacks.setup import set_up
from support.deployed import DeployedProject
from support.github import GitHub

SUBJECT_SETTING = "actions/oidc/customization/sub"


@pytest.fixture
def project(local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployedProject:
    return DeployedProject(local_aws, tmp_path, monkeypatch)


def test_roles_environments_branch_rule_and_variables_and_then_nothing(project, github):
    github.settings[SUBJECT_SETTING] = {
        "use_default": True,
        "use_immutable_subject": True,
        "sub_claim_prefix": "repo:owner@12/name@34",
    }

    first = set_up(project.sign_in())
    written = list(github.writes)
    second = set_up(project.sign_in())

    assert project.subjects("PromoteRole") == ["repo:owner@12/name@34:environment:production"]
    assert project.subjects("RetrainRole") == ["repo:owner@12/name@34:ref:refs/heads/main"]
    assert github.variables[""] == {
        "AWS_REGION": project.aws.region,
        "AWS_ACCOUNT_ID": project.aws.account,
        **{
            f"AWS_{name.upper()}_ROLE": project.names.role_arn(f"{project.name}-{name}Role")
            for name in ("Plan", "Retrain", "Promote", "Teardown")
        },
    }
    for name in ("production", "teardown"):
        environment = github.environments[name]
        assert [policy["name"] for policy in environment["branch_policies"]] == ["main"]
        assert {rule["type"] for rule in environment["protection_rules"]} == {
            "branch_policy",
            "required_reviewers",
        }
    assert [one["name"] for one in github.rulesets] == [RULESET]
    assert github.settings["actions/permissions/workflow"] == {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": True,
    }
    assert {setting.outcome for setting in first.settings} == {"created", "changed"}
    assert {setting.outcome for setting in second.settings} == {"unchanged"}
    assert second.deployed.outcome == "unchanged"
    assert github.writes == written


def test_an_older_repository_s_subject_has_no_ids(project, github):
    set_up(project.sign_in())

    assert project.subjects("PromoteRole") == ["repo:owner/name:environment:production"]


def test_what_a_plan_does_not_offer_is_said_and_the_rest_is_done(project, github):
    github.fail("PUT", "environments/", 422, "Required reviewers are not offered", times=1)
    github.fail("POST", "rulesets", 403, "Upgrade to GitHub Pro or make this repository public")

    done = set_up(project.sign_in())

    outcomes = {setting.name: (setting.outcome, setting.detail) for setting in done.settings}
    assert outcomes["environment production"][0] == "created"
    assert "without required reviewers" in outcomes["environment production"][1]
    assert [policy["name"] for policy in github.environments["production"]["branch_policies"]] == ["main"]
    assert outcomes[f"branch rule: {RULESET}"][0] == "not offered"
    assert "Upgrade to GitHub Pro" in outcomes[f"branch rule: {RULESET}"][1]
    assert github.variables[""]["AWS_REGION"] == project.aws.region


def free_plan(github: GitHub) -> None:
    """A private repository on a free plan has neither environments nor branch rules."""
    github.fail("PUT", "environments/", 404, "Not Found", times=9)
    github.fail("POST", "rulesets", 403, "Upgrade to GitHub Pro or make this repository public", times=9)


def may_assume(project: DeployedProject, role: str) -> bool:
    """Whether the role's trust policy lets anybody in."""
    answer = project.client("iam").get_role(RoleName=f"{project.name}-{role}")
    (statement,) = answer["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return statement["Effect"] == "Allow"


def test_where_any_branch_would_reach_production_no_workflow_gets_its_roles(project, github, capsys):
    set_up(project.sign_in())  # as long as the repository is public, say
    github.environments.clear()
    github.rulesets.clear()
    free_plan(github)

    assert main(["bootstrap", "--github"]) == 0

    assert set(github.variables[""]) == {
        "AWS_REGION", "AWS_ACCOUNT_ID", "AWS_PLAN_ROLE", "AWS_RETRAIN_ROLE"
    }  # fmt: skip
    assert [may_assume(project, f"{name}Role") for name in ("Plan", "Retrain", "Promote", "Teardown")] == [
        True, True, False, False
    ]  # fmt: skip
    printed = capsys.readouterr()
    assert "AWS_PROMOTE_ROLE and AWS_TEARDOWN_ROLE are withheld" in printed.out + printed.err
    assert "--unprotected" in printed.out + printed.err


def test_who_accepts_that_any_branch_reaches_production_gets_the_roles(project, github):
    free_plan(github)

    withheld = set_up(project.sign_in())
    accepted = set_up(project.sign_in(), accepts_unprotected=True)

    assert [one.name for one in withheld.settings if one.outcome == "withheld"] == [
        "variable AWS_PROMOTE_ROLE",
        "variable AWS_TEARDOWN_ROLE",
    ]
    assert {one.outcome for one in accepted.settings} == {"unchanged", "created", "not offered"}
    assert {"AWS_PROMOTE_ROLE", "AWS_TEARDOWN_ROLE"} <= set(github.variables[""])
    assert may_assume(project, "PromoteRole")
    assert may_assume(project, "TeardownRole")


def test_the_way_to_accept_it_is_about_the_repository(project, capsys):
    project.sign_in()

    assert main(["bootstrap", "--unprotected"]) == 2
    assert "--unprotected goes with --github" in capsys.readouterr().err


def test_what_broke_off_is_completed_by_the_next_run(project, github):
    github.fail("POST", "actions/variables", 500, "Server Error", times=9)

    with pytest.raises(RunError, match="500"):
        set_up(project.sign_in())
    github.heal()
    set_up(project.sign_in())

    assert set(github.variables[""]) >= {"AWS_PLAN_ROLE", "AWS_TEARDOWN_ROLE"}


@pytest.mark.parametrize(
    ("status", "message", "kind", "words"),
    [
        (401, "Bad credentials", UserError, "does not accept GITHUB_TOKEN"),
        (403, "API rate limit exceeded for user", RunError, "rate limit"),
        (503, "Unavailable", RunError, "503"),
    ],
)
def test_what_is_no_matter_of_the_plan_ends_it(project, github, status, message, kind, words):
    github.fail("GET", "actions/permissions", status, message, times=9)

    with pytest.raises(kind, match=words):
        set_up(project.sign_in())


def test_an_environment_that_cannot_be_looked_at_ends_it_in_a_sentence(project, github):
    github.fail("GET", "environments/production$", 503, "Unavailable", times=9)

    with pytest.raises(RunError, match=r"cannot look at environment production: .*503"):
        set_up(project.sign_in())


def test_a_subject_of_ones_own_making_is_refused(project, github):
    github.settings[SUBJECT_SETTING] = {
        "use_default": False,
        "include_claim_keys": ["repo", "job_workflow_ref"],
    }

    with pytest.raises(UserError, match=r"job_workflow_ref: set it back"):
        set_up(project.sign_in())

    assert github.writes == []


def test_only_an_administrator_can(project, github):
    github.is_administrator = False

    with pytest.raises(UserError, match="may not administer owner/name"):
        set_up(project.sign_in())


def test_without_a_token_the_command_says_how(project, monkeypatch, capsys):
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    project.sign_in()

    assert main(["bootstrap", "--github"]) == 2
    assert "gh auth token" in capsys.readouterr().err


def test_the_command_prints_what_it_did(project, github: GitHub, capsys):
    project.sign_in()

    assert main(["bootstrap", "--github", "--json"]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed["subject_prefix"] == "repo:owner/name"
    assert {"name": "variable AWS_REGION", "outcome": "created", "detail": ""} in printed["settings"]


def test_where_the_default_branch_is_not_main_nothing_is_made(project, github):
    github.git.default_branch = "trunk"

    with pytest.raises(UserError) as refused:
        set_up(project.sign_in())

    assert "the default branch of owner/name is trunk" in str(refused.value)
    assert "gh api -X POST repos/owner/name/branches/trunk/rename -f new_name=main" in str(refused.value)
    assert "gh repo edit owner/name --default-branch main" in str(refused.value)
    assert github.writes == []
    stacks = project.client("cloudformation").list_stacks()["StackSummaries"]
    assert project.names.bootstrap_stack not in [stack["StackName"] for stack in stacks]


def test_a_name_that_another_repository_has_taken_is_refused_before_anything_is_made(project, github):
    bootstrap.deploy(project.sign_in(), "repo:another/name")

    with pytest.raises(UserError) as refused:
        set_up(project.sign_in())

    assert f'name = "{project.name}" is that of repo:another/name in this account' in str(refused.value)
    assert "first `automl bootstrap --github-oidc-subject repo:owner/name`" in str(refused.value)
    assert github.writes == []
    assert project.subjects("PromoteRole") == ["repo:another/name:environment:production"]


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("repo:owner/name", "repo:Owner@1/name@2", True),  # the form with ids came later
        ("repo:owner@1/name@2", "repo:owner/name", True),
        ("repo:owner@1/other@2", "repo:owner@1/name@3", False),
        ("repo:another@1/name@2", "repo:owner@1/name@3", False),
    ],
)
def test_a_repository_is_the_same_with_and_without_ids(project, before, now, same):
    bootstrap.deploy(project.sign_in(), before)

    with nullcontext() if same else pytest.raises(UserError, match="choose another"):
        bootstrap.require_ours(project.sign_in(), now)


def test_a_tag_that_is_called_main_reaches_no_environment(project, github):
    set_up(project.sign_in())
    (policy,) = github.environments["production"]["branch_policies"]
    policy["type"] = "tag"

    set_up(project.sign_in())

    (policy,) = github.environments["production"]["branch_policies"]
    assert (policy["name"], policy["type"]) == ("main", "branch")


def test_an_owner_s_review_is_required_and_stays_so(project, github):
    done = set_up(project.sign_in(), owners=["ada", "@org/reviewers"])
    again = set_up(project.sign_in())

    file = Path(".github/CODEOWNERS")
    assert file.read_text() == "* @ada @org/reviewers\n"
    assert (done.settings[0].name, done.settings[0].outcome) == (file.as_posix(), "created")
    (rule,) = [one for one in github.rulesets[0]["rules"] if one["type"] == "pull_request"]
    assert rule["parameters"]["require_code_owner_review"] is True
    assert {one.outcome for one in again.settings} == {"unchanged"}


def test_owners_can_be_named_later(project, github):
    set_up(project.sign_in())

    done = set_up(project.sign_in(), owners=["ada"])

    outcomes = {one.name: one.outcome for one in done.settings}
    assert outcomes[f"branch rule: {RULESET}"] == "changed"


def test_owners_that_somebody_wrote_by_hand_stay(project, github):
    project.enter()
    file = Path(".github/CODEOWNERS")
    file.parent.mkdir(exist_ok=True)
    file.write_text("/pipeline @ada\n")

    with pytest.raises(UserError, match="names others: edit or remove it"):
        set_up(project.sign_in(), owners=["grace"])

    assert (file.read_text(), github.writes) == ("/pipeline @ada\n", [])


def test_who_started_a_deployment_may_be_kept_from_approving_it(project, github):
    def prevents() -> set[bool]:
        rules = [rule for one in github.environments.values() for rule in one["protection_rules"]]
        return {rule["prevent_self_review"] for rule in rules if rule["type"] == "required_reviewers"}

    seen = []
    for prevent in (None, True, None, False):
        set_up(project.sign_in(), reviewers=["somebody"], prevent_self_review=prevent)
        seen.append(prevents())

    assert seen == [{False}, {True}, {True}, {False}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--code-owner", "ada"], "go with --github"),
        (["--prevent-self-review"], "go with --github"),
    ],
)
def test_what_reviews_cannot_be_is_said_before_anything_is_made(project, github, capsys, options, words):
    project.sign_in()

    assert main(["bootstrap", *options]) == 2
    assert words in capsys.readouterr().err
    assert github.writes == []


def test_the_command_takes_owners_and_reviews(project, github, capsys):
    project.sign_in()

    assert main(["bootstrap", "--github", "--code-owner", "ada", "--prevent-self-review"]) == 0

    assert "@ada" in Path(".github/CODEOWNERS").read_text()
    printed = capsys.readouterr()
    assert "counts once main has it" in printed.out + printed.err
