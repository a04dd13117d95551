"""Each command of the documents is run, in its order, in a fresh project with a local AWS and a stand-in for GitHub."""

import re
import shutil
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import bake
from documents import reading
from documents.reading import Piece
from documents.rules import Rule, rule_of
from documents.stage import NAME, Ended, Stage, data_scientist
from warmed import Warmed

BY_CLI = "With the `aws` command line"
# The order in which somebody reads: documents, or the sections of one from a heading on, or up to one.
ORDER = (
    ("the template's README.md", "", ""),
    ("CONTRIBUTING.md", "", ""),
    ("SECURITY.md", "", ""),
    ("CHANGELOG.md", "", ""),
    ("benchmarks/README.md", "", ""),
    ("Makefile", "", ""),
    ("the closing message", "", ""),
    ("docs/set-up.md", "", ""),
    ("docs/security.md", "", ""),
    ("README.md", "", ""),
    ("the project's Makefile", "", ""),
    ("docs/by-hand.md", "", BY_CLI),
    ("docs/evaluation.md", "", ""),
    ("docs/retrain.md", "", ""),
    ("docs/change.md", "", ""),
    ("docs/operate.md", "", "End it"),
    ("docs/by-hand.md", BY_CLI, ""),
    ("docs/operate.md", "End it", ""),
)
FATES = {
    "run": "run",
    "syntax": "syntax checked by the program",
    "elsewhere": "run by another test",
    "not run": "not run",
}


@dataclass
class Played:
    """What became of the documents' pieces, in their order; and of a data scientist's commands."""

    ended: list[tuple[Piece, Rule, Ended]] = field(default_factory=list)
    allowed: dict[str, Ended] = field(default_factory=dict)
    denied: dict[str, Ended] = field(default_factory=dict)


@pytest.fixture(scope="module")
def template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of its own: the commands of the documents leave there what they make."""
    return shutil.copytree(template, tmp_path_factory.mktemp("documents") / "template")


@pytest.fixture(scope="module")
def baked(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A fresh project, and what its generation said in the end."""
    folder = tmp_path_factory.mktemp("baked")
    result = bake(template, folder, repository=f"owner/{NAME}")
    assert result.returncode == 0, result.stderr
    return folder / NAME, result.stdout


@pytest.fixture(scope="module")
def documents(template: Path, baked: tuple[Path, str]) -> dict[str, list[Piece]]:
    """The pieces of each document, by the name that `ORDER` has for it."""
    project, message = baked

    def make_help(folder: Path) -> str:
        return subprocess.run(["make", "help"], cwd=folder, capture_output=True, text=True, check=True).stdout

    found = {}
    for file in files(template, project):
        name = called(file, template, project)
        found[name] = reading.pieces(file, name)
    found["Makefile"] = reading.of_help(make_help(template), "Makefile")
    found["the project's Makefile"] = reading.of_help(make_help(project), "the project's Makefile")
    found["the closing message"] = reading.of_message(message, "the closing message")
    return found


def files(template: Path, project: Path) -> list[Path]:
    """The Markdown files of the template and of a project, without those that nobody reads as instructions."""
    own = [*template.glob("*.md"), *template.glob("benchmarks/*.md"), *template.glob("docs/*.md")]
    return sorted([*own, *project.glob("*.md"), *project.glob("docs/*.md")])


def called(file: Path, template: Path, project: Path) -> str:
    """The name that a file has in `ORDER`."""
    if not file.is_relative_to(project):
        name = file.relative_to(template).as_posix()
        return "the template's README.md" if name == "README.md" else name
    name = file.relative_to(project).as_posix()
    return name if name == "README.md" or "/" in name else f"the project's {name}"


@pytest.fixture(scope="module")
def played(
    documents: dict[str, list[Piece]],
    baked: tuple[Path, str],
    template: Path,
    warmed: Warmed,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Played]:
    """Every command, run in the order of `ORDER`; the same words once in a document, or in all."""
    result = Played()
    known: dict[str, Ended] = {}
    prefix = warmed.prefix("documents", first_apart=True)
    with Stage(baked[0], template, tmp_path_factory.mktemp("stage"), prefix) as stage:
        for name, start, stop in ORDER:
            if (name, start) == ("docs/by-hand.md", BY_CLI):
                work_as_a_data_scientist(stage, result)
            seen: set[str] = set()
            for piece in between(documents.get(name, []), start, stop):
                rule = rule_of(piece)
                if rule is None or (piece.kind == "inline" and piece.text in seen):
                    continue
                seen.add(piece.text)
                ended = known.get(piece.text) or play(stage, piece, rule)
                if rule.once:
                    known[piece.text] = ended
                result.ended.append((piece, rule, ended))
        yield result


def play(stage: Stage, piece: Piece, rule: Rule) -> Ended:
    """How a piece ended; what could not be prepared failed as well, and the others go on."""
    if rule.fate not in ("run", "syntax"):
        return Ended(rule.status[0], "")
    try:
        return stage.play(piece, rule)
    except Exception:
        return Ended(-1, traceback.format_exc())


def between(pieces: list[Piece], start: str, stop: str) -> Iterator[Piece]:
    """The pieces from one heading on, or those before another."""
    headings = [piece.heading for piece in pieces]
    first = headings.index(start) if start else 0
    last = headings.index(stop) if stop else len(pieces)
    yield from pieces[first:last]


