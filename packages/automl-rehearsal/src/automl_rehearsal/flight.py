"""The rehearsal in a real account: `automl rehearse --on-aws`.

The life is that of `rehearsal.life`, on rows that are made up, in a project that is the flight's own: its name begins
every resource, its tags stand on all that the stacks make, and everything goes when the flight ends, however it ends.
"""

import base64
import json
import math
import os
import secrets
import signal
import string
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import tomlkit
import typer
from botocore import UNSIGNED
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops import __version__
from automl_gitops.doctor import calls
from automl_gitops.doctor.account import credentials, quotas, region
from automl_gitops.doctor.calls import Call
from automl_gitops.doctor.rights import DATA_SCIENTIST, rights
from automl_gitops.kernel.aws import Aws, error_code, explain
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.environments import ROLE_VARIABLES, ServingProject
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.files import replace_text
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.settings.account import AUTOPILOT
from automl_gitops.kernel.settings.endpoints import Hosting
from automl_gitops.kernel.settings.model import LEAST_TRAINING_ROWS
from automl_gitops.kernel.waiting import repeating
from automl_gitops.runs.ceiling import ceiling
from automl_rehearsal import assumptions, hospital, remains
from automl_rehearsal.commands import CommandFailedError, Leash, with_credentials
from automl_rehearsal.copy import adapt
from automl_rehearsal.data import stand_in
from automl_rehearsal.example import example, is_hospital
from automl_rehearsal.life import Life
from automl_rehearsal.remains import NAME, TAG, Left

TRAINING_SECONDS = 1800  # instances start for minutes before the first candidate is trained
HOURS = 3  # then a flight ends by itself; more than we reckon it takes, which nobody has measured
_ROOM = 20  # rows more than Autopilot's least, which a split by classes may take away
_ROOM_OF_GROUPS = 80  # the same of a split by groups, whose hashes are as even as chance
_POLL_SECONDS = 0.5  # a state lasts for seconds at least, on the local AWS too
_SESSION_SECONDS = HOURS * 3600
# An instance-hour in USD where automl.toml has no [prices]: reckoned by what us-east-1 used to take, not looked up in
# AWS's list, and what the dearest regions may take more. Of Autopilot's instances: ml.m5.4xlarge.
_PRICES = {AUTOPILOT: 0.922, "ml.m5.large": 0.115, "ml.m5.xlarge": 0.23}
_DEAREST = 1.7
_SMALL_CHANGE = 0.5  # storage, requests, logs and alarms: cents
_ALPHABET = string.ascii_lowercase + string.digits
_QUOTA = ("LimitExceeded", "LimitsExceeded", "quota", "Quota")
_PERMISSION = (
    "not allowed to call",
    "not authorized",
    "AccessDenied",
    "Access Denied",
    "UnauthorizedOperation",
)
_TOKEN_URL, _TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


class OutOfTimeError(Exception):
    """The flight took as long as its price was reckoned for."""


@dataclass(frozen=True)
class Remembered:
    """Which flight may have left something where; kept in a file from before its first call until all is gone."""

    project: str
    region: str
    account: str

    @classmethod
    def load(cls, file: Path) -> "Remembered | None":
        """What the file says, `None` where there is none or it was cut off."""
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def save(self, file: Path) -> None:
        """Write it, whole or not at all."""
        replace_text(file, json.dumps(asdict(self)) + "\n")


