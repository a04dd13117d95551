"""What the questions accept and refuse, and that a refusal leaves nothing behind."""

import importlib
import importlib.util
import json
import os
import subprocess
import tomllib
from pathlib import Path

import boto3
import pytest
from conftest import COOKIECUTTER, ROOT, bake
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import FileSystemLoader
from markdown_it import MarkdownIt

WORDS = {
    "binary": "BinaryClassification",
    "multiclass": "MulticlassClassification",
    "regression": "Regression",
}

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
    ("project", "nul", "Windows"),
    ("repository", "readmission", "owner/name"),
    ("project", "ab1-bootstrap", "a project ab1 has this name"),
    ("project", "ab1-start-autopilot", "a project ab1 has this name"),
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
    ("objective", "accuracies", "default, which is F1macro"),
    ("problem_type", "infer", "answer binary, multiclass or regression"),
    ("description", "x" * 201, "200 characters"),
    ("target", "x" * 201, "200 characters"),
    ("target", "a\u202eb", "its character 2 is U+202E, RIGHT-TO-LEFT OVERRIDE"),
    # What an answer in Jinja gives, which is how cookiecutter reads answers on the command line.
    ("target", """{{ '{{' }}""", "run what stands behind {{"),
    ("description", """{{ '{%' }} of all""", "run what stands behind {%"),
    ("repository", "o" * 40 + "/name", "39"),
]


@pytest.mark.parametrize(("question", "answer", "reason"), REFUSED)
def test_an_answer_that_aws_or_github_would_refuse_is_refused_at_once(
    template, tmp_path, question, answer, reason
):
    result = bake(template, tmp_path, **{question: answer})

    assert result.returncode != 0
    (sentence, written) = result.stderr.splitlines()
    assert sentence.startswith(f'{question} = "')
    assert " is refused: " in sentence
    assert reason in sentence
    assert sentence.isprintable()
    assert written.startswith("Nothing was written.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\tb", "U+0009, a control character"),
        ("a\x85b", "U+0085, a control character"),
        ("a\u2028b", "U+2028, a control character"),
        ("a\u2029b", "U+2029, a control character"),
        ("\ufeffprice", "its character 1 is U+FEFF"),
        ("a\ud800b", "U+D800, no character by itself"),
        *(
            (f"a{character}b", f"its character 2 is U+{ord(character):04X}, ")
            for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u061c\u200b\u00ad\ufffe"
        ),
    ],
)
def test_what_cannot_be_seen_is_named_by_place_and_number(text, reason):
    hook = load_hook(ROOT)

    assert reason in hook.problem_with_text(text)
    assert hook.shown(text).isprintable()


@pytest.mark.parametrize("name", ["con", "prn", "aux", "nul", "com1", "com9", "lpt1", "lpt9"])
def test_names_of_windows_devices_are_no_projects(name):
    hook = load_hook(ROOT)

    assert "Windows" in hook.problem_with_project(name)
    assert hook.problem_with_project(name + "-model") is None


def test_an_answer_that_is_not_utf_8_is_refused_with_the_way_out(template, tmp_path):
    command = [COOKIECUTTER, "--no-input", "--output-dir", tmp_path, template, b"description=gr\xfcn"]

    result = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert result.returncode != 0
    assert "LC_ALL=C.UTF-8" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_answer_that_is_refused_has_its_sentence(template, tmp_path):
    result = bake(template, tmp_path, project="nul", problem_type="guess", objective="AUC", target="")

    refused = [line.split(" ")[0] for line in result.stderr.splitlines()[:-1]]
    assert refused == ["project", "target", "problem_type"]  # of an unknown problem type no metric is known


def test_a_refusal_leaves_a_project_that_is_there_alone(template, tmp_path):
    assert bake(template, tmp_path).returncode == 0
    mine = tmp_path / "readmission" / "automl.toml"
    mine.write_text("mine")
    command = [COOKIECUTTER, "--no-input", "--overwrite-if-exists", "--output-dir", tmp_path, template]

    again = bake(template, tmp_path)
    refused = subprocess.run([*command, "region=moon"], capture_output=True, text=True, timeout=60)

    assert again.returncode != 0
    assert "already exists" in again.stdout
    assert "Traceback" not in again.stdout + again.stderr
    assert "region" in refused.stderr
    assert mine.read_text() == "mine"


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
def test_every_supported_combination_generates_a_valid_configuration(problem_type, objective):
    config = importlib.import_module("automl_gitops.kernel.config")

    files = render(problem_type=problem_type, objective=objective)

    loaded = config.Config.parse(files["automl.toml"])
    assert loaded.autopilot.problem_type == WORDS[problem_type]
    if objective != "default":
        assert loaded.autopilot.objective == objective


