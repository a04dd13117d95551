"""The report of an evaluation, as one HTML page and as Markdown for GitHub."""

from collections.abc import Mapping
from typing import Any

from automl_gitops.report import document, page, text
from automl_gitops.report.source import Provenance

__all__ = ["Provenance", "html", "markdown"]


def html(evaluation: Mapping[str, Any], origin: Provenance | None = None) -> str:
    """A self-contained page of evaluation.json; ``origin`` is what that does not know itself."""
    return page.render(document.build(evaluation, origin or Provenance()))


def markdown(
    evaluation: Mapping[str, Any], origin: Provenance | None = None, *, limit: int = text.LIMIT
) -> str:
    """The same in Markdown, at most ``limit`` characters: the last sections are left out where it is too long."""
    return text.render(document.build(evaluation, origin or Provenance()), limit)