class Account(Aws):
    """The account of the current credentials, for commands of a flight."""

    def __init__(self, region: str) -> None:
        super().__init__(region)
        self.refused: dict[str, str] = {}  # by role: why nobody could act as it
        home = Path.home() / ".aws"
        self.environment = {
            "AWS_CONFIG_FILE": str(home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
            **{name: value for name, value in os.environ.items() if name.startswith("AWS_")},
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
        }

    def act_as(self, role_arn: str) -> dict[str, str] | None:
        """The environment of a session of the role: as whoever calls, else by GitHub's token where there is one.

        `None` where its trust policy has neither; `refused` says why.
        """
        role = role_arn.rsplit("/", 1)[-1]
        session = {"RoleArn": role_arn, "RoleSessionName": "flight"}
        try:
            given = self.client("sts").assume_role(**session)
        except ClientError as error:
            self.refused[role] = error_code(error)
            token = _github_token()
            if token is None:
                return None
            try:
                sts = self.session.client("sts", config=ClientConfig(signature_version=UNSIGNED))
                given = sts.assume_role_with_web_identity(
                    **session, WebIdentityToken=token, DurationSeconds=_SESSION_SECONDS
                )
            except ClientError as refusal:
                self.refused[role] += f", and with GitHub's token {error_code(refusal)}"
                return None
        self.refused.pop(role, None)
        kept = {name: value for name, value in self.environment.items() if name != "AWS_PROFILE"}
        return with_credentials(kept, given["Credentials"])


def _github_token() -> str | None:
    """The identity token of the workflow that this runs in; `None` elsewhere, or where it may have none."""
    url, key = os.environ.get(_TOKEN_URL), os.environ.get(_TOKEN)
    if not (url and key):
        return None
    request = urllib.request.Request(  # noqa: S310 - GitHub's runner gives the address
        f"{url}&audience=sts.amazonaws.com", headers={"Authorization": f"bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return str(json.load(answer)["value"])
    except (OSError, ValueError, KeyError):
        return None


def _subject_prefix(config: Config) -> str:
    """How GitHub's tokens name the repository, as far as this runs in a workflow of it; else as automl.toml does."""
    token = _github_token()
    if token is None:
        return f"repo:{config.project.repository}"
    body = token.split(".")[1]
    subject = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"]
    return ":".join(str(subject).split(":")[:2])


class Flight(Life):
    """A copy of the project in ``source`` that lives as the project ``name`` in ``account``.

    It creates nothing before its first step, and removes nothing: `fly` does. The flight's own files are below
    ``output``. Every step raises `CommandFailedError` where its command fails.
    """

    aws: Account  # type: ignore[assignment]

    def __init__(
        self, source: Path, output: Path, account: Account, name: str, training_seconds: int
    ) -> None:
        config = Config.load(source / "automl.toml")
        room = _ROOM_OF_GROUPS if config.dataset.rule else _ROOM
        rows = math.ceil((LEAST_TRAINING_ROWS + room) / config.training_share)
        super().__init__(source, output, None, rows, training_seconds)
        self.left_out = adapt(self.copy.directory, open_gate=True, rows=rows)
        _fit(self.copy.directory / "automl.toml", name, training_seconds)
        self.copy.commit("Make it a flight")
        self.aws = account
        self.config = Config.load(self.copy.directory / "automl.toml")
        self.names = Names(self.config, account.account)
        self.subject = _subject_prefix(self.config)
        self.results: dict[str, dict[str, Any]] = {}
        self.rows_found: dict[str, list[dict[str, str]]] = {"before": [], "rights": []}
        self.endpoint_states: list[dict[str, str]] = []
        self.acts: list[dict[str, Any]] = []

    @cached_property
    def project(self) -> ServingProject:
        """The flight as the commands see it."""
        return ServingProject(self.config, self.say)

    def client(self, service: str) -> Any:
        """A client of the account."""
        return self.aws.client(service)

    def break_and_go_back(self) -> None:
        """As in any rehearsal, with a look at the endpoint's states meanwhile."""
        with repeating(partial(self._note_state, self.client("sagemaker")), _POLL_SECONDS):
            super().break_and_go_back()

    def look_before(self) -> None:
        """What `automl doctor` can say before there is anything; raises `RunError` where it would stop a training."""
        rows = [*credentials(self.project), *region(self.project), *quotas(self.project)]
        self.rows_found["before"] = [row.document() for row in rows if row.area != "credentials"]
        stops = [row for row in rows if row.outcome == "stops"]
        if stops:
            told = "; ".join(f"{row.asked}: {row.found}; {row.todo}" for row in stops)
            raise RunError(f"nothing was started, since the account would refuse a training: {told}")

    def simulate_rights(self) -> None:
        """Ask IAM whether each role may do what it does in the life."""
        known: list[Call] = calls.load()
        rows, simulated = rights(self.project, known, {DATA_SCIENTIST})
        self.rows_found["rights"] = [row.document() for row in rows]
        self.say.say(f"{simulated} calls that the roles make were simulated")

    def _prepared_data(self) -> dict[str, Any]:
        """Rows that are made up, whatever the project has."""
        folder, rows = self.output / "data", self.rows or LEAST_TRAINING_ROWS
        folder.mkdir(parents=True, exist_ok=True)
        if self.lock is not None:
            file = stand_in(self.lock, self.config, rows, folder)
        elif is_hospital(self.config):
            file = folder / "synthetic-rows.csv"
            patients = hospital.splits_by_patient(self.config.dataset)
            hospital.save(hospital.synthetic(rows, hospital.SEED, patients=patients), file, rows)
        else:
            file = example(folder, None, rows, self.say, self.config).path
        return {"file": file, "options": ("--synthetic",)}

    def _broken(self, s3: Any) -> bytes:
        """Nobody but the local AWS can read what is in an archive of Autopilot's; so it is one that does not open."""
        return b"this is no archive"

    def _role(self, role: str, subject: str) -> dict[str, str]:
        """The role's environment where it can be assumed, else the administrator's."""
        arn = self.names.role_arn(f"{self.names.project}-{role}")
        return self.aws.act_as(arn) or self.aws.environment

    def _call(self, environment: dict[str, str], *arguments: str, status: int = 0) -> dict[str, Any]:
        started = time.monotonic()
        act = {
            "command": " ".join(part for part in arguments[:2] if part.isalpha()),
            "actor": "administrator" if environment is self.aws.environment else "role",
            "seconds": 0.0,
            "outcome": "broke off",
        }
        self.acts.append(act)
        try:
            result = super()._call(environment, *arguments, status=status)
        except CommandFailedError as error:
            act["outcome"] = f"exit status {error.status}"
            # What a run that failed tells of its steps is an answer too; of others there is a sentence alone.
            if error.document.keys() - {"error"}:
                self.results.setdefault(arguments[0], error.document)
            raise
        finally:
            act["seconds"] = round(time.monotonic() - started, 1)
        act["outcome"] = f"exit status {status}"
        self.results.setdefault(arguments[0], result)
        return result

    def _note_state(self, sagemaker: Any) -> None:
        """Note the state of the production endpoint, where it is another one than before."""
        try:
            endpoint = sagemaker.describe_endpoint(EndpointName=self.names.production_endpoint)
        except (ClientError, BotoCoreError):
            return  # it is asked again
        state = {
            "status": endpoint["EndpointStatus"],
            "config": endpoint.get("EndpointConfigName", ""),
            "pending": (endpoint.get("PendingDeploymentSummary") or {}).get("EndpointConfigName", ""),
            "reason": endpoint.get("FailureReason", ""),
        }
        if self.endpoint_states[-1:] != [state]:
            self.endpoint_states.append(state)

    @property
    def proved(self) -> str:
        """Which roles really acted."""
        services = "functions, Autopilot, the pipeline and the models ran as their own roles"
        if self.aws.refused:
            told = ", ".join(f"{role} ({code})" for role, code in sorted(self.aws.refused.items()))
            return (
                f"No session of {told}: these commands ran as administrator, which proves nothing of what the roles "
                f"may do; IAM's simulation stands in for that. What AWS runs does not need that: {services}."
            )
        if any(act["actor"] == "role" for act in self.acts):
            return f"The workflows' commands ran as the roles that bootstrap made, and {services}."
        return "Nothing was done that a role would do."


def _fit(file: Path, name: str, training_seconds: int) -> None:
    """Make automl.toml a flight's: its own name and tag, the least that each step takes, nothing that is shared."""
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    project = document["project"]
    tags = project.setdefault("tags", tomlkit.table())
    tags[TAG] = project["name"]
    project["name"] = name
    document["dataset"].pop("buckets", None)
    autopilot = document["autopilot"]
    autopilot.pop("least_rows", None)
    each = min(900, training_seconds)
    autopilot["budget"] = {
        "max_candidates": 3, "max_seconds_per_training_job": each, "max_seconds": training_seconds,
    }  # fmt: skip
    evaluation = document.setdefault("evaluation", tomlkit.table())
    evaluation |= {"instance_count": 1, "transform_instance_count": 1, "max_seconds": 3600}
    staging = document.setdefault("staging", tomlkit.table())
    staging["keep"] = True
    production = document.setdefault("production", tomlkit.table())
    production.pop("data_capture", None)
    deployment = production.setdefault("deployment", tomlkit.table())
    deployment |= {"wait_seconds": 120, "max_seconds": 3600}
    if "serverless" not in staging:
        staging["instance_count"] = 1
    if "serverless" not in production:
        least = 1 if deployment.get("policy") == "ALL_AT_ONCE" else 2
        production["instance_count"] = least
        production["autoscaling"] = {"min_instances": least, "max_instances": least + 1}
    file.write_text(tomlkit.dumps(document), encoding="utf-8")


def cost(config: Config, until: str) -> tuple[int, list[tuple[str, str, float]]]:
    """What a flight can cost at most, in whole units of the currency, and of what: what, how much, money.

    Endpoints count for all the time that a flight may take, with what an update starts beside them. Raises
    `UserError` for an instance type that has no price.
    """
    run = [
        (one.what, one.instances, _money(config, one.what, one.instances, one.hours))
        for one in ceiling(config, has_champion=True).run
    ]
    staging, production = config.staging, config.production
    items = [*run, *_served(config, "staging", staging, staging.instance_count)]
    if until == "rolled-back":
        scaling = production.autoscaling
        most = scaling.max_instances if scaling else production.instance_count
        items += _served(config, "production", production, most)
    items.append(("storage, requests, logs", "", _SMALL_CHANGE))
    return math.ceil(sum(money for *_, money in items)), items


def _money(config: Config, what: str, instances: str, hours: float) -> float:
    return hours * _price(config, AUTOPILOT if what == "training" else instances.split(" x ")[-1])


def _served(config: Config, what: str, hosting: Hosting, count: int) -> Iterator[tuple[str, str, float]]:
    if not hosting.serverless:
        money = 2 * count * HOURS * _price(config, hosting.instance_type)
        yield f"{what} endpoint", f"{count} x {hosting.instance_type}, twice in an update", money


def _price(config: Config, kind: str) -> float:
    given = config.prices.of(kind, 1.0)
    if given is not None:
        return given
    if kind not in _PRICES:
        raise UserError(
            f'automl.toml: [prices] has no "{kind}", whose price this does not know: write what an instance-hour costs'
        )
    return _PRICES[kind] * _DEAREST


def fly(
    source: Path,
    output: Path,
    *,
    training_seconds: int | None,
    until: Literal["staging", "rolled-back"],
    yes_cost: float | None,
) -> None:
    """Rehearse in the account of the current credentials, remove all of it again, and report what was seen.

    What an earlier flight left goes first. Raises `UserError` where the cost is not accepted, `RunError` where the
    flight did not reach its end or something could not be removed; the report says what.
    """
    say, config = Output(), Config.load(source / "automl.toml")
    _stay_here()
    account, leash = Account(config.project.region), Leash(output)
    memory = output / "flight.json"
    earlier = _remembered(memory, account)
    name = earlier.project if earlier else _new_name()
    flight = Flight(source, output, account, name, training_seconds or TRAINING_SECONDS)
    flight.leash = leash
    most, items = cost(flight.config, until)
    _confirm(flight, most, items, yes_cost)
    if earlier and (left := _clear(flight.project, memory, earlier)):
        raise RunError(_told(left))
    Remembered(name, config.project.region, account.account).save(memory)
    report = _Report(flight, most, output)
    try:
        with _limited():
            flight.look_before()
            flight.train()
            flight.serve()
            flight.verify()
            if until == "rolled-back":
                flight.promote()
                flight.break_and_go_back()
    except (CommandFailedError, RunError, UserError, ClientError, BotoCoreError, OutOfTimeError) as error:
        report.stopped = _why(flight, error)
    except KeyboardInterrupt:
        report.stopped = _why(flight, None)
    except BaseException as error:
        report.stopped = {
            "step": flight.title,
            "kind": "defect",
            "reason": f"{type(error).__name__}: {error}",
        }
        raise
    finally:
        with _undisturbed(say):
            report.ask()
            left = _clear(flight.project, memory, None)
            report.write(left)
    report.close(left)


def clean(source: Path, output: Path, *, confirm: str | None) -> None:
    """Remove what a killed flight left: the one that ``output`` remembers, else the one that ``confirm`` names.

    Without a file the account's own tags tell which flights there are. Raises `UserError` where it is not clear which
    one is meant, `RunError` where something could not be removed.
    """
    say, config = Output(), Config.load(source / "automl.toml")
    _stay_here()
    account, _leash = Account(config.project.region), Leash(output)
    memory = output / "flight.json"
    known = _remembered(memory, account)
    if known is None:
        flights = remains.flights(account)
        if confirm is None and not flights:
            say.done(f"no flight is remembered in {output}, and none left a stack in this account and region")
            return
        if confirm is None or not NAME.fullmatch(confirm):
            told = ", ".join(f"{name} (of {of})" for name, of in sorted(flights.items())) or "none"
            raise UserError(
                f"no flight is remembered in {output}; in this account and region there are: {told}; remove one "
                "that is yours, and that nobody is on, by `automl rehearse --on-aws --clean --confirm NAME`"
            )
        known = Remembered(confirm, config.project.region, account.account)
    say.say(f"removing what is left of {known.project} in {known.region}")
    left = _clear(_project(config, known, say), memory, known)
    if left:
        raise RunError(_told(left))
    say.done(f"nothing is left of {known.project}")


def _remembered(memory: Path, account: Account) -> Remembered | None:
    """The flight that the file knows; raises `UserError` where it was in another account."""
    known = Remembered.load(memory)
    if known and known.account != account.account:
        raise UserError(
            f"{memory}: flight {known.project} was in account {known.account}, and you are signed in to "
            f"{account.account}: sign in there and run `automl rehearse --on-aws --clean`"
        )
    return known


def _project(config: Config, known: Remembered, say: Output) -> ServingProject:
    """A flight as the removal sees it, without the copy that it flew in."""
    own = config.project.model_copy(update={"name": known.project, "region": known.region})
    return ServingProject(
        config.model_copy(update={"project": own, "encryption": None, "network": None}), say
    )


def _clear(project: ServingProject, memory: Path, earlier: Remembered | None) -> list[Left]:
    """Remove everything; the flight is forgotten once nothing is left."""
    if earlier:
        project.output.notice(f"flight {earlier.project} did not end: removing what it left")
    left = remains.remove(project)
    if not left:
        memory.unlink(missing_ok=True)
    return left


def _new_name() -> str:
    return "flight-" + "".join(secrets.choice(_ALPHABET) for _ in range(6))


def _stay_here() -> None:
    """Forget roles in other accounts: a flight is in one."""
    for variable in ROLE_VARIABLES.values():
        os.environ.pop(variable, None)


def _confirm(flight: Flight, most: int, items: list[tuple[str, str, float]], given: float | None) -> None:
    """Show what it can cost, and go on once somebody accepts that."""
    currency, say = flight.config.prices.currency, flight.say
    rows = [(what, much, f"{money:.2f}") for what, much, money in items]
    say.table(("what", "at most", currency), [*rows, ("together, rounded up", "", most)])
    say.say(
        f"flight {flight.names.project} in account {flight.aws.account}, region {flight.names.region}, as "
        f"{flight.aws.identity['Arn']}; it ends by itself after {HOURS} hours"
    )
    if given is not None:
        if given < most:
            raise UserError(
                f"--yes-cost {given:g} is less than the {most} {currency} that it can cost at most"
            )
        return
    if not sys.stdin.isatty():
        raise UserError(f"nothing was started: pass --yes-cost {most} to accept up to {most} {currency}")
    if typer.prompt(f"Type {most} to accept that it costs up to {most} {currency}").strip() != str(most):
        raise UserError("that is another number: nothing was started")


@contextmanager
def _limited() -> Iterator[None]:
    """End the block after `HOURS`, as the price was reckoned."""

    def end(*_: object) -> None:
        raise OutOfTimeError(f"it was not over after {HOURS} hours")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, HOURS * 3600)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _undisturbed(say: Output) -> Iterator[None]:
    """Let the first Ctrl-C, or request to end, pass while the account is cleared; the second one counts."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    asked = False

    def hear(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        say.notice("the account is being cleared; once more, and the rest stays until --clean")

    before = {number: signal.signal(number, hear) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _why(flight: Flight, error: Exception | None) -> dict[str, str]:
    """What ended a flight before its time, for the report."""
    if isinstance(error, ClientError | BotoCoreError):
        error = explain(error)
    reason = str(error) if error else "somebody ended it"
    kind = "interruption" if error is None else "time" if isinstance(error, OutOfTimeError) else "failure"
    if kind == "failure" and any(word in reason for word in _PERMISSION):
        kind = "permission"
    elif kind == "failure" and any(word in reason for word in _QUOTA):
        kind = "quota"
    return {"step": flight.title, "kind": kind, "reason": reason}


def _told(left: list[Left]) -> str:
    names = "; ".join(f"{one.kind} {one.name}: {one.reason}" for one in left)
    return f"{len(left)} could not be removed: {names}; mend that, then `automl rehearse --on-aws --clean`"


class _Report:
    """What a flight saw, as report.json and report.md below ``folder``."""

    def __init__(self, flight: Flight, most: int, folder: Path) -> None:
        self._flight = flight
        self._most = most
        self._folder = folder
        self._answers: list[dict[str, str]] = []
        self.stopped: dict[str, str] | None = None

    def ask(self) -> None:
        """Put the questions that need something in the account, and keep what is known so far."""
        flight = self._flight
        try:
            if "bootstrap" in flight.results:
                flight.simulate_rights()
            flight.say.say("asking the account what was assumed")
            self._answers = assumptions.answers(flight)
            self.write(None)
        except Exception as error:
            # Nothing may keep the account from being cleared.
            flight.say.notice(f"the report is not complete: {type(error).__name__}: {error}")

    def write(self, left: list[Left] | None) -> None:
        """Write both files; ``left`` is `None` before anything was removed."""
        flight = self._flight
        document = {
            "flight": flight.names.project,
            "outcome": "stopped" if self.stopped else "complete",
            "stopped": self.stopped,
            "left": None if left is None else [one.document() for one in left],
            "account": flight.aws.account,
            "region": flight.names.region,
            "ceiling": self._most,
            "version": __version__,
            "proved": flight.proved,
            "acts": flight.acts,
            "assumptions": self._answers,
            **flight.rows_found,
        }
        assumptions.write(
            assumptions.masked(document, flight.aws.account, *_who(flight.aws.identity["Arn"])), self._folder
        )

    def close(self, left: list[Left]) -> None:
        """Say how it ended; raises `RunError` where it did not reach its end, or left something."""
        say = self._flight.say
        counts = Counter(answer["outcome"] for answer in self._answers)
        say.table(("what was assumed", "questions"), list(counts.items()))
        say.say(f"the report is in {self._folder / 'report.md'} and report.json, without account numbers")
        problems = (
            [f"the flight stopped ({self.stopped['kind']}): {self.stopped['reason']}"] if self.stopped else []
        )
        if left:
            problems.append(_told(left))
        if problems:
            raise RunError("; ".join(problems) + ("" if left else "; nothing is left in the account"))
        say.done("the flight is complete, and nothing is left in the account")


def _who(arn: str) -> list[str]:
    """What of the caller's ARN says who that is: all of it, and a session that is called as its owner's address."""
    name = arn.rsplit("/", 1)[-1]
    return [arn, *([name] if "@" in name else [])]
