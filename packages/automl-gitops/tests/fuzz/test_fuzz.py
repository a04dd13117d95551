"""Every entry point, with what strangers may send: an error of ours in one sentence, and nothing that steers an output.

50 inputs an entry point here; `make test-fuzz` tries 10,000 and writes how many it were to build/fuzz.json.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from inputs import JSON, JSON_TEXTS, NASTY, TEXTS, archives, as_json, edited, tables, tomls
from lambdas import check_autopilot

from automl_gitops.data import inspect
from automl_gitops.data.contract import Contract
from automl_gitops.data.lock import DatasetLock
from automl_gitops.github import pull_request
from automl_gitops.kernel import markdown
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output, printed
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.words import is_unseen, one_line, quoted
from automl_gitops.promotion.production_file import ProductionFile
from automl_gitops.verification.checks import numbers
from automl_gitops.verification.payload import parse_csv, parse_json
from automl_rehearsal import first_look
from automl_rehearsal.first_look import Task, Wish
from local_sagemaker.serving import archive
from local_sagemaker.serving.errors import ModelError
from support.project import PROJECT

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "50"))
COUNTS = os.environ.get("FUZZ_COUNTS")
TRIED: dict[str, int] = {}
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not COUNTS,
    database=None,
    suppress_health_check=list(HealthCheck),
)
AUTOML = (PROJECT / "automl.toml").read_text()
PRODUCTION = (PROJECT / "environments" / "production.toml").read_text()
CONTRACT = """block = ["duplicate_rows"]
[table]
least_rows = 1
keys = [["age", "ward"]]
rules = ["age > 1"]
[columns.age]
type = "integer"
least = 0
[columns.seen]
type = "date"
most = 2026-01-31
[columns.ward]
type = "text"
values = ["A", "B"]
length = 3
missing = 0.1
"""
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/readmission/12"
PROMOTED = ProductionFile(model_package_arn=ARN, version=12, metrics={"f1_macro": 0.4}).text()
MESSAGE = {
    "token": "a" * 10,
    "pipelineExecutionArn": "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/readmission/execution/abcdefghijkl",
    "status": "Executing",
    "arguments": {
        "automl_job_name": "readmission-abcdefghijkl",
        "started_at": "2026-11-01T00:00:00Z",
        "max_seconds": "3600",
        "request_uri": "s3://bucket/autopilot/abcdefghijkl/request.json",
    },
}


@pytest.fixture(autouse=True, scope="module")
def counted() -> Iterator[None]:
    yield
    if COUNTS:
        path = Path(COUNTS)
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(known | TRIED, indent=1, sort_keys=True))


def note(name: str) -> None:
    TRIED[name] = TRIED.get(name, 0) + 1


def is_clean(text: str) -> bool:
    """Whether a terminal shows the text and does nothing else, and GitHub's runner finds no command in it."""
    command = "##[" in text or re.search(r"^\s*::[a-z-]+( .*?)?::", text, re.IGNORECASE | re.MULTILINE)
    return not any(character != "\n" and is_unseen(character) for character in text) and not command


def refused_or(read: Callable[[], object]) -> object:
    """What ``read`` gives, or `None` where it refuses in a sentence that any output may show."""
    try:
        return read()
    except (UserError, RunError) as error:
        sentence = str(error)
    assert sentence
    assert is_clean(printed(sentence))
    return None


LOCK = DatasetLock.model_validate(
    {
        "name": "hospital",
        "source": "hospital.csv",
        "synthetic": False,
        "sha256": "a" * 64,
        "target": "label",
        "holdout": 0.2,
        "seed": 1,
        "rows": {"total": 10, "train_validation": 8, "test": 2},
        "uris": {"train_validation": "s3://b/t.csv", "x_test": "s3://b/x/", "y_test": "s3://b/y/"},
        "columns": [{"name": "age", "type": "integer"}, {"name": "label", "type": "text"}],
        "classes": {"no": 6, "yes": 4},
    }
).text()
# As older versions wrote it: a checksum would refuse each edit alike.
LOCK = re.sub(r"^checksum = .*\n", "", LOCK, flags=re.MULTILINE)


@fuzzed
@given(tomls(AUTOML))
def test_automl_toml(text: str) -> None:
    note("automl.toml")
    refused_or(lambda: Config.parse(text))


@fuzzed
@given(tomls(LOCK))
def test_dataset_lock(text: str) -> None:
    note("dataset.lock")
    lock = refused_or(lambda: DatasetLock.parse(text))
    if isinstance(lock, DatasetLock):
        assert DatasetLock.parse(lock.text()).text() == lock.text()  # NaN equals nothing


