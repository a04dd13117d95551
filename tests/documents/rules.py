"""What becomes of each command of the documents. A command that no rule knows fails the test.

A rule's pattern has to fit the whole command. The first rule that fits counts.
"""

import re
from dataclasses import dataclass
from typing import Literal

from documents.reading import Piece

Fate = Literal["run", "syntax", "elsewhere", "not run"]


@dataclass(frozen=True)
class Rule:
    """The fate of the commands that fit ``pattern`` in documents that fit ``document``, and why.

    `syntax`: its program reads its arguments, and nothing else happens. `elsewhere`: ``reason`` names the test that
    runs the same. ``prepare`` are the names of what `stage.Stage` does before, ``status`` are its exit statuses. A
    command that only reads, whoever names it, and takes long, is run ``once`` for all documents.
    """

    pattern: str
    fate: Fate = "run"
    reason: str = ""
    document: str = ".*"
    prepare: tuple[str, ...] = ()
    status: tuple[int, ...] = (0,)
    once: bool = False


TEMPLATE = r"(the template's README|CONTRIBUTING|SECURITY|CHANGELOG)\.md|Makefile|benchmarks/.*"
AUTOML = r"\.venv/bin/automl"

RULES = (
    # --- What a person, the internet or a real account is needed for ---
    Rule(r"gh auth login.*", "syntax", "a person signs in to GitHub"),
    Rule(r"aws sso login", "not run", "a person signs in to AWS"),
    Rule(r"aws service-quotas .*", "syntax", "quotas are a real account's"),
    Rule(r"aws iam get-role .*", "syntax", "the role is the reader's own"),
    Rule(r"aws s3api (list-object-versions|delete-object) .*", "syntax", "the archive is the reader's own"),
    Rule(r"aws sagemaker update-model-package .*", "syntax", "the version is the reader's own"),
    Rule(r"(pip|uv pip|pipx|uv tool) install .*", "not run", "downloads packages"),
    Rule(r"(sudo |brew |apt-get ).*", "not run", "changes the machine"),
    Rule(r".*playwright install.*", "not run", "downloads a browser"),
    Rule(
        r"python -m\s+(pipeline|deployment|rehearsal|local)\b.*",
        "not run",
        "a command of versions before",
        r"CHANGELOG\.md",
    ),
    Rule(r"git clone .*", "not run", "downloads the template"),
    Rule(
        r"make (PYTHON=\S+ )?(setup|lock|clean)( PYTHON=\S+)?",
        "not run",
        "downloads packages, or removes them",
    ),
    Rule(r"make scan", "not run", "asks the package index for known weaknesses"),
    # --- What other tests of the template run, or is this very test ---
    Rule(r"make demo-github", "elsewhere", "tests/workflows", TEMPLATE),
    Rule(r"make (test|check|bench|format)\b.*", "elsewhere", "CI runs it on this repository", TEMPLATE),
    Rule(r"make( (setup|test|test-unit|check|format))+", "elsewhere", "tests/test_project.py"),
    Rule(r"make project", "elsewhere", "tests/test_ask.py answers the questions"),
    Rule(r"make demo\b.*", "elsewhere", "tests/test_project.py and tests/strangers run the same life"),
    Rule(
        r"make calls", "elsewhere", "automl-gitops' tests/life compares what it writes with a recorded life"
    ),
    Rule(r"make wheels", "elsewhere", "tests/test_wheels.py"),
    Rule(r"make local", "elsewhere", "`local-sagemaker up` of docs/by-hand.md"),
    Rule(rf"{AUTOML} stage", "elsewhere", "docs/by-hand.md stages what it trained", r"docs/set-up\.md"),
    Rule(
        rf"{AUTOML} stage --model-package ARN", "elsewhere", "tests/deployment of automl-gitops name versions"
    ),
    Rule(rf"{AUTOML} rehearse --on-aws --clean"),
    Rule(
        rf"{AUTOML} rehearse --on-aws",
        "elsewhere",
        "tests/test_flight.py of automl-rehearsal flies in an account",
    ),
    Rule(rf"{AUTOML} rehearse .*", "elsewhere", "tests/workflows runs it for each pull request"),
    Rule(r"git apply", "elsewhere", "tests/test_changes.py applies each diff"),
    Rule(r"cruft .*", "elsewhere", "tests/test_update.py"),
    Rule(r"(.*/)?python3? -m pytest.*", "elsewhere", "CI runs all tests"),
    Rule(r"edit automl\.toml", "not run", "a person edits"),
    # --- What needs something before it ---
    Rule(r"\.venv/bin/cookiecutter .*", "run", prepare=("in_the_template",)),
    Rule(r"cookiecutter .*", "run", prepare=("no_input",)),
    Rule(r"cd (\S+/)?readmission", "run", prepare=("where_it_was_made",)),
    Rule(r"\.venv/bin/local-sagemaker up .*", "run", prepare=("in_the_background",)),
    Rule(r"(GITHUB_TOKEN=\S+\(.*\) )?make bootstrap", "run", prepare=("on_github",)),
    # 2 is make's, of a doctor that found something missing.
    Rule(r"(GITHUB_TOKEN=\S+\(.*\) )?make doctor", "run", prepare=("on_github",), status=(0, 2), once=True),
    Rule(rf"{AUTOML} bootstrap --github .*", "run", prepare=("on_github", "people")),
    Rule(rf"{AUTOML} bootstrap --project-account .*", "run", prepare=("in_another_account",)),
    Rule(r"git init -b main && git add --all && git commit .*", "run", prepare=("no_repository",)),
    Rule(r"git switch -c update .*", "run", prepare=("a_repository",)),
    Rule(r"git remote add origin .*", "run", prepare=("no_remote",)),
    Rule(r"git switch main && git branch -D by-hand", "run", prepare=("nothing_changed",)),
    Rule(r"gh (repo create|pr create|pr merge|variable set|auth token)\b.*", "run"),
    Rule(r"gh workflow run retrain\.yml .*", "syntax", "tests/workflows starts it for an execution"),
    Rule(rf"{AUTOML} data refer .*", "run", prepare=("a_data_lake",)),
    Rule(rf"{AUTOML} data contract", "run", prepare=("and_no_contract_after_it",)),
    Rule(r"aws sagemaker stop-pipeline-execution .*", "run", prepare=("an_execution_that_runs",)),
    Rule(rf"{AUTOML} rollback && git push", "run", prepare=("on_github_s_branch",)),
    Rule(rf"{AUTOML} status", "run", status=(0, 3)),  # 3 is a difference, which it shows
    # --- What runs as it stands ---
    Rule(rf"{AUTOML} .*"),
    Rule(r"automl [\w -]+", "run", "named in a sentence: with --help", prepare=("help",), once=True),
    Rule(r"\.venv/bin/pre-commit install", prepare=("a_repository",)),
    Rule(r"\. build/local\.env"),
    Rule(r"\.venv/bin/python -c .*"),
    Rule(r"head -n 6 build/data/\*\.csv > build/rows\.csv"),
    Rule(r"git (switch|add|commit|branch) .*"),
    Rule(r"aws \S+ [\w-]+", "syntax", "named in a sentence", prepare=("subcommand",)),
    Rule(r"aws (sagemaker|logs|s3) \S.*"),
    Rule(r"make help"),
    Rule(r"make PYTHON=.*", "not run", "the reader's own Python"),
)


def rule_of(piece: Piece) -> Rule | None:
    """The rule for a piece, None where there is none; blocks of Python and TOML always run."""
    if piece.kind in ("python", "toml"):
        return Rule(".*")
    for rule in RULES:
        if re.fullmatch(rule.pattern, piece.text) and re.fullmatch(rule.document, piece.document):
            return rule
    return None
