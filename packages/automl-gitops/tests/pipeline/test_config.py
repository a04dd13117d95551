from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from making import automl_toml, lock

from automl_gitops.data.lock import DatasetLock
from automl_gitops.kernel import service
from automl_gitops.kernel.config import Config, read_text
from automl_gitops.kernel.config_errors import line_of, placed
from automl_gitops.kernel.errors import Finding, UserError
from automl_gitops.kernel.settings.model import ALGORITHMS

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b"

WRONG = [
    pytest.param(
        {"autopilot": {"objective": "F1"}},
        '[autopilot] objective = "F1" is not offered for MulticlassClassification '
        "(Accuracy, BalancedAccuracy, F1macro, PrecisionMacro, RecallMacro)",
        id="objective of another problem",
    ),
    pytest.param(
        {"autopilot": {"problem_type": "infer"}},
        'objective = "F1macro" cannot be set while problem_type = "infer"',
        id="objective without a problem type",
    ),
    pytest.param(
        {"autopilot": {"problem_type": "Multiclass"}},
        'problem_type = "Multiclass" is not one of BinaryClassification, MulticlassClassification, '
        "Regression, infer; did you mean MulticlassClassification?",
        id="misspelt choice",
    ),
    pytest.param(
        {"autopilot": {"objektive": "F1macro"}},
        "[autopilot] objektive is not a key of this section; did you mean objective?",
        id="misspelt key",
    ),
    pytest.param(
        {"autopiloto": {"mode": "AUTO"}},
        "[autopiloto] is not a section; did you mean [autopilot]?",
        id="section",
    ),
    pytest.param(
        {"autopilot": {"max_candidates": 3}},
        "[autopilot] max_candidates is not a key of this section; it belongs to [autopilot.budget]",
        id="key of another section",
    ),
    pytest.param(
        {"autopilot": {"budget": {"max_candidates": 751}}},
        "[autopilot.budget] max_candidates = 751 is above Autopilot's limit of 750",
        id="too many candidates",
    ),
    pytest.param(
        {"autopilot": {"budget": {"max_seconds": 0}}},
        "max_seconds = 0 is below Autopilot's least, 1",
        id="no time",
    ),
    pytest.param(
        {"autopilot": {"budget": {"max_seconds": "600"}}},
        'max_seconds = "600" is not a whole number',
        id="text for number",
    ),
    pytest.param(
        {"autopilot": {"budget": {"max_seconds": True}}},
        "true is not a whole number",
        id="boolean for number",
    ),
    pytest.param(
        {"dataset": {"target": 3}}, '[dataset] target = 3 is not a text in "quotes"', id="number for text"
    ),
    pytest.param({"dataset": {"target": None}}, "[dataset] target is missing", id="missing key"),
    pytest.param(
        {"dataset": {"buckets": ["*"]}}, 'has "*", which is no name of an S3 bucket', id="every bucket"
    ),
    pytest.param(
        {"dataset": {"buckets": ["lake/train"]}}, 'has "lake/train", which is no name', id="prefix for bucket"
    ),
    pytest.param({"dataset": {"buckets": ["lake", "lake"]}}, "names one twice", id="a bucket twice"),
    pytest.param(
        {"dataset": {"buckets": [f"lake-{n}" for n in range(11)]}}, "more than the 10", id="many buckets"
    ),
    pytest.param(
        {"dataset": {"holdout": 1.0}}, "[dataset] holdout = 1.0 has to be below 1", id="all held out"
    ),
    pytest.param(
        {"dataset": {"target": None, "traget": "label"}},
        "[dataset] traget is not a key of this section; did you mean target?",
        id="misspelt key that is needed",
    ),
    pytest.param(
        {"dataset": None, "datset": {"target": "label"}},
        "[datset] is not a section; did you mean [dataset]?",
        id="misspelt section that is needed",
    ),
    pytest.param({"gate": None}, "section [gate] is missing (keys: minimum, maximum", id="missing section"),
    pytest.param(
        {"gate": {"minimum": None, "maximum": 0.3}},
        "[gate] maximum = 0.3 does not fit F1macro, of which more is better: use minimum",
        id="gate the wrong way round",
    ),
    pytest.param(
        {"autopilot": {"problem_type": "Regression", "objective": "RMSE"}},
        "[gate] minimum = 0.3 does not fit RMSE, of which less is better: use maximum",
        id="gate the wrong way round for an error",
    ),
    pytest.param(
        {"project": {"name": "Hospital"}}, '[project] name = "Hospital" is not 3-19 lower-case', id="name"
    ),
    pytest.param({"project": {"name": "a" * 20}}, "is not 3-19 lower-case letters", id="long name"),
    pytest.param(
        {"project": {"region": "eu-wst-1"}},
        '[project] region = "eu-wst-1" is not a region of SageMaker; did you mean eu-west-1?',
        id="region",
    ),
    pytest.param(
        {"project": {"repository": "hospital"}},
        "is not a GitHub repository of the form owner/name",
        id="repository",
    ),
    pytest.param(
        {"project": {"tags": {"aws:x": "y"}}},
        "AWS keeps keys that begin with aws: for itself",
        id="reserved tag",
    ),
    pytest.param(
        {"project": {"tags": {"a,b": "y"}}}, 'has the key "a,b"; a key is 1-128 letters', id="comma in tag"
    ),
    pytest.param(
        {"project": {"tags": {"team": "x" * 257}}}, 'for "team"; up to 256 letters', id="long tag value"
    ),
    pytest.param(
        {"project": {"tags": {f"k{n}": "v" for n in range(50)}}},
        "has 50 tags, more than the 49",
        id="many tags",
    ),
    pytest.param(
        {"evaluation": {"instance_type": "ml.m5.xlrge"}},
        "is not an instance type that SageMaker offers for processing jobs, such as ml.m5.xlarge; "
        "did you mean ml.m5.xlarge?",
        id="instance type",
    ),
    pytest.param(
        {"evaluation": {"transform_instance_type": "ml.t3.medium"}},
        "offers for batch transform",
        id="type of another use",
    ),
    pytest.param(
        {"evaluation": {"container_version": "latest"}}, "is no version of the image", id="container"
    ),
    *(
        pytest.param(
            {"gate": {"champion_margin": margin}},
            'is neither a number from 0 on nor a share such as "5%"',
            id=f"margin {margin}",
        )
        for margin in ("five", "-5%", -1, True, [])
    ),
    *(
        pytest.param(
            {"evaluation": {"slices": ["age"], "bands": {"age": bands}}},
            f"[evaluation] bands.age = {shown} {complaint}",
            id=f"bands {shown}",
        )
        for bands, shown, complaint in (
            ("many", '"many"', "is neither a number of bands, such as 4, nor a list of edges"),
            (True, "true", "is neither a number of bands"),
            ([30, "60"], '[30, "60"]', "is neither a number of bands"),
            (1, "1", "is a number of bands outside 2 to 20"),
            ([], "[]", "are edges that do not rise, or not 1 to 19 of them"),
            ([60, 30], "[60, 30]", "are edges that do not rise"),
        )
    ),
    pytest.param(
        {"evaluation": {"bands": {"age": 4}}},
        'bands names "age", which is not among slices: add it there',
        id="bands of no slice",
    ),
    pytest.param(
        {"project": {"tags": {"team": 3}}}, '[project] tags.team = 3 is not a text in "quotes"', id="tag"
    ),
    pytest.param(
        {"evaluation": {"slices": ["label"]}}, 'slices names the target "label"', id="slice by target"
    ),
    pytest.param(
        {"autopilot": {"algorithms": ["lightgmb"]}},
        '[autopilot] algorithms has "lightgmb", which ENSEMBLING does not offer: did you mean lightgbm?',
        id="algorithm",
    ),
    pytest.param(
        {"autopilot": {"algorithms": ["mlp"]}},
        "it offers catboost, extra-trees, fastai, lightgbm, linear-learner, nn-torch, randomforest, xgboost",
        id="algorithm of the other mode",
    ),
    pytest.param(
        {"autopilot": {"algorithms": ["xgboost"], "mode": "AUTO"}},
        'algorithms cannot be chosen with mode = "AUTO": remove them, or set mode to ENSEMBLING or',
        id="algorithms of no mode",
    ),
    pytest.param(
        {"autopilot": {"algorithms": ["xgboost", "xgboost"]}}, 'algorithms has "xgboost" twice', id="twice"
    ),
    pytest.param(
        {"autopilot": {"types": {"ward": "category"}}},
        'types.ward = "category" is not one of numeric, categorical, text, datetime, sequence; did you mean',
        id="type",
    ),
    pytest.param(
        {"autopilot": {"types": {"ward": "sequence"}}},
        'types has "sequence" for "ward", which HYPERPARAMETER_TUNING alone knows',
        id="type of the other mode",
    ),
    pytest.param(
        {"autopilot": {"types": {"label": "text"}}},
        'types has "label", which is the target',
        id="type of target",
    ),
    pytest.param(
        {"dataset": {"exclude": ["id"]}, "autopilot": {"types": {"id": "text"}}},
        'types has "id", which is no feature',
        id="type of nothing",
    ),
    pytest.param(
        {"dataset": {"exclude": ["label"]}}, '[dataset] exclude names the target "label"', id="no target"
    ),
    pytest.param({"dataset": {"exclude": ["a", "a"]}}, "exclude names a column twice", id="excluded twice"),
    pytest.param(
        {"dataset": {"exclude": ["w"], "weight": "w"}},
        'exclude names "w", which is the weight',
        id="both roles",
    ),
    pytest.param(
        {"dataset": {"seed": 2**32}},
        "seed = 4294967296 is above the most allowed, 4294967295",
        id="seed",
    ),
    pytest.param(
        {"dataset": {"weight": "my weight"}},
        'weight = "my weight" is no name that Autopilot takes',
        id="blank",
    ),
    pytest.param(
        {"dataset": {"weight": "w"}, "autopilot": {"mode": "AUTO"}},
        'weight = "w" needs ENSEMBLING mode, but [autopilot] mode = "AUTO"',
        id="weight of another mode",
    ),
    pytest.param(
        {"dataset": {"weight": "w"}, "autopilot": {"objective": "BalancedAccuracy"}},
        "does not go with BalancedAccuracy, which has its own",
        id="weights of balanced accuracy",
    ),
    pytest.param(
        {"dataset": {"exclude": ["age"]}, "evaluation": {"slices": ["age"]}},
        'slices names "age", which is no feature',
        id="slice by no feature",
    ),
    pytest.param(
        {"decision": {"positive": "yes"}},
        '[decision] positive = "yes" is of two classes, but [autopilot] problem_type = "MulticlassClassification"',
        id="positive of many classes",
    ),
    pytest.param(
        {"decision": {"threshold": 0.3}}, "[decision] has threshold without positive", id="whose threshold"
    ),
    pytest.param(
        {
            "decision": {
                "positive": "a",
                "threshold": 0.3,
                "costs": {"false_positive": 1, "false_negative": 2},
            }
        },
        "[decision] has both threshold and costs",
        id="threshold twice",
    ),
    pytest.param(
        {"decision": {"positive": "a", "threshold": 30}}, "threshold = 30 has to be below 1", id="percent"
    ),
    pytest.param(
        {"decision": {"positive": "a", "threshold": 0}}, "threshold = 0 has to be above 0", id="all rows"
    ),
    pytest.param(
        {"decision": {"positive": "a", "threshold": True}}, "threshold = true is not a number", id="no number"
    ),
    pytest.param(
        {"decision": {"positive": "a", "threshold": "holdout"}},
        'threshold = "holdout" is neither a probability, such as 0.3 without quotes, nor "validation"',
        id="chosen on other rows",
    ),
    pytest.param(
        {"decision": {"threshold": "validation"}},
        "[decision] has threshold without positive",
        id="whose chosen threshold",
    ),
    pytest.param(
        {"decision": {"positive": "a", "costs": {"false_positive": 0, "false_negative": 2}}},
        "false_positive = 0 has to be above 0",
        id="free mistakes",
    ),
    pytest.param(
        {"decision": {"positive": 1}}, 'positive = 1 is not a text in "quotes"', id="label as number"
    ),
    pytest.param({"encryption": {"kms_key": "mine"}}, 'kms_key = "mine" is no KMS key', id="key"),
    pytest.param(
        {"encryption": {"kms_key": KEY.replace("eu-west-1", "us-east-1")}},
        "kms_key is in us-east-1, but the project is in eu-west-1",
        id="key elsewhere",
    ),
    pytest.param(
        {"network": {"subnets": ["subnet-0a"]}}, "[network] security_groups is missing", id="half a network"
    ),
    pytest.param(
        {"network": {"subnets": ["net"], "security_groups": ["sg-1"]}},
        'has "net", which is not of the form',
        id="subnet",
    ),
    pytest.param(
        {"network": {"subnets": ["subnet-1"], "security_groups": [f"sg-{n}" for n in range(6)]}},
        "has 6 entries, more than the service's 5",
        id="many groups",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), WRONG)
