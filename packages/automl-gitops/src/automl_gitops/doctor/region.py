"""Whether the region has what `automl.toml` asks for."""

from collections.abc import Iterator

from automl_gitops.doctor.rows import Row, look
from automl_gitops.kernel.environments import Project
from automl_gitops.runs.images import evaluation_image

AREA = "region"
_ZONES = 2  # so that one zone without capacity does not stop a job


def region(project: Project) -> list[Row]:
    """Autopilot, the evaluation's image, the instance types."""
    return [
        *look(AREA, "Autopilot", lambda: _autopilot(project)),
        *look(AREA, "the evaluation's image", lambda: _image(project)),
        *look(AREA, "instance types", lambda: _instance_types(project)),
    ]


def _autopilot(project: Project) -> Iterator[Row]:
    project.client("sagemaker").list_auto_ml_jobs(MaxResults=1)
    yield Row(AREA, "Autopilot", "good", f"answers in {project.config.project.region}")


def _image(project: Project) -> Iterator[Row]:
    version, name = project.config.evaluation.container_version, project.config.project.region
    uri = evaluation_image(version, name)
    host, _, rest = uri.partition("/")
    repository, _, tag = rest.partition(":")
    found = project.client("ecr").batch_get_image(
        registryId=host.split(".")[0], repositoryName=repository, imageIds=[{"imageTag": tag}]
    )
    if found["images"]:
        yield Row(AREA, "the evaluation's image", "good", f"{rest} is there")
        return
    yield Row(
        AREA,
        "the evaluation's image",
        "stops",
        f"{uri} is not there",
        "name another version in automl.toml, [evaluation] container_version",
    )


def _instance_types(project: Project) -> Iterator[Row]:
    """EC2's offering; SageMaker has no list of its own, and offers what EC2 has in a zone, or less."""
    uses = _uses(project)
    zones: dict[str, set[str]] = {kind: set() for kind in uses}
    pages = (
        project.client("ec2")
        .get_paginator("describe_instance_type_offerings")
        .paginate(
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": [kind.removeprefix("ml.") for kind in uses]}],
        )
    )
    for page in pages:
        for offered in page["InstanceTypeOfferings"]:
            zones[f"ml.{offered['InstanceType']}"].add(offered["Location"])
    for kind, (keys, training) in uses.items():
        asked, count = f"{kind} in {_ZONES} zones", len(zones[kind])
        if count >= _ZONES:
            yield Row(AREA, asked, "good", f"EC2 has it in {', '.join(sorted(zones[kind]))}")
        else:
            where = f"only in {', '.join(zones[kind])}" if count else "in no zone of this region"
            yield Row(
                AREA,
                asked,
                "stops" if training and not count else "later",
                f"EC2 has it {where}",
                f"choose another in automl.toml, {' and '.join(keys)}",
            )


def _uses(project: Project) -> dict[str, tuple[list[str], bool]]:
    """Instance types with the keys that ask for them, and whether the first training does."""
    config = project.config
    named = [
        ("[evaluation] instance_type", config.evaluation.instance_type, True),
        ("[evaluation] transform_instance_type", config.evaluation.transform_instance_type, True),
    ]
    if not config.staging.serverless:
        named.append(("[staging] instance_type", config.staging.instance_type, True))
    if not config.production.serverless:
        named.append(("[production] instance_type", config.production.instance_type, False))
    found: dict[str, tuple[list[str], bool]] = {}
    for key, kind, training in named:
        keys, before = found.get(kind, ([], False))
        found[kind] = ([*keys, key], before or training)
    return found
