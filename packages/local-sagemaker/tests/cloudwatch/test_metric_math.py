from __future__ import annotations

import pytest

from local_sagemaker.cloudwatch.expressions import evaluate

VALUES = {"errors": 3.0, "requests": 60.0, "nothing": None, "zero": 0.0}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("errors", 3),
        ("100 * errors / requests", 5),
        ("-(errors - 4) ^ 2", -1),
        ("errors / zero", None),
        ("errors + nothing", None),
        ("FILL(nothing, 7) + errors", 10),
        ("IF(requests > 50 && errors >= 3, errors / requests, 0)", 0.05),
        ("IF(requests < 50 || errors == 4, 1, 0)", 0),
        ("IF(nothing > 1, 1, 0)", None),
        ("SUM([errors, requests, nothing])", 63),
        ("MAX(METRICS())", 60),
        ("MIN([errors, requests])", 3),
        ("AVG(FILL(METRICS(), 1))", 16),
        ("CEIL(errors / 2) + FLOOR(errors / 2) + ABS(0 - errors)", 6),
    ],
)
def test_an_expression_has_its_value(expression, expected):
    assert evaluate(expression, VALUES) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "errors +",
        "unknown",
        "errors.real",
        "__import__('os')",
        "RATE(errors)",
        "METRICS()",
        "'text'",
        "errors[0]",
    ],
)
def test_anything_else_is_an_error_that_names_the_expression(expression):
    with pytest.raises(ValueError, match="Error in expression"):
        evaluate(expression, VALUES)
