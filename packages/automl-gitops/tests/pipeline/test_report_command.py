"""`automl report`: from a file or an execution's evaluation in S3 to the files it writes."""

import json

import evaluations
import pytest
from making import ACCOUNT, BUCKET, lock

from automl_gitops.commands.main import main
from automl_gitops.data.lock import DataFinding
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.names import Names
from automl_gitops.report import Provenance
from automl_gitops.report.origin import of_execution
from automl_gitops.runs.execution import Execution

ARN = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/hospital/execution/abcdefghijkl"


def execution(**changes):
    values = {
        "arn": ARN,
        "name": "",
        "status": "Succeeded",
        "failure_reason": None,
        "seconds": 60.0,
        "steps": [],
    }
    return Execution(**{**values, "autopilot": None, "parameters": {}, **changes})


@pytest.fixture
def evaluation_file(folder):
    file = folder / "evaluation.json"
    file.write_bytes(evaluations.binary().dump())
    return file


def report(*arguments):
    return main(["report", *map(str, arguments)])


def test_a_file_becomes_a_page_and_markdown_without_aws(folder, evaluation_file, capsys, monkeypatch):
    monkeypatch.setattr("boto3.session.Session.client", lambda *_, **__: pytest.fail("a call to AWS"))

    status = report(
        "--evaluation",
        evaluation_file,
        "--output",
        "build/out/r.html",
        "--markdown",
        "build/out/r.md",
        "--json",
    )

    assert status == 0
    assert (folder / "build/out/r.html").read_text().startswith("<!doctype html>")
    assert (folder / "build/out/r.md").read_text().startswith("## ✅ hospital")
    told = json.loads(capsys.readouterr().out)
    assert told["decision"] == "accept"
    assert (told["report"], told["markdown"]) == ("build/out/r.html", "build/out/r.md")


def test_the_page_goes_to_the_build_folder_if_nothing_is_said(folder, evaluation_file):
    assert report("--evaluation", evaluation_file) == 0
    assert [path.name for path in (folder / "build").iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "missing.json: cannot be read"),
        ("rows,label\n1,a\n", "evaluation.json: is no JSON"),
        (b"\xff\xfe\x00", "evaluation.json: is no JSON"),
        ("[]", "evaluation.json: version = null, but version 1 of evaluation.json is read here"),
        ('{"version": 7}', "evaluation.json: version = 7, but version 1 of evaluation.json is read here"),
        ('{"version": 1, "rows": 3}', "evaluation.json: lacks decision, reasons, reasons_text, problem_type"),
        (
            evaluations.binary().dump().replace(b'"direction": "maximize"', b'"direction": "up"', 1),
            "evaluation.json: objective.direction = 'up' is not one of maximize, minimize: give the path of an",
        ),
        (
            evaluations.binary().dump().replace(b'"rows": 400', b'"rows": "many"', 1),
            "evaluation.json: rows = 'many' is not a number: give the path of an evaluation.json",
        ),
        (
            evaluations.binary().dump().replace(b'"sha256"', b'"sha"'),
            "evaluation.json: champion.dataset lacks sha256: give the path of an evaluation.json",
        ),
    ],
)
def test_a_file_that_is_no_evaluation_is_named(folder, capsys, content, said):
    file = folder / ("missing.json" if content is None else "evaluation.json")
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    status = report("--evaluation", file)

    assert status == 2
    assert said in capsys.readouterr().err


def test_what_the_data_showed_stands_in_the_report_of_that_data_alone(folder, evaluation_file):
    evaluation = evaluations.binary()
    dated = DataFinding(
        kind="random_holdout", columns=["day"], text="Rows have <dates>.", advice="Split by time."
    )
    pages = []
    for sha256 in (evaluation.dataset.sha256, "0" * 64):
        lock(sha256=sha256, findings=[dated]).save(folder / "dataset.lock")
        assert report("--evaluation", evaluation_file, "--markdown", "build/report.md") == 0
        pages.append((folder / "build" / "report.html").read_text())
    (folder / "dataset.lock").write_text("broken")
    assert report("--evaluation", evaluation_file) == 0

    assert "Rows have &lt;dates&gt;. Split by time." in pages[0]
    assert "Findings on the data" not in pages[1]


def test_an_execution_and_a_file_together_are_refused(evaluation_file, capsys):
    assert report("abcdefghijkl", "--evaluation", evaluation_file) == 2
    assert "give an execution or a file, not both" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_named(folder, evaluation_file, capsys):
    (folder / "taken").write_text("")

    assert report("--evaluation", evaluation_file, "--output", "taken/report.html") == 2
    assert "taken/report.html: taken is no folder" in capsys.readouterr().err


def test_the_evaluation_of_an_execution_is_read_from_the_bucket(aws, config):
    document = evaluations.multiclass()
    aws.client("s3").put_object(
        Bucket=BUCKET, Key="evaluations/abcdefghijkl/evaluation.json", Body=document.dump()
    )

    assert of_execution(aws.client("s3"), Names(config(), ACCOUNT), execution()) == document


@pytest.mark.parametrize(
    ("content", "said"), [("{", "is no JSON"), ('{"version": 2}', "version = 2, but version 1")]
)
def test_an_evaluation_in_the_bucket_that_cannot_be_read_is_named(aws, config, content, said):
    aws.client("s3").put_object(Bucket=BUCKET, Key="evaluations/abcdefghijkl/evaluation.json", Body=content)

    with pytest.raises(UserError, match=f"s3://{BUCKET}/evaluations/abcdefghijkl/evaluation.json: {said}"):
        of_execution(aws.client("s3"), Names(config(), ACCOUNT), execution())


def test_an_execution_without_an_evaluation_says_why_it_has_none(aws, config):
    failed = execution(status="Failed", failure_reason="no candidate trained")

    with pytest.raises(
        RunError, match=r"abcdefghijkl has no evaluation \(status Failed\): .*no candidate trained"
    ):
        of_execution(aws.client("s3"), Names(config(), ACCOUNT), failed)


def test_what_an_execution_was_started_with_is_its_provenance():
    started = execution(parameters={"CommitId": "c" * 40, "Repository": "clinic/hospital", "RunUrl": "none"})

    assert Provenance.of(started) == Provenance(ARN, "c" * 40, "clinic/hospital")
