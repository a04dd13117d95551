"""`automl data ...`."""

import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl_gitops.commands import Json
from automl_gitops.data.lock import NOT_COUNTED, DatasetLock
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.files import prepare
from automl_gitops.kernel.words import counted

if TYPE_CHECKING:
    from automl_gitops.data.push import Pushed

app = typer.Typer(no_args_is_help=True, help="The data set: check and upload it, or get an example.")

Table = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV, gzipped CSV or Parquet file with a header.")
]
Folder = Annotated[Path, typer.Option("--output", metavar="FOLDER", help="Folder for the file.")]
Rows = Annotated[int, typer.Option("--rows", min=50, metavar="N", help="Rows of the sample.")]
_FOLDER = Path("build/data")


class _NoPandas(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(self, fullname: str, *_: Any) -> None:
        """Refuse pandas, and leave other modules to the finders after this one."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def _start_without_pandas() -> None:
    """Let pyarrow look for pandas, as it does once, with its first array, where there is none: nothing here gives it a
    frame, and the import takes longer than to read a million rows.
    """
    import pyarrow as pa

    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([""])
    finally:
        sys.meta_path.remove(finder)


@app.command(epilog="Example: automl data push customers.parquet")
def push(
    file: Table,
    synthetic: Annotated[
        bool | None,
        typer.Option(
            "--synthetic/--real",
            help="Whether the rows are made up; by default if the file's name begins with synthetic.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check FILE, upload it, and write dataset.lock.

    The rows are split into those to train on and the holdout, and lie in S3 under their content's hash: the same
    data twice uploads nothing.
    """
    _start_without_pandas()
    from automl_gitops.data.push import push
    from automl_gitops.kernel.aws import Aws

    config, output = Config.load(), Output(as_json=as_json)
    made_up = file.name.lower().startswith("synthetic") if synthetic is None else synthetic
    pushed = push(config, file, Aws(config.project.region), output, synthetic=made_up)
    rows = counted(pushed.lock.rows.train_validation or 0, "row")
    _report(output, pushed, f"{'SYNTHETIC data, ' if pushed.lock.synthetic else ''}{rows} to train on")


@app.command(epilog="Example: automl data check customers.parquet")
def check(file: Table, as_json: Json = False) -> None:
    """Check FILE as `push` does, without AWS.

    By itself and with automl.toml: nothing is written.
    """
    _start_without_pandas()
    from automl_gitops.data import consistency
    from automl_gitops.data.prepared import prepare

    config, output = Config.load(), Output(as_json=as_json)
    lock = prepare(config, file, output).lock(config, synthetic=False)
    output.done(
        f"{file}: can be pushed: {counted(lock.rows.train_validation or 0, 'row')} to train on, "
        f"{counted(lock.rows.test, 'row')} held out, {counted(len(lock.columns), 'column')}"
    )
    output.result(
        {
            "file": str(file),
            "problem_type": config.autopilot.problem_type,
            "notices": [str(notice) for notice in consistency.notices(config, lock)],
            **lock.model_dump(mode="json", include={"target", "rows", "columns", "classes"}),
        }
    )


@app.command(
    epilog="Example: automl data refer --train-validation s3://lake/train/ --test s3://lake/test.csv"
)
def refer(
    train_validation: Annotated[
        str,
        typer.Option(metavar="S3URI", help="CSV object with a header, or a prefix (with a slash) of such."),
    ],
    test: Annotated[
        str,
        typer.Option(metavar="S3URI", help="Object of the holdout's rows: CSV, gzipped CSV or Parquet."),
    ],
    as_json: Json = False,
) -> None:
    """Name data in S3 that is trained on where it lies.

    Its objects are named in dataset.lock and not copied; the holdout is checked and uploaded as by `push`.
    """
    _start_without_pandas()
    from automl_gitops.data.refer import refer
    from automl_gitops.kernel.aws import Aws

    config, output = Config.load(), Output(as_json=as_json)
    pushed = refer(config, train_validation, test, Aws(config.project.region), output)
    _report(output, pushed, f"{pushed.lock.reference} to train on (rows {NOT_COUNTED})")


def _report(output: Output, pushed: "Pushed", to_train_on: str) -> None:
    lock = pushed.lock
    output.done(
        f"{to_train_on}, {counted(lock.rows.test, 'row')} held out, "
        f"{counted(len(lock.columns), 'column')}, sha256 {lock.sha256[:12]}: "
        f"{counted(pushed.uploaded, 'file')} uploaded, "
        f"dataset.lock {'written' if pushed.changed else 'unchanged'}"
    )
    output.result({**lock.model_dump(mode="json"), "uploaded": pushed.uploaded, "changed": pushed.changed})


@app.command("prepare-hospital", epilog="Example: automl data prepare-hospital diabetic_data.csv.gz")
def prepare_hospital(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="UCI's diabetic_data.csv, gzipped or not.")],
    folder: Folder = _FOLDER,
    rows: Rows = 50_000,
    as_json: Json = False,
) -> None:
    """Make the example's 15 columns out of UCI's FILE."""
    from automl_gitops.data import hospital

    prepare(folder)
    output, path = Output(as_json=as_json), folder / "hospital-readmission.csv"
    written = hospital.prepare(file, path, rows)
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
    from automl_gitops.data.example import example

    prepare(folder)
    output = Output(as_json=as_json)
    made = example(folder, given, rows, output, None if given else Config.load())
    rows_of = (
        f"SYNTHETIC {counted(made.rows, 'row')}"
        if made.synthetic
        else f"{counted(made.rows, 'row')} from {made.source}"
    )
    output.done(f"{made.path}: {rows_of}; next: automl data push {made.path}")
    output.result(
        {"file": str(made.path), "source": made.source, "rows": made.rows, "synthetic": made.synthetic}
    )


@app.command(epilog="Example: automl data inspect customers.csv --target churned")
def inspect(
    file: Table,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Target column; the last one by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what FILE holds and which problem suits it.

    Needs no automl.toml.
    """
    _start_without_pandas()
    from automl_gitops.data.inspect import inspect
    from automl_gitops.data.inspect import show as show_facts

    output, facts = Output(as_json=as_json), inspect(file, target)
    show_facts(output, facts)
    if facts["prepare"]:
        output.notice(f"this is UCI's file: automl data prepare-hospital {file} makes the example of it")
    output.result(facts)


@app.command(epilog="Example: automl data show")
def show(as_json: Json = False) -> None:
    """Show what dataset.lock names."""
    output, lock = Output(as_json=as_json), DatasetLock.load()
    rows = lock.rows
    output.say(
        f"{lock.name}{' (SYNTHETIC)' if lock.synthetic else ''} from {lock.source}, sha256 {lock.sha256}"
    )
    if lock.reference:
        output.say(f"{lock.reference} to train on (rows {NOT_COUNTED}), {counted(rows.test, 'row')} held out")
    else:
        output.say(
            f"{counted(rows.total or 0, 'row')}: {rows.train_validation:,} to train on, {rows.test:,} held out "
            f"(seed {lock.seed})"
        )
    output.table(
        ("column", "type"),
        [
            (column.name + (" (target)" if column.name == lock.target else ""), column.type)
            for column in lock.columns
        ],
    )
    classes = lock.classes or lock.holdout_classes
    if classes:
        total = sum(classes.values())
        shares = [(label, count, f"{count / total:.1%}") for label, count in classes.items()]
        output.table(("class", f"rows{'' if lock.classes else ' held out'}", "share"), shares)
    output.result(lock.model_dump(mode="json"))
