"""docs/change.md of a generated project: each diff is applied to a fresh one, and does what the document says of it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import bake, commit, offline

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.stacks import bootstrap, stack

STEP, MEASURE, CONDITION, RIGHT, FUNCTION = (
    "A step",
    "A measure",
    "A condition of the gate",
    "A right",
    "A Lambda function",
)
# What the evaluation does with the holdout of four rows, one of whose two early readmissions the model missed.
MEASURED = """
import json, sys
from pathlib import Path
sys.path.insert(0, "evaluation")
import evaluate
from automl_evaluation.automl import Candidate
from automl_evaluation.reading import parts
from automl_evaluation.settings import Settings
from automl_gitops.kernel.config import Config

work = Path(sys.argv[1])
for name, lines in {"y_test": ["y", "<30", "<30", "no", ">30"], "answers": ["no", "<30", "<30", "no"]}.items():
    (work / name).mkdir()
    (work / name / "part-00000.csv").write_text("\\n".join(lines) + "\\n")
candidate = Candidate("j", "a", "c", "MulticlassClassification", "F1macro", None, [], None, None)
settings = Settings("p", "d", {"classes": {"<30": 2, ">30": 1, "no": 1}}, {})
holdout = evaluate.read_holdout(candidate, parts(work / "y_test", "y_test"), settings)
holdout.candidate(parts(work / "answers", "answers"), ["predicted_label"], [])
found = holdout.groups()["candidate"]["cost"]
print(json.dumps([found.value, found.interval(0.95), Config.load().gate.maximums]))
"""
CHECKED = """
import sys
from pathlib import Path
sys.path.insert(0, "evaluation")
import check_holdout
from automl_evaluation.settings import Settings

settings = Settings("p", "d", {"classes": {"<30": 2, ">30": 1, "no": 1}}, {})
print(check_holdout.missing(Path(sys.argv[1]), settings))
"""


@pytest.fixture(scope="module")
def fresh(template, tmp_path_factory):
    """A generated project in a repository of its own."""
    folder = tmp_path_factory.mktemp("changes")
    made = bake(template, folder)
    assert made.returncode == 0, made.stderr
    (project,) = folder.iterdir()
    commit(project)
    return project


@pytest.fixture
def changed(fresh, tmp_path):
    """`changed(SECTION, ...)` is the project with the sections' diffs applied."""

    def apply(*sections):
        project = Path(shutil.copytree(fresh, tmp_path / "project"))
        diffs = diffs_of(project)
        for section in sections:
            subprocess.run(
                ["git", "apply", "--check", "-"], cwd=project, input=diffs[section], text=True, check=True
            )
            subprocess.run(["git", "apply", "-"], cwd=project, input=diffs[section], text=True, check=True)
        return project

    return apply


def diffs_of(project):
    """The document's diffs by their section."""
    text = (project / "docs" / "change.md").read_text()
    return dict(
        re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```diff\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    )


def run(project, *command):
    ended = subprocess.run(
        command, cwd=project, env=offline(project), capture_output=True, text=True, check=False, timeout=600
    )
    assert ended.returncode == 0, ended.stdout[-10_000:] + ended.stderr[-5_000:]
    return ended.stdout


def passes(project, *files):
    """The project's code is in order, and its own tests pass."""
    ruff = Path(sys.executable).with_name("ruff")
    run(project, ruff, "check", "--no-cache", ".")
    run(project, ruff, "format", "--check", "--no-cache", ".")
    run(project, sys.executable, "-m", "pytest", "-q", *(f"tests/{name}" for name in files))


def lints(project, *templates):
    """What was changed of the templates has nothing to mend; test_generated looks at all as they were."""
    assert run(project, "git", "diff", "--name-only", "--", "infrastructure/*.yaml").split() == list(
        templates
    )
    run(project, Path(sys.executable).with_name("cfn-lint"), *templates)


def test_the_document_has_the_five(fresh):
    assert list(diffs_of(fresh)) == [STEP, MEASURE, CONDITION, RIGHT, FUNCTION]


def test_a_step(changed, tmp_path):
    project = changed(STEP)

    passes(project, "test_definition.py")
    labels = tmp_path / "y_test"
    labels.mkdir()
    (labels / "part-00000.csv").write_text("y\n<30\nno\n")
    assert run(project, sys.executable, "-c", CHECKED, labels) == "['>30']\n"
    (labels / "part-00001.csv").write_text("y\n>30\n")
    assert run(project, sys.executable, "-c", CHECKED, labels) == "[]\n"


def test_a_measure(changed, tmp_path):
    project = changed(MEASURE)

    passes(project, "test_metrics.py")
    (tmp_path / "work").mkdir()
    value, (low, high), bounds = json.loads(run(project, sys.executable, "-c", MEASURED, tmp_path / "work"))
    assert value == (5000 + 200) / 4
    assert low < value < high
    assert bounds == {"cost": 450}


def test_a_condition_of_the_gate(changed):
    passes(changed(CONDITION), "test_gate.py")


def test_a_right(changed):
    project = changed(RIGHT)

    lints(project, "infrastructure/services.yaml")
    passes(project, "test_permissions.py")


def test_a_lambda_function(changed, local_aws, monkeypatch):
    """Its zip is built, the stack deploys it, and it may do what it has to."""
    project = changed(RIGHT, FUNCTION)

    lints(project, "infrastructure/services.yaml", "infrastructure/stack.yaml")
    passes(project, "test_definition.py", "test_lambdas.py")
    monkeypatch.chdir(project)
    for name, value in local_aws.administrator(local_aws.account).items():
        monkeypatch.setenv(name, value)
    deployed = ServingProject(Config.load(), Output())
    bootstrap.deploy(deployed)
    stack.deploy(deployed)
    assert "publish-metrics" in {code.name for code in stack.zip_functions(stack.FILE.read_text())}
    bucket, name = deployed.names.bucket, deployed.names.project
    deployed.client("s3").put_object(
        Bucket=bucket, Key="evaluations/0/evaluation.json", Body=b'{"metrics": {"f1": 0.5}}'
    )
    answer = deployed.client("lambda").invoke(
        FunctionName=deployed.names.function("publish-metrics"),
        Payload=json.dumps({"project": name, "evaluation_uri": f"s3://{bucket}/evaluations/0"}),
    )
    outputs = json.loads(answer["Payload"].read())
    assert outputs == {"metrics": "1"}
    (metric,) = deployed.client("cloudwatch").list_metrics(Namespace=f"{name}/holdout")["Metrics"]
    assert metric["MetricName"] == "f1"
