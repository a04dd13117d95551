"""Requests that wait for one model are asked together, and each gets what it would get alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from jobs_kit import SPECIES, Site, rows, text

from local_sagemaker.serving import BadInput, ModelError, Predictor, joining
from local_sagemaker.serving import predictor as serving_predictor
from support.waiting import wait_until

CSV = "text/csv"


def upper(request: joining.Request) -> joining.Outcome:
    """A container that answers each line in capitals, and refuses a request with a minus sign in it."""
    body, _, accept = request
    if b"-" in body:
        return "refused", f"no: {body.decode()}"
    lines = body.decode().upper().splitlines()
    return "answer", "".join(f"{line}\n" for line in lines).encode(), accept or CSV


def asked(*bodies: bytes, accept: str = "") -> tuple[list[joining.Outcome], int]:
    """The outcomes, and how often the container was asked."""
    requests, seen = [(body, CSV, accept) for body in bodies], []
    return joining.answers(lambda one: (seen.append(one), upper(one))[1], requests), len(seen)


def test_several_are_asked_once_and_answered_one_by_one():
    outcomes, times = asked(b"a,b", b"c\nd\n", b"e\n")

    assert [outcome[1] for outcome in outcomes] == [b"A,B\n", b"C\nD\n", b"E\n"]
    assert times == 1


def test_one_that_is_refused_is_so_alone_and_with_its_own_words():
    outcomes, times = asked(b"a", b"-1", b"e\n")

    assert outcomes == [("answer", b"A\n", CSV), ("refused", "no: -1"), ("answer", b"E\n", CSV)]
    assert times == 4


def test_an_answer_whose_rows_cannot_be_told_apart_is_not_split():
    outcomes, times = asked(b"a", b"b", accept="application/json")

    assert [outcome[1] for outcome in outcomes] == [b"A\n", b"B\n"]
    assert times == 3


def test_a_label_with_a_line_break_is_one_row():
    def label(request: joining.Request) -> joining.Outcome:
        return "answer", b'"x\ny"\n' * request[0].count(b"\n"), CSV

    assert joining.answers(label, [(b"1\n", CSV, ""), (b"2\n3\n", CSV, "")]) == [
        ("answer", b'"x\ny"\n', CSV),
        ("answer", b'"x\ny"\n"x\ny"\n', CSV),
    ]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", CSV),
        (b"1\n\n2", CSV),  # an empty line is a row where there is one column
        (b'"1"', CSV),
        (b"1\r\n", CSV),
        (b"\xef\xbb\xbf1", CSV),
        (b"1," * joining.MOST_BYTES, CSV),
        (b"[[1]]", "application/json"),
    ],
)
def test_what_is_no_plain_row_is_asked_by_itself(body, content_type):
    assert joining.kind((body, content_type, "")) is None
    assert joining.kind((b"1", CSV, "")) is not None


@pytest.fixture(scope="module")
def predictor(site: Site) -> Any:
    containers = site.trained(SPECIES)["BestCandidate"]["InferenceContainers"]
    started = Predictor.start(containers, site.aws.environment, site.aws.region)
    yield started
    started.stop()


@contextmanager
def held(predictor: Predictor) -> Iterator[None]:
    """The model's process stands still meanwhile, so that whoever asks has to wait."""
    process = predictor._worker.pid
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_who_was_answered_together_is_waited_for_and_asked_together_again(tmp_path, monkeypatch):
    monkeypatch.setattr(serving_predictor, "GATHERING", 1e9)
    monkeypatch.setattr(serving_predictor, "MOST_GATHERING_SECONDS", 180.0)
    predictor, sizes = Predictor(tmp_path, []), []

    def answered(given: list[Any]) -> list[joining.Outcome]:
        sizes.append(len(given))
        if len(sizes) == 1:
            wait_until(lambda: len(predictor._waiting) == 2)
        return [upper(one.request) for one in given]

    monkeypatch.setattr(predictor, "_outcomes", answered)

    def ask(times: int) -> list[bytes]:
        return [predictor.predict(b"a")[0] for _ in range(times)]

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask, 4)
        wait_until(lambda: sizes)
        answers = [first, *(pool.submit(ask, 3) for _ in range(2))]
        assert [one.result() for one in answers] == [[b"A\n"] * 4, *[[b"A\n"] * 3] * 2]

    assert sizes == [1, 3, 3, 3]


def test_of_more_than_are_asked_at_once_nobody_is_waited_for(tmp_path, monkeypatch):
    most = joining.MOST_REQUESTS
    predictor = Predictor(tmp_path, [])
    predictor._waiting = [serving_predictor._Waiting((b"a", CSV, ""), 1.0) for _ in range(most)]
    monkeypatch.setattr(predictor, "_outcomes", lambda given: [upper(one.request) for one in given])

    predictor._answer([serving_predictor._Waiting((b"a", CSV, ""), 1.0)])

    assert predictor._together == most


@pytest.mark.slow
def test_waiting_requests_get_what_each_gets_alone(predictor, monkeypatch):
    lines = [text([record[:-1]]).encode() for record in rows(SPECIES, 24, seed=3)]
    bodies = [*lines, b"not a number,red,1\n", b"1,2\n", lines[0] + lines[1]]
    alone = [outcome_of(predictor, body) for body in bodies]
    sizes: list[int] = []
    ask = predictor._outcomes
    monkeypatch.setattr(predictor, "_outcomes", lambda given: (sizes.append(len(given)), ask(given))[1])

    with ThreadPoolExecutor(len(bodies)) as pool:
        with held(predictor):
            waiting = [pool.submit(outcome_of, predictor, body) for body in bodies]
            wait_until(lambda: len(predictor._waiting) == len(bodies) - 1)
        together = [one.result() for one in waiting]

    assert together == alone
    assert sizes[0] == 1
    assert max(sizes) >= sum(joining.kind((body, CSV, "")) is not None for body in bodies) - 1
    assert [kind for kind, _ in alone].count("ModelError") == 2


@pytest.mark.slow
def test_where_the_process_dies_with_several_in_it_each_is_asked_by_itself(predictor, monkeypatch):
    body = text([rows(SPECIES, 1, seed=3)[0][:-1]]).encode()
    expected = outcome_of(predictor, body)
    ask, broken = predictor._outcomes, []

    def breaking(given: list[Any]) -> Any:
        if len(given) > 1:
            broken.append(len(given))
            predictor._worker.kill()
            return None
        return ask(given)

    monkeypatch.setattr(predictor, "_outcomes", breaking)

    with ThreadPoolExecutor(8) as pool:
        with held(predictor):
            waiting = [pool.submit(outcome_of, predictor, body) for _ in range(8)]
            wait_until(lambda: len(predictor._waiting) == 7)
        assert [one.result() for one in waiting] == [expected] * 8

    assert broken == [7]


def outcome_of(predictor: Predictor, body: bytes) -> tuple[str, Any]:
    try:
        return "answer", predictor.predict(body)
    except (BadInput, ModelError) as error:
        return type(error).__name__, str(error)
