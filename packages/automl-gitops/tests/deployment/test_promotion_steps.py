"""Which steps a promotion decides on, for what there is: a table, without AWS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.signature import Signature
from automl_gitops.promotion import steps
from automl_gitops.promotion.steps import Situation, decide, metadata
from automl_gitops.serving.deployments import DEPLOYED, DeploymentRecord, DeploymentRecords
from automl_gitops.serving.endpoint import EndpointState
from automl_gitops.serving.registry import ModelPackage
from automl_gitops.serving.release import Release

ENDPOINT, BUCKET = "readmission-production", "bucket"


def version(number, **changes):
    """A version as the pipeline has registered it."""
    container = {"Image": "image", "ModelDataUrl": f"s3://bucket/{number}"}
    return replace(
        ModelPackage(f"arn/{number}", number, "PendingManualApproval", (container,), {}, "", "", ""),
        **changes,
    )


def release(package, config="", *, instance_type="ml.m5.large"):
    """What it is served by; another ``config`` is another configuration of the same version."""
    variant = {"InstanceType": instance_type} if instance_type else {"ServerlessConfig": {}}
    return Release(
        package,
        ENDPOINT,
        {"ModelName": f"model-{package.version}"},
        {
            "EndpointConfigName": config or f"config-{package.version}",
            "ProductionVariants": [variant],
        },
    )


def record(package, before=None):
    """Of a deployment that succeeded; ``before`` is the record of the one before."""
    return DeploymentRecord(
        outcome=DEPLOYED,
        reason="",
        package_arn=package.arn,
        version=package.version,
        endpoint=ENDPOINT,
        endpoint_config=f"config-{package.version}",
        model=f"model-{package.version}",
        containers_sha256=package.containers_sha256,
        previous_package_arn=before.package_arn if before else "",
        previous_endpoint_config=before.endpoint_config if before else "",
        previous_model=before.model if before else "",
        pull_request="",
        signature=Signature("ada", "arn", f"2026-01-0{package.version}T00:00:00+00:00", ""),
        account="111111111111",
    )


def at(number, time):
    """The record of a deployment at that time."""
    return replace(record(version(number)), signature=Signature("ada", "arn", time, ""))


class Objects:
    """A bucket that has these keys."""

    def __init__(self, keys):
        self._keys = keys

    def client(self, service):
        """Of S3, which is asked for a list alone."""
        assert service == "s3"
        return self

    def get_paginator(self, operation):
        """Pages of one listing."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **_):
        """The one page."""
        return [{"Contents": [{"Key": key} for key in self._keys]}]


def deployed(package, its_record):
    """The version as the registry has it once it serves."""
    return replace(
        package,
        approval="Approved",
        stage="Production",
        stage_status="Deployed",
        metadata=metadata(its_record, BUCKET),
    )


def parts(*versions):
    return frozenset(
        part for n in versions for part in (("model", f"model-{n}"), ("endpoint_config", f"config-{n}"))
    )


ONE, TWO, THREE = version(1), version(2), version(3)
FIRST = record(ONE)
SECOND = record(TWO, FIRST)
SERVING = deployed(TWO, SECOND)
REPLACED = replace(deployed(ONE, FIRST), stage_status="Replaced")
LARGE = ({"InstanceType": "ml.m5.large"},)
IN_SERVICE = EndpointState("InService", "config-2")
NOTHING = Situation(ONE, release(ONE), "111111111111", BUCKET, wrong_alarms=("5xx", "latency"))
# Version 2 serves, after version 1, and Git names it.
AS_GIT_SAYS = Situation(
    SERVING,
    release(SERVING),
    "111111111111",
    BUCKET,
    endpoint=IN_SERVICE,
    variants=LARGE,
    served_arn=TWO.arn,
    last=SECOND,
    last_of_version=SECOND,
    standing=(1, 2),
    packages={ONE.arn: REPLACED},
    parts=parts(1, 2),
)
# Version 3 is named, which staging has verified.
NEXT = replace(
    AS_GIT_SAYS, package=THREE, release=release(THREE), last_of_version=None, packages={TWO.arn: SERVING}
)
BACK = replace(
    AS_GIT_SAYS,
    package=REPLACED,
    release=release(REPLACED),
    last_of_version=FIRST,
    packages={TWO.arn: SERVING},
)
LARGER = release(SERVING, "config-2b", instance_type="ml.m5.xlarge")
DEAD = EndpointState("Failed", "config-2")

