"""Work on several threads keeps the order of its items, and of what goes wrong."""

from collections.abc import Iterator

import pytest

from automl_evaluation import ahead


@pytest.fixture(autouse=True, params=[1, 3])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "THREADS", request.param)


def test_results_come_in_order() -> None:
    assert list(ahead.in_order(lambda number: number**2, range(20))) == [number**2 for number in range(20)]


def test_errors_come_in_their_turn() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            drawn.append(number)
            yield number
        raise RuntimeError("the sixth")

    results = ahead.in_order(str, items())
    assert [next(results) for _ in range(5)] == list("01234")
    with pytest.raises(RuntimeError, match="the sixth"):
        next(results)

    drawn.clear()
    with pytest.raises(ZeroDivisionError):
        list(ahead.in_order(lambda number: 1 / number, items()))
    assert len(drawn) <= 1 + ahead.THREADS
