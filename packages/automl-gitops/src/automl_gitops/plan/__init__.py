"""`plan`: what a branch changes, what merging it starts, and what that costs at most. Nothing is changed.

Two sides are compared, the working tree and its base; the definition of each is built by its own code.
"""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from automl_gitops.data import consistency, positive
from automl_gitops.data.contract import FILE as CONTRACT
from automl_gitops.data.contract import Contract
from automl_gitops.data.lock import DatasetLock
from automl_gitops.data.positive import PositiveClass
from automl_gitops.kernel import git
from automl_gitops.kernel.config import Config, parse_toml, read_text
from automl_gitops.kernel.environments import PRODUCTION_FILE
from automl_gitops.kernel.errors import Finding, UserError
from automl_gitops.plan.changes import Change, DataChange, key_changes, step_changes, template_changes
from automl_gitops.plan.deployed import DeployedState, look
from automl_gitops.runs import bundle
from automl_gitops.runs.ceiling import Ceiling, ceiling
from automl_gitops.runs.project import Project
from automl_gitops.runs.run import RETRAINS

# What a branch is compared with where nobody says: what was fetched last, else this clone's own.
DEFAULTS = ("origin/main", "main")


@dataclass(frozen=True)
class Base:
    """The commit that a branch is compared with (40 hexadecimal digits), the files that differ from it, and the
    reference that led there.
    """

    commit: str
    changed: tuple[str, ...]
    reference: str

    def touches(self, *parts: str) -> bool:
        """Whether one of these files or folders (of the project) differs; a file may be a pattern."""
        return any(
            fnmatchcase(name, part) or name.startswith(f"{part}/") for name in self.changed for part in parts
        )


def find_base(reference: str | None) -> Base:
    """Where the branch left ``reference``, and what differs since, uncommitted files included.

    Without a reference it is the first of `DEFAULTS` that there is. Raises `UserError` where there is no Git
    repository, or no such commit in it.
    """
    git.require_commit("a plan compares with a commit")
    reference, named = _named(reference)
    # Histories without a common commit, and a clone that is too shallow to tell, are compared as they are.
    commit = git.merge_base(named) or named
    return Base(commit, tuple(sorted(git.differing(commit))), reference)


def lay_out(base: Base, folder: Path) -> Path:
    """Write the project's files of the commit into ``folder``.

    Left out are links that lead out of the project, such as to an environment or to data on this machine, and what
    this file system cannot hold.
    """
    with tarfile.open(fileobj=io.BytesIO(git.archive(base.commit))) as archive:
        for member in archive:
            with contextlib.suppress(tarfile.FilterError, OSError):
                archive.extract(member, folder, filter="data")
    return folder


def _named(reference: str | None) -> tuple[str, str]:
    """The reference, and the commit that it names."""
    for one in (reference,) if reference else DEFAULTS:
        commit = git.commit_of(one)
        if commit:
            return one, commit
    if reference:
        raise UserError(
            f"--base {reference}: there is no such commit here: fetch it (`git fetch origin`; in a workflow, "
            "checkout with fetch-depth: 0), or name another branch"
        )
    raise UserError(
        f"there is neither {DEFAULTS[0]} nor {DEFAULTS[1]} here to compare with: fetch it (`git fetch origin`), or "
        "name a branch or commit by --base"
    )


_SECONDS = 180
Result = tuple[dict[str, Any] | None, str]


class Building:
    """The definition of the project in ``folder``, built by that folder's own code, in a process of its own.

    It goes on while something else is done; it calls nothing, so it gets no credentials.
    """

    def __init__(self, folder: Path, account: str) -> None:
        self._process = _start(folder, "automl_gitops", "definition", "--account", account)

    def result(self) -> Result:
        """The definition, or `None` and why there is none."""
        status, printed, said = _ended(self._process)
        return _result(status, printed, said)