@pytest.mark.parametrize(
    ("given", "problem_type"),
    [
        ("Binary", "BinaryClassification"),
        ("BinaryClassification", "BinaryClassification"),
        (" binary ", "BinaryClassification"),
        ("binary_classification", "BinaryClassification"),
        ("MULTICLASS", "MulticlassClassification"),
        ("MulticlassClassification", "MulticlassClassification"),
        ("Multi-class", "MulticlassClassification"),
        ("Regression", "Regression"),
    ],
)
def test_a_problem_type_may_be_spelt_as_in_the_question_or_as_in_autopilot(given, problem_type):
    files = render(problem_type=given)

    assert tomllib.loads(files["automl.toml"])["autopilot"]["problem_type"] == problem_type


@pytest.mark.parametrize(
    ("problem_type", "given", "objective"),
    [
        ("binary", "auc", "AUC"),
        ("Regression", "rmse", "RMSE"),
        ("multiclass", " F1MACRO ", "F1macro"),
        ("BinaryClassification", "Default", "F1"),
        ("regression", "default = R2; or MAE, MSE, RMSE", "R2"),
    ],
)
def test_a_metric_may_be_spelt_in_any_case(problem_type, given, objective):
    files = render(problem_type=problem_type, objective=given)

    assert tomllib.loads(files["automl.toml"])["autopilot"]["objective"] == objective


def test_blanks_at_the_ends_of_answers_are_gone(template, tmp_path):
    result = bake(
        template,
        tmp_path,
        project=" churn ",
        description="  Who leaves \n",
        repository=" o/r ",
        region=" us-east-1",
        target=" left\t",
    )

    assert result.returncode == 0, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["churn"]
    config = read(tmp_path / "churn")
    wanted = {
        "name": "churn",
        "description": "Who leaves",
        "repository": "o/r",
        "region": "us-east-1",
        "tags": {},
    }
    assert config["project"] == wanted
    assert config["dataset"]["target"] == "left"


@pytest.mark.parametrize(
    ("target", "description"),
    [
        ("readmitted", "Predict hospital readmission from a tabular data set"),
        (' a "b" \\ {x} ', 'Predict a "b" \\ {x}'),
        ("x" * 200, "Predict " + "x" * 192),
    ],
)
def test_the_description_offered_is_that_of_the_target(target, description):
    files = render(target=target)

    assert tomllib.loads(files["automl.toml"])["project"]["description"] == description


def asked(template: Path, output: Path, *answers: str) -> subprocess.CompletedProcess[str]:
    """The seven questions with typed answers; what is not given is answered by the return key."""
    return subprocess.run(
        [COOKIECUTTER, "--output-dir", output, template],
        input="\n".join([*answers, *[""] * (7 - len(answers))]) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"COLUMNS": "200", "TERM": "dumb"},
    )


@pytest.mark.parametrize("problem_type", WORDS)
def test_the_last_question_offers_the_metrics_of_the_problem_type_alone(template, tmp_path, problem_type):
    offered = json.loads((template / "cookiecutter.json").read_text())["_metrics"]

    result = asked(template, tmp_path, "", "", "", "", "", problem_type)

    assert result.returncode == 0, result.stderr
    question = result.stdout.split("[7/7]")[1].split("):")[0]
    shown = question.split("default = ")[1].replace(";", ",").replace(" or ", " ").split(", ")
    assert shown == offered[problem_type]
    assert read(tmp_path / "readmission")["autopilot"]["objective"] == offered[problem_type][0]


def test_typed_answers_are_taken_as_they_are(template, tmp_path):
    """cookiecutter renders answers on the command line, and not those that are typed."""
    result = asked(template, tmp_path, " churn ", "a `b` | {x}", "100 % of {#1}", "", "", "binary", "auc")

    assert result.returncode == 0, result.stderr
    config = read(tmp_path / "churn")
    assert config["project"]["repository"] == "my-organisation/churn"
    assert config["project"]["description"] == "100 % of {#1}"
    assert config["dataset"]["target"] == "a `b` | {x}"
    assert config["autopilot"]["objective"] == "AUC"


@pytest.mark.parametrize("text", ["{{", "a {{ b }}", "{% if", "{{ cookiecutter.project }}"])
@pytest.mark.parametrize("place", [1, 2], ids=["target", "description"])
def test_what_the_next_update_would_run_is_refused(template, tmp_path, place, text):
    result = asked(template, tmp_path, *[""] * place, text)

    assert result.returncode != 0
    assert f'= "{text}" is refused: cookiecutter would run what stands behind' in result.stderr
    assert list(tmp_path.iterdir()) == []


