"""environments/production.toml: what is read, what is refused, what is written."""

from __future__ import annotations

import pytest

from automl_gitops.kernel.errors import UserError
from automl_gitops.promotion.production_file import FILE, ProductionFile, VerificationSummary
from support.project import PROJECT

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/readmission/7"


def test_the_file_as_generated_names_nothing():
    assert ProductionFile.load(PROJECT / FILE).model_package_arn == ""


def test_what_is_written_is_read_again_and_written_the_same(tmp_path):
    content = ProductionFile(
        model_package_arn=ARN,
        version=7,
        commit="0123",
        dataset_sha256="abc",
        previous_model_package_arn=ARN[:-1] + "6",
        metrics={"f1": 0.8, "r2": -1e-09, "rmse": 3.0},
        archives={"s3://b/a": "0 v", "s3://b/c": "1 w"},
        verification=VerificationSummary(
            outcome="verified", by='A "B" C', at="2026-11-24T06:00:00+00:00", record="s3://b/k"
        ),
    )
    path = tmp_path / "environments" / "production.toml"

    first, second = content.save(path), content.save(path)

    assert (first, second) == (True, False)
    assert ProductionFile.load(path) == content
    assert [entry.name for entry in path.parent.iterdir()] == ["production.toml"]


@pytest.mark.parametrize(
    ("text", "sentence", "line"),
    [
        ("", "model_package_arn is missing", None),
        ("model_package_arn = 7", "model_package_arn = 7 is not a text", 1),
        (f'model_package_am = "{ARN}"', "did you mean model_package_arn", 1),
        (f'model_package_arn = "{ARN}"\nversion = 6', "names version 7", 2),
        (f'model_package_arn = "{ARN}', "not valid TOML", 1),
        (f'model_package_arn = "{ARN}"\n[metrics]\nf1 = "good"', "f1 = 'good' is not a number", 3),
        (f'model_package_arn = "{ARN}"\n[verification]\nby = 7', "by = 7 is not a text", 3),
        (f'model_package_arn = "{ARN}"\n[archives]\n"s3://b/a" = 7', "s3://b/a = 7 is not a text", 3),
        (f'model_package_arn = "{ARN}"\n[verification]\nbye = "x"', "did you mean by", 3),
    ],
)
def test_a_mistake_made_by_hand_is_named_with_key_value_and_line(text, sentence, line):
    with pytest.raises(UserError, match=sentence) as caught:
        ProductionFile.parse(text)

    assert str(caught.value).startswith("environments/production.toml: ")
    assert caught.value.file == "environments/production.toml"
    if line:
        assert caught.value.line == line
