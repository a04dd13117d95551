"""Model archives answer requests as Autopilot's containers do."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import pickle
import signal
import tarfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jobs_kit import BUCKET, PRICE, RETURNS, SPECIES, Site, rows, text

from local_sagemaker.serving import BadInput, ModelError, Predictor
from support.waiting import PATIENCE, wait_until

ALL_KEYS = "predicted_label,probability,probabilities,labels"
WITHOUT_LABELS = "predicted_label,probability,probabilities"
Start = Callable[..., Predictor]


@pytest.fixture
def start(site: Site) -> Iterator[Start]:
    """Start a predictor of a kind's best candidate; each dictionary changes one container's environment."""
    started: list[Predictor] = []

    def of(kind: str, *environments: dict[str, str], archive: str | None = None) -> Predictor:
        containers = [dict(c) for c in site.trained(kind)["BestCandidate"]["InferenceContainers"]]
        for container, changed in zip(containers, environments, strict=False):
            container["Environment"] = container["Environment"] | changed
        if archive is not None:
            containers[0]["ModelDataUrl"] = archive
        started.append(Predictor.start(containers, site.aws.environment, site.aws.region))
        return started[-1]

    yield of
    for predictor in started:
        predictor.stop()


@pytest.fixture(scope="module")
def shared(site: Site) -> Iterator[Predictor]:
    """One predictor for the tests that change nothing about it."""
    containers = site.trained(SPECIES)["BestCandidate"]["InferenceContainers"]
    predictor = Predictor.start(containers, site.aws.environment, site.aws.region)
    yield predictor
    predictor.stop()


def features(kind: str, count: int = 40, seed: int = 9) -> tuple[bytes, list[str]]:
    """The body of a request, and the truth."""
    records = rows(kind, count, seed)
    return text([record[:-1] for record in records]).encode(), [record[-1] for record in records]


def answered(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode())))


def test_labels_come_back_as_they_were_written(start: Start) -> None:
    body, truth = features(SPECIES)

    answer, content_type = start(SPECIES).predict(body)

    labels = [row[0] for row in answered(answer)]
    assert content_type == "text/csv"
    assert set(labels) == {"01", "1.50", 'a, "b"'}
    assert sum(a == b for a, b in zip(labels, truth, strict=True)) >= 0.8 * len(truth)


def test_every_key_is_answered_as_the_service_writes_it(start: Start) -> None:
    body, _ = features(SPECIES)

    answer, _ = start(SPECIES, {"SAGEMAKER_INFERENCE_OUTPUT": ALL_KEYS}).predict(body)

    for label, probability, probabilities, labels in answered(answer):
        values, names = ast.literal_eval(probabilities), ast.literal_eval(labels)
        assert names == ["01", "1.50", 'a, "b"']
        assert sum(values) == pytest.approx(1, abs=1e-5)
        assert float(probability) == values[names.index(label)]


def test_keys_that_a_container_does_not_support_are_left_out(start: Start) -> None:
    body, _ = features(SPECIES, 2)
    asked = {
        "SAGEMAKER_INFERENCE_OUTPUT": "labels,probability",
        "SAGEMAKER_INFERENCE_SUPPORTED": "probability",
    }

    answer, _ = start(SPECIES, asked).predict(body)

    (value,) = answered(answer)[0]
    assert 0 < float(value) <= 1


def test_json_in_and_out(start: Start) -> None:
    body, _ = features(SPECIES, 2)
    records = [
        {"length": float(length), "colour": colour, "spots": float(spots) if spots else None}
        for length, colour, spots in answered(body)
    ]
    predictor = start(SPECIES, {"SAGEMAKER_INFERENCE_OUTPUT": ALL_KEYS})

    answer, content_type = predictor.predict(
        json.dumps(records).encode(), "application/json", "application/json"
    )
    by_position, _ = predictor.predict(
        json.dumps([list(record.values()) for record in records]).encode(), "application/json"
    )
    as_csv, _ = predictor.predict(body)

    predictions = json.loads(answer)["predictions"]
    assert content_type == "application/json"
    assert set(predictions[0]) == set(ALL_KEYS.split(","))
    assert [p["predicted_label"] for p in predictions] == [row[0] for row in answered(as_csv)]
    assert by_position == as_csv


def test_regression_answers_numbers(start: Start) -> None:
    body, truth = features(PRICE)
    predictor = start(PRICE)

    answer, _ = predictor.predict(body)
    as_json, _ = predictor.predict(body, accept="application/json")

    values = [float(row[0]) for row in answered(answer)]
    errors = [abs(value - float(real)) for value, real in zip(values, truth, strict=True)]
    assert sum(errors) / len(errors) < 8  # prices go from 10 to 90
    assert [p["score"] for p in json.loads(as_json)["predictions"]] == values


def test_chain_of_tuned_containers_gives_the_probability_of_the_true_class(start: Start) -> None:
    body, truth = features(RETURNS)
    algorithm = {"SAGEMAKER_INFERENCE_OUTPUT": WITHOUT_LABELS}
    labels = {"SAGEMAKER_INFERENCE_INPUT": WITHOUT_LABELS, "SAGEMAKER_INFERENCE_OUTPUT": ALL_KEYS}

    answer, _ = start(RETURNS, {}, algorithm, labels).predict(body)

    found = answered(answer)
    assert {row[0] for row in found} == {"False", "True"}
    assert sum(row[0] == real for row, real in zip(found, truth, strict=True)) >= 0.8 * len(truth)
    for _, probability, probabilities, names in found:
        assert ast.literal_eval(names) == ["False", "True"]
        assert float(probability) == ast.literal_eval(probabilities)[1]


def test_chain_answers_labels_alone_by_default_and_json(start: Start) -> None:
    body, _ = features(RETURNS, 3)
    predictor = start(RETURNS)

    answer, _ = predictor.predict(body)
    as_json, content_type = predictor.predict(body, accept="application/json")

    assert all(len(row) == 1 for row in answered(answer))
    assert content_type == "application/json"
    labels = [p["predicted_label"] for p in json.loads(as_json)["predictions"]]
    assert labels == [row[0] for row in answered(answer)]


def test_containers_whose_keys_do_not_fit_fail(start: Start) -> None:
    body, _ = features(RETURNS, 1)

    predictor = start(RETURNS, {}, {}, {"SAGEMAKER_INFERENCE_INPUT": WITHOUT_LABELS})

    with pytest.raises(ModelError, match="does not answer with"):
        predictor.predict(body)


UNREADABLE = [
    (b"", "text/csv", "no row"),
    (b"\n", "text/csv", "no row"),
    (b"1,red", "text/csv", "with 3 columns: .*Expected 3 columns, got 2"),
    (b"1,red,1,01", "text/csv", "Expected 3 columns, got 4"),
    (b"1,red,1\n1,red\n", "text/csv", "Expected 3 columns, got 2"),
    (b"1,red,1\n1,red,1,1\n", "text/csv", "Expected 3 columns, got 4"),
    (b"1,red,1\nlong,red,1\n", "text/csv", "row 2: 'long' in column 'length' is not a number"),
    (b"length,colour,spots\n1,red,1\n", "text/csv", "row 1: 'length'"),
    (b"{", "application/json", "not JSON"),
    (b"[]", "application/json", "not a list of rows"),
    (b'[{"length": 1}]', "application/json", "column 'colour' is missing"),
    (b"[[1, 2]]", "application/json", "not every row"),
    (b"1,\xff\xfe,1", "text/csv", "invalid UTF8"),
]


@pytest.mark.parametrize(("body", "content_type", "reason"), UNREADABLE)
def test_rows_that_an_ensemble_cannot_read_are_its_error(
    shared: Predictor, body: bytes, content_type: str, reason: str
) -> None:
    with pytest.raises(ModelError, match=f"ValueError: .*{reason}"):
        shared.predict(body, content_type)


@pytest.mark.parametrize(
    ("content_type", "accept", "reason"),
    [("image/png", "", "Content type 'image/png'"), ("text/csv", "image/png", "Accept 'image/png'")],
)
def test_a_type_that_the_container_does_not_know_is_refused(
    shared: Predictor, content_type: str, accept: str, reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        shared.predict(b"1,red,1", content_type, accept)


def test_rows_that_the_tuning_mode_s_containers_cannot_read_are_refused(start: Start) -> None:
    predictor = start(RETURNS)
    body, _ = features(RETURNS, 1)
    row = body.rstrip()

    for wrong in (row + b",1", row.rpartition(b",")[0]):
        with pytest.raises(BadInput, match="columns, got"):
            predictor.predict(wrong)


def test_missing_values_and_unknown_categories_are_no_error(shared: Predictor) -> None:
    answer, _ = shared.predict(b',,\n5,never seen,NaN\n2,"quoted, with comma",1\n')

    assert len(answered(answer)) == 3


def test_threads_take_turns(shared: Predictor) -> None:
    body, _ = features(SPECIES, 20)
    alone = shared.predict(body)
    together: list[Any] = [None] * 8

    def ask(number: int) -> None:
        together[number] = shared.predict(body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(together))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert together == [alone] * len(together)


def test_worker_that_died_is_replaced(start: Start) -> None:
    predictor = start(SPECIES)
    body, _ = features(SPECIES, 2)
    before = predictor.predict(body)
    worker = predictor._worker
    assert worker is not None

    os.kill(worker.pid, signal.SIGKILL)
    wait_until(worker.poll, lambda status: status is not None)

    assert predictor.predict(body) == before


def test_answer_that_takes_too_long_is_an_error_and_no_hang(start: Start) -> None:
    predictor = start(SPECIES)
    body, _ = features(SPECIES, 2)
    worker = predictor._worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGSTOP)

    with pytest.raises(ModelError, match=r"No answer within 0\.1 seconds"):
        predictor.predict(body, timeout=0.1)

    assert answered(predictor.predict(body)[0])


def test_stopped_predictor_leaves_nothing(site: Site, start: Start) -> None:
    predictor = start(SPECIES)
    worker, folder = predictor._worker, predictor.log.parent
    assert worker is not None

    predictor.stop()

    assert worker.poll() is not None
    assert not folder.exists()
    with pytest.raises(ModelError, match="stopped"):
        predictor.predict(b"1,red,1")


def test_archive_with_other_labels_answers_wrong(site: Site, start: Start) -> None:
    body, _ = features(SPECIES, 3)
    archive = _changed(site, labels=["cat", "dog", "bird"])

    answer, _ = start(SPECIES, archive=archive).predict(body)

    assert {row[0] for row in answered(answer)} <= {"cat", "dog", "bird"}


def test_archive_whose_model_raises_is_an_error_with_each_request(start: Start, site: Site) -> None:
    predictor = start(SPECIES, archive=_changed(site, labels=[]))
    body, _ = features(SPECIES, 3)

    for _ in range(2):
        with pytest.raises(ModelError, match="IndexError"):
            predictor.predict(body)


def test_archive_that_is_none_cannot_be_loaded(site: Site, start: Start) -> None:
    archive = site.put("broken/text.tar.gz", "no archive")

    with pytest.raises(ModelError, match="not a model archive"):
        start(SPECIES, archive=archive)


def test_archive_that_is_missing_cannot_be_loaded(site: Site, start: Start) -> None:
    with pytest.raises(ModelError, match="Failed to download model data"):
        start(SPECIES, archive=f"s3://{BUCKET}/broken/none.tar.gz")


def test_archive_cannot_write_beyond_its_folder(site: Site, start: Start) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo("../escaped")
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    archive = site.put("broken/escape.tar.gz", buffer.getvalue())

    with pytest.raises(ModelError, match="outside"):
        start(SPECIES, archive=archive)


def test_model_gets_no_credentials(site: Site, start: Start) -> None:
    # The archive's nature is to run code when it is loaded: what it sees is an environment without any key.
    seen = site.aws.directory / "environment-of-a-model"
    archive = _changed(site, {"predictor/predictor.pkl": pickle.dumps(_Spy(str(seen)))})

    with pytest.raises(ModelError):
        start(SPECIES, archive=archive)

    names = seen.read_text().split()
    assert "PATH" in names
    assert not [name for name in names if name.startswith("AWS_")]


class _Spy:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"import os; open({self.path!r}, 'w').write(' '.join(os.environ))",)


def _changed(site: Site, files: dict[str, bytes] | None = None, **description: Any) -> str:
    """The archive of the best candidate with another description, or other files."""
    url = site.trained(SPECIES)["BestCandidate"]["InferenceContainers"][0]["ModelDataUrl"]
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(site.get(url))) as old,
        tarfile.open(fileobj=buffer, mode="w:gz") as new,
    ):
        for member in old:
            content = old.extractfile(member).read() if member.isfile() else None
            if member.name == "model.json":
                content = json.dumps(json.loads(content) | description).encode()
            content = (files or {}).get(member.name, content)
            member.size = len(content or b"")
            new.addfile(member, io.BytesIO(content) if content is not None else None)
    return site.put(f"broken/{site.name('archive')}.tar.gz", buffer.getvalue())
