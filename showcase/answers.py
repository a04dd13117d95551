"""What a table suggests as answers to the questions: names that AWS and GitHub take, and what is predicted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

LEAST, MOST = 5, 19  # characters of a project's name; shorter ones may be devices of Windows, or AWS's own
LONGEST = 200  # characters of an answer
_RESERVED = ("aws", "sthree", "amzn", "sagemaker")
EXAMPLE = "readmission"  # the project of the default answers
_TAKEN = ("data", "project")  # folders of build/demo that the rehearsal writes
POSITIVE = "positive"  # no question: what [decision] of automl.toml is to name
_SHORT = {
    "BinaryClassification": "binary",
    "MulticlassClassification": "multiclass",
    "Regression": "regression",
}


def name(text: str) -> str:
    """A project's name made of any text, such as a file's name without its ending.

    3-19 lower-case letters, digits and single hyphens that begin with a letter; whole words where they fit.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = [word for word in re.split(r"[^a-z0-9]+", plain) if word]
    if not words:
        return "my-table"
    if words[0] in _RESERVED or not words[0][0].isalpha():
        words = ["data", *words]
    made = words[0][:MOST]
    for word in words[1:]:
        if len(made) + 1 + len(word) > MOST:
            break
        made += f"-{word}"
    return f"{made}-model" if len(made) < LEAST or made in _TAKEN else made


def called(data: str, target: str, problem: str) -> str:
    """The name of the project for a file; without one for a target, or a problem type alone; else the example's.

    Texts are empty where they are not given. For UCI's file the example is generated too, which only its columns show.
    """
    if data:
        return name(_stem(Path(data)))
    return name(target or "target") if target or problem else EXAMPLE


def of_table(
    path: Path, target: str, problem: str, columns: Collection[str], named: Iterable[str]
) -> dict[str, str]:
    """The answers for a file with these columns; ``problem`` is Autopilot's name of the problem type.

    ``named`` are columns of the hospital example: its group and its slices are set where all of them are there.
    """
    hospital = target == "readmitted" and problem == "MulticlassClassification" and set(named) <= set(columns)
    return _answers(name(_stem(path)), f"Predict {answerable(target)} from {path.name}", target, problem) | {
        "__example": "hospital" if hospital else "made-up"
    }


def rarer(classes: Mapping[str, int], default: str) -> dict[str, str]:
    """The answer that names the rarer one of two ``classes`` (rows by label), where the ``default`` is the other."""
    least = min(classes, key=lambda label: classes[label])
    return {POSITIVE: least} if classes[least] < classes[default] else {}


def of_target(target: str, problem: str) -> dict[str, str]:
    """The answers where there is no file, but a target is named."""
    return _answers(name(target), f"Predict {answerable(target)}", target, problem)


def _answers(project: str, description: str, target: str, problem: str) -> dict[str, str]:
    answers = {"project": project, "description": description, "target": target}
    return answers | ({"problem_type": _SHORT[problem]} if problem else {})


def arguments(answers: dict[str, str]) -> list[str]:
    """The answers as cookiecutter's arguments, of which it refuses none."""
    return [f"{key}={answerable(value)}" for key, value in answers.items() if key != POSITIVE]


def answerable(text: str) -> str:
    """The nearest text that the questions take: it can be seen, is no template, and has no blanks around it.

    Columns may be called otherwise; automl.toml takes any name.
    """
    visible = "".join(character if character.isprintable() else " " for character in text)
    plain = re.sub(r"\{(?=[{%])", "{ ", visible).strip()
    return (plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}...") or "target"


def _stem(path: Path) -> str:
    return path.name.split(".")[0] or path.name.strip(".").split(".")[0]
