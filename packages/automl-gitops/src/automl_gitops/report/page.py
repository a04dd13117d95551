"""The report as one HTML page that asks for nothing from outside."""

from functools import cache
from pathlib import Path
from typing import Any

from automl_gitops.report import charts
from automl_gitops.report.blocks import Report

_FOLDER = Path(__file__).parent


def render(report: Report) -> str:
    """The page; every text is escaped, whatever labels and columns are called."""
    return _template().render(report=report).lstrip()


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The picture is the renderer's own, which escapes the labels in it.
    environment.filters["svg"] = lambda chart: Markup(charts.svg(chart.spec, chart.summary))  # noqa: S704
    environment.globals["css"] = Markup((_FOLDER / "page.css").read_text(encoding="utf-8"))  # noqa: S704
    return environment.get_template("page.html.j2")