class Both:
    """The definitions of two folders; where these have the same wheels, from one import of the SDK.

    It is imported while something else is done, such as to ask for the account.
    """

    def __init__(self, folder: Path, other: Path) -> None:
        self._folders = folder, other
        same = _wheels(folder) == _wheels(other)
        module = "automl_gitops.commands.definitions"
        self._process = _start(folder, module, str(folder), str(other)) if same else None

    def results(self, account: str) -> list[Result]:
        """Both, as `Building.result` has them."""
        if self._process:
            status, printed, _ = _ended(self._process, account)
            if status == 0:  # older wheels know no such module
                return [_result(*one) for one in json.loads(printed)]
        return [one.result() for one in [Building(folder, account) for folder in self._folders]]

    def stop(self) -> None:
        """End what goes on."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def _wheels(folder: Path) -> list[str]:
    return sorted(sha256(path.read_bytes()).hexdigest() for path in (folder / "vendor").glob("*.whl"))


def _start(folder: Path, module: str, *arguments: str) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
    # The folder's own packages, before those that are installed: another commit may have another version.
    kept["PYTHONPATH"] = os.pathsep.join(sorted(str(path) for path in (folder / "vendor").glob("*.whl")))
    return subprocess.Popen(  # noqa: S603 - the project's own command
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=kept,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(process: "subprocess.Popen[str]", given: str = "") -> tuple[int, str, str]:
    try:
        printed, said = process.communicate(given, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return 1, "", f"it was not built within {_SECONDS} s"
    return process.returncode, printed, said


def _result(status: int, printed: str, said: str) -> Result:
    if status:
        lines = said.strip().splitlines() or ["no reason given"]
        last = lines[-1].removeprefix("error: ")
        # A traceback: the last line of the project's own code in it.
        places = re.findall(r'/(pipeline/[^/"]+\.py)", line (\d+)', said) if last == lines[-1] else []
        return None, ":".join([*places[-1], f" {last}"]) if places else last
    return json.loads(printed), ""


# A merge that touches this promotes (.github/workflows/promote.yml).
PROMOTES = (PRODUCTION_FILE.as_posix(),)
_DEFINES = ("automl.toml", "dataset.lock", "pipeline", "evaluation", "vendor", PRODUCTION_FILE.as_posix())
_NO_ACCOUNT = "000000000000"  # where nobody is signed in; both sides get the same


@dataclass(frozen=True)
class Plan:
    """All that a reviewer may want to know; the two problems say what could not be compared."""

    base: Base
    base_problem: str
    has_data: bool
    settings: list[Change]
    data: DataChange
    definition: dict[str, list[Change]]
    definition_problem: str
    templates: dict[str, list[Change]]
    production: tuple[str, str]
    ceiling: Ceiling
    base_ceiling: Ceiling | None
    deployed: DeployedState
    notices: list[Finding]
    contract: list[Change]
    contract_sha256: str | None
    positive: PositiveClass | None
    needs_champion: bool

    @property
    def retrains(self) -> bool:
        """Whether merging it trains."""
        return self.base.touches(*RETRAINS)

    @property
    def promotes(self) -> bool:
        """Whether merging it changes what production serves."""
        return self.base.touches(*PROMOTES)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "base": self.base.commit,
            "reference": self.base.reference,
            "files": list(self.base.changed),
            "retrains": self.retrains,
            "promotes": self.promotes,
            "problems": [text for text in (self.base_problem, self.definition_problem) if text],
            "notices": [str(notice) for notice in self.notices],
            "settings": [change.document() for change in self.settings],
            "contract": [change.document() for change in self.contract],
            "dataset": self.data.document(),
            "positive_class": self.positive and self.positive.label,
            "definition": _documents(self.definition),
            "templates": _documents(self.templates),
            "production": {"before": self.production[0] or None, "after": self.production[1] or None},
            "ceiling": self.ceiling.document(),
            "base_ceiling": self.base_ceiling and self.base_ceiling.document(),
            "deployed": self.deployed.document(),
        }


def plan(project: Project, reference: str | None = None) -> Plan:
    """Compare the working tree with where it left ``reference`` (or the default), and with AWS where credentials are.

    Raises `UserError` where the project's own files are wrong, or there is no such commit.
    """
    config, champion = project.config, project.champion
    contract = Contract.load(project.folder / CONTRACT)  # a mistake in it is said here and now
    base = find_base(reference)
    lock = project.lock if (project.folder / "dataset.lock").exists() else None
    if lock is not None:
        bundle.build(config, lock)  # a missing entry point is said here and now
    else:
        consistency.require(config, None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plan-")))
        lay_out(base, folder)
        before = _Side(folder)
        both = None
        if lock is not None and before.lock and base.touches(*_DEFINES):
            both = Both(project.folder, folder)
            stack.callback(both.stop)
        deployed = look(project, has_data=lock is not None)
        templates = template_changes(folder, project.folder)
        differences, problem = _definitions(project, base, both, lock, deployed)
        return Plan(
            base=base,
            base_problem=before.problem,
            has_data=lock is not None,
            settings=list(key_changes(before.settings, _toml(project.folder / "automl.toml"))),
            data=DataChange(before.lock, lock),
            definition=differences,
            definition_problem=problem,
            templates=templates,
            production=(before.champion, champion),
            ceiling=ceiling(config, has_champion=bool(champion)),
            base_ceiling=ceiling(before.config, has_champion=bool(before.champion))
            if before.config
            else None,
            deployed=deployed,
            notices=consistency.notices(config, lock),
            contract=list(key_changes(before.contract, _contract(project.folder))),
            contract_sha256=contract.sha256,
            positive=positive.of_project(config, lock.classes or lock.holdout_classes) if lock else None,
            needs_champion=project.needs_champion,
        )


class _Side:
    """The base's files, read leniently: they may be older than what reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config: Config | None = None
        self.lock: DatasetLock | None = None
        self.settings: dict[str, Any] = {}
        self.contract: dict[str, Any] = {}
        self.champion = ""
        self.problem = ""
        try:
            if (folder / "automl.toml").exists():
                self.settings = _toml(folder / "automl.toml")
                self.config = Config.load(folder / "automl.toml")
            self.contract = _contract(folder)
            if (folder / "dataset.lock").exists():
                self.lock = DatasetLock.load(folder / "dataset.lock")
            if (folder / PRODUCTION_FILE).exists():
                self.champion = str(_toml(folder / PRODUCTION_FILE).get("model_package_arn", ""))
        except UserError as error:
            self.problem = f"the base cannot be read in full: {error}"


def _definitions(
    project: Project, base: Base, both: Both | None, lock: DatasetLock | None, deployed: DeployedState
) -> tuple[dict[str, list[Change]], str]:
    """The definition's differences from the base, each side built by its own code, and what kept from it."""
    if lock is None or not base.touches(*_DEFINES):
        return {}, ""
    account = deployed.account or _NO_ACCOUNT
    built = both.results(account) if both else [Building(project.folder, account).result()]
    after, problem = built[0]
    if after is None:
        raise UserError(problem)
    if both is None:
        return {}, "the base has no data set yet, so the whole pipeline is new"
    had, base_problem = built[1]
    if had is None:
        return {}, f"the base's definition cannot be built: {base_problem}"
    return step_changes(had, after), ""


def _contract(folder: Path) -> dict[str, Any]:
    """What contract.toml says; nothing where there is none."""
    path = folder / CONTRACT
    return _toml(path) if path.exists() else {}


def _toml(path: Path) -> dict[str, Any]:
    return parse_toml(read_text(path), path.name)


def _documents(changed: dict[str, list[Change]]) -> dict[str, list[dict[str, Any]]]:
    return {place: [change.document() for change in listed] for place, listed in changed.items()}
