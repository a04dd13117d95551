"""The whole life of a project: each call of each command fails once in each way, and the command is run again.

A *step* is one command. What it finds at its start is made once, and then forked: a fork has accounts, repository and
files of its own. One fork runs the command without a fault, and so tells its calls and the state that it leaves. For
each of these calls and each of `WAYS`, a *pair*, another fork runs the command with the call failed, and where the
command ends in an error, runs it again. A pair converges where the end has the state of the fault-free fork: the life
from there is then equal too, so that it need not be lived. What is not of the fault-free state is a duplicate or an
orphan, what is missing is lost; a traceback, or a command that hangs, does not converge either.

Calls of AWS are those of the command's own process (by its user agent), not those that services make for it. Of one
that only reads, or asks an endpoint, and that a command makes again and again, as where it waits, three fail: the
first, the second and the last. A pair is named by the call's place among those of its operation, which is the same in
each run, whatever a command waited for before.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from faults_preload import preload
from faults_runner import Runner
from faults_state import state
from faults_world import AGENT, World

from local_sagemaker import Fault
from support.waiting import wait_until

# How a call fails: once, or at each attempt that botocore or PyGithub makes of it.
WAYS = (
    ("throttled", True),
    ("failed", False),
    ("failed", True),
    ("unavailable", True),
    ("cut before", True),
    ("cut after", False),
    ("cut after", True),
)
AWS, GITHUB = "AWS", "GitHub"
READS = ("Describe", "List", "Get", "Head", "Invoke", "GET ")
LAST = 0
DEFINES = ("upsert", "run", "plan")  # these build the pipeline's definition


@dataclass(frozen=True)
class Step:
    """A command, by whom, and its exit status; ``then`` is what people do, or wait for, before the next one."""

    name: str
    role: str
    arguments: tuple[str, ...]
    then: Callable[[World], None] = lambda _: None
    variables: dict[str, str] = field(default_factory=dict)
    status: int = 0


@dataclass(frozen=True)
class Pair:
    """One call and one way in which it fails: the ``number``-th of the calls of ``operation`` (or `LAST`)."""

    step: str
    service: str
    operation: str
    number: int
    kind: str
    lasts: bool

    def __str__(self) -> str:
        how = f"{self.kind} {'at each attempt' if self.lasts else 'once'}"
        return f"{self.step}: {self.service} {self.operation}, call {self.number or 'last'}, {how}"


@dataclass
class Outcome:
    """What came of a pair, and how long it took; nothing in the lists where it converged."""

    struck: bool = False
    seconds: float = 0.0
    statuses: list[int] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    trouble: str = ""

    @property
    def converged(self) -> bool:
        """Whether all is as without the fault."""
        return not (self.duplicates or self.orphans or self.lost or self.trouble)


@dataclass
class Found:
    """What a fork saw: exit statuses and outputs of the command, its calls, the state at the end."""

    statuses: list[int] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    state: list[str] = field(default_factory=list)
    struck: bool = False
    error: str = ""


class Walk:
    """A life in ``folder``. ``wanted`` says whether a pair is tried, and ``kept`` gets what came of it at once."""

    def __init__(
        self,
        folder: Path,
        steps: tuple[Step, ...],
        wanted: Callable[[Pair], bool],
        kept: Callable[[Pair, Outcome], None],
        say: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self.steps = steps
        self.calls: dict[str, int] = {}
        self._wanted = wanted
        self._kept = kept
        self._say = say
        self.world = World(folder / "root")
        self.world.start()
        self.world.resume()
        state(self.world)  # what moto imports with a service's first request, forks have then
        self.world.pause()

    def live(self, only: tuple[str, ...] = ()) -> None:
        """Walk to the end, or to the last of the steps ``only``; by default the calls of all steps fail."""
        missing = set(only) - {step.name for step in self.steps}
        assert not missing, f"no such steps: {missing}"
        last = max((n for n, step in enumerate(self.steps) if step.name in only), default=len(self.steps))
        for step in self.steps[: last + 1]:
            started = time.monotonic()
            if step.arguments[0] in DEFINES:
                preload(sdk=True)
            if not only or step.name in only:
                self._try(step)
            self._go_on(step)
            self._say(f"{step.name}: {time.monotonic() - started:.0f} s")

    def live_until(self, name: str) -> None:
        """Walk to the end of a step; no call fails."""
        for step in self.steps:
            if step.arguments[0] in DEFINES:
                preload(sdk=True)
            self._go_on(step)
            if step.name == name:
                return

    def _try(self, step: Step) -> None:
        shutil.copytree(self.world.root, self.folder / "kept", symlinks=True)
        once, twice = self._fork(step, None), self._fork(step, None, times=2)
        assert not once.error, once.error
        assert not twice.error, twice.error
        assert set(once.statuses + twice.statuses) == {step.status}, (once, twice)
        assert _difference(once.state, twice.state) == ([], [], []), (
            f"{step.name} run twice is not as run once"
        )
        self.calls[step.name] = len(once.calls)
        counts = Counter((service, operation) for service, operation in once.calls)
        pairs = [pair for pair in _pairs(step, counts) if self._wanted(pair)]
        self._say(f"{step.name}: {len(once.calls)} calls, {len(pairs)} pairs to try")
        for pair in pairs:
            began = time.monotonic()
            last = counts[pair.service, pair.operation]
            outcome = _judged(step, once, self._fork(step, pair, number=pair.number or last))
            outcome.seconds = round(time.monotonic() - began, 1)
            self._kept(pair, outcome)
            self._say(f"{pair}: {outcome.statuses} {outcome.seconds} s")
            if not outcome.converged:
                self._say(f"NOT CONVERGED {pair}: {json.dumps(asdict(outcome))}")
        shutil.rmtree(self.folder / "kept")

    def _go_on(self, step: Step) -> None:
        runner = Runner()
        self.world.resume()
        output = self.folder / "output"
        status = runner.run(
            step.arguments, self.world.environment(step.role) | step.variables, self.world.project, output
        )
        runner.end()
        assert status == step.status, f"{step.name} ended with {status}: {output.read_text()}"
        step.then(self.world)
        self.world.pause()

    def _fork(self, step: Step, pair: Pair | None, times: int = 1, number: int = 0) -> Found:
        """What a fork sees that runs the command, ``times`` times, and once more if it fails.

        The fault of ``pair`` meets the ``number``-th call of its operation.
        """
        ours, theirs = os.pipe()
        gc.freeze()  # a fork need not look through what it has inherited
        pid = os.fork()
        if not pid:
            os.close(ours)
            try:
                found = self._within(step, pair, times, number)
            except BaseException:
                found = Found(error=traceback.format_exc())
            with os.fdopen(theirs, "w") as pipe:
                json.dump(asdict(found), pipe)
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as pipe:
            text = pipe.read()
        os.waitpid(pid, 0)
        shutil.rmtree(self.world.root)
        shutil.copytree(self.folder / "kept", self.world.root, symlinks=True)
        return Found(**json.loads(text or '{"error": "the fork died"}'))

    def _within(self, step: Step, pair: Pair | None, times: int, number: int) -> Found:
        world, found = self.world, Found()
        runner = Runner()
        world.resume()
        faults: list[Fault] = []
        world.github.plan()
        if pair and pair.service == AWS:
            attempts = 0 if pair.lasts else 1
            faults = [Fault(pair.kind, number, "*", pair.operation, f"*app/{AGENT}*", attempts)]
        elif pair:
            world.github.plan(pair.operation, number, pair.kind, lasts=pair.lasts)
        plan = world.aws.faults(*faults)
        for turn in range(2):
            output = self.folder / f"output-{turn}"
            variables = world.environment(step.role) | step.variables
            found.statuses.append(runner.run(step.arguments, variables, world.project, output))
            found.outputs.append(output.read_text())
            if turn == 0:
                found.struck = plan.struck or world.github.struck
                found.calls = [
                    (AWS, call.operation) for call in plan.calls if f"app/{AGENT}" in call.agent
                ] + [(GITHUB, request) for request in world.github.made]
                world.aws.faults()
                world.github.plan()
            if turn + 1 >= times and found.statuses[-1] == step.status:
                break
        runner.end()
        found.state = state(world)
        return found


def _pairs(step: Step, counts: Mapping[tuple[str, str], int]) -> Iterator[Pair]:
    for (service, operation), count in counts.items():
        reads = (operation.partition(":")[2] or operation).startswith(READS)
        numbers = [1, 2, LAST][:count] if reads else range(1, count + 1)
        for number in numbers:
            for kind, lasts in WAYS:
                yield Pair(step.name, service, operation, number, kind, lasts)


def _judged(step: Step, expected: Found, found: Found) -> Outcome:
    duplicates, orphans, lost = _difference(expected.state, found.state)
    outcome = Outcome(found.struck, 0.0, found.statuses, duplicates, orphans, lost, found.error)
    if not found.error:
        if found.statuses[-1] != step.status:
            outcome.trouble = f"ended with {found.statuses}: {found.outputs[-1][-600:]}"
        elif any("Traceback" in output for output in found.outputs):
            outcome.trouble = f"a traceback: {next(o for o in found.outputs if 'Traceback' in o)[-600:]}"
        elif not any(output.strip() for output in found.outputs):
            outcome.trouble = "it said nothing"
    return outcome


def _difference(expected: list[str], found: list[str]) -> tuple[list[str], list[str], list[str]]:
    """What is there more often than it should be, what should not be there at all, and what is missing."""
    more, less = Counter(found) - Counter(expected), Counter(expected) - Counter(found)
    known = set(expected)
    return (
        [line for line in more.elements() if line in known],
        [line for line in more.elements() if line not in known],
        list(less.elements()),
    )


def until_the_execution_ends(world: World) -> None:
    """Wait for the newest execution, which has to succeed."""
    sagemaker = world.client("sagemaker")
    listed = sagemaker.list_pipeline_executions(PipelineName=world.names.pipeline)
    arn = listed["PipelineExecutionSummaries"][0]["PipelineExecutionArn"]

    def status() -> str:
        return sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]

    ended = wait_until(status, ("Succeeded", "Failed", "Stopped").__contains__)
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert ended == "Succeeded", [(one["StepName"], one.get("FailureReason")) for one in steps]


def _register_another(world: World) -> None:
    """Another training has registered a second version, of another archive."""
    from automl_rehearsal import sabotage

    sagemaker = world.client("sagemaker")
    (first,) = sagemaker.list_model_packages(ModelPackageGroupName=world.names.model_package_group)[
        "ModelPackageSummaryList"
    ]
    sabotage.register_copy(sagemaker, world.client("s3"), world.names.bucket, first["ModelPackageArn"])


def _serving(number: int, then: Callable[[World], None]) -> tuple[Step, ...]:
    return (
        Step(f"stage {number}", RETRAIN, ("stage",)),
        Step(f"verify {number}", RETRAIN, ("verify",)),
        Step(f"propose {number}", RETRAIN, ("propose",), World.merge),
        Step(f"promote {number}", PROMOTE, ("promote",), then),
    )


RETRAIN, PROMOTE, PLAN, TEARDOWN = "RetrainRole", "PromoteRole", "PlanRole", "TeardownRole"
STEPS = (
    Step("bootstrap", "", ("bootstrap", "--github")),
    Step("stack", RETRAIN, ("stack",)),
    Step("data push", "", ("data", "push", "../table.csv"), lambda world: world.commit("Train on the data")),
    Step("upsert", RETRAIN, ("upsert",)),
    Step("run", RETRAIN, ("run",), until_the_execution_ends),
    Step("execution", RETRAIN, ("execution", "--wait")),
    Step("summary", RETRAIN, ("summary",)),
    Step("report", RETRAIN, ("report", "--output", "build/report.html")),
    *_serving(1, _register_another),
    *_serving(2, lambda _: None),
    Step("status", PLAN, ("status",)),
    Step("drift", PLAN, ("drift",)),
    Step("plan", PLAN, ("plan", "--base", "HEAD")),
    Step("doctor", PLAN, ("doctor",)),
    Step("rollback", "", ("rollback",), lambda world: world.git("push", "--quiet", "origin", "HEAD:main")),
    Step("promote back", PROMOTE, ("promote",)),
    Step("teardown", TEARDOWN, ("teardown", "--delete-data", "--confirm", "faults")),
    Step("teardown of the roles", "", ("teardown", "--delete-data", "--delete-roles", "--confirm", "faults")),
)
