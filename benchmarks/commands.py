"""How long commands and the local AWS take to begin, beside what they cannot do without: an import of others."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from automl_gitops.data.lock import Column, DatasetLock, Rows, Uris
from benchmarks.figures import Figure
from benchmarks.local_aws import running

ROOT = Path(__file__).parents[1]
RUNS = 3
NOBODY = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
}
KEYS = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "unused", "AWS_SECRET_ACCESS_KEY": "unused"}
# What the commands cannot do without.
TYPER = """
import typer
app = typer.Typer(rich_markup_mode=None)
@app.command()
def one(name: str | None = typer.Option(None, help="A name.")) -> None:
    "Do nothing."
app(["--help"])
"""
# With an option of the program itself, whose value Typer reads with pydantic before it comes to a command.
GROUP = """
import typer
app = typer.Typer(rich_markup_mode=None)
@app.callback()
def program(version: bool = typer.Option(False, "--version")) -> None:
    pass
@app.command()
def one(name: str | None = typer.Option(None, help="A name.")) -> None:
    "Do nothing."
app(["one", "--help"])
"""
BOTO3 = "import boto3, typer; boto3.client('sagemaker'), boto3.client('sts')"
SDK = "import sagemaker.mlops.workflow.pipeline"
MOTO = "import moto.moto_server.werkzeug_app, " + ", ".join(
    f"moto.{service}.models"
    for service in ("iam", "s3", "sagemaker", "sqs", "awslambda", "kms", "cloudwatch")
)
Command = Sequence[str]


def figures(work: Path) -> Iterator[Figure]:
    """Measure; the project stays in ``work``."""
    project = made_project(work)
    automl = [sys.executable, "-m", "automl_gitops"]
    signed = {**os.environ, **NOBODY, **KEYS}
    with running(work / "aws") as environment:
        memory = _resident(int(environment["LOCAL_AWS_PID"]))
        at_rest = {**environment, **NOBODY}
        # (name, command, its environment, what it is measured by, with the processes' seconds or the clock's, bound)
        for name, command, own, limit, processor, bound in (
            ("automl --help, times of a Typer program with one option", [*automl, "--help"], at_rest, TYPER, True, 2.5),
            ("automl stage --help, times of a Typer program with one command and --version",
             [*automl, "stage", "--help"], at_rest, GROUP, True, 2.5),
            ("automl status, times of boto3's clients", [*automl, "status"], at_rest, BOTO3, True, 2),
            ("automl definition, times of importing the SDK",
             [*automl, "definition", "--account", "123456789012"], signed, SDK, True, 1.3),
            ("automl plan, times of importing the SDK",
             [*automl, "plan", "--base", "main"], at_rest, SDK, False, 1.4),
        ):  # fmt: skip
            times = _times(command, [sys.executable, "-c", limit], own, signed, project, processor=processor)
            yield Figure.of(name, times, "", f"<= {bound}")
    up = [sys.executable, "-c", _UP]
    times = _times(up, [sys.executable, "-c", MOTO], signed, signed, project, processor=True)
    yield Figure.of("local AWS ready, times of importing its services from moto", times, "", "<= 1.5")
    yield Figure.of("memory of the local AWS before the first training", memory / 1e6, "MB", "< 150")


# What `local-sagemaker up` does until it answers.
_UP = "from local_sagemaker.server import LocalAWS; LocalAWS().start().stop()"


def _times(
    command: Command,
    limit: Command,
    own: Mapping[str, str],
    signed: Mapping[str, str],
    folder: Path,
    *,
    processor: bool,
) -> float:
    """The medians' ratio; the two take turns, so that a busy machine slows both."""
    pairs = [
        (_seconds(command, own, folder, processor), _seconds(limit, signed, folder, processor))
        for _ in range(RUNS)
    ]
    mine, theirs = zip(*pairs, strict=True)
    return median(mine) / median(theirs)


def _seconds(command: Command, environment: Mapping[str, str], folder: Path, processor: bool) -> float:
    used, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run(  # noqa: S603 - commands of this repository
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    passed, now = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode not in (0, 3):  # 3: status found a difference
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr}")
    return now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime if processor else passed


def _resident(process: int) -> float:
    """Bytes that a process and its children hold."""
    shown = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,rss="],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = [[int(word) for word in line.split()] for line in shown.splitlines()]
    return sum(1024.0 * rss for pid, parent, rss in lines if process in (pid, parent))


def made_project(work: Path) -> Path:
    """A generated project with a data set, on a branch that changes its budget."""
    project = work / "readmission"
    if project.exists():
        return project
    bake = [
        "cookiecutter",
        "--no-input",
        "--default-config",
        "--output-dir",
        str(work),
        str(ROOT),
        "target=label",
    ]
    subprocess.run([sys.executable, "-m", *bake], check=True, capture_output=True)  # noqa: S603
    _lock().save(project / "dataset.lock")
    for step in ("init --initial-branch=main", "add --all", "commit --message=Start", "checkout -b change"):
        identity = [
            "-c",
            "user.name=Bench",
            "-c",
            "user.email=bench@example.com",
            "-c",
            "commit.gpgsign=false",
        ]
        git = ["git", *identity, *step.split()]
        subprocess.run(git, cwd=project, check=True, capture_output=True)  # noqa: S603
    settings = project / "automl.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("max_candidates = ", "max_candidates = 1"), encoding="utf-8")
    return project


def _lock() -> DatasetLock:
    base = f"s3://bench/datasets/{'ab' * 32}"
    return DatasetLock(
        name="patients",
        source="patients.csv",
        synthetic=True,
        sha256="ab" * 32,
        target="label",
        holdout=0.2,
        seed=42,
        rows=Rows(total=1000, train_validation=800, test=200),
        columns=[Column(name="age", type="integer"), Column(name="label", type="text")],
        classes={"<30": 200, ">30": 300, "no": 500},
        uris=Uris(train_validation=f"{base}/train.csv", x_test=f"{base}/x/", y_test=f"{base}/y/"),
    )
