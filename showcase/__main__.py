"""`python -m showcase`: generate the project that the table suggests into build/demo/, and rehearse its life there.

The packages are installed, and `showcase.first_look` has found nothing.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import tomlkit

from automl_evaluation.metrics import BINARY
from automl_gitops.data.inspect import inspect
from automl_gitops.data.uci import PATIENT, TARGET
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import quoted
from automl_rehearsal.commands import Leash
from automl_rehearsal.first_look import Wish, of_project, refuse, show_anything
from automl_rehearsal.hospital import COLUMNS
from automl_rehearsal.life import require_fit
from automl_rehearsal.signals import held
from showcase import RESULTS, ROOT, TEMPLATE, first_look
from showcase.answers import EXAMPLE, POSITIVE, answerable, arguments, of_table, of_target, rarer
from showcase.record import Record

# What the hospital example's automl.toml names beside the target: its group and its slices.
_NAMED = (PATIENT, *(name for name in COLUMNS if name == "age" or name.startswith("race_")))
_NAMES_A_KEY = re.compile(r"automl\.toml|\[(dataset|autopilot)\]")
_CACHES = ("__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache")


def main() -> int:
    """Generate and rehearse; the exit status is the rehearsal's."""
    show_anything()
    try:
        wish = Wish.of(os.environ)
        Leash(ROOT / RESULTS).release()  # before the project of another demo is generated anew
        edited = first_look.edited_project(wish)
        project = keep(wish, edited) if edited else generate_for(wish)
        require_data(wish, project)
    except UserError as error:
        refuse(error)
    began = float(os.environ.get("STARTED") or time.time())
    status = _wait(
        [
            Path(sys.executable).with_name("automl"),
            "rehearse",
            *("--output", project.parent),
            *(("--data", str(wish.path), *wish.options) if wish.data else ()),
            *(("--lenient",) if wish.lenient else ()),
            *("--setup-seconds", f"{max(0.0, time.time() - began):.1f}"),
        ],
        project,
    )
    folder = RESULTS / project.name
    if status == 0:
        there = str(wish.path) if wish.data else ""
        again = dataclasses.replace(wish, data=there, target="", problem="").command()
        print(f"\nNext: edit {folder}/automl.toml, and type: cd {shlex.quote(str(folder))} && {again}")
    return status


def require_data(wish: Wish, project: Path) -> None:
    """Raise `UserError` where the project's push would refuse the file; a project that was generated for a file that
    has to be corrected goes again, and of any other one the sentence says what to edit.
    """
    if not wish.data:
        return
    try:
        require_fit(Config.load(project / "automl.toml"), wish.path, wish.dialect, lenient=wish.lenient)
    except UserError as error:
        folder, record = RESULTS / project.name, Record(project)
        if not _NAMES_A_KEY.search(str(error)) and not record.is_edited():
            record.remove()
            raise
        raise UserError(
            f"{error}\n(edit {folder}/automl.toml, or remove the folder and say with TARGET=COLUMN and PROBLEM=binary, "
            "multiclass or regression what is generated into it)"
        ) from None


def keep(wish: Wish, folder: Path) -> Path:
    """The project in ``folder``, which its owner has edited since it was generated, to be rehearsed as it stands.

    Raises `UserError` where the ``wish`` names another target or problem type than it has.
    """
    of_project(wish, folder / "automl.toml")
    print(
        f"{folder} was edited since it was generated: it is rehearsed as it stands (remove it to have a new one)",
        flush=True,
    )
    return ROOT / folder


def generate_for(wish: Wish) -> Path:
    """Generate the project that the table suggests, and say so; returns its folder."""
    print(f"generating a project for {wish.data or 'the example'} ...", flush=True)
    answers = answer(wish)
    folder = RESULTS / answers.get("project", EXAMPLE)
    if Record(ROOT / folder).is_edited():  # the example's, which the name of UCI's file does not show
        return keep(wish, folder)
    project = generate(answers)
    print(f"{folder} is generated" + (f" for {wish.data}" if wish.data else ""), flush=True)
    if POSITIVE in answers:
        print(
            f"its positive class is {quoted(answers[POSITIVE])}, the rarer one: [decision] in its automl.toml"
        )
    return project


def answer(wish: Wish) -> dict[str, str]:
    """The answers to the questions; none where the defaults, the hospital example, are what is wished."""
    if not wish.data:
        return of_target(wish.target or "target", wish.problem) if wish.target or wish.problem else {}
    facts = inspect(wish.path, wish.target or None, wish.dialect)
    if facts["prepare"] and facts["target"] == TARGET and wish.problem in ("", "MulticlassClassification"):
        return {}
    columns = [column["name"] for column in facts["columns"]]
    problem = wish.problem or facts["problem_type"]
    answers = of_table(wish.path, facts["target"], problem, columns, _NAMED)
    if problem == BINARY and facts["positive_class"] is not None:
        answers |= rarer(facts["classes"], facts["positive_class"])
    return answers


def generate(answers: dict[str, str]) -> Path:
    """Generate the project below `RESULTS`, with the environment that is there; returns its folder.

    Raises `UserError` with the reason where an answer is refused.
    """
    for cache in [folder for name in _CACHES for folder in TEMPLATE.rglob(name)]:
        shutil.rmtree(cache, ignore_errors=True)
    output = ROOT / RESULTS
    output.mkdir(parents=True, exist_ok=True)
    project = output / answers.get("project", EXAMPLE)
    record = Record(project)
    record.begin()
    cookiecutter = Path(sys.executable).with_name("cookiecutter")
    options = ("--no-input", "--default-config", "--overwrite-if-exists", "--output-dir", output)
    done = subprocess.run(  # noqa: S603 - an answer is an argument, and no shell reads it
        [cookiecutter, *options, ROOT, *arguments(answers)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        refused = [line for line in done.stderr.splitlines() if " is refused: " in line]
        raise UserError("\n".join(refused) or done.stderr.strip())
    if "target" in answers:
        name_target(project / "automl.toml", answers["target"])
    if POSITIVE in answers:
        name_positive(project / "automl.toml", answers[POSITIVE])
    record.end()
    environment = project / ".venv"
    if not environment.exists():
        environment.unlink(missing_ok=True)  # a link to an environment that is gone
        environment.symlink_to(os.path.relpath(ROOT / ".venv", project))
    (environment / "installed").touch()  # as `make setup` does there: all packages of its lock are in
    return project


def name_target(file: Path, target: str) -> None:
    """Write the column's name into automl.toml where it is not one that the questions take."""
    if target != answerable(target):
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
        document["dataset"]["target"] = target
        file.write_text(tomlkit.dumps(document), encoding="utf-8")


def name_positive(file: Path, label: str) -> None:
    """Name the positive class in automl.toml, where the lines for it stand as a comment."""
    text = file.read_text(encoding="utf-8").replace("# [decision] ", "[decision] ")
    named = f"positive = {tomlkit.string(label).as_string()} # the rarer class of the table"
    file.write_text(text.replace('# positive = "yes"', named), encoding="utf-8")


def _wait(command: Sequence[str | Path], folder: Path) -> int:
    """Run a command to its end; after Ctrl-C, which the terminal sends it too, it tidies up by itself."""
    with held():
        process = subprocess.Popen(command, cwd=folder)  # noqa: S603 - the rehearsal
    for number in (signal.SIGTERM, signal.SIGHUP):  # which may reach this process alone
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda got, _: process.send_signal(got))
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    sys.exit(main())
