"""The way back is one commit, and it is the one that `git revert` would make."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from automl_gitops.commands.main import main
from automl_gitops.kernel.errors import UserError
from automl_gitops.promotion.production_file import FILE, ProductionFile
from automl_gitops.promotion.rollback import rollback

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/readmission/{}"


@pytest.fixture
def promoted(world, git):
    """Commits the promotion of a version; returns the commit."""

    def commit(version: int) -> str:
        world.name_in_git(ARN.format(version))
        git("commit", "--quiet", "-am", f"Promote version {version}")
        return git("rev-parse", "HEAD")

    return commit


def named() -> str:
    return ProductionFile.load().model_package_arn.rsplit("/", 1)[-1]


def test_it_is_what_git_revert_makes(git, promoted):
    promoted(1)
    second = promoted(2)

    made = rollback()

    ours = git("rev-parse", "HEAD^{tree}")
    message = git("log", "-1", "--format=%B")
    git("reset", "--quiet", "--hard", second)
    git("revert", "--no-edit", second)
    assert git("rev-parse", "HEAD^{tree}") == ours
    assert message.startswith(git("log", "-1", "--format=%B").strip())
    assert (made.leaves, made.returns_to) == (ARN.format(2), ARN.format(1))


def test_twice_by_accident_goes_back_once(git, promoted):
    for version in (1, 2, 3):
        promoted(version)

    first = rollback()
    again = rollback()

    assert again.commit == first.commit
    assert (first.changed, again.changed) == (True, False)
    assert named() == "2"


def test_further_goes_back_over_what_was_rolled_back(git, promoted):
    for version in (1, 2, 3):
        promoted(version)
    rollback()

    rollback(further=True)

    assert named() == "1"
    with pytest.raises(UserError, match="nothing to go back to"):
        rollback(further=True)


def test_other_commits_since_are_left_alone(world, git, promoted):
    promoted(1)
    promoted(2)
    (world.folder / "automl.toml").write_text((world.folder / "automl.toml").read_text() + "# later\n")
    git("commit", "--quiet", "-am", "Something else")

    rollback()

    assert named() == "1"
    assert "# later" in (world.folder / "automl.toml").read_text()
    assert git("diff", "--name-only", "HEAD^", "HEAD") == FILE.as_posix()


def test_a_merged_pull_request_is_rolled_back_too(world, git, promoted):
    promoted(1)
    git("switch", "--quiet", "-c", "promote-production")
    promoted(2)
    git("switch", "--quiet", "main")
    (world.folder / "README.md").write_text("later\n")
    git("add", "--all")
    git("commit", "--quiet", "-m", "Meanwhile")
    git("merge", "--quiet", "--no-ff", "-m", "Merge pull request #2", "promote-production")

    rollback()

    assert named() == "1"


def test_after_an_interruption_it_is_completed(git, promoted):
    first = promoted(1)
    promoted(2)
    FILE.write_text(git("show", f"{first}:{FILE.as_posix()}") + "\n")

    assert rollback().changed
    assert named() == "1"


def test_own_changes_of_the_file_are_not_lost(git, promoted):
    promoted(1)
    promoted(2)
    FILE.write_text("# mine\n")

    with pytest.raises(UserError, match="not committed"):
        rollback()

    assert FILE.read_text() == "# mine\n"


def test_what_could_not_be_read_was_never_in_production_and_is_no_way_back(git, promoted):
    promoted(1)
    FILE.write_text('model_package_am = "a slip"\n')
    git("commit", "--quiet", "-am", "A slip")
    promoted(2)

    rollback()

    assert named() == "1"
    assert git("status", "--porcelain") == ""


def test_a_file_that_cannot_be_read_now_is_to_be_mended_first(git, promoted, capsys):
    promoted(1)
    promoted(2)
    FILE.write_text('model_package_am = "a slip"\n')
    git("commit", "--quiet", "-am", "A slip")

    assert main(["rollback"]) == 2

    assert "did you mean model_package_arn" in capsys.readouterr().err


def test_nothing_promoted_and_nothing_before_are_said(world, git, promoted, capsys):
    assert main(["rollback"]) == 2
    assert "nothing to roll back" in capsys.readouterr().err
    promoted(1)
    assert main(["rollback"]) == 2
    assert "nothing to go back to" in capsys.readouterr().err


def test_aws_is_not_asked(git, promoted, monkeypatch):
    promoted(1)
    promoted(2)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    assert main(["rollback"]) == 0


def test_outside_git_it_is_a_users_error(world):
    with pytest.raises(UserError, match="not a git repository"):
        rollback()


def test_pushed_and_promoted_it_brings_the_version_before_back(world, git):
    from automl_gitops.promotion.promote import promote

    for threshold in ("10", "50"):
        world.name_in_git(world.sign_off(world.register(THRESHOLD=threshold)))
        git("commit", "--quiet", "-am", f"Promote {threshold}")
        promote(world.project())
    assert world.predict(["20", "1"]) == "no"

    rollback()
    promote(world.project())

    assert world.predict(["20", "1"]) == "yes"
    with pytest.raises(ClientError):
        world.endpoint("staging")


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_killed_before_git_wrote_its_index_it_is_finished_by_the_next_run(world, git, promoted, signal):
    promoted(1)
    promoted(2)
    hook = world.folder / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        '#!/bin/sh\n[ "$1" = committed ] && kill -SIGNAL $PPID\nexit 0\n'.replace("SIGNAL", signal)
    )
    hook.chmod(0o755)

    with pytest.raises(UserError, match="git commit"):
        rollback()
    assert git("log", "-1", "--format=%s").startswith("Revert "), "the commit is there"
    assert git("diff", "--cached", "--name-only") == FILE.as_posix(), "and git's index is that of before"
    hook.unlink()
    lock = world.folder / ".git" / "index.lock"
    if lock.exists():  # git itself was killed, and says what to do
        with pytest.raises(UserError, match=r"index\.lock.*remove the file"):
            rollback()
        lock.unlink()
    again = rollback()

    assert not again.changed
    assert (again.leaves, again.returns_to) == (ARN.format(2), ARN.format(1))
    assert git("status", "--porcelain") == ""


def test_what_somebody_staged_since_a_rollback_stays_staged(git, promoted):
    promoted(1)
    promoted(2)
    rollback()
    before = FILE.read_text()
    FILE.write_text(before + "# by hand\n")
    git("add", "--all")
    FILE.write_text(before)

    rollback()

    assert git("diff", "--cached", "--name-only") == FILE.as_posix()
