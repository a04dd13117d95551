"""What SageMaker allows, read from the service model that botocore carries (offline)."""

import re
from functools import cache
from typing import Any

from botocore.loaders import Loader, create_loader
from botocore.regions import EndpointResolver


@cache
def loader() -> Loader:
    """What reads botocore's service models; kept, since reading SageMaker's takes half a second."""
    return create_loader()


@cache
def _shapes() -> dict[str, Any]:
    return loader().load_service_model("sagemaker", "service-2")["shapes"]


@cache
def _resolver() -> EndpointResolver:
    return EndpointResolver(loader().load_data("endpoints"))


def limits(shape: str) -> tuple[int | None, int | None]:
    """The least and greatest value (or length) of a shape of SageMaker's API, `None` where it names none."""
    return _shapes()[shape].get("min"), _shapes()[shape].get("max")


def values(shape: str) -> list[str]:
    """The values of an enumeration of SageMaker's API, e.g. `ProcessingInstanceType`."""
    return list(_shapes()[shape]["enum"])


def matches(shape: str, text: str) -> bool:
    """Whether a text has the pattern and the length that SageMaker's API asks of a shape."""
    least, most = limits(shape)
    fits = (least or 0) <= len(text) <= (len(text) if most is None else most)
    return fits and re.fullmatch(_shapes()[shape].get("pattern", ".*"), text) is not None


@cache
def regions() -> tuple[str, ...]:
    """Every region, of all partitions, in which botocore knows SageMaker."""
    resolver = _resolver()
    return tuple(
        region
        for name in resolver.get_available_partitions()
        for region in resolver.get_available_endpoints("api.sagemaker", name)
    )


@cache
def partition(region: str) -> str:
    """The partition of a region: `aws`, `aws-cn`, `aws-us-gov`, ..."""
    return _resolver().get_partition_for_region(region)
