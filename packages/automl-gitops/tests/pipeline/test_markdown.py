"""Texts of anybody's are shown as they are, by a reader of Markdown that has GitHub's tables."""

from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt

from automl_gitops.kernel.markdown import bullets, code, escape, fenced, folded, table

TEXTS = [
    "F1 is 0.8 (95% interval 0.7 to 0.9)",
    "race_African_American",
    "_emphasis_ and __init__",
    "<30",
    "a|b",
    "**bold**, ~~gone~~ and `code`",
    "[a link](https://evil.example) and ![a picture](x.png)",
    "# a heading",
    "> a quotation",
    "AT&amp;T & &lt;",
    "back\\slash and \\| both",
    "$x^2$",
    "</details><script>alert(1)</script>",
    "s3://bucket/evaluations/abc/evaluation.json",
]


def rendered(markdown: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)


def shown(page: str) -> str:
    """What a person reads: no tags, entities resolved, without the space that nobody sees."""
    return html.unescape(re.sub(r"<[^>]*>", "", page)).replace("\N{ZERO WIDTH SPACE}", "").strip()


@pytest.mark.parametrize("text", TEXTS)
def test_in_a_paragraph(text):
    page = rendered(f"So: {escape(text)}")

    assert shown(page) == f"So: {text}"
    assert re.findall(r"<\w+", page) == ["<p"]


@pytest.mark.parametrize("text", TEXTS)
def test_in_a_list(text):
    page = rendered(bullets([escape(text)]))

    assert shown(page) == text
    assert re.findall(r"<\w+", page) == ["<ul", "<li"]


@pytest.mark.parametrize("text", TEXTS)
def test_in_a_table(text):
    page = rendered(table(("one", "two"), [(escape(text), "next")]))

    assert [shown(cell) for cell in re.findall("<td>(.*)</td>", page)] == [text, "next"]


@pytest.mark.parametrize("text", TEXTS)
def test_in_a_summary(text):
    title = re.search("<summary>(.*)</summary>", rendered(folded(escape(text), "more")))

    assert title
    assert shown(title[1]) == text


def test_several_lines_and_nothing():
    assert escape("one\n  two\r\nthree") == "one two three"
    assert escape(None) == ""


@pytest.mark.parametrize(
    "text", ["@everyone", "closes #1", "https://evil.example", "HTTP://evil.example", "www.evil.example"]
)
def test_nobody_is_called_and_nothing_is_linked(text):
    assert text not in escape(text)


def test_an_address_in_s3_can_be_copied():
    assert escape("s3://bucket/a_b/c.json") == "s3://bucket/a_b/c.json"


def test_code_stays_code_in_a_table():
    page = rendered(table(("path", "value"), [(code("a`b|c"), code("x\ny")), (code(""), "")]))

    assert re.findall("<td>(.*)</td>", page) == ["<code>a'b|c</code>", "<code>x y</code>", "", ""]


def test_numbers_stand_on_the_right():
    assert table(("name", "rows"), [("a", 1)], "lr") == "| name | rows |\n| --- | ---: |\n| a | 1 |"


def test_no_text_of_anybody_s_steers_a_page() -> None:
    text = "a\x1b[31m\u202eb\x9b\ud800c"

    for shown in (escape(text), code(text), fenced([text])):
        assert not {"\x1b", "\u202e", "\x9b", "\ud800"} & {*shown}
        shown.encode()
    assert code(text) == r"`a\x1b[31m\u202eb\x9b\ud800c`"
