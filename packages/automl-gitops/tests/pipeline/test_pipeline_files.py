"""The project's files as a run sees them: code bundle, commit, champion, fingerprint."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from making import ACCOUNT, CHAMPION, automl_toml, lock

from automl_evaluation.settings import Settings
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.signature import run_url
from automl_gitops.runs import bundle, definition, run
from automl_gitops.runs.project import Project


def evaluation(folder: Path, **files: str) -> Path:
    place = folder / "evaluation"
    place.mkdir(exist_ok=True)
    for name, text in {"evaluate": "print(1)\n", **files}.items():
        (place / f"{name}.py").write_text(text)
    return place


@pytest.fixture
def project(folder: Path) -> Project:
    evaluation(folder)
    lock().save()
    return Project()


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ward", "-c", "user.email=ward@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_bundle_has_code_and_settings_but_no_addresses(config, folder: Path) -> None:
    place = evaluation(folder, metrics="x = 1\n")
    (place / "__pycache__").mkdir()
    (place / "notes.txt").write_text("not code")

    made = bundle.build(config(evaluation={"slices": ["ward"]}), lock())

    settings = json.loads(made.files["settings.json"])
    package = {name for name in made.files if name.startswith("automl_evaluation/")}
    assert sorted({*made.files} - package) == ["evaluate.py", "metrics.py", "settings.json"]
    assert {"automl_evaluation/__init__.py", "automl_evaluation/reason.py"} < package
    assert settings["project"] == "hospital"
    assert settings["gate"]["minimum"] == 0.3
    assert settings["slices"] == ["ward"]
    assert settings["dataset"]["classes"] == {"<30": 200, ">30": 300, "no": 500}
    assert [column["name"] for column in settings["dataset"]["columns"]] == ["age", "ward", "label"]
    assert "s3://" not in made.files["settings.json"].decode()
    assert settings["network"] == {}


def test_settings_are_what_the_evaluation_reads(config, folder: Path) -> None:
    """The two sides share no code; this is their contract."""
    evaluation(folder)
    made = bundle.build(config(network={"subnets": ["subnet-1"], "security_groups": ["sg-1"]}), lock())
    (folder / "settings.json").write_bytes(made.files["settings.json"])

    read = Settings.load(folder / "settings.json")

    assert read.features == ["age", "ward"]
    assert read.classes == ["<30", ">30", "no"]
    assert read.network["subnets"] == ["subnet-1"]


@pytest.mark.parametrize(
    ("decision", "threshold"),
    [
        ({"costs": {"false_positive": 1, "false_negative": 9}}, 0.1),
        ({"costs": {"false_positive": 3, "false_negative": 1}}, 0.75),
        ({"threshold": 0.3}, 0.3),
        ({"threshold": "validation"}, "validation"),
        ({"threshold": "validation", "costs": {"false_positive": 1, "false_negative": 9}}, "validation"),
    ],
)
def test_the_evaluation_is_given_the_threshold_of_the_decision(
    config, decision: dict, threshold: float | str
) -> None:
    binary = {"problem_type": "BinaryClassification", "objective": "F1"}

    found = bundle.settings(config(autopilot=binary, decision={"positive": "yes", **decision}), lock())

    assert found["decision"] == {"positive": "yes", **decision, "threshold": threshold}
    assert "decision" not in bundle.settings(config(), lock())


def test_hash_follows_code_configuration_and_data(config, folder: Path) -> None:
    place = evaluation(folder)
    first = bundle.build(config(), lock())

    hashes = {
        first.sha256,
        bundle.build(config(), lock()).sha256,
        bundle.build(config(gate={"minimum": 0.4}), lock()).sha256,
        bundle.build(config(), lock(sha256="cd" * 32)).sha256,
    }
    (place / "evaluate.py").write_text("print(2)\n")
    hashes.add(bundle.build(config(), lock()).sha256)

    assert len(hashes) == 4
    assert first.prefix == f"code/evaluation/{first.sha256}"


def test_hash_tells_names_from_contents() -> None:
    assert bundle.Bundle({"ab": b"c"}).sha256 != bundle.Bundle({"a": b"bc"}).sha256


def test_missing_code_is_taken_from_git(config, folder: Path) -> None:
    with pytest.raises(
        UserError, match=r"evaluate.py: not found; take it .*`git checkout -- evaluation/eval"
    ):
        bundle.build(config(), lock())


@pytest.mark.parametrize("imports", ["from gate import judge", "import metrics, gate"])
def test_a_module_that_is_imported_has_to_be_there(config, folder: Path, imports: str) -> None:
    evaluation(folder, evaluate=f"import json\n{imports}\n", metrics="")

    with pytest.raises(
        UserError, match=r"^evaluation/gate\.py: not found, but evaluate\.py imports it: take"
    ):
        bundle.build(config(), lock())

    evaluation(folder, gate="")
    assert "gate.py" in bundle.build(config(), lock()).files


@pytest.mark.parametrize(
    ("line", "module"),
    [
        (
            "from automl_gitops.evaluation.measures import lower_is_better",
            "automl_gitops.evaluation.measures",
        ),
        ("def late(): import automl_gitops.kernel.names, json", "automl_gitops.kernel.names"),
    ],
)
def test_evaluation_that_imports_what_its_container_lacks_is_refused(
    config, folder: Path, line: str, module: str
) -> None:
    evaluation(folder, metrics=f"{line}\n")

    with pytest.raises(UserError, match=rf"^evaluation/metrics\.py: imports {module}, which its container"):
        bundle.build(config(), lock())


@pytest.mark.parametrize("place", ["evaluation/costs.py", "lambdas/check_autopilot.py"])
def test_code_that_is_no_python_is_placed(config, folder: Path, place: str) -> None:
    evaluation(folder)
    (folder / "lambdas").mkdir()
    (folder / place).write_text("y = 1\nx = = 1\n")

    with pytest.raises(UserError, match=f"^{place}:2: not valid Python: invalid syntax$") as raised:
        bundle.build(config(), lock())

    assert (raised.value.file, raised.value.line) == (place, 2)


def test_commit_and_changes_are_found(folder: Path) -> None:
    assert run.find_source() == run.Source("", True)
    (folder / ".gitignore").write_text("build/\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Start")
    commit = git(folder, "rev-parse", "HEAD")

    assert run.find_source() == run.Source(commit, False)

    (folder / "README.md").write_text("no matter")
    assert run.find_source().is_committed

    (folder / "dataset.lock").write_text("new")
    assert run.find_source() == run.Source(commit, True)


def test_run_url_is_githubs(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "clinic/hospital",
        "GITHUB_RUN_ID": "17",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    assert run_url() == "https://github.com/clinic/hospital/actions/runs/17"

    monkeypatch.delenv("GITHUB_RUN_ID")
    assert run_url() == ""


def test_a_deleted_production_toml_is_not_taken_for_no_champion(project: Project, folder: Path) -> None:
    named = folder / "environments" / "production.toml"
    named.parent.mkdir()
    named.write_text(f'model_package_arn = "{CHAMPION}"\n')
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Start")
    named.unlink()

    with pytest.raises(UserError, match=r"`git checkout -- environments/production\.toml`"):
        _ = project.champion


def test_champion_comes_from_production_toml(project: Project, folder: Path) -> None:
    (folder / "environments").mkdir()
    (folder / "environments" / "production.toml").write_text(f'model_package_arn = "{CHAMPION}"\n')

    assert project.champion == CHAMPION


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f'model_package_arm = "{CHAMPION}"\n', "model_package_arn is missing: take the file from Git"),
        ("model_package_arn = 3\n", "model_package_arn = 3 is no version of this project"),
        ('model_package_arn = "arn:x"\n', "is no version of this project"),
        (
            f'model_package_arn = "{CHAMPION.replace("hospital", "other")}"\n',
            "ACCOUNT:model-package/hospital/NUMBER): take the file from Git, or [project] of automl.toml",
        ),
        (
            f'model_package_arn = "{CHAMPION.replace("eu-west-1", "us-east-1")}"\n',
            "sagemaker:eu-west-1:ACCOUNT",
        ),
        ("model_package_arn = \n", "environments/production.toml: not valid TOML"),
    ],
)
def test_a_champion_that_cannot_be_meant_is_refused(
    project: Project, folder: Path, text: str, sentence: str
) -> None:
    (folder / "environments").mkdir()
    (folder / "environments" / "production.toml").write_text(text)

    with pytest.raises(UserError) as caught:
        _ = project.champion

    assert str(caught.value).startswith("environments/production.toml: ")
    assert sentence in str(caught.value)
    assert caught.value.file == "environments/production.toml"


@pytest.mark.parametrize("text", [None, 'model_package_arn = ""\n', "# nothing yet\n"])
def test_no_champion_yet_is_no_error(project: Project, folder: Path, text: str | None) -> None:
    (folder / "environments").mkdir()
    if text is not None:
        (folder / "environments" / "production.toml").write_text(text)

    assert project.champion == ""


@pytest.mark.parametrize("change", [{"target": "ward"}, {"seed": 1}, {"holdout": 0.3}])
def test_a_lock_of_another_split_is_refused(project: Project, folder: Path, change: dict) -> None:
    (folder / "automl.toml").write_text(automl_toml(dataset=change))

    with pytest.raises(UserError, match=r"dataset.lock: made for target .* run `automl data push FILE`"):
        _ = project.lock


def test_a_slice_that_the_data_lacks_is_refused(project: Project, folder: Path) -> None:
    (folder / "automl.toml").write_text(automl_toml(evaluation={"slices": ["wrad"]}))

    with pytest.raises(
        UserError, match=r'slices names "wrad", which is no input column of patients.csv: .* "ward"'
    ):
        _ = project.lock


def test_fingerprint_follows_every_file(
    project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {project.fingerprint(ACCOUNT), Project().fingerprint(ACCOUNT)}

    seen.add(project.fingerprint("210987654321"))
    (folder / "automl.toml").write_text(automl_toml(autopilot={"budget": {"max_candidates": 3}}))
    seen.add(Project().fingerprint(ACCOUNT))
    lock(sha256="cd" * 32).save()
    seen.add(Project().fingerprint(ACCOUNT))
    evaluation(folder, metrics="x = 2\n")
    seen.add(Project().fingerprint(ACCOUNT))
    (folder / "environments").mkdir()
    (folder / "environments" / "production.toml").write_text(f'model_package_arn = "{CHAMPION}"\n')
    seen.add(Project().fingerprint(ACCOUNT))
    (folder / "pipeline").mkdir()
    (folder / "pipeline" / "definition.py").write_text("# another step\n")
    seen.add(Project().fingerprint(ACCOUNT))
    for name in ("definition", "images", "sdk"):
        (folder / f"{name}.py").write_text(f"# {name} of a wheel of the same version\n")
    monkeypatch.setattr(definition, "files", lambda _: folder)
    seen.add(Project().fingerprint(ACCOUNT))

    monkeypatch.setattr(bundle, "settings", lambda *_: {"made": "otherwise"})
    seen.add(Project().fingerprint(ACCOUNT))

    assert len(seen) == 9