@fuzzed
@given(st.one_of(tomls(PROMOTED), tomls(PRODUCTION)))
def test_production_toml(text: str) -> None:
    note("environments/production.toml")
    refused_or(lambda: ProductionFile.parse(text))


@fuzzed
@given(tomls(CONTRACT))
def test_contract_toml(text: str) -> None:
    note("contract.toml")
    refused_or(lambda: Contract.parse(text))


@fuzzed
@example(content=b"\xe2\x80\xae\n\x1b[2J")  # one column
@example(content=b"\xe2\x80\xae,a\n\x1b[2J,1\n\x1b[2J,2\n")  # shown in a table
@example(content=b"::error::x,a\n::set-output name=x::y,1\n::set-output name=x::y,2\n")  # where a line begins
@given(content=tables())
def test_a_table(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    note("a data set's file")
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    path.write_bytes(content)

    facts = refused_or(lambda: inspect.inspect(path))

    if isinstance(facts, dict):
        output = Output()
        with output.console.capture() as captured:
            inspect.show(output, facts)
        assert is_clean(captured.get())
        json.dumps(facts)


@fuzzed
@given(st.one_of(edited('a,b\n1,"2"\n'), TEXTS), JSON_TEXTS)
def test_an_endpoint_s_answer(lines: str, document: str) -> None:
    note("an endpoint's answer")
    for read in (
        lambda: parse_csv(lines, ["predicted_label", "probability"]),
        lambda: parse_json(document, ["predicted_label", "probability"]),
        lambda: parse_json(document, ["score"]),
        lambda: numbers(document),
        lambda: numbers(lines),
    ):
        with contextlib.suppress(ValueError):  # which verification takes for a wrong answer
            read()


class Tags(HTMLParser):
    """Notes whatever a browser would take for markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)

    handle_endtag = handle_comment = handle_decl = handle_pi = handle_starttag_alone = (  # type: ignore[assignment]
        lambda self, text: self.found.append(text)
    )


@fuzzed
@example("\u202e")
@given(TEXTS)
def test_a_name_a_label_a_title_or_a_branch_in_an_output(text: str) -> None:
    note("a name, label, title or branch")
    assert is_clean(printed(text))
    assert is_clean(printed(quoted(text)))
    assert is_clean(printed(one_line(text, 100)))
    assert not any(is_unseen(character) for character in one_line(text, 100))
    assert len(one_line(text, 100)) <= 100
    shown = markdown.escape(text)
    assert not any(is_unseen(character) for character in shown.replace("\N{ZERO WIDTH SPACE}", ""))
    assert "\n" not in shown
    assert not re.search(r"[<>|`*\[\]]|@\w", shown)
    tags = Tags()
    tags.feed(shown)
    tags.close()
    assert tags.found == []
    assert markdown.code(text).count("`") in (0, 2)
    fence, *_, last = markdown.fenced(text.split("\n")).split("\n")
    assert fence.removesuffix("text") == last
    assert markdown.fenced(text.split("\n")).count(last) == 2


class Service:
    """SageMaker, SQS and S3 as the function sees them: each call is answered, the job trains."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> dict[str, Any]:
            self.sent.append(parameters)
            if operation == "describe_auto_ml_job_v2":
                raise check_autopilot.ClientError(
                    {"Error": {"Code": "ResourceNotFound", "Message": ""}}, operation
                )
            return {"PipelineExecutionStatus": "Stopped"}

        return call


@st.composite
def messages(draw: st.DrawFn) -> str:
    """A callback message with a part of a stranger's, or all of it."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.one_of(JSON_TEXTS, edited(json.dumps(MESSAGE))))
    message = json.loads(json.dumps(MESSAGE))
    place = draw(st.sampled_from((message, message["arguments"])))
    key = draw(st.sampled_from(sorted(place)))
    if draw(st.booleans()):
        place[key] = draw(JSON)
    else:
        del place[key]
    return as_json(message)


@fuzzed
@given(body=messages())
def test_a_callback_message(body: str) -> None:
    note("a callback message")
    service = Service()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_autopilot, "client", lambda name: service)
        patch.setenv("QUEUE_URL", "queue")
        patch.setenv("DEAD_LETTER_QUEUE_URL", "dead-letters")
        patch.setattr(check_autopilot, "is_handled", check_autopilot.is_done)  # an error would be this test's
        record = {
            "messageId": "m",
            "receiptHandle": "r",
            "body": body,
            "attributes": {"SentTimestamp": "1790000000000", "ApproximateReceiveCount": "1"},
        }

        answer = check_autopilot.handler({"Records": [record]}, None)

    assert set(answer) == {"batchItemFailures"}
    for parameters in service.sent:
        reason = parameters.get("FailureReason") or parameters.get("MessageAttributes", {}).get(
            "reason", {}
        ).get("StringValue")
        assert reason is None or (reason.isprintable() and 0 < len(reason) <= 256)


@fuzzed
@given(content=archives())
def test_a_model_archive(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    note("a model archive")
    folder = tmp_path_factory.getbasetemp() / "archive"
    shutil.rmtree(folder, ignore_errors=True)
    inside = folder / "inside"
    inside.mkdir(parents=True)
    path = folder / "model.tar.gz"
    path.write_bytes(content)

    with contextlib.suppress(ModelError):
        archive.unpack(path, inside)
    with contextlib.suppress(ValueError):
        archive.spoil(path)

    assert {one.name for one in folder.iterdir()} == {"inside", "model.tar.gz"}
    assert all(Path(os.path.realpath(one)).is_relative_to(inside.resolve()) for one in inside.rglob("*"))


@fuzzed
@example(text="", content=b"", name="9" * 300)  # which no file system takes
@example(text="", content=b"", name="\x00/0")
@example(text="", content=b"", name="~nobody/0")
@given(text=tomls(AUTOML), content=tables(), name=TEXTS)
def test_a_demo_s_file(
    tmp_path_factory: pytest.TempPathFactory, text: str, content: bytes, name: str
) -> None:
    note("a demo's file and its name")
    folder = tmp_path_factory.getbasetemp()
    (folder / "looked.toml").write_bytes(text.encode("utf-8", "replace"))
    with contextlib.suppress(UserError):
        first_look.of_project(Wish(), folder / "looked.toml")
    (folder / "looked.csv").write_bytes(content)
    task = Task("label", "")
    for data in (str(folder / "looked.csv"), name):
        with contextlib.suppress(UserError):
            first_look.look(Wish(data), task)


@pytest.fixture(scope="module")
def github() -> Iterator[dict[str, Any]]:
    """A GitHub whose next answers are the test's to choose: status and body."""
    chosen: dict[str, Any] = {"status": 200, "body": b"{}"}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(chosen["status"])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(chosen["body"])))
            self.end_headers()
            self.wfile.write(chosen["body"])

        do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 - as http.server calls them

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    chosen["url"] = f"http://127.0.0.1:{server.server_port}"
    yield chosen
    server.shutdown()
    server.server_close()