def test_names_file_key_value_and_way_out(changes: dict[str, Any], sentence: str) -> None:
    text = automl_toml(**changes)

    with pytest.raises(UserError) as caught:
        Config.parse(text)

    assert str(caught.value).startswith("automl.toml: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.file == "automl.toml"


def test_reports_all_that_is_wrong_at_once() -> None:
    text = automl_toml(dataset={"holdout": 2}, autopilot={"mode": "FAST"})

    with pytest.raises(UserError) as caught:
        Config.parse(text)

    assert [line.split(" = ")[0] for line in str(caught.value).splitlines()] == [
        "automl.toml: [dataset] holdout",
        "automl.toml: [autopilot] mode",
    ]


def test_points_at_the_line() -> None:
    text = automl_toml(autopilot={"budget": {"max_candidates": 0}})

    with pytest.raises(UserError) as caught:
        Config.parse(text)

    assert text.splitlines()[caught.value.line - 1] == "max_candidates = 0"


def test_a_column_of_weights_may_have_to_be_renamed() -> None:
    with pytest.raises(UserError, match=r'weight = "Umsatz \(EUR\)" .*: rename it with letters'):
        Config.parse(automl_toml(dataset={"weight": "Umsatz (EUR)"}))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"dataset": {"exclude": ["label"]}}, 'exclude = ["label"]'),
        ({"dataset": {"exclude": ["age"], "group": "age"}}, 'exclude = ["age"]'),
        ({"dataset": {"gap": "7 days"}}, 'gap = "7 days"'),
        ({"dataset": {"group": "age", "split": "set"}}, 'split = "set"'),
        ({"dataset": {"time": "label"}}, 'time = "label"'),
        ({"dataset": {"also_features": ["age"]}}, 'also_features = ["age"]'),
        ({"autopilot": {"algorithms": ["lightgmb"]}}, 'algorithms = ["lightgmb"]'),
        ({"autopilot": {"mode": "AUTO", "algorithms": ["xgboost"]}}, 'algorithms = ["xgboost"]'),
        ({"decision": {"threshold": 0.3}}, "threshold = 0.3"),
        ({"gate": {"maximum": 0.3}}, "minimum = 0.3"),
        ({"prices": {"ml.m5.xlage": 0.3}}, '"ml.m5.xlage" = 0.3'),
        ({"project": {"tags": {"project": "x"}}}, 'project = "x"'),
    ],
)
def test_what_is_wrong_between_keys_points_at_one_of_them(changes: dict[str, Any], line: str) -> None:
    text = automl_toml(**changes)

    with pytest.raises(UserError) as caught:
        Config.parse(text)

    assert text.splitlines()[caught.value.line - 1] == line


