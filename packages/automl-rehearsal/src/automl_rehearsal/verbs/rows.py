"""`automl data example` and `data prepare-hospital`: rows to try a project with."""

from pathlib import Path
from typing import Annotated

import typer

from automl_gitops.commands import Json
from automl_gitops.kernel.config import FILE, Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.files import prepare
from automl_gitops.kernel.words import counted

app = typer.Typer()

Folder = Annotated[Path, typer.Option("--output", metavar="FOLDER", help="Folder for the file.")]
Rows = Annotated[int, typer.Option("--rows", min=50, metavar="N", help="Rows of the sample.")]
_FOLDER = Path("build/data")


@app.command("prepare-hospital", epilog="Example: automl data prepare-hospital diabetic_data.csv.gz")
def prepare_hospital(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="UCI's diabetic_data.csv, gzipped or not.")],
    folder: Folder = _FOLDER,
    rows: Rows = 50_000,
    as_json: Json = False,
) -> None:
    """Make the example's 15 columns out of UCI's FILE.

    And the patient's number, unless there is an automl.toml that does not split by it.
    """
    from automl_rehearsal import hospital

    prepare(folder)
    output, path = Output(as_json=as_json), folder / "hospital-readmission.csv"
    patients = not FILE.exists() or hospital.splits_by_patient(Config.load().dataset)
    written = hospital.prepare(file, path, rows, patients=patients)
    output.done(f"{path}: {counted(written, 'row')}; next: automl data push {path}")
    output.result({"file": str(path), "source": str(file), "rows": written, "synthetic": False})


@app.command(epilog="Example: automl data example --rows 2000")
def example(
    given: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="UCI's diabetic_data.csv, if you have it."),
    ] = None,
    folder: Folder = _FOLDER,
    rows: Annotated[
        int | None,
        typer.Option(
            min=50, metavar="N", help="How many; by default 50,000 of the hospital's, or 5,000 made up."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Get example rows that fit automl.toml.

    For the target `readmitted` hospital data: from UCI's file if you have it, else from OpenML, else a synthetic
    stand-in. For any other target rows that are made up.
    """
    from automl_rehearsal.example import example

    prepare(folder)
    output = Output(as_json=as_json)
    made = example(folder, given, rows, output, Config.load() if not given or FILE.exists() else None)
    rows_of = (
        f"SYNTHETIC {counted(made.rows, 'row')}"
        if made.synthetic
        else f"{counted(made.rows, 'row')} from {made.source}"
    )
    output.done(f"{made.path}: {rows_of}; next: automl data push {made.path}")
    output.result(
        {"file": str(made.path), "source": made.source, "rows": made.rows, "synthetic": made.synthetic}
    )