KEPT = [
    'Wer kommt "wieder"? \\ 再入院 😀 it\'s <b>',
    'a "quoted" \\ name',
    "back`tick",
    "`all`",
    "``` three",
    "price, in €, 'net'",
    "a | b ] c [ d",
    "<script>alert(1)</script>",
    "[link](http://example.org) ![image](x) **bold** __init__ ~~gone~~ $x$ &amp;",
    "# no heading",
    "12. no list",
    "- no list",
    "---",
    "> no quote",
    "ends in a backslash \\",
    '"""',
    "'''",
    "👨\u200d👩\u200d👧 and क्\u200cष",  # joiners of an emoji and of Hindi
    "100 %} }} #} {# {",
    "%(project)s {0} $HOME `id` $(id)",
    "x" * 200,
    "😀" * 200,
]


@pytest.mark.parametrize("text", KEPT)
def test_a_text_that_can_be_seen_is_kept_and_the_configuration_is_valid(text):
    config = importlib.import_module("automl_gitops.kernel.config")

    files = render(description=text, target=text)

    loaded = config.Config.parse(files["automl.toml"])
    assert load_hook(ROOT).problem_with_text(text) is None
    assert (loaded.project.description, loaded.dataset.target) == (text, text)
    assert_the_files_say(files, text, text)


def test_cookiecutter_writes_such_a_project_into_a_folder_with_blanks(template, tmp_path):
    description, target = "".join(KEPT)[:200], 'a "b" `c` \\, 😀 | ]'

    result = bake(template, tmp_path / "a folder", description=description, target=target)

    assert result.returncode == 0, result.stderr
    project = tmp_path / "a folder" / "readmission"
    files = {
        name: (project / name).read_text("utf-8") for name in ("automl.toml", "pyproject.toml", "README.md")
    }
    assert_the_files_say(files, description, target)
    assert f"    cd '{project}'\n" in result.stdout
    assert f"on rows made up for the target {target}, which" in result.stdout


ANY = st.text(max_size=30)
MARKS = st.text("`\\*_[]<>{}%#|\"'&$~+-=.)(!@: 1aé😀\u200d\u202e\t", max_size=12)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(description=st.one_of(ANY, MARKS), target=st.one_of(ANY, MARKS))
@example(description="!", target="`")
@example(description="0.", target="a`` `")
@example(description="0", target="0")
def test_any_text_is_refused_or_shown_as_it_was_given(description, target):
    """The three files that carry answers, rendered as cookiecutter renders them."""
    hook = load_hook(ROOT)
    description, target = description.strip(), target.strip()
    if hook.problem_with_text(description) or hook.problem_with_text(target):
        return

    files = render(description=description, target=target)

    assert_the_files_say(files, description, target)


def render(**answers: str) -> dict[str, str]:
    """The rendered files by their names, without a project on the disk."""
    context = generate_context(str(ROOT / "cookiecutter.json"), extra_context=answers)
    context["cookiecutter"] = prompt_for_config(context, no_input=True)
    environment = create_env_with_context(context)
    environment.loader = FileSystemLoader(ROOT / "{{cookiecutter.project}}")
    names = ("automl.toml", "pyproject.toml", "README.md")
    return {name: environment.get_template(name).render(**context) for name in names}


def assert_the_files_say(files: dict[str, str], description: str, target: str) -> None:
    """TOML holds both texts, and a reader of README.md sees them, with no markup that stands in them."""
    config = tomllib.loads(files["automl.toml"])
    assert (config["project"]["description"], config["dataset"]["target"]) == (description, target)
    assert tomllib.loads(files["pyproject.toml"])["project"]["description"] == description
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(files["README.md"])
    assert [token.type for token in tokens[::3]][:3] == ["heading_open", "paragraph_open", "paragraph_open"]
    sentence, model = tokens[4].children, tokens[7].children
    assert {token.type for token in sentence} == {"text"}
    assert "".join(token.content for token in sentence).removesuffix(".") == description.removesuffix(".")
    assert model[0].content == "A model for "
    assert (model[1].type, model[1].content) == ("code_inline", target)


def read(project: Path) -> dict:
    """automl.toml."""
    return tomllib.loads((project / "automl.toml").read_text("utf-8"))


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
    metrics = importlib.import_module("automl_evaluation.metrics")

    offered = {region for p in ("aws", "aws-cn", "aws-us-gov") for region in regions_of_sagemaker(p)}

    assert set(hook.REGIONS) <= offered
    questions = json.loads((template / "cookiecutter.json").read_text())
    assert questions["_problem_types"] == WORDS
    assert set(hook.DERIVED) == importlib.import_module("automl_gitops.kernel.derived_names").endings()
    for problem_type, name in WORDS.items():
        assert sorted(questions["_metrics"][problem_type]) == sorted(metrics.objectives(name))


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
