"""Refuse, before a file is written, what AWS or GitHub would refuse later.

cookiecutter renders this file first; an answer is read as JSON, so that no quote in it can break the code.
"""

import json
import re
import sys

ANSWERS = json.loads(r""" {{ cookiecutter | tojson }} """)

# Autopilot job names hold 32 characters: the project, a hyphen and the 12 characters of the execution's id.
LONGEST_PROJECT = 19

OBJECTIVES = {
    "binary": ("Accuracy", "AUC", "BalancedAccuracy", "F1", "Precision", "Recall"),
    "multiclass": ("Accuracy", "BalancedAccuracy", "F1macro", "PrecisionMacro", "RecallMacro"),
    "regression": ("MAE", "MSE", "R2", "RMSE"),
}

# SageMaker's regions that have an image of its scikit-learn container, which the evaluation runs in.
REGIONS = """
    af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1
    ap-southeast-2 ap-southeast-3 ap-southeast-4 ca-central-1 ca-west-1 cn-north-1 cn-northwest-1 eu-central-1
    eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1
    me-south-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2
""".split()


def problem_with_project(project):
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
    return None


def problem_with_repository(repository):
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


def problem_with_region(region):
    """Only regions where SageMaker is offered."""
    return None if region in REGIONS else "this is no region that offers SageMaker (%s)" % ", ".join(REGIONS)


def problem_with_text(text):
    """A line that a TOML file, an AWS tag and a GitHub page can all show."""
    if not text.strip():
        return "it is empty"
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        return "control characters and line breaks cannot be kept"
    if len(text) > 200:
        return "use up to 200 characters"
    return None


def problem_with_objective(objective):
    """Autopilot offers each problem type metrics of its own."""
    problem_type = ANSWERS["problem_type"]
    offered = OBJECTIVES[problem_type]
    return None if objective in offered else "for %s choose one of %s" % (problem_type, ", ".join(offered))


def main():
    checks = {
        "project": problem_with_project,
        "description": problem_with_text,
        "repository": problem_with_repository,
        "region": problem_with_region,
        "target": problem_with_text,
        "__objective": problem_with_objective,
    }
    problems = [(question, ANSWERS[question], check(ANSWERS[question])) for question, check in checks.items()]
    refused = [(question.strip("_"), answer, reason) for question, answer, reason in problems if reason]
    for question, answer, reason in refused:
        print('%s = "%s" is refused: %s.' % (question, answer, reason), file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
