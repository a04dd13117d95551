"""Requests to an endpoint: how they are answered, spread and counted, without AWS."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from automl_gitops.kernel.csv_text import read_rows, write_row
from automl_gitops.verification.client import Client, Stream, run_load

BODIES = [b"0\n", b"1\n", b"2\n"]


class Runtime:
    """In the place of boto3's client: answers with the body, or as ``refuse`` raises."""

    def __init__(self, refuse=None):
        self.bodies = []
        self.refuse = refuse or (lambda body: None)

    def invoke_endpoint(self, **request):
        body = request["Body"]
        self.bodies.append(body)
        error = self.refuse(body)
        if error:
            raise error
        return {"Body": Content(body), "ContentType": "text/csv"}


class Content:
    def __init__(self, content):
        self.content = content

    def read(self):
        return self.content


def client_of(runtime):
    return Client(runtime, "readmission-production")


def refused(code, status, **more):
    answer = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(answer, "InvokeEndpoint")


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (refused("ModelError", 424, OriginalStatusCode=400, OriginalMessage="a value too few"), 400, "a value too few"),
        (refused("ValidationError", 400), 400, "no (ValidationError)"),
        (refused("ThrottlingException", 429), 429, "no (ThrottlingException)"),
        (ReadTimeoutError(endpoint_url="https://x"), 0, 'Read timeout on endpoint URL: "https://x"'),
        (ConnectTimeoutError(endpoint_url="https://x"), 0, 'Connect timeout on endpoint URL: "https://x"'),
        (
            EndpointConnectionError(endpoint_url="https://x"),
            0,
            'Could not connect to the endpoint URL: "https://x"',
        ),
    ],
)  # fmt: skip
def test_a_request_that_failed_is_an_answer(error, status, body):
    answer = client_of(Runtime(lambda _: error)).send(b"1\n")

    assert (answer.ok, answer.status, answer.body) == (False, status, body)


def test_rights_that_are_missing_are_no_answer():
    client = client_of(Runtime(lambda _: refused("AccessDeniedException", 403)))

    with pytest.raises(ClientError):
        client.send(b"1\n")
    with pytest.raises(ClientError):
        run_load(client, BODIES, requests=10, concurrency=2)


def test_a_load_sends_as_many_requests_as_it_says_each_body_in_its_turn():
    runtime = Runtime(lambda body: refused("ModelError", 424) if body == b"1\n" else None)

    load = run_load(client_of(runtime), BODIES, requests=7, concurrency=3)

    assert sorted(runtime.bodies) == sorted([*BODIES, *BODIES, BODIES[0]])
    assert (load.requests, load.failed, load.concurrency) == (7, 2, 3)
    assert load.first_failure == "500: no"
    assert load.p50_ms is not None


def test_a_load_ends_when_its_time_is_over():
    held = threading.Event()
    client = client_of(Runtime(lambda _: held.wait(0.05) and None))

    load = run_load(client, BODIES, requests=1000, concurrency=2, max_seconds=0.2)

    assert 0 < load.requests < 1000


def test_a_stream_tells_which_body_was_answered_how_until_its_block_ends():
    heard, enough = [], threading.Event()

    def hear(index, answer):
        heard.append((index, answer.body))
        if len(heard) >= 9:
            enough.set()

    with Stream(client_of(Runtime()), BODIES, hear, senders=2, pause=0.001) as stream:
        assert enough.wait(30)
    count = len(heard)

    assert {*heard} == {(0, "0\n"), (1, "1\n"), (2, "2\n")}
    assert stream.error is None
    assert len(heard) == count


def test_an_error_of_whoever_listens_ends_the_stream_and_is_kept():
    runtime = Runtime()

    def hear(index, answer):
        raise RuntimeError("cannot report")

    with Stream(client_of(runtime), BODIES, hear) as stream:
        stream.wait(30)

    assert str(stream.error) == "cannot report"
    assert runtime.bodies == [b"0\n"]


@pytest.mark.parametrize(
    "rows",
    [
        [["1", "a"], ["2", 'say "b", please']],
        [["line\nbreak", ""], ["", ""]],
        [["ä"], [" "]],
    ],
)
def test_rows_of_csv_are_read_as_they_were_written(rows):
    text = b"".join(map(write_row, rows)).decode()

    assert [row for _, row in read_rows(text.splitlines(keepends=True))] == rows


def test_rows_have_the_number_of_their_last_line_and_empty_ones_are_none():
    assert [*read_rows(["a,b\n", "\n", '1,"x\n', 'y"\n'])] == [(1, ["a", "b"]), (4, ["1", "x\ny"])]


@pytest.mark.parametrize("text", ['1,"a\n', '1,"a"b\n'])
def test_text_that_is_no_csv_is_refused_with_the_line(text):
    with pytest.raises(ValueError, match=r"^line 1: "):
        [*read_rows([text])]
