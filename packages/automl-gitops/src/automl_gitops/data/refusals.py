"""What is wrong with a row, as both the first look at a table and its push say it; the standard library is enough."""

from automl_gitops.kernel.words import counted, quoted

UNCLOSED = "is a quote opened that nothing closes?"


def wrong_width(where: str, has: int, wanted: int, *, is_open: bool) -> str:
    """That the row ``where`` has another number of columns; ``is_open``: a quote in it goes on beyond its line."""
    columns, commas = f"{counted(has, 'column')} instead of {wanted}", "quote values that contain commas"
    if not is_open:
        return f"{where} has {columns}: {commas}"
    way = f", or {commas}" if has > wanted else ""
    return (
        f"a quote that is opened in {where} is not closed in its line, so that the row has {columns}: close it or "
        f"take it out{way}"
    )


def missing_target(row: int, value: str, target: str, how_many: str = "") -> str:
    """That a row has no value in the target column, or one (``value``) that trainers read so."""
    what = f"has {quoted(value)}, which reads as no value," if value else "has no value"
    way = (
        "fill such cells or remove their rows, or give that another name where it is a class"
        if value
        else "fill it or remove the row"
    )
    return f'row {row} {what} in the target column "{target}"{how_many}: {way}'
