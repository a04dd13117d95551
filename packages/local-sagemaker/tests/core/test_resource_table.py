"""The table of resources against the service authorization reference, as cfn-lint carries it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from local_sagemaker.authorization import s3
from local_sagemaker.authorization.resources import ACTIONS, RESOURCES

cfnlint = pytest.importorskip("cfnlint")
REFERENCE = json.loads(
    (Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json").read_text(encoding="utf-8")
)
# Newer copies of the reference have this resource beside cfn-lint's; a caller needs what satisfies both.
NEWER = {("CreateModelPackage", "model-package-group/{ModelPackageGroupName}")}


def reference(service):
    """The actions of a service in lower case, each with the ARN patterns of its resources."""
    kinds = {name.lower(): kind["ARNFormats"] for name, kind in REFERENCE[service]["Resources"].items()}
    return {
        name.lower(): [
            re.sub(r"\$\{\w+\}", ".*", pattern)
            for kind in (action or {}).get("Resources", [])
            for pattern in kinds.get(kind.lower(), [])
        ]
        for name, action in REFERENCE[service]["Actions"].items()
    }


@pytest.mark.parametrize("service", sorted(RESOURCES))
def test_every_operation_has_the_resource_that_the_reference_gives_it(service):
    beginning, table = RESOURCES[service]
    actions = reference(service)
    fields = {"partition": "aws", "region": "eu-west-1", "account": "123456789012"}

    wrong = [
        (operation, template)
        for operation, templates in table.items()
        for template in templates
        if (operation, template) not in NEWER
        for patterns in [actions.get(ACTIONS.get((service, operation), operation).lower())]
        if not patterns
        or not (
            template.startswith("{")  # an ARN, or what becomes one
            or any(
                re.fullmatch(p, beginning.format(**fields) + re.sub(r"\{\w+\}", "x", template))
                for p in patterns
            )
        )
    ]

    assert wrong == []


def test_every_action_of_s3_exists():
    known = reference("s3")

    assert [action for action in s3.ACTIONS.values() if action.lower() not in known] == []
