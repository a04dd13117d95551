"""The commands of `python -m pipeline` that have no group of their own."""

import typer

app = typer.Typer()


@app.command()
def placeholder() -> None:
    """X."""
