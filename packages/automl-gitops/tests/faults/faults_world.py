"""One project with its repository on GitHub and its account in AWS, all in this process, which can be forked.

Endpoints, stacks, registry, pipelines and functions are the local AWS's own. Training is recorded: a job ends at once
with the candidate that a training once had, whose container answers by a rule.
"""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from faults_preload import SERVICES, preload
from moto import backends

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.names import Names
from local_sagemaker import BadInput, LocalAWS, clients, late, workers
from local_sagemaker.sagemaker import roles
from local_sagemaker.sagemaker.autopilot.job import AutoMLJob
from local_sagemaker.storage import Storage
from support.github import GitHub
from support.github.server import Cut, Refusal
from support.project import PROJECT

NAME, REPOSITORY = "faults", "owner/faults"
ROWS = 800
PARTS = ("infrastructure", "lambdas", "pipeline", "evaluation", "environments")
# The name by which all clients of a command's process, and none of a service's, are known.
AGENT_VARIABLE, AGENT = "AWS_SDK_UA_APP_ID", "autopilot-gitops"
# A minute of the services' waiting passes in a tenth of a second.
TIME_SCALE = "600"
AUTOML_TOML = f"""
[project]
name = "{NAME}"
description = "Each of its calls fails once"
region = "eu-west-1"
repository = "{REPOSITORY}"

[dataset]
target = "label"

[autopilot]
problem_type = "BinaryClassification"
objective = "F1"

[gate]
minimum = 0.0

[staging]
keep = true

[verification]
rows = 4
requests = 2
concurrency = 1
max_latency_p50_ms = 60000
max_latency_p95_ms = 60000

[production]
instance_count = 2

[production.alarms]
max_latency_p95_ms = 60000

[production.deployment]
policy = "CANARY"
percent = 10
wait_seconds = 60

[production.autoscaling]
min_instances = 2
max_instances = 3
"""


class Rule:
    """A container that says yes where `stays` is above 30, in the form that its environment asks for."""

    def __init__(self, outputs: Sequence[str]) -> None:
        self._outputs = outputs

    @classmethod
    def start(cls, containers: Sequence[Mapping[str, Any]], credentials: Any, region: str) -> Rule:
        """Load nothing."""
        return cls(containers[-1]["Environment"]["SAGEMAKER_INFERENCE_OUTPUT"].split(","))

    def predict(self, body: bytes, content_type: str, accept: str, *_: float) -> tuple[bytes, str]:
        """Answers in CSV or JSON; a row of another length than two is refused."""
        if content_type != "text/csv":
            raise BadInput(f"{content_type} is not supported")
        rows = [row for row in csv.reader(io.StringIO(body.decode())) if row]
        if any(len(row) != 2 for row in rows):
            raise BadInput("a row has another number of columns than the training data")
        answers = [self._answer(float(stays)) for stays, _ in rows]
        if accept == "application/json":
            return json.dumps({"predictions": answers}).encode(), accept
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([answer.values() for answer in answers])
        return text.getvalue().encode(), "text/csv"

    def _answer(self, stays: float) -> dict[str, Any]:
        yes = min(0.95, max(0.05, 0.5 + (stays - 30.5) / 70))
        answer = {
            "predicted_label": "yes" if yes > 0.5 else "no",
            "probability": max(yes, 1 - yes),
            "probabilities": [1 - yes, yes],
            "labels": ["no", "yes"],
        }
        return {name: answer[name] for name in self._outputs}

    def stop(self) -> None:
        """Nothing runs."""


def _recorded(self: AutoMLJob, folder: Path) -> None:
    """What a training leaves: one candidate with its archive, by the job's own role."""
    storage = Storage(roles.credentials(self._request["RoleArn"], self.caller.region))
    prefix = f"{self._request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}"
    archive = f"{prefix}/sagemaker-automl-candidates/LightGBM/model.tar.gz"
    storage.write(archive, b"a recorded model", None)
    outputs = "predicted_label,probability,probabilities,labels"
    environment = {
        "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label",
        "SAGEMAKER_INFERENCE_SUPPORTED": outputs,
        "MODEL_NAME": "LightGBM",
    }
    image = f"763104351884.dkr.ecr.{self.caller.region}.amazonaws.com/autogluon-inference:1.6-cpu-py312"
    container = {"Image": image, "ModelDataUrl": archive, "Environment": environment}
    metrics = {"F1": 0.9, "Accuracy": 0.9}
    self._on_resolved("BinaryClassification", "F1")
    self._on_candidate("LightGBM", metrics, 1.0)
    self._on_published("LightGBM", metrics, [container], best=True)
    self._on_artifacts(None, f"{prefix}/documentation/model_insights", f"{prefix}/notebook.ipynb")
    self.end("Completed", AutoMLJobSecondaryStatus="Completed")


