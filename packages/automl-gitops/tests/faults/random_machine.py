"""Random lives of a project, and what holds in each of them after every step.

Production serves only a version that Git named, that is approved, and whose archive has the bytes that were verified;
there is one endpoint of a name, whose config is there; every version has its report; no command ends in a traceback.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from random_life import Beginning, Facts

from local_sagemaker.faults import KINDS

ANY = st.integers(0, 9)  # which version: this one, counted around
FAULT = st.none() | st.tuples(st.sampled_from(KINDS), st.integers(1, 40), st.booleans())
TRAININGS = 1  # of a life: one takes as long as all the other commands
VERSIONS = 4
DIFFERENT = 3  # the exit status of `status` where production is not what Git names


class RandomLife(RuleBasedStateMachine):
    """One life; ``beginning`` is set before the first."""

    beginning: Beginning

    def __init__(self) -> None:
        super().__init__()
        self.life = self.beginning.life()
        self.facts: Facts = self.life.do("facts")
        self.trainings = self.written = 0
        # By version, the hashes of its archive that were verified; by config, that of what staging loaded.
        self.verified = {arn: {one["noted"]} for arn, one in self.facts["versions"].items() if one["noted"]}
        staged = self.facts["staging"]
        self.loaded = {staged["config"]: self._sha256(staged["arn"])}

    def teardown(self) -> None:
        """End the life's process."""
        self.life.end()

    def _sha256(self, arn: str) -> str:
        return str(self.facts["versions"][arn]["sha256"])

    def _arn(self, number: int) -> str:
        arns = list(self.facts["versions"])
        return arns[number % len(arns)]

    def _command(self, *arguments: str, fault: Any = None) -> tuple[int, Facts]:
        """Run a command and look again; returns its status, and the facts before it."""
        before = self.facts
        ended = self.life.do("command", list(arguments), list(fault) if fault else None)
        assert ended["status"] in (0, 1, 2, DIFFERENT), (
            f"{arguments} ended with {ended['status']}: {ended['output']}"
        )
        assert "Traceback" not in ended["output"], ended["output"]
        assert ended["status"] in (0, DIFFERENT) or "error" in ended["output"], (
            f"{arguments} gave no reason: {ended['output']}"
        )
        self.facts = self.life.do("facts")
        if arguments[0] != "promote":
            assert self.facts["production"] == before["production"], f"{arguments} changed production"
        return ended["status"], before

    def _by_hand(self, what: str, *arguments: Any) -> Any:
        result = self.life.do(what, *arguments)
        self.facts = self.life.do("facts")
        return result

    @precondition(lambda self: self.trainings < TRAININGS)
    @rule(fault=FAULT)
    def train(self, fault: Any) -> None:
        """Run the pipeline again, whose training is a recorded one."""
        self.trainings += 1
        for command in (("upsert",), ("run", "--again", str(self.trainings + 1))):
            status, before = self._command(*command, fault=fault)
            if status:
                status, before = self._command(*command)
            assert status == 0
        self._by_hand("wait_for_training")
        assert len(self.facts["versions"]) == len(before["versions"]) + 1

    @precondition(lambda self: len(self.facts["versions"]) < VERSIONS)
    @rule()
    def register(self) -> None:
        """Another training has ended."""
        self._by_hand("register", len(self.facts["versions"]) + 1)

    @rule(version=ANY, fault=FAULT)
    def stage(self, version: int, fault: Any) -> None:
        """Stage a version."""
        status, before = self._command("stage", "--model-package", self._arn(version), fault=fault)
        staged = self.facts["staging"]
        if staged["config"] and staged["config"] != before["staging"]["config"]:
            self.loaded[staged["config"]] = self._sha256(staged["arn"])
        assert status or staged["arn"] == self._arn(version)

    @rule(fault=FAULT)
    def verify(self, fault: Any) -> None:
        """Verify what staging serves."""
        status, before = self._command("verify", fault=fault)
        arn = before["staging"]["arn"]
        if not arn:
            assert status
            return
        now = self.facts["versions"][arn]
        loaded = self.loaded[before["staging"]["config"]]
        # A run whose last call's answer was lost has verified, too.
        if status == 0 or (fault and (now["verification"], now["noted"]) == ("verified", now["sha256"])):
            assert now["sha256"] == loaded, "verified are other bytes than staging has loaded"
            self.verified.setdefault(arn, set()).add(loaded)

    @rule(fault=FAULT)
    def propose(self, fault: Any) -> None:
        """Propose what staging serves."""
        status, before = self._command("propose", fault=fault)
        assert self.facts["open"] <= 1
        if status == 0:
            arn = before["staging"]["arn"]
            assert self.verified.get(arn), f"{arn} was proposed and never verified"

    @precondition(lambda self: self.facts["open"])
    @rule()
    def merge(self) -> None:
        """A reviewer merges the proposal."""
        self._by_hand("merge")

    @rule(fault=FAULT)
    def promote(self, fault: Any) -> None:
        """Make production what Git says."""
        status, before = self._command("promote", fault=fault)
        serves = self.facts["production"]
        if status == 0:
            assert serves["arn"] == self.facts["named"], f"{serves['arn']} serves, which Git does not name"
        if serves != before["production"]:
            self._check_new(serves["arn"], before["production"]["arn"])

    def _check_new(self, arn: str, before: str) -> None:
        """Production changed: to what it may serve."""
        version = self.facts["versions"][arn]
        assert arn in (self.facts["named"], before), f"{arn} serves, which Git does not name"
        assert version["approval"] == "Approved", f"{arn} serves and is {version['approval']}"
        assert version["sha256"] in self.verified.get(arn, ()), f"{arn} serves bytes that were never verified"

    @rule(fault=FAULT, further=st.booleans())
    def roll_back(self, fault: Any, further: bool) -> None:
        """Take the last promotion back."""
        self._command("rollback", *(["--further"] if further else []), fault=fault)
        self._by_hand("push")

    @rule()
    def revert(self) -> None:
        """Revert what changed the file last."""
        self._by_hand("revert")

    @rule(version=ANY, status=st.sampled_from(["Approved", "Rejected"]))
    def judge(self, version: int, status: str) -> None:
        """Somebody approves or rejects a version in the console."""
        self._by_hand("judge", self._arn(version), status)

    @rule()
    def delete_staging(self) -> None:
        """Somebody deletes the staging endpoint."""
        self._by_hand("delete_staging")

    @rule(which=st.sampled_from(["staging", "production"]), version=ANY)
    def tag(self, which: str, version: int) -> None:
        """Somebody edits an endpoint's tag."""
        self._by_hand("tag", which, self._arn(version))

    @rule(version=ANY, back=st.booleans())
    def overwrite(self, version: int, back: bool) -> None:
        """Somebody overwrites an archive, or puts the first one back."""
        self.written += 1
        self._by_hand("overwrite", self._arn(version), "" if back else f"other bytes {self.written}")

    @rule(version=ANY, faults=st.tuples(FAULT, FAULT, FAULT, FAULT))
    def release(self, version: int, faults: tuple[Any, ...]) -> None:
        """A version goes all the way, if nothing stops it."""
        for go, fault in zip((self.stage, self.verify, self.propose), faults, strict=False):
            go(**({"version": version} if go == self.stage else {}), fault=fault)
        self._by_hand("merge")
        self.promote(fault=faults[-1])

    @rule()
    def look(self) -> None:
        """`status` says whether production is what Git names, and changes nothing."""
        status, before = self._command("status")
        differs = before["production"]["arn"] != before["named"]
        assert status == DIFFERENT or (status == 0 and not differs), f"{status} where {differs=}"
        assert self.facts == before

    @invariant()
    def holds(self) -> None:
        """What is so after every step."""
        facts = self.facts
        assert set(facts["endpoints"]) <= {"faults-staging", "faults-production"}
        for name, (status, config) in facts["endpoints"].items():
            assert status == "InService", f"{name} is {status}"
            assert config in facts["configs"], f"the config of {name} is gone"
        for arn, version in facts["versions"].items():
            assert not version["report"], f"{arn} has no report: {version['report']}"
        assert not facts["changed"], facts["changed"]
