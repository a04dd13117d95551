"""The project's own measures, as its evaluation/metrics.py declares them: read, not run, since numpy may be missing."""

import ast
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
        function.name: _LESS_IS_BETTER[name]
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for decorator in function.decorator_list
        if (name := ast.unparse(decorator).rpartition(".")[2]) in _LESS_IS_BETTER
    }
