"""The evaluation in an environment of exactly the packages of SageMaker's scikit-learn container 1.9-0."""

import os
import subprocess
from pathlib import Path

import pytest
from container import NoEnvironmentError, environment
from project_files import lay_out

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def container_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment with the container's packages."""
    try:
        return environment(tmp_path_factory.mktemp("container") / "venv")
    except NoEnvironmentError as error:
        pytest.skip(f"the container's packages cannot be installed here: {error}")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, as the job finds it."""
    return lay_out(tmp_path_factory.mktemp("code"))


def run(python: Path, *arguments: str | Path) -> str:
    # Isolated from the user's environment, so that nothing but the container's packages can be imported.
    done = subprocess.run(
        [python, "-W", "error", "-s", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_imports_without_a_warning(container_python: Path, code: Path) -> None:
    modules = sorted(
        path.relative_to(code).with_suffix("").as_posix().replace("/", ".")
        for path in code.rglob("*.py")
        if path.name != "__init__.py"
    )
    assert {"evaluate", "gate", "metrics", "automl_evaluation.measures"} <= set(modules)

    out = run(
        container_python,
        "-c",
        f"import sys; sys.path.insert(0, {str(code)!r}); import {', '.join(modules)}; print('all')",
    )

    assert out == "all\n"


def test_the_command_line_answers(container_python: Path, code: Path) -> None:
    assert "--automl-job-name" in run(container_python, code / "evaluate.py", "--help")


def test_figures_are_those_of_the_containers_scikit_learn(container_python: Path, code: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(code)!r})
import numpy as np
from automl_evaluation.assess_classes import Model, assess, figures
from sklearn import metrics

generator = np.random.default_rng(0)
truth = generator.choice(3, 2000, p=[0.1, 0.3, 0.6])
given = generator.dirichlet([1, 1, 1], 2000)
predicted = given.argmax(axis=1)
model = Model(predicted, figures(given.T.copy(), [0, 1, 2], truth, predicted, None, True))
groups, _ = assess(truth, model, None, 3, None)
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
