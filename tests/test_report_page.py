"""The report's page in a browser: silent, self-contained, accessible, no wider than a phone, and no text cut."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import pages
from benchmarks.browser import DESKTOP, FONTS, PHONE, Browser, NoBrowserError, font_file, open_browser

KINDS = (
    "binary",
    "rejected",
    "multiclass",
    "regression",
    "labels-only",
    "ten-classes",
    "long-names",
    "large-numbers",
    "small-numbers",
)  # the largest takes a minute: `make bench`
NOT_TESTED = (
    "the report's pages were not tested in a browser"  # `conftest.py` repeats it at the end of the run
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with open_browser() as found:
            yield found
    except NoBrowserError as error:
        if os.environ.get("CI"):
            pytest.fail(f"{error}: in CI nothing may be left untested")
        pytest.skip(f"{NOT_TESTED}: {error}")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return pages.write(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("scheme", "width"), [("light", PHONE), ("dark", DESKTOP)])
def test_a_browser_finds_nothing_wrong(browser, written, kind, scheme, width):
    seen = browser.visit(written[kind], scheme, width)

    assert seen.errors == []
    assert seen.requests == []
    assert seen.violations == []
    assert seen.overflow <= 0
    assert seen.cut == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("scheme", "width"), [("light", 400), ("dark", DESKTOP)])
def test_no_text_in_a_chart_is_cut_whatever_the_font(browser, written, kind, scheme, width):
    visits = browser.cut(written[kind], map(font_file, FONTS), scheme, width)
    seen = dict(zip(FONTS, visits, strict=True))

    assert {font: visit.cut for font, visit in seen.items()} == {font: [] for font in FONTS}
    assert all(visit.texts > 5 for visit in seen.values())


def test_a_browser_would_notice_what_is_wrong(browser, tmp_path):
    """The check itself: a page that errs, asks for something, cannot be read, and is too wide."""
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><title>x</title><img src='missing.png'><script>nothing.there()</script>"
        "<p style='width:3000px;color:#eee;background:#fff'>x</p>"
    )

    seen = browser.visit(page)

    assert any("nothing is not defined" in error for error in seen.errors)
    assert [Path(url).name for url in seen.requests] == ["missing.png"]
    assert {"html-has-lang", "image-alt"} <= {violation.split(":")[0] for violation in seen.violations}
    assert seen.overflow > 1000


def test_a_browser_would_notice_text_that_is_cut_or_meets_other_text(browser, tmp_path):
    page = tmp_path / "cut.html"
    page.write_text(
        "<!doctype html><html lang=en><title>x</title><figure><figcaption>x</figcaption>"
        "<svg viewBox='0 0 400 100' width=400>"
        "<text x=55 y=20 text-anchor=end font-size=11>30 to below 60</text>"
        "<text x=200 y=50 font-size=11>one</text><text x=205 y=52 font-size=11>two</text>"
        "<text x=200 y=80 font-size=11>fine</text></svg></figure>"
    )

    (seen,) = browser.cut(page, [font_file("DejaVuSans")])

    assert seen.texts == 4
    assert seen.cut == ["x: 30 to below 60", "x: one | two"]
