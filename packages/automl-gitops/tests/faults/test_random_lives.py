"""A few random lives; `make test-lives` lives more. And that what must hold is really asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from random_machine import RandomLife

from support.environment import unsigned_environment

RUN = Path(__file__).resolve().with_name("run_random_lives.py")
V1, V2 = (f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/faults/{number}" for number in (1, 2))


def test_whatever_happens_production_serves_what_was_verified_and_git_names(tmp_path: Path) -> None:
    """In a process of its own, whose local AWS trains nothing, and which forks for each life."""
    environment = unsigned_environment()

    done = subprocess.run(
        [sys.executable, RUN], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1200
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " lives of " in done.stdout


class Told:
    """A life in which the command `promote` leaves these facts."""

    def __init__(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self._facts = [before, after]

    def life(self) -> Told:
        return self

    def do(self, what: str, *_: Any) -> Any:
        if what == "facts":
            return self._facts.pop(0)
        return {"status": 0, "output": "", "struck": False}


def facts(serves: str, *, named: str = "", approval: str = "Approved", sha256: str = "b") -> dict[str, Any]:
    def version(sha256: str, approval: str) -> dict[str, str]:
        return {"noted": "a", "sha256": sha256, "approval": approval}

    return {
        "versions": {V1: version("a", "Approved"), V2: version(sha256, approval) | {"noted": "b"}},
        "production": {"arn": serves, "config": serves[-1]},
        "staging": {"arn": V2, "config": "staged"},
        "named": named or serves,
    }


def promote(after: dict[str, Any]) -> None:
    RandomLife.beginning = Told(facts(V1), after)  # type: ignore[assignment]
    RandomLife().promote(fault=None)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (facts(V2, named=V1), "serves, which Git does not name"),
        (facts(V2, approval="Rejected"), "serves and is Rejected"),
        (facts(V2, sha256="c"), "serves bytes that were never verified"),
    ],
)
def test_production_of_another_version_other_bytes_or_one_not_approved_is_noticed(
    after: dict[str, Any], told: str
) -> None:
    with pytest.raises(AssertionError, match=told):
        promote(after)


def test_production_of_what_was_verified_and_named_is_right() -> None:
    promote(facts(V2))
