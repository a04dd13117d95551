"""The project's own measures, as its evaluation/metrics.py declares them: read, not run, since numpy may be missing."""

import ast
from collections.abc import Iterator
from pathlib import Path

FILE = Path("evaluation/metrics.py")
_LESS_IS_BETTER = {"lower_is_better": True, "higher_is_better": False}


def declared(file: Path = FILE) -> dict[str, bool]:
    """The measures' names, each with whether less of it is better; none where there is no such file.

    A file that is no Python declares nothing here: the evaluation says what is wrong with it.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    return {
        name: _LESS_IS_BETTER[side]
        for statement in tree.body
        for name, function in _declarations(statement)
        if (side := ast.unparse(function).rpartition(".")[2]) in _LESS_IS_BETTER
    }


def _declarations(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """What a statement names, with the functions that it is passed to: as a decorated function, or by a call."""
    if isinstance(statement, ast.FunctionDef):
        for decorator in statement.decorator_list:
            yield statement.name, decorator
    elif isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Call):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value.func
