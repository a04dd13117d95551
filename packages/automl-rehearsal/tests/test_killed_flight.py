"""What a flight leaves in an account that was killed, and how that is removed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flights import (
    FLY,
    Someone,
    killed,
    removes,
    roles_begin,
    stack_begins,
    stages,
    trains,
    updates_production,
)


@pytest.mark.parametrize(
    "moment",
    [
        roles_begin,
        stack_begins,
        trains,
        pytest.param(stages, marks=pytest.mark.slow),
        pytest.param(updates_production, marks=pytest.mark.slow),
    ],
)
def test_nothing_is_left_of_a_flight_that_was_killed_and_cleaned(
    someone: Someone, moment: Callable[[Someone], bool]
) -> None:
    killed(someone, moment, *FLY)
    assert someone.left(), "it was killed too early to leave anything"

    status, told = someone.clean()

    assert (status, someone.left()) == (0, {}), told
    assert not (someone.folder / "flight.json").exists()
    assert someone.clean()[0] == 0


def test_a_removal_that_was_killed_is_completed_without_the_file(someone: Someone) -> None:
    someone.deny("sagemaker:CreatePipeline")
    killed(someone, removes, *FLY)
    (someone.folder / "flight.json").unlink()
    status, told = someone.run("--on-aws", "--clean")
    assert status == 2, told
    name = re.search(r"flight-[a-z0-9]{6}(?= \(of readmission\))", told)
    assert name, told

    status, told = someone.run("--on-aws", "--clean", "--confirm", name[0])

    assert status == 0, told
    someone.client("iam").delete_user_policy(UserName="administrator", PolicyName="deny")
    assert someone.left() == {}
