"""Where the documents' commands run: a fresh project, the local AWS, a stand-in for GitHub, and a terminal."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import tomlkit

from documents.reading import Piece
from documents.rules import Rule

OWNER, NAME = "owner", "readmission"
ACCOUNT, ELSEWHERE = "123456789012", "222222222222"
LAKE = "my-data-lake"
SECONDS = 900  # in which a command has to end
HERE = Path(__file__).resolve().parent
# In the place of what a reader fills in, and of what would take long.
FILLED_IN = {
    "OWNER/NAME": f"{OWNER}/{NAME}",
    "path/to/this/repository": "TEMPLATE",
    "my-project": NAME,
    "--reviewer LOGIN --reviewer LOGIN": "--reviewer octocat --reviewer hubot",
    "CODE": "L-12345678",
    "--project-account ACCOUNT": f"--project-account {ACCOUNT}",
    "--body ACCOUNT": f"--body {ELSEWHERE}",
    "staging=ACCOUNT": f"staging={ELSEWHERE}",
    "production=ACCOUNT": f"production={ELSEWHERE}",
    "--body ARN": f"--body arn:aws:iam::{ELSEWHERE}:role/{NAME}-StagingRole",
    "MaxSeconds=60": "MaxSeconds=20",
    "automl data example": "automl data example --rows 3000",
}
CANDIDATES = 3
# The canary's waits are this much shorter on the local AWS.
TIME_SCALE = "600"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    status: int
    output: str


class Terminal:
    """A shell that remembers folder and variables from one command to the next."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)

    def run(self, command: str, extra: Mapping[str, str] | None = None) -> Ended:
        """Run a command in bash; ``extra`` variables are for it alone."""
        reading, writing = os.pipe()
        # What the command leaves of folder and variables is told by another way than what it prints.
        script = f"{command}\nstatus=$?\n{{ pwd; env -0; }} >&{writing}\nexit $status"
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**self.environment, **(extra or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output = f"{process.communicate()[0]}\nstill running after {SECONDS} s"
        with os.fdopen(reading) as left:
            where, _, variables = left.read().partition("\n")
        if where:
            self.folder = Path(where)
            told = dict(entry.split("=", 1) for entry in variables.split("\0") if "=" in entry)
            mine = {k: v for k, v in self.environment.items() if k in (extra or {})}
            kept = {k: v for k, v in told.items() if k not in (extra or {}) and k not in ("_", "SHLVL")}
            self.environment = kept | mine
        return Ended(process.returncode, output)


class Stage:
    """A generated project at ``project`` and everything around it. Use it as a context manager."""

    def __init__(self, project: Path, template: Path, folder: Path, prefix: Path) -> None:
        self.project, self.template, self.folder, self.prefix = project, template, folder, prefix
        self._exits = ExitStack()

    def __enter__(self) -> "Stage":
        sys.path.append(str(HERE.parents[1] / "packages" / "automl-gitops" / "tests"))
        from support.github import GitHub

        self.github = self._exits.enter_context(
            GitHub(self.folder / "github" / f"{NAME}.git", f"{OWNER}/{NAME}", "gho_of_the_stand_in")
        )
        self._tools()
        self.terminal = Terminal(self.project, self._environment())
        link_environment(self.project, self.prefix)
        self._few_candidates()
        self._aws = self._up(self.folder / "aws.env")
        self.terminal.environment |= self._aws
        made = self.terminal.run(
            ".venv/bin/automl data example --rows 3000 && mv build/data/*.csv my-table.csv"
        )
        assert made.status == 0, made.output
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def play(self, piece: Piece, rule: Rule) -> Ended:
        """Do what a piece tells, after what its rule wants before it."""
        if piece.kind == "toml":
            return self._configure(piece.text)
        text, extra = piece.text, {}
        for name in rule.prepare:
            done = getattr(self, f"_{name}")(text)
            text, extra = (done, extra) if isinstance(done, str) else (text, extra | (done or {}))
        if piece.kind == "python":
            return self._python(text)
        if rule.fate == "syntax":
            text += " --generate-cli-skeleton output" if text.startswith("aws ") else ""
            extra |= {"GH_SYNTAX": "1"}
        return self.terminal.run(self._filled_in(text), extra)

    def client(self, service: str, environment: Mapping[str, str] | None = None) -> Any:
        """A client of the local AWS that the terminal speaks to, as its administrator."""
        given = environment or self.terminal.environment
        return boto3.client(
            service,
            endpoint_url=given["AWS_ENDPOINT_URL"],
            region_name=given["AWS_REGION"],
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=given.get("AWS_SESSION_TOKEN"),
        )

    # --- What goes before a command: returns the command to run, or variables for it ---

    def _no_input(self, text: str) -> str:
        return f"{text} --no-input --output-dir {shlex.quote(str(self.folder / 'another'))}"

    def _where_it_was_made(self, text: str) -> str:
        return f"cd .. && {text}"

    def _in_the_template(self, text: str) -> str:
        return f"(cd TEMPLATE && {text.removeprefix('.venv/bin/')})"

    def _help(self, text: str) -> str:
        return f".venv/bin/{text} --help"

    def _subcommand(self, text: str) -> str:
        """A name alone lacks arguments; the CLI says of one that it does not know that it is an invalid choice."""
        return f"""told=$({text} --generate-cli-skeleton output 2>&1) || grep -q 'arguments are required' <<<"$told\""""

    def _in_the_background(self, text: str) -> str:
        """It serves until Ctrl-C: in a terminal of its own, while this one goes on."""
        for name in self._aws:
            self.terminal.environment.pop(name, None)
        self._up(self.project / "build/local.env", text.split(" up ")[1])
        return "test -s build/local.env"

    def _on_github(self, _: str) -> dict[str, str]:
        return self.github.environment

    def _people(self, text: str) -> str:
        iam, known = self.client("iam"), ("anna", "ben")
        if "ARN" in text:
            for name in known:
                arn = iam.create_user(UserName=name)["User"]["Arn"]
                text = text.replace("ARN", arn, 1)
        return text

    def _in_another_account(self, _: str) -> dict[str, str]:
        role = f"arn:aws:iam::{ELSEWHERE}:role/OrganizationAccountAccessRole"
        given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="administrator")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def _no_repository(self, _: str) -> None:
        self._quietly("rm -rf .git")

    def _a_repository(self, _: str) -> None:
        self._quietly("test -d .git || git init --quiet -b main")

    def _nothing_changed(self, _: str) -> None:
        """What other documents told to change in between is not this one's to commit."""
        self._quietly("git checkout --quiet -- .")

    def _no_remote(self, _: str) -> None:
        self._quietly("git switch main && git pull --quiet origin main && git remote remove origin")

    def _on_github_s_branch(self, _: str) -> None:
        if not self._quietly("git remote").output:
            self._quietly(f"git remote add origin https://github.com/{OWNER}/{NAME}.git")

    def _a_data_lake(self, _: str) -> None:
        s3 = self.client("s3")
        s3.create_bucket(
            Bucket=LAKE,
            CreateBucketConfiguration={"LocationConstraint": self.terminal.environment["AWS_REGION"]},
        )
        header, *rows = (self.project / "my-table.csv").read_text().splitlines(keepends=True)
        patient = header.strip().split(",").index("patient_nbr")
        apart = {row: int(row.strip().split(",")[patient]) % 5 == 0 for row in rows}
        for key, held_out in (("train/a.csv", False), ("test.csv", True)):
            part = "".join(row for row in rows if apart[row] is held_out)
            s3.put_object(Bucket=LAKE, Key=key, Body=(header + part).encode())
        self._configure(f'[dataset]\nbuckets = ["{LAKE}"]\n')

    def _and_no_contract_after_it(self, text: str) -> str:
        """Other documents push other rows."""
        return f"{text} && rm contract.toml"

    def _an_execution_that_runs(self, text: str) -> str:
        started = self.client("sagemaker").start_pipeline_execution(PipelineName=NAME)
        return text.replace("ARN", started["PipelineExecutionArn"])

    # --- The parts ---

    def _filled_in(self, text: str) -> str:
        for shown, meant in FILLED_IN.items():
            text = text.replace(shown, meant)
        text = text.replace("TEMPLATE", shlex.quote(str(self.template)))
        if text.endswith(" ARN") and "pipeline-execution-arn" in text:
            listed = self.client("sagemaker").list_pipeline_executions(PipelineName=NAME)
            text = text.replace("ARN", listed["PipelineExecutionSummaries"][0]["PipelineExecutionArn"])
        return text

    def _few_candidates(self) -> None:
        """As many as it takes for an ensemble: a training ends with the last one."""
        file = self.project / "automl.toml"
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
        document["autopilot"]["budget"]["max_candidates"] = CANDIDATES
        file.write_text(tomlkit.dumps(document), encoding="utf-8")

    def _configure(self, text: str) -> Ended:
        """Set in automl.toml what a block shows; [decision] only to read it, since the example has three classes."""
        file, block = self.project / "automl.toml", tomlkit.parse(text)
        before = file.read_text(encoding="utf-8")
        document = tomlkit.parse(before)
        of_two_classes = "decision" in block
        if of_two_classes:
            document["autopilot"].update({"problem_type": "BinaryClassification", "objective": "F1"})
        for section, keys in block.items():
            document.setdefault(section, {}).update(keys)
        file.write_text(tomlkit.dumps(document), encoding="utf-8")
        ended = self.terminal.run(
            ".venv/bin/python -c 'from automl_gitops.kernel.config import Config; Config.load()'"
        )
        if of_two_classes:
            file.write_text(before, encoding="utf-8")
        return ended

    def _python(self, text: str) -> Ended:
        file = self.project / "build/example.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(self._filled_in(text))
        return self.terminal.run("PYTHONPATH=. .venv/bin/python build/example.py")

    def _quietly(self, command: str) -> Ended:
        return self.terminal.run(command)

    def _tools(self) -> None:
        tools = self.folder / "bin"
        tools.mkdir()
        gh = tools / "gh"
        gh.write_text(f"#!{sys.executable}\n{(HERE / 'gh.py').read_text()}")
        gh.chmod(0o755)
        (self.folder / "gitconfig").write_text(
            "[user]\nname = Reader\nemail = reader@example.org\n"
            "[commit]\ngpgsign = false\n[push]\nautoSetupRemote = true\n"
            f'[url "{self.github.git.path.parent}/"]\ninsteadOf = https://github.com/{OWNER}/\n'
            f"[core]\nexcludesFile = {self.folder / 'ignored'}\n"
        )
        (self.folder / "ignored").write_text(".venv\nmy-table.csv\n")

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
        return kept | {
            "PATH": os.pathsep.join((str(self.folder / "bin"), f"{sys.prefix}/bin", os.environ["PATH"])),
            "GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig"),
            "GH_STAND_IN": self.github.url,
            "GH_STAND_IN_REPOSITORY": self.github.repository,
            "GH_TOKEN": self.github.token,
            "GITHUB_API_URL": self.github.url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PAGER": "",
            "LOCAL_AWS_TIME_SCALE": TIME_SCALE,
        }

    def _up(self, ready: Path, options: str = "") -> dict[str, str]:
        """Start a local AWS that ends with the stage; its variables."""
        given = shlex.split(options) or [
            "--ready-file",
            str(ready),
            "--account",
            ACCOUNT,
            "--account",
            ELSEWHERE,
        ]
        log = self._exits.enter_context((self.folder / f"{ready.name}.log").open("w"))
        process = subprocess.Popen(
            [self.project / ".venv/bin/local-sagemaker", "up", *given],
            cwd=self.project,
            env=self.terminal.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self._exits.callback(end, process)
        deadline = time.monotonic() + 120
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the local AWS did not start: {Path(log.name).read_text()}")
            time.sleep(0.05)
        lines = (line.removeprefix("export ").split("=", 1) for line in ready.read_text().splitlines())
        return {name: shlex.split(value)[0] for name, value in lines}


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process, by force if it does not end by itself."""
    process.terminate()
    try:
        process.wait(timeout=60)
    finally:
        process.kill()


def link_environment(project: Path, prefix: Path) -> None:
    """Give a project the packages of ``prefix``, as `make setup` would have installed them."""
    venv = project / ".venv"
    venv.mkdir()
    for entry in prefix.iterdir():
        if entry.name not in ("installed", "template", "project"):
            (venv / entry.name).symlink_to(entry)
    (venv / "installed").touch()


def data_scientist(stage: Stage, arn: str, told: str) -> Terminal:
    """The terminal of a data scientist: keys of their own and the profile that the administrator handed on."""
    name = arn.rsplit("/", 1)[-1]
    key = stage.client("iam").create_access_key(UserName=name)["AccessKey"]
    file = stage.folder / f"{name}.config"
    file.write_text(
        f"[default]\naws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n"
        + told[told.index("[profile") :]
    )
    environment = {k: v for k, v in stage.terminal.environment.items() if not k.startswith("AWS_")}
    kept = ("AWS_ENDPOINT_URL", "AWS_PAGER", "AWS_SHARED_CREDENTIALS_FILE")
    environment |= {k: v for k, v in stage.terminal.environment.items() if k in kept}
    return Terminal(stage.project, environment | {"AWS_CONFIG_FILE": str(file), "AWS_PROFILE": NAME})
