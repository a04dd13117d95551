"""Which fleet takes the next request."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from local_sagemaker.sagemaker.endpoints.fleet import Fleet


@dataclass
class _Route:
    fleet: Fleet
    weight: float
    credit: float = 0.0


class Traffic:
    """Spreads requests over fleets in exact proportion, also over few requests.

    Smooth weighted round robin: of any k requests in a row, a fleet with share p gets at most p k + 1. The
    real service draws at random.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._routes: list[_Route] = []

    def route(self, shares: Iterable[tuple[Fleet, float]]) -> None:
        """From now on, send each fleet its share (in any unit), and no request to any other fleet."""
        routes = [_Route(fleet, weight) for fleet, weight in shares]
        with self._lock:
            self._routes = routes

    def enter(self, variant: str | None = None) -> Fleet | None:
        """The fleet for the next request, which it has entered; None where no fleet takes it.

        ``variant`` names the only variant that may take it.
        """
        with self._lock:
            routes = [r for r in self._routes if variant in (None, r.fleet.variant)]
            if variant is None:
                routes = [r for r in routes if r.weight > 0]
            if not routes:
                return None
            for route in routes:
                route.credit += route.weight
            chosen = max(routes, key=lambda r: r.credit)
            chosen.credit -= sum(r.weight for r in routes)
            chosen.fleet.enter()
            return chosen.fleet
