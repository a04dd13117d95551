"""[staging], [production], [verification] of automl.toml: what AWS would refuse later is refused at once."""

from __future__ import annotations

import pytest

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError

BASE = """
[project]
name = "readmission"
description = "d"
region = "eu-west-1"
repository = "owner/name"
[dataset]
target = "target"
[autopilot]
problem_type = "Regression"
[gate]
maximum = 1.0
"""


def test_everything_may_be_left_out():
    config = Config.parse(BASE)

    assert config.production.deployment.policy == "CANARY"
    assert config.production.least_instances == 2
    assert config.production.autoscaling is None
    assert config.production.data_capture is None
    assert config.staging.keep is False


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[staging.serverless]\nmemory_mb = 2000", "multiple of 1024"),
        ("[staging.serverless]\nmemory_mb = 8192", "outside the service's 1024-6144"),
        ("[staging.serverless]\nmax_concurrency = 201", "outside the service's 1-200"),
        (
            '[staging]\ninstance_type = "ml.m5.large"\n[staging.serverless]\nmemory_mb = 2048',
            "both serverless and",
        ),
        ("[production]\ninstance_count = 1", "has one instance"),
        ("[production.autoscaling]\nmin_instances = 1\nmax_instances = 4", "has one instance"),
        ("[production.autoscaling]\nmin_instances = 4\nmax_instances = 2", "is more than max_instances"),
        (
            "[production.serverless]\nmemory_mb = 2048\n[production.data_capture]\npercent = 5",
            "both serverless and data_capture",
        ),
        (
            "[production.serverless]\nmemory_mb = 2048\n[production.autoscaling]\nmin_instances = "
            "2\nmax_instances = 3",
            "both serverless and autoscaling",
        ),
        ('[production.deployment]\npolicy = "LINEAR"\npercent = 5', "takes steps of 10-50"),
        (
            '[production.deployment]\npolicy = "LINEAR"\npercent = 10\nwait_seconds = 720',
            "not less than max_seconds",
        ),
        ('[production.deployment]\npolicy = "BLUE_GREEN"', "policy"),
        ("[production.deployment]\npercent = 51", "percent = 51"),
        ("[production.alarms]\nperiod_seconds = 90", "period_seconds = 90 is no multiple of 60"),
        ("[production.alarms]\nmax_5xx_share = 1.5", "max_5xx_share = 1.5"),
        ("[verification]\nconcurrency = 0", "concurrency = 0"),
    ],
)
def test_what_the_service_does_not_offer_is_refused_with_section_and_key(text, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        Config.parse(BASE + text)

    assert str(caught.value).startswith("automl.toml: [")


@pytest.mark.parametrize(
    ("text", "shifts"),
    [
        ('policy = "ALL_AT_ONCE"', 1),
        ('policy = "CANARY"', 2),
        ('policy = "LINEAR"\npercent = 30', 4),
        ('policy = "LINEAR"\npercent = 50', 2),
    ],
)
def test_how_often_traffic_moves(text, shifts):
    config = Config.parse(f"{BASE}[production.deployment]\n{text}")

    assert config.production.deployment.shifts == shifts
