"""Differences where one model's figure is at an end, so that draws of the rows show no spread of it."""

import numpy as np
import pytest

from automl_evaluation.apart import mover
from automl_evaluation.assess_classes import Groups, Model, assess, figures
from automl_evaluation.clusters import Clusters
from automl_evaluation.document import differences
from automl_evaluation.shares import share

RARE = np.repeat([1, 0], [16, 404])
GROUPED = Clusters(np.arange(420) // 2, 210)  # two rows each, of one class


def groups_of(
    truth: np.ndarray,
    candidate: np.ndarray,
    champion: np.ndarray | None = None,
    clusters: Clusters | None = None,
) -> Groups:
    other = Model(champion) if champion is not None else None
    return assess(truth, Model(candidate), other, 2, 1, clusters)[0]


def test_newcombes_example_of_two_shares() -> None:
    """56 of 70 and 48 of 80: Newcombe (1998), table II, (a), method 10."""
    difference = mover(share(56, 70), share(48, 80))

    assert difference.value == pytest.approx(0.2)
    assert difference.interval(0.95) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize("clusters", [None, GROUPED])
def test_a_model_that_finds_no_row_of_a_small_class_may_find_some(clusters: Clusters | None) -> None:
    groups = groups_of(RARE, np.zeros_like(RARE), clusters=clusters)
    found = groups["candidate - baseline"]

    low, high = found["recall"].interval(0.95)
    assert (found["recall"].value, low) == (-1, -1)
    assert high == pytest.approx(-1 + groups["candidate"]["recall"].interval(0.95)[1])
    assert high >= -0.81
    low, high = found["f1"].interval(0.95)
    assert low < found["f1"].value < 0 < high  # F1 of its own reaches to 0.32, always "1" has 0.07
    assert found["precision"].interval(0.95) is None  # of no row
    assert {
        name: one.verdict for name, one in differences(found, 0.95).items() if one.verdict != "undecided"
    } == {"recall": "worse"}
    # It answers as the other baseline does, on each row.
    assert found["balanced_accuracy"].interval(0.95) == (0, 0)


@pytest.mark.parametrize("name", ["recall", "f1", "balanced_accuracy", "f1_macro", "f1_weighted"])
@pytest.mark.parametrize("clusters", [None, GROUPED])
def test_without_an_error_a_model_may_still_make_some(name: str, clusters: Clusters | None) -> None:
    half = RARE.copy()
    half[:8] = 0

    groups = groups_of(RARE, RARE, half, clusters)

    low, high = groups["candidate - champion"][name].interval(0.95)
    _, end = groups["champion"][name].interval(0.95)
    distance = groups["candidate - champion"][name].value
    assert low < 1 - end < distance < high


def test_two_models_without_an_error_where_it_counts_are_certain_only_if_they_answer_alike() -> None:
    other = RARE.copy()
    other[-3:] = 1

    low, high = groups_of(RARE, RARE, other)["candidate - champion"]["recall"].interval(0.95)

    assert (low, high) == pytest.approx((-0.1936, 0.1936), abs=1e-4)
    assert groups_of(RARE, RARE, RARE)["candidate - champion"]["recall"].interval(0.95) == (0, 0)


@pytest.mark.parametrize("clusters", [None, GROUPED])
def test_an_area_of_1_is_as_certain_as_its_rarer_class_is_frequent(clusters: Clusters | None) -> None:
    generator = np.random.default_rng(0)
    noisy = np.clip(0.3 + 0.3 * RARE + generator.normal(0, 0.1, len(RARE)), 0.01, 0.99)
    models = [
        Model(
            RARE, figures(np.stack((1 - score, score)), [0, 1], RARE, RARE, 1, draw=False, clusters=clusters)
        )
        for score in (0.1 + 0.8 * RARE, noisy)
    ]

    groups = assess(RARE, *models, 2, 1, clusters)[0]

    assert groups["candidate"]["auc"].value == 1
    low, high = groups["candidate - baseline"]["auc"].interval(0.95)
    assert (low, high) == pytest.approx(
        (0.5 - 3.8415 / ((16 if clusters is None else 8) + 3.8415), 0.5), abs=1e-4
    )
    low, high = groups["candidate - champion"]["auc"].interval(0.95)
    assert low < 0 < groups["candidate - champion"]["auc"].value < high
    low, high = groups["candidate - baseline"]["average_precision"].interval(0.95)
    assert low < groups["candidate - baseline"]["average_precision"].value - 0.19 < high
    same = assess(RARE, models[0], models[0], 2, 1, clusters)[0]
    assert same["candidate - champion"]["auc"].interval(0.95) == (0, 0)


def test_the_difference_holds_where_a_small_class_is_not_found() -> None:
    """The baseline has all the recall and the candidate 5 %: draws alone held that in the half of all data sets."""
    generator, held, blind, data_sets = np.random.default_rng(3), 0, 0, 150

    for _ in range(data_sets):
        candidate = np.where(RARE == 1, generator.random(420) < 0.05, generator.random(420) < 0.01).astype(
            int
        )
        low, high = groups_of(RARE, candidate)["candidate - baseline"]["recall"].interval(0.95)
        held += low <= -0.95 <= high
        blind += not candidate[:16].any()

    assert blind > 0.3 * data_sets  # in these the draws gave -1 to -1
    assert held >= (0.95 - 3 * 0.0178) * data_sets


def test_where_both_models_show_spread_the_draws_decide_to_the_last_digit() -> None:
    generator = np.random.default_rng(7)
    candidate, champion = (np.where(generator.random(420) < 0.8, RARE, 1 - RARE) for _ in range(2))

    groups = groups_of(RARE, candidate, champion)

    assert groups["candidate - champion"]["recall"].interval(0.95) == (
        -0.2727272727272727,
        0.16666666666666663,
    )
    assert groups["candidate - baseline"]["f1"].interval(0.95) == (0.08082952958506529, 0.23119403576129613)
