"""A generated project on GitHub and in AWS, both on this machine: a repository whose events start its workflows."""

import fnmatch
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import yaml
from act import Run, Runner

TEMPLATE = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
IDENTITY = (
    "-c",
    "user.name=Developer",
    "-c",
    "user.email=developer@example.org",
    "-c",
    "commit.gpgsign=false",
)
OWNER = "owner"
SIGN_IN = str(HERE / "sign_in.py")
TIME_SCALE = "600"  # waits of the services are this much shorter: ten minutes of a canary are a second

sys.path.append(str(TEMPLATE / "packages" / "automl-gitops" / "tests"))

from support.github import GitHub  # noqa: E402 - of the package's own tests


class LocalAws:
    """A running `local-sagemaker up`; ``environment`` is its administrator's."""

    def __init__(self, project: Path, folder: Path, commands: Path) -> None:
        ready = folder / "ready"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
        self._process = subprocess.Popen(
            [commands / "local-sagemaker", "up", "--directory", folder / "aws", "--ready-file", ready],
            cwd=project,
            env=kept | {"LOCAL_AWS_TIME_SCALE": TIME_SCALE},
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError("the local AWS did not start")
            time.sleep(0.05)
        lines = (line.removeprefix("export ") for line in ready.read_text().splitlines())
        self.environment = {
            name: shlex.split(value)[0] for name, value in (line.split("=", 1) for line in lines)
        }

    def client(self, service: str) -> Any:
        """A client with the administrator's rights."""
        given = self.environment
        return boto3.client(
            service,
            endpoint_url=given["AWS_ENDPOINT_URL"],
            region_name=given["AWS_REGION"],
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        )

    def stop(self) -> None:
        """End it and wait; it is not left running, even where it does not end by itself."""
        self._process.terminate()
        try:
            self._process.wait(timeout=60)
        finally:
            self._process.kill()


class Stage:
    """One repository, its pull requests and their workflows. Use it as a context manager.

    ``project`` is a generated project that becomes the first commit of main; ``folder`` is for everything else.
    ``prefix`` is the environment whose packages stand for those that `make setup` would install.
    """

    def __init__(self, project: Path, folder: Path, prefix: Path = Path(sys.prefix)) -> None:
        self.name = project.name
        self.folder = folder
        self.github = GitHub(
            folder / "github" / f"{self.name}.git", f"{OWNER}/{self.name}", "ghs_of_the_stand_in"
        )
        self.clone = folder / "clone"
        self._project = project
        self._prefix = prefix
        self._played: list[int] = []

    def __enter__(self) -> "Stage":
        self.github.__enter__()
        self.aws = LocalAws(self._project, self.folder, self._prefix / "bin")
        bare = self.github.git.path
        for command in (
            ("git", "init", "--quiet", "--initial-branch=main", self.clone),
            ("git", "-C", bare, "config", "uploadpack.allowAnySHA1InWant", "true"),
            ("git", "-C", self.clone, "remote", "add", "origin", bare),
        ):
            subprocess.run(command, check=True)
        self._runner = Runner(
            self.folder / "runs",
            {
                "GITHUB_API_URL": self.github.url,
                "GITHUB_REPOSITORY": self.github.repository,
                "STAND_IN_REPOSITORY": str(bare),
                "STAND_IN_PYTHON": str(self._prefix),
                "STAND_IN_SIGN_IN": SIGN_IN,
                "STAND_IN_AWS": self.aws.environment["AWS_ENDPOINT_URL"],
                "STAND_IN_SECRET": self.aws.environment["LOCAL_AWS_TOKEN_SECRET"],
                "STAND_IN_SUBJECT": f"repo:{self.github.repository}",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
            },
            self.github.token,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.aws.stop()
        self.github.__exit__()

    def git(self, *arguments: str) -> str:
        """Git in the developer's clone."""
        done = subprocess.run(
            ["git", *IDENTITY, *arguments], cwd=self.clone, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, branch: str, message: str, change: Callable[[Path], None]) -> str:
        """Change the project's files on a branch (made from main) and push it; returns the commit."""
        self.git("fetch", "--quiet", "origin")
        if branch != "main" and not self.git("branch", "--list", branch):
            self.git("checkout", "--quiet", "--no-track", "-b", branch, "origin/main")
        elif self.github.git.head("main"):
            self.git("checkout", "--quiet", branch)
            self.git("reset", "--quiet", "--hard", f"origin/{branch}")
        change(self.clone)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", f"HEAD:{branch}")
        return self.git("rev-parse", "HEAD")

    def push_main(self, message: str, change: Callable[[Path], None]) -> list[Run]:
        """Push a commit to main, and run what that starts."""
        before = self.github.git.head("main")
        return self.pushed(before, self.commit("main", message, change))

    def open(self, branch: str, title: str) -> int:
        """Open a pull request; returns its number."""
        body = {"head": branch, "base": "main", "title": title, "body": ""}
        path = f"/repos/{self.github.repository}/pulls"
        return self.github.answer("POST", path, {}, body, self.github.token)[1]["number"]

    def check(self, number: int, *, fork: bool = False, job: str = "") -> Run:
        """Run the pull request's workflow (or one job of it) on the merge of its branch with main, as GitHub does."""
        pull = self.github.pulls[number]
        git = self.github.git
        tree = git.git("merge-tree", "--write-tree", "main", pull["head"]["ref"]).splitlines()[0]
        merged = git.commit_tree(
            tree, [git.resolve("main"), git.resolve(pull["head"]["ref"])], f"Merge {number}"
        )
        git.git("update-ref", f"refs/pull/{number}/merge", merged)
        source = "somebody/fork" if fork else self.github.repository
        payload = {
            "number": number,
            "pull_request": {
                "number": number,
                "head": {"ref": pull["head"]["ref"], "repo": {"full_name": source}},
                "base": {"ref": "main"},
            },
        }
        reference = f"refs/pull/{number}/merge"
        return self._run("pull-request.yml", "pull_request", payload, merged, reference, job)

    def merge(self, *numbers: int) -> list[Run]:
        """Merge pull requests, each before a run of another has begun, and then run what that starts."""
        pushes = [(self.github.git.head("main"), self.github.merge(number)) for number in numbers]
        return [run for push in pushes for run in self.pushed(*push)]

    def repeat(self, workflow: str, commit: str) -> Run:
        """Repeat the run of a workflow that a push of this commit to main had started."""
        return self._run(workflow, "push", {"ref": "refs/heads/main", "after": commit}, commit)

    def dispatch(self, workflow: str, **inputs: str) -> Run:
        """Start a workflow by hand."""
        return self._run(workflow, "workflow_dispatch", {"inputs": inputs}, self.github.git.head("main"))

    def dispatched(self) -> list[dict[str, Any]]:
        """What workflows have started by request, and nobody has run yet; the oldest first."""
        return [one for one in self.github.dispatches if one["run"] not in self._played]

    def run_dispatched(self, given: dict[str, Any]) -> Run:
        """Run one of these."""
        self._played.append(given["run"])
        payload, head = {"inputs": given["inputs"]}, self.github.git.head(given["ref"])
        return self._run(given["workflow"], "workflow_dispatch", payload, head, number=given["run"])

    def command(self, *arguments: str, environment: dict[str, str] | None = None, status: int = 0) -> str:
        """Run a command of `automl` in the developer's clone, as the administrator of AWS and GitHub."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
        done = subprocess.run(
            [self._prefix / "bin" / "automl", *arguments],
            cwd=self.clone,
            env=kept | self.aws.environment | self.github.environment | (environment or {}),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def pushed(self, before: str | None, commit: str) -> list[Run]:
        """The runs of every workflow whose `on: push` fits the files that changed."""
        files = self.github.git.git("diff", "--name-only", before, commit) if before else ""
        runs = []
        for path in sorted((self._checkout(commit) / ".github/workflows").glob("*.yml")):
            content = yaml.safe_load(path.read_text())
            push = content[True].get("push")  # YAML 1.1 reads `on` as true
            if push and (not before or _fits(push["paths"], files.splitlines())):
                runs.append(self._run(path.name, "push", {"ref": "refs/heads/main", "after": commit}, commit))
        return runs

    def _run(
        self,
        workflow: str,
        event: str,
        payload: dict[str, Any],
        commit: str | None,
        reference: str = "refs/heads/main",
        job: str = "",
        number: int = 0,
    ) -> Run:
        assert commit
        owner, name = self.github.repository.split("/")
        repository = {"full_name": self.github.repository, "name": name, "owner": {"login": owner}}
        payload = {"repository": repository | {"default_branch": "main"}, **payload}
        variables = self.github.variables.get("", {})
        checkout = self._checkout(commit)
        self.github.permissions = _permissions(checkout / ".github" / "workflows" / workflow)
        try:
            return self._runner.run(
                checkout, workflow, event, payload, variables, reference=reference, job=job, number=number
            )
        finally:
            self.github.permissions = None

    def _checkout(self, commit: str) -> Path:
        """A working tree of a commit, from which act reads workflow and commit."""
        path = self.folder / "checkouts" / commit
        if not path.exists():
            subprocess.run(
                ["git", "clone", "--quiet", "--no-checkout", self.github.git.path, path], check=True
            )
            for command in (
                ("fetch", "--quiet", "origin", "+refs/pull/*:refs/remotes/pull/*"),
                ("checkout", "--quiet", "--detach", commit),
            ):
                subprocess.run(["git", *command], cwd=path, check=True)
        return path


def _permissions(workflow: Path) -> dict[str, str]:
    """What the tokens of a workflow's jobs may do together: act gives all of them the same one."""
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    given = [permission for job in jobs for permission in job["permissions"].items()]
    return {name: max(level for other, level in given if other == name) for name, _ in given}  # write > read


def _fits(patterns: list[str], files: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(file, pattern) for file in files for pattern in patterns)


def edit(name: str, *replacements: tuple[str, str]) -> Callable[[Path], None]:
    """A change that replaces texts in a file, each of which has to be there."""

    def change(project: Path) -> None:
        path = project / name
        text = path.read_text()
        for old, new in replacements:
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        path.write_text(text)

    return change


def json_of(text: str) -> Any:
    """The JSON that a command printed."""
    return json.loads(text)
