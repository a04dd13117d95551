"""Refuse, before a file is written, what AWS or GitHub would refuse later.

cookiecutter renders this file first; an answer is read as JSON, so that no quote in it can break the code.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterable

ANSWERS = json.loads(r""" {{ cookiecutter | tojson }} """)

# Autopilot job names hold 32 characters: the project, a hyphen and the 12 characters of the execution's id.
LONGEST_PROJECT = 19

# Windows keeps these names for devices, whatever folder they are asked for in; people clone there too.
WINDOWS = {"con", "prn", "aux", "nul"} | {
    device + digit for device in ("com", "lpt") for digit in "0123456789"
}

# A project's name, a hyphen and one of these is what it calls something of its own in AWS (automl_gitops.kernel).
DERIVED = """
    autopilot-callback autopilot-callback-dlq autopilotrole bootstrap check-autopilot datascientistrole
    lambdaexecutionrole people planrole production productionrole promoterole register-model retrainrole
    sagemakerexecutionrole services servingrole staging stagingrole start-autopilot teardownrole
""".split()

LONGEST_TEXT = 200

# SageMaker's regions that have an image of its scikit-learn container, which the evaluation runs in.
REGIONS = """
    af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1
    ap-southeast-2 ap-southeast-3 ap-southeast-4 ca-central-1 ca-west-1 cn-north-1 cn-northwest-1 eu-central-1
    eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1
    me-south-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2
""".split()


def problem_with_project(project: str) -> str | None:
    """Names of jobs, buckets, roles, functions and endpoints are derived from it; the strictest rules win."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", project):
        return (
            "use lower-case letters, digits and single hyphens, starting with a letter and not ending with a hyphen "
            "(S3 bucket and SageMaker names allow no more)"
        )
    if not 3 <= len(project) <= LONGEST_PROJECT:
        return (
            "use 3 to %d characters (an Autopilot job name holds 32, and 13 of them are the run's)"
            % LONGEST_PROJECT
        )
    if project.startswith(("aws-", "sthree-", "amzn-s3-demo-")) or project in ("aws", "sagemaker"):
        return "AWS reserves names that start like this; choose another"
    if re.search("-(staging|production)-v", project):
        return "the names of another project's releases could begin like this one's; choose another"
    for ending in DERIVED:
        if project.endswith("-" + ending):
            return (
                "a project %s has this name for something of its own in AWS, which this one could then overwrite; "
                "choose another ending" % project[: -len(ending) - 1]
            )
    if project in WINDOWS:
        return "Windows keeps this name for a device, so that no folder can have it; choose another"
    return None


def problem_with_repository(repository: str) -> str | None:
    """GitHub's rules for an owner and for a repository."""
    owner, slash, name = repository.partition("/")
    if not slash or "/" in name:
        return "write it as owner/name, for example my-organisation/readmission"
    if not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", owner) or len(owner) > 39:
        return "the owner %r has up to 39 letters, digits and single hyphens on GitHub" % owner
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) or name in (".", "..") or name.endswith(".git"):
        return (
            "the name %r has up to 100 letters, digits, '.', '_' and '-' on GitHub, and does not end in .git"
            % name
        )
    return None


def problem_with_region(region: str) -> str | None:
    """Only regions where SageMaker is offered."""
    return None if region in REGIONS else "this is no region that offers SageMaker (%s)" % ", ".join(REGIONS)


def problem_with_text(text: str) -> str | None:
    """A line that a TOML file, an AWS tag and a GitHub page can all show, and that reads as it is."""
    if not text:
        return "it is empty"
    for place, character in enumerate(text, 1):
        reason = problem_with_character(character)
        if reason:
            return "its character %d is U+%04X, %s" % (place, ord(character), reason)
    for mark in ("{" + "{", "{" + "%"):  # in two parts, because cookiecutter renders this file
        if mark in text:
            return (
                "cookiecutter would run what stands behind %s at the next update of the project; answer without it "
                "(automl.toml takes it afterwards)" % mark
            )
    if len(text) > LONGEST_TEXT:
        return "use up to %d characters (it has %d)" % (LONGEST_TEXT, len(text))
    return None


def problem_with_character(character: str) -> str | None:
    """Nothing that cannot be seen, or that changes how the text around it is read.

    Allowed of this kind are the two joiners, which emoji and several alphabets are written with.
    """
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return "a control character: tabs, line breaks and the like cannot be kept"
    if category == "Cs":
        return "no character by itself: the terminal that passed it is not UTF-8; set LC_ALL=C.UTF-8 and try again"
    if category == "Cf" and character not in "\u200c\u200d":
        return "%s, which cannot be seen: leave it out" % unicodedata.name(character, "a format character")
    if ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF:
        return "which is no character: leave it out"
    return None


def problem_with_problem_type(problem_type: str) -> str | None:
    """One of three, whose names in Autopilot's API do as well."""
    offered = ANSWERS["_problem_types"]
    if problem_type in offered:
        return None
    return "answer %s (or %s)" % (listed(offered), listed(offered.values()))


def problem_with_objective(objective: str) -> str | None:
    """Autopilot offers each problem type metrics of its own."""
    problem_type = ANSWERS["problem_type"]
    offered = ANSWERS["_metrics"].get(problem_type)
    if offered is None or objective in ["default", *offered]:  # of an unknown problem type nothing is known
        return None
    return "for %s answer %s, or default, which is %s" % (problem_type, listed(offered), offered[0])


def listed(names: Iterable[str]) -> str:
    """Names as one reads them in a sentence."""
    *most, last = names
    return "%s or %s" % (", ".join(most), last)


def shown(answer: str) -> str:
    """An answer as a terminal can show it, whatever is in it, and not all of a page."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in answer)
    return visible if len(visible) <= LONGEST_TEXT + 40 else visible[:LONGEST_TEXT] + " ..."


CHECKS = {
    "project": problem_with_project,
    "description": problem_with_text,
    "repository": problem_with_repository,
    "region": problem_with_region,
    "target": problem_with_text,
    "problem_type": problem_with_problem_type,
    "objective": problem_with_objective,
}


def main() -> int:
    problems = [(question, ANSWERS[question], check(ANSWERS[question])) for question, check in CHECKS.items()]
    refused = [(question, answer, reason) for question, answer, reason in problems if reason]
    if not refused:
        return 0
    # The description that is offered repeats the target, which is refused by itself.
    offered = "Predict " + ANSWERS["target"]
    refused = [one for one in refused if one[:2] != ("description", offered)]
    for question, answer, reason in refused:
        print('%s = "%s" is refused: %s.' % (question, shown(answer), reason), file=sys.stderr)
    print("Nothing was written. What follows is only how cookiecutter says that it stopped.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
