"""Weights of classes: kept where they gain on rows that they were not chosen by."""

from __future__ import annotations

import numpy as np
import pytest

from local_sagemaker.sagemaker.autopilot import decision


def sample(shares: list[float], rows: int, seed: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Classes and their true probabilities by features that tell them apart."""
    random = np.random.default_rng(seed)
    truth = random.choice(len(shares), rows, p=shares)
    signal = random.normal(size=(rows, len(shares)))
    signal[np.arange(rows), truth] += sharpness
    likelihood = np.exp(sharpness * signal) * np.asarray(shares)
    return truth, likelihood / likelihood.sum(axis=1, keepdims=True)


def f1_macro(truth: np.ndarray, chosen: np.ndarray, classes: int) -> float:
    hits = [((truth == c) & (chosen == c)).sum() for c in range(classes)]
    sizes = [(truth == c).sum() + (chosen == c).sum() for c in range(classes)]
    return float(np.mean([2 * hit / size if size else 0.0 for hit, size in zip(hits, sizes, strict=True)]))


def recall_macro(truth: np.ndarray, chosen: np.ndarray, classes: int) -> float:
    return float(np.mean([(chosen[truth == c] == c).mean() for c in range(classes)]))


def test_between_classes_as_frequent_as_each_other_the_most_probable_one_is_taken():
    kept = [decision.choose("F1macro", *sample([0.1] * 10, 600, seed, 2.0)) for seed in range(10)]

    assert kept.count([1.0] * 10) >= 8


@pytest.mark.parametrize("objective", ["F1", "F1macro", "BalancedAccuracy"])
def test_of_a_rare_class_weights_are_kept_and_gain_on_other_rows(objective):
    truth, probabilities = sample([0.95, 0.05], 4_000, 1, 1.2)
    others, their = sample([0.95, 0.05], 40_000, 2, 1.2)

    weights = decision.choose(objective, truth, probabilities)

    assert weights[1] == 1.0
    assert weights[0] < 1.0
    score = recall_macro if objective == "BalancedAccuracy" else f1_macro
    decided = score(others, (their * weights).argmax(axis=1), 2)
    assert decided > score(others, their.argmax(axis=1), 2) + 0.02
