"""What happens on a stage, one scene after the other: for the tests, and for a person (`make demo-github`)."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import tomlkit
from act import Run
from stage import Stage, json_of

ROWS = 1000  # of which about 640 are trained on: fewer than 500 are refused
HARD = 0.999  # a minimum that no model of these tables reaches
PRODUCTION = "environments/production.toml"


def small(project: Path) -> None:
    """Make a generated project quick: a training of seconds, few requests, and of its own tests only the fastest."""
    path = project / "automl.toml"
    document = tomlkit.parse(path.read_text())
    document["autopilot"]["budget"] |= {"max_candidates": 2, "max_seconds": 30}
    document["verification"] |= {
        "rows": 60,
        "requests": 20,
        "max_latency_p50_ms": 60_000,
        "max_latency_p95_ms": 60_000,
    }
    document["production"]["alarms"] |= {"max_latency_p95_ms": 60_000}
    path.write_text(tomlkit.dumps(document))
    for test in (project / "tests").rglob("test_*.py"):
        if test.name != "test_gate.py":
            test.unlink()


def table(path: Path, rows: int = ROWS) -> Path:
    """A data set for the project of the questions' own answers: classes that follow from two columns, with noise."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "stays": random.integers(0, 10, rows),
            "age": random.normal(60, 15, rows).round(1),
            # The example's slices of automl.toml name such columns.
            **{f"race_{name}": random.integers(0, 2, rows) for name in ("A", "B")},
            "ward": random.choice(["north", "south", "children, infants"], rows),
        }
    )
    score = frame["stays"] + 0.05 * frame["age"] + random.normal(0, 0.5, rows)
    frame["patient_nbr"] = np.random.default_rng(8).integers(0, rows, rows)  # the example's group
    frame["readmitted"] = np.asarray(["no", ">30", "<30"])[np.digitize(score, [6.5, 10.0])]
    frame.to_csv(path, index=False)
    return path


class Life:
    """The scenes. Each returns the runs that it started; what they left is in ``stage.aws`` and ``stage.github``.

    ``data`` is the file of a data set that suits ``project``; ``kind`` says what its rows are, `--real` or
    `--synthetic`.
    """

    def __init__(self, stage: Stage, project: Path, data: Path, kind: str = "--real") -> None:
        self.stage = stage
        self._project = project
        self._data = data
        self._kind = kind

    def first_push(self) -> list[Run]:
        """The generated project arrives on GitHub, where nothing is set up yet."""

        def copy(clone: Path) -> None:
            ignored = shutil.ignore_patterns(".git", "build", "__pycache__", ".*_cache")
            shutil.copytree(self._project, clone, dirs_exist_ok=True, ignore=ignored)

        return self.stage.push_main("Start the project", copy)

    def set_up(self) -> dict:
        """What an administrator does once: the commands of `make bootstrap`."""
        done = json_of(self.stage.command("bootstrap", "--github", "--json"))
        self.stage.command("stack")
        return done

    def propose_data(self) -> int:
        """A data scientist pushes a data set and opens a pull request; returns its number."""

        def push(_: Path) -> None:
            self.stage.command("data", "push", str(self._data), self._kind)

        self.stage.commit("data", "Train on the first data set", push)
        return self.stage.open("data", "Train on the first data set")

    def propose_change(self, branch: str, title: str, change: Callable[[Path], None]) -> int:
        """Somebody changes the project by a pull request; returns its number."""
        self.stage.commit(branch, title, change)
        return self.stage.open(branch, title)

    def propose_harder_gate(self) -> int:
        """A gate that no model passes."""

        def change(project: Path) -> None:
            path = project / "automl.toml"
            document = tomlkit.parse(path.read_text())
            document["gate"]["minimum"] = HARD
            path.write_text(tomlkit.dumps(document))

        return self.propose_change("harder", "Ask for more than a model can give", change)

    def propose_column(self) -> int:
        """Data with another column, by the data set's own record of it."""

        def add(project: Path) -> None:
            path = project / "dataset.lock"
            lock = tomlkit.parse(path.read_text()).unwrap()
            lock["columns"].append({"name": "weight", "type": "number"})
            lock.pop("checksum", None)
            path.write_text(tomlkit.dumps(lock))

        return self.propose_change("column", "Train on the weight too", add)

    def promotion(self) -> int:
        """The number of the promotion pull request that is open."""
        return next(
            number
            for number, pull in self.stage.github.pulls.items()
            if pull["head"]["ref"] == "promote-production" and pull["state"] == "open"
        )

    def propose_copy(self) -> str:
        """A second version without a second training: a copy of the first, staged, verified and proposed."""
        from automl_rehearsal.sabotage import register_copy

        aws, first = self.stage.aws, self.named()
        bucket = f"{self.stage.name}-{first.split(':')[4]}-{first.split(':')[3]}"
        second = register_copy(aws.client("sagemaker"), aws.client("s3"), bucket, first)
        for step in ("stage", "verify", "propose"):
            self.stage.command(step, "--model-package", second)
        return second

    def revert(self) -> list[Run]:
        """The last promotion is reverted on main."""
        self.stage.git("fetch", "--quiet", "origin")
        self.stage.git("checkout", "--quiet", "main")
        self.stage.git("reset", "--quiet", "--hard", "origin/main")
        before = self.stage.git("rev-parse", "HEAD")
        self.stage.git("revert", "--no-edit", "--mainline", "1", "HEAD")
        self.stage.git("push", "--quiet", "origin", "HEAD:main")
        return self.stage.pushed(before, self.stage.git("rev-parse", "HEAD"))

    def named(self) -> str:
        """The model package that main names for production."""
        text = self.stage.github.git.read("main", PRODUCTION)
        return str(tomlkit.parse(text)["model_package_arn"])
