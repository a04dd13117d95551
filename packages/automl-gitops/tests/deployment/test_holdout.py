"""The rows of the holdout that an endpoint is asked about."""

from __future__ import annotations

import pytest

from automl_gitops.kernel.errors import RunError
from automl_gitops.serving.registry import Registry
from automl_gitops.verification.holdout import load_holdout


@pytest.fixture
def package(world):
    project = world.project()
    return Registry(project.aws, project.names).find(world.register(), "this test")


def test_a_file_that_is_sorted_by_its_labels_is_not_judged_by_one_of_them(world, package):
    holdout = load_holdout(world.project().aws, world.bucket, package, 20)

    labels = [answer["predicted_label"] for answer in holdout.expected]
    assert len(holdout.rows) == 20
    assert set(labels) == {"yes", "no"}
    assert labels == ["yes" if float(row[0]) > 30 else "no" for row in holdout.rows]


def test_the_same_rows_are_asked_about_each_time(world, package):
    first, again = (load_holdout(world.project().aws, world.bucket, package, 20) for _ in range(2))

    assert first == again


def test_a_holdout_of_fewer_rows_is_asked_about_whole_and_in_its_order(world, package):
    holdout = load_holdout(world.project().aws, world.bucket, package, 1000)

    assert [int(row[0]) for row in holdout.rows] == list(range(60))


def test_predictions_of_another_number_of_rows_are_not_compared(world, package):
    key = f"datasets/{package.metadata['dataset_sha256']}/x_test/part-00000.csv"
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=b"1,0.1\n2,0.2\n")

    with pytest.raises(RunError, match="60 predictions for 2 rows"):
        load_holdout(world.project().aws, world.bucket, package, 20)
