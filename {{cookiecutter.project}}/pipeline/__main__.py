"""`python -m pipeline ...`: data set, pipeline definition, runs and their status."""

import sys

import typer

from pipeline import cli
from pipeline.commands import app as commands
from pipeline.dataset.commands import app as dataset
from pipeline.report.commands import app as report

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Data set, pipeline definition, runs and their status. Reads automl.toml in the current folder.",
    epilog="First time, after `python -m deployment stack`: dataset push FILE, upsert, run --wait, report.",
)
app.add_typer(dataset, name="dataset")
app.add_typer(commands)
app.add_typer(report)

if __name__ == "__main__":
    sys.exit(cli.run(app, name="python -m pipeline"))
