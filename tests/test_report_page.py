"""The report's page in a browser: silent, self-contained, accessible, and no wider than a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import pages
from benchmarks.browser import DESKTOP, PHONE, Browser, NoBrowserError, open_browser

KINDS = (
    "binary",
    "rejected",
    "multiclass",
    "regression",
    "labels-only",
)  # the largest takes a minute: `make bench`


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with open_browser() as found:
            yield found
    except NoBrowserError as error:
        pytest.skip(str(error))


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
