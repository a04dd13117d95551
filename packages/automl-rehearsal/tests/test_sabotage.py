"""The second version's archive is spoiled in the bucket, by the command of the local AWS."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from automl_gitops.kernel.errors import RunError
from automl_rehearsal import sabotage
from support.unique import unique
from support.waiting import wait_until

MODEL = {
    "kind": "features",
    "problem_type": "Regression",
    "columns": [{"name": "stays", "type": "number"}, {"name": "ward", "type": "text"}],
    "features": [{"name": "stays", "dtype": "float"}, {"name": "ward", "categories": ["a", "b"]}],
}


@pytest.fixture
def s3(local_aws: Any) -> Any:
    return local_aws.client("s3")


@pytest.fixture
def bucket(local_aws: Any, s3: Any) -> str:
    name = unique("sabotage")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": local_aws.region})
    return name


def archive(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_an_archive_in_the_bucket_is_one_of_a_training_on_a_column_less(s3: Any, bucket: str) -> None:
    members = {"model.json": json.dumps(MODEL).encode(), "features.pkl": b"as it was"}
    s3.put_object(Bucket=bucket, Key=sabotage.KEY, Body=archive(members))

    packed = sabotage.broken_archive(s3, bucket)

    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert list(found) == ["model.json", "features.pkl"]
    assert found["features.pkl"] == b"as it was"
    model = json.loads(found["model.json"])
    assert model["columns"] == MODEL["columns"][:1]
    assert model["features"] == MODEL["features"][:1]
    assert (model["kind"], model["problem_type"]) == ("features", "Regression")


def test_what_is_no_model_s_archive_stays_as_it_is_and_is_told(s3: Any, bucket: str) -> None:
    before = archive({"other.txt": b"no model"})
    s3.put_object(Bucket=bucket, Key=sabotage.KEY, Body=before)

    with pytest.raises(RunError, match=r"local-sagemaker spoil: .*it has no model\.json"):
        sabotage.broken_archive(s3, bucket)
    assert s3.get_object(Bucket=bucket, Key=sabotage.KEY)["Body"].read() == before


def test_it_is_overwritten_once_production_has_its_model(local_aws: Any, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key=sabotage.KEY, Body=b"verified")
    made: list[dict[str, str]] = []

    class SageMaker:
        def list_models(self, NameContains: str) -> dict[str, Any]:  # noqa: N803 - the API's own
            return {"Models": [one for one in made if NameContains in one["ModelName"]]}

    def lies() -> bytes:
        return s3.get_object(Bucket=bucket, Key=sabotage.KEY)["Body"].read()

    with sabotage.overwriting(SageMaker(), s3, bucket, b"broken", "stays-production"):
        made.append({"ModelName": "stays-staging-v2-0"})
        before = lies()
        made.append({"ModelName": "stays-production-v2-0"})
        wait_until(lies, b"broken".__eq__)
        s3.put_object(Bucket=bucket, Key=sabotage.KEY, Body=b"restored")

    assert (before, lies()) == (b"verified", b"restored")
