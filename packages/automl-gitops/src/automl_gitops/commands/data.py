"""`automl data ...`."""

import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl_gitops.commands import Delimiter, Encoding, Json
from automl_gitops.data.formats import UTF_8, Dialect
from automl_gitops.data.lock import NOT_COUNTED, DatasetLock
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import write_text
from automl_gitops.kernel.words import counted

if TYPE_CHECKING:
    from automl_gitops.data.push import Pushed

app = typer.Typer(no_args_is_help=True, help="The data set: check and upload it, or get an example.")

Table = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV, gzipped CSV or Parquet file with a header.")
]


class _NoPandas(MetaPathFinder):
    """Finds no pandas; a `None` in `sys.modules`, which Python takes so, Cython takes for a module."""

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
    delimiter: Delimiter = ",",
    encoding: Encoding = UTF_8,
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
    dialect = Dialect.of(delimiter, encoding)
    before = _before()
    pushed = push(config, file, Aws(config.project.region), output, synthetic=made_up, dialect=dialect)
    rows = _rows(pushed.lock)
    _report(output, before, pushed, f"{'SYNTHETIC data, ' if pushed.lock.synthetic else ''}{rows}")


@app.command(epilog="Example: automl data check customers.parquet")
def check(file: Table, delimiter: Delimiter = ",", encoding: Encoding = UTF_8, as_json: Json = False) -> None:
    """Check FILE as `push` does, without AWS.

    By itself and with automl.toml: nothing is written.
    """
    _start_without_pandas()
    from automl_gitops.data import consistency
    from automl_gitops.data.prepared import prepare

    config, output = Config.load(), Output(as_json=as_json)
    lock = prepare(config, file, output, Dialect.of(delimiter, encoding)).lock(config, synthetic=False)
    output.done(
        f"{file}: can be pushed: {_rows(lock)}, "
        f"{counted(lock.rows.test, 'row')} held out, {counted(len(lock.columns), 'column')}"
    )
    output.result(
        {
            "file": str(file),
            "problem_type": config.autopilot.problem_type,
            "notices": [str(notice) for notice in consistency.notices(config, lock)],
            **lock.model_dump(mode="json", include={"target", "columns", "classes", "findings"}),
            "rows": lock.rows.model_dump(exclude_none=True),
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
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="S3URI", help="The same of rows to validate on; Autopilot chooses some by default."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Name data in S3 that is trained on where it lies.

    Its objects are named in dataset.lock and not copied; the holdout is checked and uploaded as by `push`.
    """
    _start_without_pandas()
    from automl_gitops.data.refer import refer
    from automl_gitops.kernel.aws import Aws

    config, output, before = Config.load(), Output(as_json=as_json), _before()
    pushed = refer(config, train_validation, test, Aws(config.project.region), output, validation)
    _report(output, before, pushed, f"{pushed.lock.reference} to train on (rows {NOT_COUNTED})")


def _rows(lock: DatasetLock) -> str:
    """The rows that are not held out."""
    rows = lock.rows
    told = f"{counted(rows.train_validation or 0, 'row')} to train on"
    if rows.validation:
        told += f", {rows.validation:,} to validate on"
    return told + (f", {rows.left_out:,} left out" if rows.left_out else "")


def _before() -> DatasetLock | None:
    """What was pushed last; `None` where nothing was, or where its lock cannot be read, which a push mends."""
    with suppress(UserError):
        return DatasetLock.load()
    return None


def _report(output: Output, before: DatasetLock | None, pushed: "Pushed", to_train_on: str) -> None:
    from automl_gitops.plan.changes import DataChange

    lock = pushed.lock
    if other := DataChange(before, lock).schema.sentences:
        output.notice(f"the columns are not those of the dataset.lock before: {'; '.join(other)}")
    output.done(
        f"{to_train_on}, {counted(lock.rows.test, 'row')} held out, "
        f"{counted(len(lock.columns), 'column')}, sha256 {lock.sha256[:12]}: "
        f"{counted(pushed.uploaded, 'file')} uploaded, "
        f"dataset.lock {'written' if pushed.changed else 'unchanged'}"
    )
    output.result({**lock.model_dump(mode="json"), "uploaded": pushed.uploaded, "changed": pushed.changed})


@app.command(epilog="Example: automl data inspect customers.csv --target churned")
def inspect(
    file: Table,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Target column; automl.toml's by default, or else the last one."),
    ] = None,
    delimiter: Delimiter = ",",
    encoding: Encoding = UTF_8,
    as_json: Json = False,
) -> None:
    """Say what FILE holds and which problem suits it.

    Needs no automl.toml.
    """
    _start_without_pandas()
    from automl_gitops.data.inspect import inspect
    from automl_gitops.data.inspect import show as show_facts

    output, facts = Output(as_json=as_json), inspect(file, target, Dialect.of(delimiter, encoding))
    show_facts(output, facts)
    if facts["prepare"]:
        output.notice(f"this is UCI's file: automl data prepare-hospital {file} makes the example of it")
    output.result(facts)


@app.command(epilog="Example: automl data contract customers.parquet")
def contract(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Table to look at; what dataset.lock says by default."),
    ] = None,
    delimiter: Delimiter = ",",
    encoding: Encoding = UTF_8,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a contract.toml that is there already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a first contract.toml for you to edit.

    It says of each column what FILE shows: type, values or range, share of missing values. From then on `push`, `check`
    and `refer` refuse rows that it does not allow.
    """
    from automl_gitops.data import contract as contracts
    from automl_gitops.data.contract import draft

    output, path = Output(as_json=as_json), contracts.FILE
    if path.exists() and not force:
        raise UserError(f"{path}: is there already: edit it, or write it anew with --force")
    if file:
        from automl_gitops.data.profile import profile
        from automl_gitops.data.table import Table as Rows

        dataset, table = Config.load().dataset, Rows.open(file, dialect=Dialect.of(delimiter, encoding))
        whole = profile(table, dataset.target)
        types = {name: kind for name, kind in whole.types.items() if name not in dataset.exclude}
        columns, rows, source = whole.columns(types, has_classes=False), whole.rows, file.name
    else:
        lock = DatasetLock.load()
        columns, rows, source = lock.with_classes, lock.counted_rows, "dataset.lock"
    write_text(path, draft(columns, rows, source))
    output.done(f"{path}: {counted(len(columns), 'column')}; edit it, then: automl data check FILE")
    output.result({"file": str(path), "source": source, "columns": [column.name for column in columns]})


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
        how = f"split {lock.split}" if lock.split else f"seed {lock.seed}"
        output.say(f"{counted(rows.total or 0, 'row')}: {_rows(lock)}, {rows.test:,} held out ({how})")
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
    for finding in lock.findings or ():
        output.notice(str(finding))
    output.result(lock.model_dump(mode="json"))
