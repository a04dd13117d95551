"""`automl report`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from automl_gitops.commands import Json, Which
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import prepare, write_text
from automl_gitops.report import Provenance, html, markdown
from automl_gitops.report.origin import findings, of_execution
from automl_gitops.runs import evaluation_file
from automl_gitops.runs.execution import locate, read
from automl_gitops.runs.project import Project

app = typer.Typer()


@app.command(epilog="Example: automl report --output build/report.html --markdown build/report.md")
def report(
    which: Which = None,
    evaluation: Annotated[
        Path | None, typer.Option(help="An evaluation.json to report on; needs no AWS.", metavar="FILE")
    ] = None,
    output: Annotated[Path, typer.Option(help="The page to write.", metavar="FILE")] = Path(
        "build/report.html"
    ),
    markdown_file: Annotated[
        Path | None,
        typer.Option("--markdown", help="Write the same as Markdown for GitHub, too.", metavar="FILE"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the evaluation as a page.

    It is one HTML file, which needs nothing else and can be sent to anybody.
    """
    say = Output(as_json=as_json)
    if evaluation is not None and which is not None:
        raise UserError(f"report {which} --evaluation {evaluation}: give an execution or a file, not both")
    for file in filter(None, (output, markdown_file)):
        prepare(file)
    if evaluation is not None:
        document, origin = evaluation_file.load(evaluation), Provenance()
    else:
        project = Project()
        sagemaker = project.aws.client("sagemaker")
        state = read(sagemaker, project.names, locate(sagemaker, project.names, which))
        document, origin = of_execution(project.aws.client("s3"), project.names, state), Provenance.of(state)
    origin = replace(origin, findings=tuple(findings(document)))
    write_text(output, html(document, origin))
    say.done(f"{output}: {document.decision}, {document.reasons_text}")
    if markdown_file is not None:
        write_text(markdown_file, markdown(document, origin))
        say.done(f"{markdown_file}: the same as Markdown")
    say.result(
        {
            "report": str(output),
            "markdown": str(markdown_file) if markdown_file else None,
            "decision": document.decision,
            "reasons": document.reasons,
        }
    )
