"""All that the local AWS holds of one account, in whichever of its services, whether or not an operation lists it."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from moto.core.base_backend import BackendDict

# Records of what happened, which AWS keeps as well: nobody can delete a job that has ended, an execution, a deleted
# stack's events or a metric's data; and credentials that end by themselves.
RECORDS = {
    ("cloudformation", "deleted_stacks"),
    ("cloudwatch", "metric_data"),
    ("sagemaker", "auto_ml_jobs"),
    ("sagemaker", "processing_jobs"),
    ("sagemaker", "transform_jobs"),
    ("sts", "assumed_roles"),
}


def census(account: str) -> dict[tuple[str, str, str], list[str]]:
    """Service, region and kind, and what there is of it."""
    return {place: names for place, names in _all(account) if names}


def left(account: str, before: dict[tuple[str, str, str], list[str]]) -> dict[tuple[str, str, str], Any]:
    """What there is more than `census` said before, without `RECORDS`."""
    found = {}
    for place, names in census(account).items():
        service, _, kind = place
        more = [name for name in names if name not in before.get(place, []) and not _is_session(kind, name)]
        if more and (service, kind) not in RECORDS:
            found[place] = more
    return found


def _all(account: str) -> Iterator[tuple[tuple[str, str, str], list[str]]]:
    # By its type: a weak reference to what is gone has no class to ask for.
    for backends in [one for one in gc.get_objects() if issubclass(type(one), BackendDict)]:
        if account not in backends:
            continue
        for region, backend in dict(backends[account]).items():
            for kind, things in dict(vars(backend)).items():
                if isinstance(things, Collection) and not isinstance(things, str | bytes):
                    yield (backends.service_name, str(region), kind), sorted(map(_name, _there(things)))


def _there(things: Collection[Any]) -> list[Any]:
    """Its members, without the shelves on which nothing stands: moto keeps some things by kind, and then by name."""
    if not isinstance(things, Mapping):
        return list(things)
    return [name for name, thing in things.items() if not (isinstance(thing, Mapping) and not thing)]


def _is_session(kind: str, name: str) -> bool:
    """Whether it is the key of a session, which ends by itself; AWS's unique ids of these begin with ASIA."""
    return kind == "access_keys" and name.startswith("ASIA")


def _name(thing: Any) -> str:
    return str(getattr(thing, "name", thing))
