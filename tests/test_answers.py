"""What the questions accept and refuse, and that a refusal leaves nothing behind."""

import importlib
import importlib.util
import json
import sys

import boto3
import pytest
from conftest import ROOT, bake

REFUSED = [
    # answer, value, a part of the reason
    ("project", "Readmission", "lower-case"),
    ("project", "re_admission", "lower-case"),
    ("project", "9lives", "starting with a letter"),
    ("project", "readmission-", "hyphen"),
    ("project", "re--admission", "single hyphens"),
    ("project", "ab", "3 to 19 characters"),
    ("project", "a-project-of-20-char", "3 to 19 characters"),
    ("project", "aws-readmission", "reserves"),
    ("repository", "readmission", "owner/name"),
    ("repository", "a/b/c", "owner/name"),
    ("repository", "-owner/name", "owner"),
    ("repository", "owner/na me", "name"),
    ("repository", "owner/name.git", ".git"),
    ("region", "eu-west-9", "no region"),
    ("description", "   ", "empty"),
    ("description", "two\nlines", "line breaks"),
    ("target", "", "empty"),
    ("objective", "AUC", "multiclass"),
    ("objective", "RMSE", "multiclass"),
    ("description", "x" * 201, "200 characters"),
    ("repository", "o" * 40 + "/name", "39"),
]


@pytest.mark.parametrize(("question", "answer", "reason"), REFUSED)
def test_an_answer_that_aws_or_github_would_refuse_is_refused_at_once(
    template, tmp_path, question, answer, reason
):
    result = bake(template, tmp_path, **{question: answer})

    assert result.returncode != 0
    assert f'{question} = "{answer}" is refused' in result.stderr
    assert reason in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("problem_type", "objective"),
    [
        *(
            ("binary", o)
            for o in ("default", "Accuracy", "AUC", "BalancedAccuracy", "F1", "Precision", "Recall")
        ),
        *(
            ("multiclass", o)
            for o in ("default", "Accuracy", "BalancedAccuracy", "F1macro", "PrecisionMacro", "RecallMacro")
        ),
        *(("regression", o) for o in ("default", "MAE", "MSE", "R2", "RMSE")),
    ],
)
def test_every_supported_combination_generates_a_valid_configuration(
    template, tmp_path, problem_type, objective
):
    config = load_project_module("config")

    result = bake(template, tmp_path, problem_type=problem_type, objective=objective)

    assert result.returncode == 0, result.stderr
    loaded = config.Config.load(tmp_path / "readmission" / "automl.toml")
    if objective != "default":
        assert loaded.autopilot.objective == objective


def test_quotes_and_other_alphabets_survive_in_the_configuration(template, tmp_path):
    config = load_project_module("config")
    description = 'Wer kommt "wieder"? \\ 再入院 😀 it\'s <b>'

    result = bake(template, tmp_path, description=description, target='a "quoted" \\ name')

    assert result.returncode == 0, result.stderr
    loaded = config.Config.load(tmp_path / "readmission" / "automl.toml")
    assert loaded.project.description == description
    assert loaded.dataset.target == 'a "quoted" \\ name'


@pytest.mark.parametrize(
    ("description", "sentence"),
    [("Who returns", "Who returns."), ("Who returns.", "Who returns."), ("Who returns? ", "Who returns?")],
)
def test_the_readme_s_first_sentence_ends_once(template, tmp_path, description, sentence):
    result = bake(template, tmp_path, description=description)

    assert result.returncode == 0, result.stderr
    assert (tmp_path / "readmission" / "README.md").read_text().splitlines()[2] == sentence


def test_the_hook_s_tables_agree_with_the_services_and_the_project(template):
    hook = load_hook(template)
    autopilot = load_project_module("settings.autopilot")

    offered = {region for p in ("aws", "aws-cn", "aws-us-gov") for region in regions_of_sagemaker(p)}

    assert set(hook.REGIONS) <= offered
    names = {
        "binary": "BinaryClassification",
        "multiclass": "MulticlassClassification",
        "regression": "Regression",
    }
    for short, name in names.items():
        assert set(hook.OBJECTIVES[short]) == set(autopilot.OBJECTIVES[name])


def regions_of_sagemaker(partition):
    return boto3.session.Session().get_available_regions("sagemaker", partition_name=partition)


def load_hook(template):
    """The hook as a module, with no answers in it."""
    spec = importlib.util.spec_from_file_location(
        "pre_gen_project", template / "hooks" / "pre_gen_project.py"
    )
    module = importlib.util.module_from_spec(spec)
    source = (
        (template / "hooks" / "pre_gen_project.py")
        .read_text()
        .replace("{{ cookiecutter | tojson }}", json.dumps({}))
    )
    exec(compile(source, spec.origin, "exec"), module.__dict__)
    return module


def load_project_module(name):
    """A module of the project's `pipeline`, which needs no rendering."""
    folder = str(ROOT / "{{cookiecutter.project}}")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"pipeline.{name}")
