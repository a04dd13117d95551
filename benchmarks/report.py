"""The report page: its size, and what Chromium and axe find in it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import pages
from benchmarks.browser import DESKTOP, FONTS, PHONE, NoBrowserError, Scheme, Visit, font_file, open_browser
from benchmarks.figures import Figure, NotMeasuredError

MEGABYTE = 1_000_000
VIEWS: tuple[tuple[Scheme, int], ...] = (("light", PHONE), ("dark", DESKTOP))


def figures(work: Path) -> Iterator[Figure]:
    """Measure one report of each kind, light on a phone's width and dark on a desktop's."""
    written = pages.write(work)
    size = max(path.stat().st_size for path in written.values())
    yield Figure.of("report page: size of the largest", size / MEGABYTE, "MB", "< 1.5")
    try:
        visits = _visits(written.values())
    except NoBrowserError as error:
        raise NotMeasuredError(f"the pages need a browser: {error}") from None
    seen = f"{len(written)} pages, light on a phone, dark on a desktop"
    yield Figure.of(
        f"report page: violations that axe finds; {seen}", sum(len(v.violations) for v in visits), "", "<= 0"
    )
    yield Figure.of(
        f"report page: console errors; {seen}", sum(len(visit.errors) for visit in visits), "", "<= 0"
    )
    yield Figure.of(
        f"report page: requests; {seen}", sum(len(visit.requests) for visit in visits), "", "<= 0"
    )
    cut, texts = sum(len(visit.cut) for visit in visits), sum(visit.texts for visit in visits)
    yield Figure.of(
        f"report page: texts of charts that are cut, of {texts:,}; {len(FONTS)} fonts; {seen}",
        cut,
        "",
        "<= 0",
    )
    overflow = max(visit.overflow for visit in visits)
    yield Figure.of(f"report page: pixels that scroll sideways; {seen}", overflow, "px", "<= 0")


def _visits(files: Iterable[Path]) -> list[Visit]:
    """Each page in each view as it is, and its texts in each font."""
    found = []
    with open_browser() as browser:
        for file in files:
            for scheme, width in VIEWS:
                visit = browser.visit(file, scheme, width)
                found.append(visit)
                for measured in browser.cut(file, map(font_file, FONTS), scheme, width):
                    visit.cut += measured.cut
                    visit.texts += measured.texts
    return found