PUBLISHED = ["Verify", "RecordDeployment", "NoteDeployed"]
CASES = {
    "nothing to do": (AS_GIT_SAYS, []),
    "the first version": (NOTHING, ["Approve", "SetAlarms", "CreateEndpoint", *PUBLISHED]),
    "the next version": (NEXT, ["Approve", "UpdateEndpoint", *PUBLISHED, "NoteReplaced", "DeleteParts"]),
    "the way back": (BACK, ["UpdateEndpoint", *PUBLISHED, "NoteReplaced"]),
    # The way back from here is the same version with its config before.
    "another instance type": (
        replace(AS_GIT_SAYS, release=LARGER),
        ["UpdateEndpoint", *PUBLISHED, "DeleteParts"],
    ),
    "another instance type, scaled": (
        replace(AS_GIT_SAYS, release=LARGER, scaling_wanted=True, scaling_exists=True, parts=parts(2)),
        ["StopScaling", "UpdateEndpoint", "Verify", "RecordDeployment", "SetScaling", "NoteDeployed"],
    ),
    "another instance type, scaling no longer wanted": (
        replace(AS_GIT_SAYS, release=LARGER, scaling_exists=True, scaling_right=False),
        ["StopScaling", "UpdateEndpoint", *PUBLISHED, "DeleteParts"],
    ),
    "the next version, scaled": (
        replace(NEXT, scaling_wanted=True, scaling_exists=True, parts=parts(2)),
        ["Approve", "UpdateEndpoint", *PUBLISHED, "NoteReplaced"],
    ),
    "an endpoint that is dead": (
        replace(AS_GIT_SAYS, endpoint=DEAD, scaling_wanted=True, parts=parts(2)),
        ["DeleteEndpoint", "CreateEndpoint", "Verify", "RecordDeployment", "SetScaling", "NoteDeployed"],
    ),
    "an endpoint that was deleted": (
        replace(AS_GIT_SAYS, endpoint=EndpointState(), variants=(), served_arn=""),
        ["CreateEndpoint", *PUBLISHED, "DeleteParts"],
    ),
    "an endpoint changed by hand": (
        replace(AS_GIT_SAYS, endpoint=EndpointState("InService", "by-hand"), served_arn=""),
        ["UpdateEndpoint", *PUBLISHED, "DeleteParts"],
    ),
    "an endpoint on its way": (replace(NEXT, endpoint=EndpointState("Updating", "config-2")), ["Wait"]),
    "an alarm that was changed": (replace(AS_GIT_SAYS, wrong_alarms=("5xx",)), ["SetAlarms"]),
    "scaling that was changed": (
        replace(AS_GIT_SAYS, scaling_wanted=True, scaling_exists=True, scaling_right=False),
        ["SetScaling"],
    ),
    "an approval that was taken back": (
        replace(AS_GIT_SAYS, package=replace(SERVING, approval="PendingManualApproval")),
        ["Approve"],
    ),
    "killed before the record": (
        replace(
            NEXT,
            package=replace(THREE, approval="Approved"),
            endpoint=EndpointState("InService", "config-3"),
            served_arn=THREE.arn,
        ),
        [*PUBLISHED, "NoteReplaced", "DeleteParts"],
    ),
    "killed before the notes": (
        replace(
            AS_GIT_SAYS,
            package=replace(TWO, approval="Approved"),
            packages={ONE.arn: deployed(ONE, FIRST)},
        ),
        ["NoteDeployed", "NoteReplaced"],
    ),
    "killed before the end": (replace(AS_GIT_SAYS, parts=parts(0, 1, 2)), ["DeleteParts"]),
    "the version before was deleted": (
        replace(NEXT, packages={}, parts=parts(2)),
        ["Approve", "UpdateEndpoint", *PUBLISHED],
    ),
}


@pytest.mark.parametrize(("seen", "names"), CASES.values(), ids=CASES)
def test_the_steps_for_what_there_is(seen, names):
    assert [type(step).__name__ for step in decide(seen)] == names