def test_a_sentence_that_names_a_key_is_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finding = Finding('automl.toml: [evaluation] container_version = "9.9-9" is no image')

    assert placed(finding) == finding
    Path("automl.toml").write_text('[evaluation]\n\ncontainer_version = "9.9-9"\n')
    assert str(placed(finding)).startswith("automl.toml:3: [evaluation] container_version = ")
    assert placed(Finding("other: [a] b")) == Finding("other: [a] b")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[project]\nname = \n", 'invalid value (at line 2, column 8); a text stands in "quotes"'),
        ("a = 1\na = 2\n", "cannot overwrite a value (at line 2, column 6); a key stands once in a section"),
        ("[a]\n[a]\n", "cannot declare ('a',) twice (at line 2, column 3); a section stands once"),
        (
            "a = 1\nkey value\n",
            "expected '=' after a key in a key/value pair (at line 2, column 5); a line is [section]",
        ),
        ("a = 1\nb = True\n", "invalid value (at line 2, column 5); it is true, in lower case"),
        ("a = 1\nb = .3\n", "invalid value (at line 2, column 5); a number begins with a digit: 0.2"),
        ("a = 1\nb = 0,3\n", "one value a line; a number has a decimal point and no %: 0.2"),
        ("a = 1\nb = \u201cx\u201d\n", 'quotes are straight: "text"'),
        ("a = 1\nb: 3\n", "between a key and its value stands =, not :"),
    ],
)
def test_invalid_toml_is_placed(text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        Config.parse(text)

    assert str(caught.value).startswith("automl.toml: not valid TOML: ")
    assert sentence in str(caught.value)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"autopilot": {"mode": "FAST"}},
            'mode = "FAST" is not one of AUTO, ENSEMBLING, HYPERPARAMETER_TUNING (ENSEMBLING combines many kinds',
        ),
        (
            {"autopilot": {"problem_type": "Binary"}},
            'problem_type = "Binary" is not one of BinaryClassification, MulticlassClassification, Regression, infer; '
            "did you mean BinaryClassification?",
        ),
        ({"autopilot": {"objective": "F1"}}, "did you mean F1macro?"),
        ({"autopilot": {"objective": "f1_macro"}}, "did you mean F1macro?"),
        (
            {"gate": {"minimums": {"F1macro": 0.3}}},
            'has "F1macro", which is no metric here; did you mean f1_macro?',
        ),
        ({"gate": {"minimum": "0.3"}}, 'minimum = "0.3" is not a number: write 0.3, without quotes'),
        ({"dataset": {"holdout": "20%"}}, 'holdout = "20%" is not a number: write 0.2, without quotes'),
        ({"dataset": {"holdout": 20}}, "holdout = 20 has to be below 1; 20 % is 0.2"),
        ({"gate": {"better_than_baseline": "yes"}}, "is neither true nor false: write true, without quotes"),
        ({"evaluation": {"slices": "age"}}, 'slices = "age" is not a list in [brackets]: write ["age"]'),
        ({"autopilot": {"budget": {"max_seconds": 600.0}}}, "is not a whole number: write 600"),
        ({"gate": {"minimums": 0.3}}, "minimums = 0.3 is not a table, such as { name = 1 }"),
        ({"staging": {"instance_type": "m5.large"}}, "did you mean ml.m5.large?"),
        ({"autopilot": {"least_rows": 5}}, "least_rows = 5 is below the least allowed, 20"),
    ],
)
def test_a_near_miss_is_told_with_what_was_meant(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        Config.parse(automl_toml(**changes))

    assert sentence in str(caught.value)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_file_of_an_editor_on_windows_is_read(folder, ending: str) -> None:
    text = "\ufeff" + automl_toml(gate={"minimum": 0.4})
    (folder / "automl.toml").write_bytes(text.replace("\n", ending).encode())

    assert Config.load().gate.minimum == 0.4


CONFLICT = "<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> another-branch\n"


def test_conflict_markers_are_called_so(folder) -> None:
    text = "[gate]\n" + CONFLICT.format(ours="minimum = 0.3\n", theirs="minimum = 0.4\n")

    with pytest.raises(UserError) as caught:
        Config.parse(text)

    assert 'line 2, "<<<<<<< HEAD", is of a merge conflict that Git left: keep one side' in str(caught.value)
    assert caught.value.line == 2


def test_a_lock_in_a_merge_conflict_is_taken_as_a_whole() -> None:
    ours, theirs = lock().text(), lock(sha256="cd" * 32).text()
    text = ours.replace(
        'sha256 = "' + "ab" * 32 + '"\n', CONFLICT.format(ours='sha256 = "1"\n', theirs='sha256 = "2"\n')
    )
    assert text not in (ours, theirs)

    with pytest.raises(UserError) as caught:
        DatasetLock.parse(text)

    assert (
        "is of a merge conflict that Git left: take one side as a whole (`git checkout --ours dataset.lock`"
        in str(caught.value)
    )


def test_a_marker_within_a_text_is_a_text() -> None:
    text = automl_toml().replace('"Predict readmission"', '"""\n<<<<<<< HEAD\n"""')

    assert "<<<<<<<" in Config.parse(text).project.description


def test_a_line_is_found_whatever_the_way_it_is_written() -> None:
    text = (
        '[evaluation]\nbands.age = 3\n[evaluation.other] # more\n"a b" = 1\n[gate]\nminimums = { f1 = 0.5 }\n'
    )

    assert line_of(text, ("evaluation", "bands", "age")) == 2
    assert line_of(text, ("evaluation", "other", "a b")) == 4
    assert line_of(text, ("gate", "minimums", "f1")) == 6
    assert line_of(text, ("gate", "minimum")) == 5
    assert line_of(text, ("prices",)) is None


def test_optional_sections_have_defaults() -> None:
    config = Config.parse(automl_toml())

    assert (config.autopilot.mode, config.autopilot.budget.max_candidates) == ("ENSEMBLING", 10)
    assert (config.dataset.holdout, config.dataset.seed) == (0.2, 42)
    assert config.encryption is None
    assert config.network is None


@pytest.mark.parametrize(
    ("problem", "metric"),
    [("BinaryClassification", "F1"), ("MulticlassClassification", "Accuracy"), ("infer", None)],
)
def test_metric_without_objective_is_the_services_default(problem: str, metric: str | None) -> None:
    config = Config.parse(automl_toml(autopilot={"problem_type": problem, "objective": None}))

    assert config.autopilot.metric == metric


def test_algorithms_are_the_services() -> None:
    known = set(service.values("AutoMLAlgorithm"))

    assert {name for offered in ALGORITHMS.values() for name in offered} <= known


def test_missing_file_says_where_to_run(folder) -> None:
    (folder / "automl.toml").unlink()

    with pytest.raises(UserError, match=r"automl.toml: not found; run the command in the project's folder"):
        Config.load()


@pytest.mark.parametrize("name", ["automl.toml", "environments/production.toml"])
def test_a_file_that_was_deleted_in_a_project_is_taken_from_git(folder: Path, name: str) -> None:
    (folder / "infrastructure").mkdir()
    (folder / "infrastructure" / "stack.yaml").write_text("")
    (folder / "automl.toml").unlink()

    with pytest.raises(UserError, match=rf"{name}: not found; take it from Git: `git checkout -- {name}`"):
        read_text(Path(name))


def test_wrong_profile_does_not_matter_to_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-there")

    config = Config.parse(automl_toml(evaluation={"instance_type": "ml.m5.large"}))

    assert config.evaluation.instance_type == "ml.m5.large"


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 100_000,
        "x = " + "[" * 200 + "]" * 200,
        ".".join("a" * 3_000) + " = 1",
        "[gate." + ".".join("a" * 3_000) + "]\nb = 1",
        "x = " + "{ a = " * 3_000,
        "x = " + "9" * 5_000,
    ],
    ids=["lists", "lists that end", "a dotted key", "a dotted heading", "tables", "digits"],
)
def test_toml_that_is_nested_deeply_or_has_endless_numbers_is_a_sentence(text: str) -> None:
    with pytest.raises(UserError) as refused:
        Config.parse(automl_toml() + "\n" + text if text.startswith("[") else text + "\n" + automl_toml())

    assert str(refused.value).startswith("automl.toml: ")
    assert len(str(refused.value)) < 400


def test_a_number_of_400_digits_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"\[gate\] minimum = 999"):
        Config.parse(automl_toml().replace("minimum = 0.3", f"minimum = {'9' * 400}"))
