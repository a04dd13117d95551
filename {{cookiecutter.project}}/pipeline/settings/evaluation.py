"""[evaluation]: the processing job and the batch transform that judge a candidate."""

from pydantic import Field

from pipeline.settings.base import ProcessingInstance, Section, TransformInstance


class Evaluation(Section):
    """Container, instances and slices of the evaluation."""

    container_version: str = Field(default="1.9-0", pattern=r"^\d+\.\d+-\d+(-py\d+)?$")
    instance_type: ProcessingInstance = "ml.m5.xlarge"
    instance_count: int = Field(default=1, ge=1, le=1)  # the metrics of one holdout are made in one place
    transform_instance_type: TransformInstance = "ml.m5.xlarge"
    transform_instance_count: int = Field(default=1, ge=1, le=100)
    volume_size_gb: int = Field(default=30, ge=1, le=16384)  # holds x_test, y_test and the predictions
    slices: list[str] = Field(default_factory=list)
