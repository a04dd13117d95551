"""The Markdown: what the page says, within what GitHub takes, and inert whatever labels are called."""

import evaluations
import pytest

from automl_gitops.report import Provenance, markdown

GITHUB = 65_536  # characters of a pull request's body or a comment


@pytest.mark.parametrize(
    "evaluation",
    [evaluations.multiclass(), evaluations.binary(), evaluations.regression(), evaluations.document()],
    ids=["multiclass", "binary", "regression", "no classes"],
)
def test_it_has_the_page_s_sections(evaluation):
    text = markdown(evaluation)

    assert text.startswith("## ✅ hospital: candidate accepted\n")
    for title in ("Gate", "Candidate against", "Importance", "Leaderboard", "Data set", "Provenance"):
        assert title in text
    assert text.count("<details>") == text.count("</details>")
    assert len(text) < GITHUB


def test_a_rejection_and_its_reasons_come_first():
    text = markdown(evaluations.binary(decision="reject", reasons=["F1 is below the minimum"]))

    assert text.startswith("## ❌ hospital: candidate rejected\n")
    assert text.index("- F1 is below the minimum") < text.index("### Gate")


def test_every_row_of_a_table_has_its_columns():
    for line in markdown(evaluations.multiclass(labels=["a|b", "c", "d"])).split("\n\n"):
        rows = [row for row in line.splitlines() if row.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1, line


def test_it_is_cut_between_sections_where_it_would_be_too_long():
    labels = [f"class {number} with a long name" for number in range(50)]
    rows = [[number + 1 for number in range(50)] for _ in labels]
    evaluation = evaluations.document(
        classes=[evaluations.class_of(label) for label in labels], confusion={"labels": labels, "rows": rows}
    )

    text = markdown(evaluation, limit=20_000)

    assert len(text) <= 20_000
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("it is in report.html._")
    assert "Candidate against baseline" in text


def test_the_least_limit_still_has_the_decision():
    text = markdown(evaluations.multiclass(), limit=300)

    assert len(text) <= 300
    assert "candidate accepted" in text


HOSTILE = "</details><script>x</script> @everyone closes #1 | **b** [a](https://evil.example) `c` \n# title"


def test_labels_cannot_break_out():
    evaluation = evaluations.multiclass(
        labels=[HOSTILE, "b", "c"], reasons=[HOSTILE], decision="reject", notes=[HOSTILE]
    )

    text = markdown(evaluation, Provenance(run_url='https://x"><script>'))

    assert "<script" not in text
    assert text.count("<details>") == text.count("</details>")
    assert "@everyone" not in text
    assert "](https" not in text
    assert "https://evil" not in text
    assert "\n# " not in text