@pytest.mark.parametrize("seen", [seen for seen, _ in CASES.values()], ids=CASES)
def test_every_step_is_a_sentence_of_its_own(seen):
    words = [str(step) for step in decide(seen)]

    assert len({*words}) == len(words)
    assert all("(" not in sentence and sentence[0].islower() for sentence in words)


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (NEXT, steps.UpdateEndpoint(ENDPOINT, "config-2", "config-3", way_back=False, keep_instances=False)),
        (BACK, steps.UpdateEndpoint(ENDPOINT, "config-2", "config-1", way_back=True, keep_instances=False)),
        (  # Version 1 had been taken back: promoted again, it has to prove itself as a new one has.
            replace(BACK, standing=(2,)),
            steps.UpdateEndpoint(ENDPOINT, "config-2", "config-1", way_back=False, keep_instances=False),
        ),
        (
            # A version that has proved itself on one configuration has not on another.
            replace(AS_GIT_SAYS, release=LARGER),
            steps.UpdateEndpoint(ENDPOINT, "config-2", "config-2b", way_back=False, keep_instances=False),
        ),
        (
            replace(NEXT, scaling_wanted=True, scaling_exists=True),
            steps.UpdateEndpoint(ENDPOINT, "config-2", "config-3", way_back=False, keep_instances=True),
        ),
        (
            replace(
                NEXT,
                release=release(THREE, instance_type="ml.m5.xlarge"),
                scaling_wanted=True,
                scaling_exists=True,
            ),
            steps.UpdateEndpoint(ENDPOINT, "config-2", "config-3", way_back=False, keep_instances=False),
        ),
        (NEXT, steps.Verify("version 3", before="config-2")),
        (NOTHING, steps.Verify("version 1", before="")),
        (replace(AS_GIT_SAYS, endpoint=DEAD), steps.Verify("version 2", before="")),
        (NEXT, steps.DeleteParts((("endpoint_config", "config-1"), ("model", "model-1")))),
        (replace(NEXT, endpoint=EndpointState("Updating", "config-2")), steps.Wait(ENDPOINT, "Updating")),
    ],
)
def test_what_a_step_is_about(seen, step):
    assert step in decide(seen)


SERVERLESS = release(SERVING, "config-2c", instance_type="")


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (replace(NOTHING, missing_proof="staging has not verified it"), "staging has not verified it"),
        # It served before that was recorded: nobody knows which bytes.
        (replace(BACK, missing_proof="verified before that recorded bytes"), "verified before that"),
        # Production serves it still, but an instance that starts would load another model.
        (replace(AS_GIT_SAYS, other_bytes="the archive a is gone"), "the archive a is gone; .*automl stage"),
        # Approved, but not by a deployment of this content: the registry alone is no proof.
        (
            replace(
                BACK,
                last_of_version=replace(FIRST, containers_sha256="0"),
                missing_proof="staging has not verified it",
            ),
            "staging has not verified it",
        ),
        (
            replace(BACK, package=replace(REPLACED, approval="Rejected"), missing_proof="has it as Rejected"),
            "has it as Rejected",
        ),
        (replace(NEXT, account="222222222222"), "account 111111111111.*--new-account"),
        (replace(AS_GIT_SAYS, release=SERVERLESS), "teardown --only production"),
        (replace(AS_GIT_SAYS, variants=({"ServerlessConfig": {}},)), "teardown --only production"),
    ],
)
def test_what_is_refused(seen, sentence):
    with pytest.raises(UserError, match=sentence):
        decide(seen)


def test_a_version_that_served_before_needs_no_proof_of_staging():
    known = replace(BACK, archives={"s3://bucket/1": "0 v"})

    assert decide(replace(known, missing_proof="staging's record is gone")) == decide(BACK)


def test_what_serves_is_left_alone_though_nobody_recorded_its_bytes():
    assert decide(replace(AS_GIT_SAYS, missing_proof="verified before that recorded bytes")) == []


def test_production_moves_to_another_account_where_that_is_wanted():
    moved = replace(
        NEXT, account="222222222222", endpoint=EndpointState(), variants=(), served_arn="", parts=parts()
    )

    names = [type(step).__name__ for step in decide(moved, new_account=True)]

    assert names == ["Approve", "CreateEndpoint", *PUBLISHED, "NoteReplaced"]


def test_deployments_of_one_second_keep_their_order():
    """As those of an older form, which have no milliseconds, keep theirs."""
    there, on, back = (
        at(number, f"2026-11-24T06:00:00.{ms}+00:00") for number, ms in ((1, "007"), (2, "045"), (1, "123"))
    )
    keys = [one.key for one in (there, on, back)]

    standing = DeploymentRecords(Objects(keys), BUCKET).standing()

    assert keys == sorted(set(keys))
    assert standing == (1,)
    before = "deployments/production/20261124T055959Z-v1-deployed.json"
    assert DeploymentRecords(Objects([*keys[:2], before]), BUCKET).standing() == (1, 2)
