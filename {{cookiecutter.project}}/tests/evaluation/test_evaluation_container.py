"""The evaluation in an environment of exactly the packages of SageMaker's scikit-learn container 1.9-0."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EVALUATION = Path(__file__).parents[2] / "evaluation"
# https://github.com/aws/sagemaker-scikit-learn-container, requirements of version 1.9-0
PACKAGES = [
    "numpy==2.5.1",
    "scikit-learn==1.9.0",
    "scipy==1.18.0",
    "pandas==2.2.3",
    "pyarrow==25.0.0",
    "boto3==1.43.*",
    "joblib",
    "threadpoolctl",
]

pytestmark = pytest.mark.container


def python_3_12() -> str | None:
    """An interpreter of the container's version: on the path, or one that pyenv installed."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = [shutil.which("python3.12")]
    found = [*on_path, *map(str, sorted(versions.glob("3.12.*/bin/python")))]
    for candidate in filter(None, found):
        asked = subprocess.run(
            [candidate, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True
        )
        if asked.stdout.strip() == "(3, 12)":
            return candidate
    return None


@pytest.fixture(scope="module")
def container_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment with the container's packages."""
    uv = shutil.which(
        "uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    )
    python = python_3_12()
    if uv is None or python is None:
        pytest.skip(f"needs uv and Python 3.12; found {uv} and {python}")
    where = tmp_path_factory.mktemp("container") / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", python, where], check=True)
    installed = where / "bin" / "python"
    done = subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", installed, *PACKAGES],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        pytest.skip(f"the container's packages cannot be installed here: {done.stderr.strip()[:300]}")
    return installed


def run(python: Path, *arguments: str | Path) -> str:
    done = subprocess.run([python, "-W", "error", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_imports_without_a_warning(container_python: Path) -> None:
    modules = sorted(path.stem for path in EVALUATION.glob("*.py"))

    out = run(
        container_python,
        "-c",
        f"import sys; sys.path.insert(0, {str(EVALUATION)!r}); import {', '.join(modules)}; print('all')",
    )

    assert out == "all\n"


def test_the_command_line_answers(container_python: Path) -> None:
    assert "--automl-job-name" in run(container_python, EVALUATION / "evaluate.py", "--help")


def test_figures_are_those_of_the_containers_scikit_learn(container_python: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(EVALUATION)!r})
import numpy as np
from assess_classes import Model, assess, figures
from sklearn import metrics

generator = np.random.default_rng(0)
truth = generator.choice(3, 2000, p=[0.1, 0.3, 0.6])
given = generator.dirichlet([1, 1, 1], 2000)
predicted = given.argmax(axis=1)
model = Model(predicted, figures(given.T.copy(), [0, 1, 2], truth, predicted, None, True))
groups, _ = assess(truth, model, None, 3, None, np.full(3, 1 / 3))
found = {{name: estimate.value for name, estimate in groups["candidate"].items()}}
expected = {{
    "f1_macro": metrics.f1_score(truth, predicted, average="macro"),
    "recall_macro": metrics.recall_score(truth, predicted, average="macro"),
    "precision_weighted": metrics.precision_score(truth, predicted, average="weighted"),
    "auc": metrics.roc_auc_score(truth, given, multi_class="ovr"),
    "log_loss": metrics.log_loss(truth, given),
}}
print(max(abs(found[name] - value) for name, value in expected.items()))
"""

    assert float(run(container_python, "-c", script)) < 1e-12
