"""A project follows its template: an update brings what is new, and keeps what its owner changed."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import bake, commit

from tools import wheels

CRUFT = Path(sys.executable).with_name("cruft")


def cruft(*arguments: str | Path, folder: Path) -> None:
    subprocess.run([CRUFT, *arguments], cwd=folder, check=True, capture_output=True, timeout=120)


def test_an_update_equals_a_fresh_render_but_for_what_the_owner_changed(template, tmp_path):
    source, project = tmp_path / "template", tmp_path / "readmission"
    subprocess.run(["cp", "-r", template, source], check=True)
    generated = source / "{{cookiecutter.project}}"
    newest = (generated / "lambdas" / "start_autopilot.py").read_text()
    (generated / "lambdas" / "start_autopilot.py").write_text("# as it was in the version before\n")
    (generated / "lambdas" / "gone.py").write_text("# no longer there in the newest version\n")
    commit(source)
    cruft("create", "--no-input", "--output-dir", tmp_path, source, folder=tmp_path)
    owned = {
        "automl.toml": (project / "automl.toml")
        .read_text()
        .replace("max_seconds = 3600", "max_seconds = 60"),
        "environments/production.toml": 'model_package_arn = "of the owner"\n',
        "dataset.lock": "{}\n",
    }
    for name, text in owned.items():
        (project / name).write_text(text)
    commit(project)
    (generated / "lambdas" / "start_autopilot.py").write_text(newest)
    (generated / "lambdas" / "gone.py").unlink()
    # The newest version changes the very lines that the owner changed.
    template_s = generated / "automl.toml"
    template_s.write_text(template_s.read_text().replace("max_seconds = 3600", "max_seconds = 1800"))
    commit(source)

    cruft("update", "--skip-apply-ask", "--refresh-private-variables", folder=project)

    bake(source, tmp_path / "fresh")
    fresh = tmp_path / "fresh" / "readmission"
    assert {name: (project / name).read_text() for name in owned} == owned
    (project / "dataset.lock").unlink()
    for name in ("automl.toml", "environments/production.toml"):
        (project / name).write_text((fresh / name).read_text())
    files = {str(path.relative_to(fresh)) for path in fresh.rglob("*") if path.is_file()}
    kept = {
        str(path.relative_to(project))
        for path in project.rglob("*")
        if path.is_file() and ".git/" not in str(path)
    }
    assert kept - {".cruft.json"} == files
    for name in files:
        assert (project / name).read_bytes() == (fresh / name).read_bytes(), name


@pytest.mark.parametrize("version", ["0.1.0", "9.0.0"], ids=["the same version", "another version"])
def test_an_update_brings_the_packages_as_they_are_in_the_template(template, tmp_path, version):
    """The wheels are binaries, and an update is a patch; a wheel that it spoils would have another hash."""
    source, project = tmp_path / "template", tmp_path / "readmission"
    shutil.copytree(template, source)
    package = source / "packages/automl-gitops/src/automl_gitops/__init__.py"
    newest = package.read_text()
    package.write_text(f"{newest}BEFORE = True\n")
    before = {wheel.name: wheel.read_bytes() for wheel in wheels.renew(source)}
    commit(source)
    cruft("create", "--no-input", "--output-dir", tmp_path, source, folder=tmp_path)
    commit(project)
    package.write_text(newest.replace('"0.1.0"', f'"{version}"'))
    after = {wheel.name: wheel.read_bytes() for wheel in wheels.renew(source)}
    commit(source)

    cruft("update", "--skip-apply-ask", "--refresh-private-variables", folder=project)

    updated = {path.name: path.read_bytes() for path in (project / "vendor").iterdir()}
    assert updated == after
    assert before["automl_gitops-0.1.0-py3-none-any.whl"] not in updated.values()
    for lock in ("requirements.lock", "serving.lock"):
        digest = hashlib.sha256(after[f"automl_gitops-{version}-py3-none-any.whl"]).hexdigest()
        assert f"automl-gitops=={version} \\\n    --hash=sha256:{digest}\n" in (project / lock).read_text()


def test_an_update_brings_packages_that_are_new(template, tmp_path):
    """To a project whose template had two of them less: in `vendor/`, in the locks and in pyproject.toml."""
    source, project = tmp_path / "template", tmp_path / "readmission"
    shutil.copytree(template, source)
    generated, new = source / wheels.TEMPLATE, ("automl-evaluation", "automl-rehearsal")
    texts = {
        name: (generated / name).read_text()
        for name in ("requirements.lock", "serving.lock", "pyproject.toml")
    }
    newest = {path.name: path.read_bytes() for path in (source / wheels.VENDOR).iterdir()}
    for package in new:
        (wheel,) = (source / wheels.VENDOR).glob(f"{package.replace('-', '_')}-*.whl")
        wheel.unlink()
        for name in texts:
            text = (generated / name).read_text()
            text = re.sub(rf"^{package}==\S+ \\\n    --hash=\S+\n", "", text, flags=re.MULTILINE)
            (generated / name).write_text(text.replace(f'"{package}", ', ""))
    assert not any(package in (generated / "requirements.lock").read_text() for package in new)
    commit(source)
    cruft("create", "--no-input", "--output-dir", tmp_path, source, folder=tmp_path)
    commit(project)
    there = {path.name for path in (project / "vendor").iterdir()}
    for name, content in newest.items():
        (source / wheels.VENDOR / name).write_bytes(content)
    for name, text in texts.items():
        (generated / name).write_text(text)
    commit(source)

    cruft("update", "--skip-apply-ask", "--refresh-private-variables", folder=project)

    assert len(newest.keys() - there) == len(new)
    assert {path.name: path.read_bytes() for path in (project / "vendor").iterdir()} == newest
    for name in ("requirements.lock", "serving.lock"):
        assert (project / name).read_text() == texts[name]
    assert '"automl-rehearsal"' in (project / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("problem_type", "objective"), [("binary", "AUC"), ("regression", "default"), ("multiclass", "F1macro")]
)
def test_answers_that_were_choices_from_a_list_are_still_taken(template, tmp_path, problem_type, objective):
    source, project = tmp_path / "template", tmp_path / "readmission"
    subprocess.run(["cp", "-r", template, source], check=True)
    questions = source / "cookiecutter.json"
    newest = questions.read_text()
    before = json.loads(newest)
    before["problem_type"] = ["multiclass", "binary", "regression"]
    before["objective"] = [
        "default",
        *sorted({m for offered in before["_metrics"].values() for m in offered}),
    ]
    questions.write_text(json.dumps(before))
    commit(source)
    answers = {"problem_type": problem_type, "objective": objective, "target": 'a "b" `c`, 😀'}
    cruft(
        "create", "--no-input", "--output-dir", tmp_path, "--extra-context", json.dumps(answers), source,
        folder=tmp_path,
    )  # fmt: skip
    commit(project)
    questions.write_text(newest)
    (source / "{{cookiecutter.project}}" / "lambdas" / "newer.py").write_text("# of the newest version\n")
    commit(source)

    cruft("update", "--skip-apply-ask", "--refresh-private-variables", folder=project)

    bake(source, tmp_path / "fresh", **answers)
    fresh = tmp_path / "fresh" / "readmission"
    recorded = json.loads((project / ".cruft.json").read_text())["context"]["cookiecutter"]
    assert {name: recorded[name] for name in answers} == answers
    for name in ("automl.toml", "pyproject.toml", "README.md", "lambdas/newer.py"):
        assert (project / name).read_bytes() == (fresh / name).read_bytes(), name
