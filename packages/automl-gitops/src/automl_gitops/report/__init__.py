"""The report of an evaluation: as one HTML page, which asks for nothing from outside, and as Markdown for GitHub."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from automl_evaluation import cautions
from automl_evaluation.layout import Evaluation
from automl_gitops.kernel.markdown import bullets, escape, folded, table
from automl_gitops.report import charts, columns, decision, origin, performance
from automl_gitops.report.blocks import (
    Block,
    Bullets,
    Cell,
    Chart,
    DescriptionList,
    Group,
    Matrix,
    Report,
    Section,
    Table,
)
from automl_gitops.report.origin import Provenance
from automl_gitops.report.words import shown

__all__ = ["Provenance", "build", "html", "markdown"]

_FOLDER = Path(__file__).parent
LIMIT = 60_000  # characters; GitHub takes 65,536 in a body or comment
_CUT = "\n\n_The rest did not fit here: it is in report.html._"
_ID_LENGTH = len("-abcdefghijkl")  # of an execution, at the end of the Autopilot job's name
_PROBLEMS = {
    "BinaryClassification": "binary classification",
    "MulticlassClassification": "multiclass classification",
    "Regression": "regression",
}


def html(evaluation: Evaluation, provenance: Provenance | None = None) -> str:
    """A self-contained page of evaluation.json; ``provenance`` is what that does not know itself.

    Every text is escaped, whatever labels and columns are called.
    """
    return _template().render(report=build(evaluation, provenance or Provenance())).lstrip()


def markdown(evaluation: Evaluation, provenance: Provenance | None = None, *, limit: int = LIMIT) -> str:
    """The same in Markdown, at most ``limit`` characters: the last sections are left out where it is too long."""
    report = build(evaluation, provenance or Provenance())
    text = "\n\n".join(_opening(report))
    for section in report.sections:
        part = "\n\n" + "\n\n".join(_section(section))
        if len(text) + len(part) + len(_CUT) > limit:
            return text[: limit - len(_CUT)] + _CUT
        text += part
    return text + "\n"


def build(evaluation: Evaluation, provenance: Provenance) -> Report:
    """The report's blocks, the same for the same evaluation. In every text each character can be seen: the charts'
    engine ends the process at some others.
    """
    evaluation, provenance = shown(evaluation), shown(provenance)
    job, data = evaluation.automl_job.name, evaluation.dataset
    accepted = evaluation.decision == "accept"
    notices = cautions.notices(evaluation)
    if data.synthetic:
        notices.insert(0, "The data are synthetic: nothing here says anything about real cases.")
    sections = [
        decision.gate_section(evaluation),
        decision.comparison_section(evaluation),
        performance.errors_section(evaluation),
        performance.curves_section(evaluation),
        columns.slices_section(evaluation),
        columns.importance_section(evaluation),
        origin.findings_section(provenance),
        origin.leaderboard_section(evaluation),
        origin.dataset_section(evaluation),
        origin.provenance_section(evaluation, provenance),
    ]
    problem = _PROBLEMS.get(evaluation.problem_type, evaluation.problem_type)
    return Report(
        title=job[:-_ID_LENGTH],
        subtitle=f"Evaluation of {job[1 - _ID_LENGTH :]}: {problem} of {data.target} from {data.name}",
        accepted=accepted,
        verdict=decision.verdict(evaluation),
        reasons=[] if accepted else list(evaluation.reasons),
        figures=list(decision.figures(evaluation)),
        notices=[
            f"{note[0].upper()}{note[1:]}{'' if note.endswith('.') else '.'}" for note in notices if note
        ],
        sections=[section for section in sections if section],
    )


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


def _opening(report: Report) -> Iterator[str]:
    mark, word = ("✅", "accepted") if report.accepted else ("❌", "rejected")
    yield f"## {mark} {escape(report.title)}: candidate {word}"
    yield f"{escape(report.verdict)}{':' if report.reasons else '.'}"
    if report.reasons:
        yield bullets(map(escape, report.reasons))
    for notice in report.notices:
        yield f"> [!WARNING]\n> {escape(notice)}"
    figures = [(escape(one.name), f"**{escape(one.value)}**", escape(one.more)) for one in report.figures]
    yield table(("", "", ""), figures, "lrl")
    yield escape(report.subtitle)


def _section(section: Section) -> Iterator[str]:
    parts = [part for block in section.blocks for part in _block(block)]
    if section.closed:
        yield folded(f"<b>{escape(section.title)}</b>", "\n\n".join(parts))
    else:
        yield f"### {escape(section.title)}"
        yield from parts


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Group):
        for one in block.blocks:
            yield from _block(one)
    elif isinstance(block, Table):
        yield f"{escape(block.caption)}:"
        yield _table(block)
    elif isinstance(block, Matrix):
        yield from _matrix(block)
    elif isinstance(block, DescriptionList):
        yield table(("", ""), [(escape(term), _cell(value)) for term, value in block.facts])
    elif isinstance(block, Bullets):
        yield bullets(map(escape, block.sentences))
    elif isinstance(block, Chart):
        yield f"**{escape(block.title)}.** {escape(block.summary)}"
        if block.data:
            yield folded(escape(block.data.caption), _table(block.data))
    elif block.notice:
        yield f"> [!NOTE]\n> {escape(block.text)}"
    else:
        yield escape(block.text)


def _table(block: Table) -> str:
    alignment = "".join("r" if heading in block.numeric else "l" for heading in block.headings)
    return table([*map(escape, block.headings)], [[*map(_cell, row)] for row in block.rows], alignment)


def _matrix(matrix: Matrix) -> Iterator[str]:
    yield f"{escape(matrix.caption)}, truth by prediction:"
    lines = []
    for number, row in enumerate(matrix.rows):
        cells = [f"{rows:,}<br>{100 * matrix.share(number, place):.1f}%" for place, rows in enumerate(row)]
        cells[number] = f"**{cells[number].replace('<br>', '**<br>', 1)}"
        lines.append([escape(matrix.labels[number]), *cells])
    yield table(["truth", *map(escape, matrix.labels)], lines, "l" + "r" * len(matrix.labels))


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.href.startswith("https://"):
        text = f'<a href="{escape_address(cell.href)}">{text}</a>'
    elif cell.code and text:
        text = f"<code>{text}</code>"
    if cell.mark:
        text = f"{cell.mark} {text}"
    return f"{text}<br><sub>{escape(cell.more)}</sub>" if cell.more else text


def escape_address(address: str) -> str:
    """An address inside the quotes of an attribute."""
    return (
        address.replace("&", "&amp;")
        .replace('"', "%22")
        .replace("<", "%3C")
        .replace(">", "%3E")
        .replace("|", "%7C")
    )