COMMENT = {
    "id": 1,
    "body": pull_request.MARKER,
    "html_url": "https://x",
    "url": "https://x",
    "user": {"login": "a"},
}


@fuzzed
@example(status=200, body="NaN")
@example(status=422, body='{"errors": 3}')
@given(
    status=st.sampled_from((200, 201, 401, 403, 404, 409, 422, 429)),
    body=st.one_of(
        JSON_TEXTS,
        edited(json.dumps([COMMENT])),
        edited(json.dumps({"number": 1, "default_branch": "main", "object": {"sha": "0" * 40}})),
        st.builds(lambda message, errors: as_json({"message": message, "errors": errors}), TEXTS, JSON),
    ),
)
def test_an_answer_of_github(github: dict[str, Any], tmp_path_factory: Any, status: int, body: str) -> None:
    note("an answer of GitHub")
    github |= {"status": status, "body": body.encode("utf-8", "replace")}
    report = tmp_path_factory.getbasetemp() / "report.md"
    report.write_text("a report")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "GITHUB_TOKEN": "t",
            "GITHUB_API_URL": github["url"],
            "GITHUB_REPOSITORY": "owner/name",
            "PULL_REQUEST": "1",
        }.items():
            patch.setenv(name, value)
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        refused_or(lambda: pull_request.comment("owner/name", [report]))
        host = refused_or(lambda: pull_request.Host.connect("owner/name"))
        if isinstance(host, pull_request.Host):
            refused_or(lambda: host.read("automl.toml"))
            refused_or(lambda: host.pull_request_of("0" * 40))


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (Config.parse, AUTOML),
        (DatasetLock.parse, LOCK),
        (ProductionFile.parse, PROMOTED),
        (ProductionFile.parse, PRODUCTION),
        (Contract.parse, CONTRACT),
    ],
)
def test_what_is_edited_is_right_before(read: Callable[[str], object], text: str) -> None:
    """Of a text that is refused anyway, nothing behind the first mistake would be tried."""
    assert read(text)


def test_what_is_known_to_be_nasty_is_among_the_inputs() -> None:
    assert {"\x1b[2J", "=1+1", "../../etc/passwd", "${{ github.token }}"} <= set(NASTY)
