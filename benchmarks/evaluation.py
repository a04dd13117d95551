"""The evaluation: speed and memory on ten million rows, and whether its intervals keep their word."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from math import sqrt
from pathlib import Path
from typing import Any

from automl_gitops.kernel.settings.model import Gate
from benchmarks import container
from benchmarks.figures import Figure

MILLION = 1_000_000
CLASSES = (3, 2)
SEED_COUNT = 1000  # data sets of a simulation
HOLDOUT_ROWS = 2000  # of each of them
SLICE_SEED_COUNT = 400
# By numbers of groups, the coverage that intervals of 95 % have to have, and of how many data sets of each correlation
# that is judged. Of 60 groups the rarest class has as many rows as ten independent ones, and of 20 as three: what is
# said of it is as wide as that, and a mean of squares is of few groups.
GROUP_COUNTS = {20: (0.88, 1.0, 600), 60: (0.93, 1.0, 600), 200: (0.93, 0.97, 1000), 500: (0.93, 0.97, 1000)}
POOLED = (200, 500)  # of which each metric is judged over all correlations, too: there chance is small
CHANCE = 3  # standard deviations that a share of data sets may be beyond its bound: one of 33 shares is at two of them
TRUE_SAMPLES = 24  # of a million rows
CORRELATIONS = (0, 0.1, 0.3, 0.5)  # within groups
SLICES = (1, 10, 50)
GATE = Gate(minimum=0.3).model_dump_json(exclude_none=True)  # [gate] where automl.toml says no more


def figures(work: Path) -> Iterator[Figure]:
    """Measure; data and environment stay in ``work`` for the next time."""
    python = container.environment(work / "environment")
    yield from _labels(python, work)
    for classes in CLASSES:
        yield from _probabilities(python, work, classes)
    yield _against_scikit_learn(python, _data(python, work, 20_000))
    yield from _intervals(python)
    yield from _groups(python, work)
    yield from _slices(python)


def _data(python: Path, work: Path, rows: int, classes: int = 3) -> Path:
    """Labels and predictions of two models, as batch transforms write them."""
    folder = work / f"{rows}-rows-{classes}-classes"
    if not (folder / "done").exists():
        container.run(python, "make_data", folder, rows, classes)
    return folder


def _labels(python: Path, work: Path) -> Iterator[Figure]:
    large, small = (_fastest(python, _data(python, work, rows), "labels") for rows in (10 * MILLION, MILLION))
    yield Figure.of(
        "evaluation of 10 M rows, 3 classes, champion; labels only", large["seconds"], "s", "< 20"
    )
    grown = (large["peak_bytes"] - small["peak_bytes"]) / 1e6
    yield Figure.of("its peak memory, 10 M rows against 1 M rows", grown, "MB", "< 100")


def _probabilities(python: Path, work: Path, classes: int) -> Iterator[Figure]:
    """Taking turns with a reading by pyarrow: a busy machine is as slow for the one as for the other."""
    large, small = (_data(python, work, rows, classes) for rows in (10 * MILLION, MILLION))
    runs = [
        (
            container.run(python, "evaluate_files", large, "probabilities", GATE),
            container.run(python, "read_files", large, "probabilities"),
        )
        for _ in range(3)
    ]
    ours, read = (min(run[i]["seconds"] for run in runs) for i in (0, 1))
    name = f"evaluation of 10 M rows, {classes} classes, champion; probabilities"
    yield Figure.of(name, ours, "s", "< 60")
    yield Figure.of(
        f"it takes times as long as pyarrow's reading of the files ({read:.1f} s)", ours / read, "", "<= 4"
    )
    peak = min(run[0]["peak_bytes"] for run in runs)
    grown = (peak - _fastest(python, small, "probabilities")["peak_bytes"]) / (9 * MILLION * classes)
    yield Figure.of("its peak memory by row and class, from 1 M to 10 M rows", grown, "bytes", "<= 16")


def _fastest(python: Path, folder: Path, kind: str) -> dict[str, Any]:
    """The faster of two runs."""
    runs = [container.run(python, "evaluate_files", folder, kind, GATE) for _ in range(2)]
    return min(runs, key=lambda run: run["seconds"])


def _against_scikit_learn(python: Path, folder: Path) -> Figure:
    ours = _fastest(python, folder, "labels")["seconds"]
    theirs = container.run(python, "scikit_learn", folder)["seconds"]
    name = "evaluation of 20,000 rows: times as fast as scikit-learn with a bootstrap by rows"
    return Figure.of(name, theirs / ours, "", ">= 10")


def _simulated(
    python: Path, program: str, *arguments: Any, seeds: int, start: int = 0
) -> dict[str, dict[str, int]]:
    """The counts of a simulation in two processes, of data sets with seeds of their own."""
    half = seeds // 2
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(container.run, python, program, *arguments, first, half)
            for first in (start, start + half)
        ]
        first, second = (job.result() for job in jobs)
    return {
        key: {name: number + second[key][name] for name, number in counts.items()}
        for key, counts in first.items()
    }


def _groups(python: Path, work: Path) -> Iterator[Figure]:
    """Coverage where rows come in groups, by intervals that know it and by intervals that do not."""
    true, half = work / "true_values.json", TRUE_SAMPLES // 2
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(container.run, python, "simulate_groups", start, half) for start in (0, half)]
        one, other = (job.result() for job in jobs)
    true.write_text(json.dumps({name: (one[name] + other[name]) / 2 for name in one}), encoding="utf-8")
    start, pooled = 0, Counter[str]()
    for (groups, (low, high, sets)), correlation in product(GROUP_COUNTS.items(), CORRELATIONS):
        counts = _simulated(python, "simulate_groups", true, correlation, groups, seeds=sets, start=start)
        start += sets  # the data sets of one correlation say nothing of those of another
        pooled.update(counts["groups"] if groups in POOLED else {})
        held, by_rows = (_shares(counts[way]) for way in ("groups", "rows"))
        said = f"of 95 % cluster intervals, {groups} groups, correlation {correlation} in them"
        rows = f"; by rows {min(by_rows.values()):.2f}"
        bounds = [
            bound + way * CHANCE * sqrt(bound * (1 - bound) / sets) for bound, way in ((low, -1), (high, 1))
        ]
        yield from _coverage(said, held, bounds, rows)
    said = f"of 95 % cluster intervals, {' and '.join(map(str, POOLED))} groups, all correlations"
    low, high, _ = GROUP_COUNTS[POOLED[0]]
    yield from _coverage(f"{said}, {pooled['data sets']:,} data sets", _shares(pooled), [low, high])


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    return {name: number / counts["data sets"] for name, number in counts.items() if name != "data sets"}


def _coverage(
    said: str, held: Mapping[str, float], bounds: Sequence[float], more: str = ""
) -> Iterator[Figure]:
    least, greatest = min(held, key=held.__getitem__), max(held, key=held.__getitem__)
    yield Figure.of(f"least coverage {said} ({least}{more})", held[least], "", f">= {bounds[0]:.3f}")
    yield Figure.of(f"greatest coverage {said} ({greatest})", held[greatest], "", f"<= {bounds[1]:.3f}")


def _slices(python: Path) -> Iterator[Figure]:
    """How often the gate rejects a model whose every slice is as good as the bound."""
    for number in SLICES:
        counts = _simulated(python, "simulate_slices", number, seeds=SLICE_SEED_COUNT)
        shares = {
            way: {name: times / SLICE_SEED_COUNT for name, times in counted.items()}
            for way, counted in counts.items()
        }
        worst = max(shares["rejected"], key=shares["rejected"].__getitem__)
        name = f"a model whose {number} slices are all as good as worst_slice is rejected, at most ({worst}; by values"
        yield Figure.of(
            f"{name} alone {shares['by value'][worst]:.2f})", shares["rejected"][worst], "", "<= 0.05"
        )
        least = min(shares["bad one rejected"].values())
        yield Figure.of(
            f"with one more slice that is much worse it is rejected, {number} slices", least, "", ">= 0.8"
        )


def _intervals(python: Path) -> Iterator[Figure]:
    """Simulations in two processes, of data sets with seeds of their own."""
    half = SEED_COUNT // 2
    for kind in ("classification", "regression"):
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(container.run, python, "simulate", kind, start, half, HOLDOUT_ROWS)
                for start in (0, half)
            ]
            counts = [job.result() for job in jobs]
        total = {
            key: {name: sum(count[key][name] for count in counts) / SEED_COUNT for name in counts[0][key]}
            for key in counts[0]
        }
        held, passed = total["held"], total["better"]
        lowest, highest, better = (
            min(held, key=held.__getitem__),
            max(held, key=held.__getitem__),
            max(passed, key=passed.__getitem__),
        )
        said = f"of 95 % intervals, {kind}, {SEED_COUNT:,} data sets"
        yield Figure.of(f"least coverage {said} ({lowest})", held[lowest], "", ">= 0.93")
        yield Figure.of(f"greatest coverage {said} ({highest})", held[highest], "", "<= 0.97")
        name = f"an equal challenger passes as better, {kind}, {SEED_COUNT:,} data sets, at most ({better})"
        yield Figure.of(name, passed[better], "", "<= 0.05")