def work_as_a_data_scientist(stage: Stage, result: Played) -> None:
    """What the administrator hands on, used for what the role is for, and for what it is not for."""
    automl = ".venv/bin/automl"
    arn = stage.client("iam").create_user(UserName="carla")["User"]["Arn"]
    told = stage.terminal.run(f"{automl} bootstrap --data-scientist {arn}")
    assert told.status == 0, told.output
    terminal = data_scientist(stage, arn, told.output)
    execution = stage.client("sagemaker").list_pipeline_executions(PipelineName=NAME)
    (newest, *_) = [
        one["PipelineExecutionArn"].rsplit("/", 1)[-1]
        for one in execution["PipelineExecutionSummaries"]
        if one["PipelineExecutionStatus"] == "Succeeded"
    ]
    for command in (
        "data push my-table.csv",
        "data refer --train-validation s3://my-data-lake/train/ --test s3://my-data-lake/test.csv",
        "plan --base main",
        f"execution {newest}",
        f"summary {newest}",
        f"report {newest}",
        "status",
    ):
        result.allowed[command] = terminal.run(f"{automl} {command}")
    # So that what is refused is refused for its rights, and not since there is nothing to do it to.
    prepared = stage.terminal.run(f"git checkout --quiet -- . && {automl} upsert && {automl} stage")
    assert prepared.status == 0, prepared.output
    for command in (
        "run --again 9",
        "invoke build/rows.csv",
        "promote",
        f"teardown --delete-data --confirm {NAME}",
        "bootstrap",
    ):
        result.denied[command] = terminal.run(f"{automl} {command}")


def test_every_document_is_read_in_some_order(documents):
    assert documents.keys() <= {name for name, *_ in ORDER}


def test_every_command_has_a_rule(documents):
    unknown = [str(piece) for pieces in documents.values() for piece in pieces if rule_of(piece) is None]

    assert unknown == [], "write a rule in tests/documents/rules.py, with a reason where it cannot run"


def test_every_rule_that_does_not_run_a_command_says_why(documents):
    rules = [rule_of(piece) for pieces in documents.values() for piece in pieces]

    assert [rule.pattern for rule in rules if rule and rule.fate != "run" and not rule.reason] == []


@pytest.mark.parametrize("document", dict.fromkeys(name for name, *_ in ORDER))
def test_the_commands_of_a_document_do_what_it_says(played, document):
    failed = [
        f"{piece}\n{ended.output[-3000:]}"
        for piece, rule, ended in played.ended
        if piece.document == document and ended.status not in rule.status
    ]

    assert not failed, "\n\n".join(failed)


def test_how_many_commands_run_and_why_others_do_not(played, capsys):
    by_fate = Counter(rule.fate for _, rule, _ in played.ended)
    reasons = Counter((rule.fate, rule.reason) for _, rule, _ in played.ended if rule.fate != "run")

    with capsys.disabled():
        print(
            "\ncommands in the documents:",
            ", ".join(f"{by_fate[fate]} {words}" for fate, words in FATES.items()),
        )
        for (fate, reason), count in sorted(reasons.items()):
            print(f"  {count:3} {FATES[fate]}: {reason}")

    assert by_fate["run"] > 60
    assert by_fate["run"] > by_fate["elsewhere"] + by_fate["not run"]


def test_a_data_scientist_pushes_data_and_reads_with_their_role_alone(played):
    refused = {
        command: ended.output for command, ended in played.allowed.items() if ended.status not in (0, 3)
    }

    assert refused == {}
    assert "version" in played.allowed["status"].output


def test_a_data_scientist_trains_serves_and_removes_nothing(played):
    done = {
        command: ended.output
        for command, ended in played.denied.items()
        if ended.status == 0 or not re.search(r"not allowed to call|not authorized to perform", ended.output)
    }

    assert done == {}


def test_links_between_documents_lead_somewhere(template, baked):
    broken = []
    for file in files(template, baked[0]):
        for link in reading.links(file, called(file, template, baked[0])):
            path, _, anchor = link.target.partition("#")
            target = (file.parent / path) if path else file
            if not target.exists() or (anchor and anchor not in reading.anchors(target)):
                broken.append(f"{link.document}:{link.line}: {link.target}")

    assert broken == []


def test_documents_that_are_named_exist(template, baked):
    project = baked[0]
    named = {(file, name) for file in project.rglob("*.md") for name in reading.named_files(file)}

    assert [f"{file}: {name}" for file, name in named if not (project / name).exists()] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```console\nmake a   # first\n\n# no command\ngit b \\\n  c\n```", ["make a", "git b c"]),
        ("| wish | how |\n| --- | --- |\n| x | `gh a \\| b` |", ["gh a | b"]),
        ("Run `A_TOKEN=$(gh auth token) make a`, not `make`.", ["A_TOKEN=$(gh auth token) make a"]),
        ("`[dataset] seed` and `--port 1` are no commands", []),
    ],
    ids=["block", "table", "sentence", "names"],
)  # fmt: skip
def test_commands_are_found_in_blocks_tables_and_sentences(tmp_path, text, found):
    file = tmp_path / "a.md"
    file.write_text(text)

    assert [piece.text for piece in reading.pieces(file, "a.md")] == found


def test_an_anchor_is_made_as_github_makes_it(tmp_path):
    file = tmp_path / "a.md"
    file.write_text("# With the `aws` command line\n\n## What is: different?\n\n## What is: different?\n")

    assert reading.anchors(file) == {"with-the-aws-command-line", "what-is-different", "what-is-different-1"}


def test_a_command_that_fails_is_noticed(tmp_path):
    from documents.stage import Terminal

    terminal = Terminal(tmp_path, {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"})

    assert terminal.run("mkdir a && cd a && export X=1").status == 0
    assert terminal.run("false").status == 1
    assert terminal.run("pwd; echo $X").output == f"{tmp_path / 'a'}\n1\n"
    assert terminal.run("echo $X", {"X": "2"}).output == "2\n"
    assert terminal.run("echo $X").output == "1\n"