class FaultyGitHub(GitHub):
    """Fails the ``number``-th request like ``which`` from now on, and as many like it as follow where it ``lasts``.

    ``made`` are the requests since, each as its method and its path, without the SHAs that it may have.
    """

    which, number, kind, lasts = "", 0, "", False
    made: tuple[str, ...] = ()
    struck = False

    def plan(self, which: str = "", number: int = 0, kind: str = "", *, lasts: bool = False) -> None:
        """Count from the start again; no fault by default."""
        self.which, self.number, self.kind, self.lasts = which, number, kind, lasts
        self.made, self.struck = (), False

    def answer(self, method: str, path: str, *rest: Any) -> tuple[int, Any]:
        """One request's answer, or its fault."""
        with self._lock:
            request = f"{method} {path.removeprefix(f'/repos/{self.repository}/')}"
            request = re.sub("[0-9a-f]{40}", "SHA", request)
            self.made += (request,)
            again = self.lasts and self.struck
            if request != self.which or not (again or self.made.count(request) == self.number):
                return super().answer(method, path, *rest)
            self.struck = True
            if self.kind == "throttled":
                raise Refusal(429, "You have exceeded a secondary rate limit")
            if self.kind in ("failed", "unavailable"):
                raise Refusal(502 if self.kind == "failed" else 503, "Server Error")
            if self.kind == "cut after":
                super().answer(method, path, *rest)
            raise Cut


class World:
    """The project in ``root``/project, its repository in ``root``/github.git, the local AWS's files in ``root``/aws."""

    def __init__(self, root: Path) -> None:
        os.environ["LOCAL_AWS_TIME_SCALE"] = TIME_SCALE
        preload()
        given = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "eu-west-1"}
        for service in SERVICES:
            clients.client(service, given | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
        AutoMLJob._train = _recorded  # type: ignore[method-assign]
        workers.warm_up = lambda: None  # nothing trains: each fork would import AutoGluon for it
        self.root = root
        self.project = root / "project"
        self.data = root / "table.csv"
        root.mkdir(parents=True)
        _write_table(self.data)
        self.project.mkdir()
        for part in PARTS:
            shutil.copytree(PROJECT / part, self.project / part, ignore=shutil.ignore_patterns("__pycache__"))
        (self.project / ".gitignore").write_text("build/\n__pycache__/\n")
        (self.project / "automl.toml").write_text(AUTOML_TOML)
        self.github = FaultyGitHub(root / "github.git", REPOSITORY)
        self.git("init", "--quiet", "--initial-branch=main")
        for key, value in {
            "user.name": "A",
            "user.email": "a@example.com",
            "commit.gpgsign": "false",
        }.items():
            self.git("config", key, value)
        self.git("remote", "add", "origin", str(self.github.git.path))
        self.commit("Start the project")
        self.config = Config.load(self.project / "automl.toml")
        self.aws = LocalAWS(root / "aws", region=self.config.project.region)
        self.names = Names(self.config, self.aws.account)
        self._clients: dict[str, Any] = {}

    def start(self) -> None:
        """Bring both servers up, and down again: `resume` lets them answer."""
        self.aws.start()
        for service in late.MODULES:  # a second of imports, which each fork would need
            late.bring(service)
        modules = tuple(
            backends.list_of_moto_modules()
        )  # which moto looks up in its folder with each request
        backends.list_of_moto_modules = lambda: modules  # type: ignore[assignment]
        self.aws.predictor = Rule
        self.github.__enter__()
        self.pause()
        gc.freeze()

    def pause(self) -> None:
        """Let this process be forked."""
        self.aws.pause()
        self.github.pause()

    def resume(self) -> None:
        """Answer requests."""
        self.aws.resume()
        self.github.resume()

    def git(self, *arguments: str) -> str:
        """Git in the project's folder."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.project, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        """Commit and push what changed."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")

    def client(self, service: str) -> Any:
        """The administrator's client of a service, which all forks have from the one that made it."""
        if service not in self._clients:
            self._clients[service] = self.aws.client(service)
        return self._clients[service]

    def merge(self) -> None:
        """Merge the open pull request, as a reviewer does."""
        (number,) = [number for number, pull in self.github.pulls.items() if pull["state"] == "open"]
        self.github.merge(number)
        self.git("pull", "--quiet", "--ff-only", "origin", "main")

    def environment(self, role: str) -> dict[str, str]:
        """The variables of a command that a role of the project runs, or the administrator ("")."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "GITHUB_", "LOCAL_AWS_"))}
        kept |= {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            AGENT_VARIABLE: AGENT,
        }
        acting = self.aws.assume(self.names.role_arn(f"{NAME}-{role}")) if role else self.aws.environment
        return kept | acting | self.github.environment


def _write_table(path: Path) -> None:
    generator = random.Random(7)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("stays", "risk", "label"))
        for _ in range(ROWS):
            stays = generator.randrange(60)
            noisy = stays + generator.gauss(0, 2)
            writer.writerow((stays, round(generator.random(), 6), "yes" if noisy > 30 else "no"))
