from __future__ import annotations

import pytest

from local_sagemaker.authorization.conditions import arn_matches, holds, matches, substitute

CASES = [
    # condition, context, holds
    ({"StringEquals": {"a:b": "x"}}, {"a:b": ["x"]}, True),
    ({"StringEquals": {"A:B": "x"}}, {"a:b": ["x"]}, True),
    ({"StringEquals": {"a:b": "X"}}, {"a:b": ["x"]}, False),
    ({"StringEquals": {"a:b": ["x", "y"]}}, {"a:b": ["y"]}, True),
    ({"StringEquals": {"a:b": "x"}}, {}, False),
    ({"StringEqualsIfExists": {"a:b": "x"}}, {}, True),
    ({"StringEqualsIfExists": {"a:b": "x"}}, {"a:b": ["y"]}, False),
    ({"StringNotEquals": {"a:b": "x"}}, {}, True),
    ({"StringNotEquals": {"a:b": ["x", "y"]}}, {"a:b": ["y"]}, False),
    ({"StringNotEquals": {"a:b": ["x", "y"]}}, {"a:b": ["z"]}, True),
    ({"StringEquals": {"a:b": "x", "a:c": "y"}}, {"a:b": ["x"]}, False),
    ({"StringLike": {"a:b": "pre*fi?"}}, {"a:b": ["pre--fix"]}, True),
    ({"StringLike": {"a:b": "pre*"}}, {"a:b": ["xpre"]}, False),
    ({"StringNotLike": {"a:b": "pre*"}}, {"a:b": ["xpre"]}, True),
    ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": ["true"]}, False),
    ({"Bool": {"aws:SecureTransport": False}}, {"aws:securetransport": ["false"]}, True),
    ({"Null": {"a:b": "true"}}, {}, True),
    ({"Null": {"a:b": "false"}}, {}, False),
    ({"Null": {"a:b": False}}, {"a:b": ["x"]}, True),
    ({"NumericLessThanEquals": {"a:n": "4"}}, {"a:n": ["4"]}, True),
    ({"NumericLessThan": {"a:n": 4}}, {"a:n": ["4"]}, False),
    ({"NumericGreaterThan": {"a:n": "4"}}, {"a:n": ["many"]}, False),
    (
        {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
        {"aws:currenttime": ["2025-12-31T23:59:59Z"]},
        True,
    ),
    ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:sourceip": ["10.1.2.3"]}, True),
    ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:sourceip": ["10.1.2.3"]}, False),
    ({"ArnLike": {"a:arn": "arn:aws:s3:::b*"}}, {"a:arn": ["arn:aws:s3:::bucket"]}, True),
    ({"ForAllValues:StringEquals": {"a:t": ["m", "l"]}}, {"a:t": ["m", "l", "m"]}, True),
    ({"ForAllValues:StringEquals": {"a:t": ["m", "l"]}}, {"a:t": ["m", "xl"]}, False),
    ({"ForAllValues:StringEquals": {"a:t": ["m"]}}, {}, True),
    ({"ForAnyValue:StringEquals": {"a:t": ["m"]}}, {"a:t": ["l", "m"]}, True),
    ({"ForAnyValue:StringEquals": {"a:t": ["m"]}}, {}, False),
    ({"ForAnyValue:StringNotEquals": {"a:t": ["m"]}}, {"a:t": ["m", "l"]}, True),
    ({"ForAllValues:StringNotEquals": {"a:t": ["m"]}}, {"a:t": ["m", "l"]}, False),
    ({"StringEquals": {"a:b": "${aws:username}"}}, {"a:b": ["eve"], "aws:username": ["eve"]}, True),
    ({"StringEquals": {"a:b": "${aws:username}"}}, {"a:b": ["${aws:username}"]}, False),
]


@pytest.mark.parametrize(("condition", "context", "expected"), CASES)
def test_condition(condition, context, expected):
    assert holds(condition, context) is expected


def test_unknown_operator_is_an_error_and_no_silent_yes():
    with pytest.raises(ValueError, match="StringSomewhatLike"):
        holds({"StringSomewhatLike": {"a:b": "x"}}, {"a:b": ["x"]})


def test_a_dot_in_a_pattern_is_a_dot():
    assert not matches("a.c", "abc")


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("arn:aws:iam::*:role/x", "arn:aws:iam::123456789012:role/x", True),
        ("arn:aws:*", "arn:aws:iam::123456789012:role/x", False),
        ("arn:aws:sqs:*:1:q", "arn:aws:sqs:a:b:1:q", False),
        ("arn:aws:logs:r:1:log-group:*", "arn:aws:logs:r:1:log-group:a:log-stream:b", True),
    ],
)
def test_arn_patterns_keep_to_their_parts(pattern, arn, expected):
    assert arn_matches(pattern, arn) is expected


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("home/${aws:username}/*", "home/eve/*"),
        ("${*}${?}${$}", "*?$"),
        ("${aws:PrincipalTag/team, 'none'}", "none"),
        ("${aws:unknown}", None),
    ],
)
def test_policy_variables(text, filled):
    assert substitute(text, {"aws:username": ["eve"]}) == filled
