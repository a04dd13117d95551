"""Rules between columns, such as `admitted <= discharged` or `if state == "dead" then days == 0`: read here, and judged
by `automl_gitops.data.contract.check`.

A rule is parsed as an expression of Python, of which it may use comparisons, `and`, `or`, `not`, brackets, columns and
literals; nothing is ever evaluated as Python. A column whose name is no identifier stands in backticks.
"""

import ast
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from automl_gitops.kernel.words import meant

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.GtE: "greater_equal",
    ast.Gt: "greater",
}
KINDS = {"integer": "number", "number": "number", "text": "text", "date": "date"}
_NAME = "_column_{}_"
_BACKTICKS = "a column whose name is more than letters, digits and _ stands in `backticks`"
_MOST_LEVELS = 50  # of a rule's tree: whoever judges it goes down by recursion
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?")


@dataclass(frozen=True)
class Rule:
    """A rule's ``text``, the condition under which it holds (`None`: always), its claim, and its columns by the names
    in the two.
    """

    text: str
    condition: ast.expr | None
    claim: ast.expr
    columns: Mapping[str, str]


def parse_rule(text: str, types: Mapping[str, str]) -> Rule:
    """Read a rule about columns of these types. Raises `ValueError` with the end of a sentence that begins with it."""
    quoted: list[str] = []

    def stand_in(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0]  # a text in quotes
        quoted.append(match[1])
        return _NAME.format(len(quoted) - 1)

    plain = re.sub(r"""`([^`]*)`|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", stand_in, text).strip()
    columns = {_NAME.format(number): name for number, name in enumerate(quoted)}
    condition, claim = _parts(plain)
    for part in filter(None, (condition, claim)):
        for node in ast.walk(part):
            if isinstance(node, ast.Name):
                columns.setdefault(node.id, node.id)
        _check(part, columns, types)
    return Rule(text, condition, claim, columns)


def _parts(text: str) -> tuple[ast.expr | None, ast.expr]:
    if not re.match(r"if\b", text):
        return None, _expression(text)
    for match in re.finditer(r"\bthen\b", text):
        try:
            return _expression(text[2 : match.start()]), _expression(text[match.end() :])
        except ValueError:
            continue  # it stands in a text
    raise ValueError('is not of the form "if ... then ..."')


def _expression(text: str) -> ast.expr:
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        hint = "; equality is ==" if re.search(r"[^=<>!]=[^=]", text) else ""
        raise ValueError(
            'cannot be read: write comparisons such as admitted <= discharged, joined by "and" or "or"; '
            f"{_BACKTICKS}{hint}"
        ) from None
    level: list[ast.AST] = [tree]
    for _ in range(_MOST_LEVELS):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ValueError(f"is nested more than {_MOST_LEVELS} levels deep: make several rules of it")
    return tree


def _check(node: ast.expr, columns: Mapping[str, str], types: Mapping[str, str]) -> None:
    if isinstance(node, ast.BoolOp):
        for one in node.values:
            _check(one, columns, types)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        _check(node.operand, columns, types)
    elif isinstance(node, ast.Compare):
        for left, operator, right in comparisons(node):
            _check_comparison(left, operator, right, columns, types)
    else:
        raise ValueError(
            f'has "{_written(node, columns)}" where a comparison is wanted, such as admitted <= discharged'
        )


def _written(node: ast.expr, columns: Mapping[str, str]) -> str:
    """A part of a rule, with its columns as the rule has them."""
    return re.sub(_NAME.format(r"\d+"), lambda match: f"`{columns[match[0]]}`", ast.unparse(node))


def comparisons(node: ast.Compare) -> Iterator[tuple[ast.expr, ast.cmpop, ast.expr]]:
    """`0 < a <= b` as two comparisons."""
    operands = [node.left, *node.comparators]
    yield from zip(operands[:-1], node.ops, operands[1:], strict=True)


def _check_comparison(
    left: ast.expr, operator: ast.cmpop, right: ast.expr, columns: Mapping[str, str], types: Mapping[str, str]
) -> None:
    if type(operator) not in COMPARISONS:
        raise ValueError("compares by something else than <, <=, ==, !=, >= and >")
    kinds = [_kind(operand, columns, types) for operand in (left, right)]
    literals = [literal(operand) for operand in (left, right)]
    if all(one is not None for one in literals):
        raise ValueError(f'compares no column in "{ast.unparse(left)} ... {ast.unparse(right)}"')
    if "" in literals:
        if not isinstance(operator, ast.Eq | ast.NotEq):
            raise ValueError('compares with "", a missing value, by something else than == and !=')
        return
    if set(kinds) == {"date", "text"}:
        text = next((one for one in literals if one is not None), None)
        if text is None or not _ISO_DATE.fullmatch(str(text)):
            raise ValueError("compares a date with a text that is none, such as 2024-12-31")
        return
    if kinds[0] != kinds[1]:
        raise ValueError(f"compares a {kinds[0]} with a {kinds[1]}")


def _kind(operand: ast.expr, columns: Mapping[str, str], types: Mapping[str, str]) -> str:
    if isinstance(operand, ast.Name):
        name = columns[operand.id]
        if name not in types:
            hint = meant(name, types)
            raise ValueError(f'has "{name}", which is no column in [columns]' + (hint and f"; {hint}"))
        return KINDS[types[name]]
    value = literal(operand)
    if value is None:
        raise ValueError(
            f'has "{_written(operand, columns)}" where a column, a number or a text in quotes is wanted; '
            + _BACKTICKS
        )
    if not isinstance(value, str) and not is_representable(value):
        raise ValueError(f"has {value}, which is no finite number, or a whole one beyond 64 bits")
    return "text" if isinstance(value, str) else "number"


def is_representable(number: int | float) -> bool:
    """Whether a number can be compared with a column of int64 or float64 that has no infinite ones."""
    return -(2**63) <= number < 2**63 if isinstance(number, int) else math.isfinite(number)


def literal(operand: ast.expr) -> str | int | float | None:
    """The value of a text or number, `None` of anything else."""
    if isinstance(operand, ast.UnaryOp) and isinstance(operand.op, ast.USub):
        value = literal(operand.operand)
        return None if value is None or isinstance(value, str) else -value
    if isinstance(operand, ast.Constant) and isinstance(operand.value, str | int | float):
        return None if isinstance(operand.value, bool) else operand.value
    return None
