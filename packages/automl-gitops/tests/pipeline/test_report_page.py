"""The page: everything of the evaluation is in it, it is sound HTML, and it asks for nothing from outside."""

import json
import re
from html.parser import HTMLParser

import evaluations
import pytest

from automl_evaluation.labels import Classes
from automl_evaluation.layout import Difference, Estimated, Evaluation, Interval, Objective
from automl_evaluation.typed import plain
from automl_evaluation.values import sorted_labels
from automl_gitops.report import Provenance, chart_text, charts, html, markdown, words

MOST_BYTES = 1_500_000
VOID = {"meta", "link", "br", "hr", "img", "input"}
NO_CHAMPION = evaluations.multiclass()
COMPARED = evaluations.binary()
REJECTED = evaluations.binary(
    decision="reject",
    reasons=["F1 on the holdout is 0.8, below the minimum of 0.9"],
    gate=[
        evaluations.layout.Condition(
            "F1 on the holdout", "failed", "F1 is 0.8, below the minimum of 0.9", 0.8, 0.9
        )
    ],
)
LABELS_ONLY = evaluations.multiclass(curves=[], calibration=None, slices=[], outputs=["predicted_label"])
COLUMNS_CHANGED = evaluations.binary(
    champion=evaluations.layout.Champion(
        evaluations.CHAMPION, "columns_changed", "it reads columns that the data set no longer has: size"
    )
)
REGRESSION = evaluations.regression()
FIRST_REGRESSION = evaluations.regression(champion=None)
MANY_CLASSES = evaluations.document(
    classes=[evaluations.class_of(f"class {number}") for number in range(200)],
    confusion={"errors": [{"truth": "a", "prediction": "b", "rows": 3}]},
)
ALL = {
    "multiclass without champion": NO_CHAMPION,
    "binary with champion": COMPARED,
    "rejected": REJECTED,
    "labels only": LABELS_ONLY,
    "columns changed": COLUMNS_CHANGED,
    "regression": REGRESSION,
    "first regression": FIRST_REGRESSION,
    "many classes": MANY_CLASSES,
}
every = pytest.mark.parametrize("evaluation", ALL.values(), ids=ALL)


class Page(HTMLParser):
    """Reads a page; an element that is closed by another's tag is an `AssertionError`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@every
def test_the_page_is_sound_and_small(evaluation):
    text = html(evaluation)

    page = Page(text)
    identities = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert text.startswith("<!doctype html>")
    assert len(text.encode()) < MOST_BYTES
    assert len(identities) == len(set(identities))
    assert [page.of("html")[0]["lang"], len(page.of("h1")), len(page.of("main"))] == ["en", 1, 1]


@every
def test_the_page_loads_nothing(evaluation):
    page = Page(html(evaluation, Provenance(repository="clinic/hospital", commit="c" * 40)))

    loading = [
        (tag, value)
        for tag, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "srcset", "href", "xlink:href", "action", "poster", "data") and tag != "a"
    ]
    assert loading == [("link", "data:,")]
    assert [tag for tag, _ in page.elements if tag in ("script", "iframe", "object", "embed", "img")] == []
    assert not re.search(r"url\(|@import", html(evaluation))


@every
def test_every_chart_has_a_text_in_its_place_and_its_numbers_in_a_table(evaluation):
    page = Page(html(evaluation))

    pictures, summaries = page.of("svg"), html(evaluation).count('<p class="summary">')
    assert pictures
    assert all(len(picture["aria-label"]) > 20 and picture["role"] == "img" for picture in pictures)
    assert len(pictures) == summaries == len(page.of("figure"))
    assert len(page.of("table")) >= len(pictures)


@every
def test_colours_come_from_the_page_so_that_dark_pages_can_change_them(evaluation):
    text = html(evaluation)

    pictures = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    drawn = set(re.findall(r'(?:fill|stroke)="([^"]*)"', pictures))
    assert {colour for colour in drawn if not colour.startswith("var(--")} <= {
        "none",
        "currentColor",
        "transparent",
    }
    assert all(f"{colour[4:-1]}:" in text for colour in drawn if colour.startswith("var(--"))


def test_an_accepted_candidate_is_called_so_with_its_figures():
    page = Page(html(COMPARED))

    assert page.text.startswith("hospital: candidate accepted")
    assert "2 of the gate's 3 conditions passed; 1 had nothing to judge." in page.text
    assert "0.800" in page.text
    assert "+0.080 better: +0.040 to +0.120" in page.text
    assert "170" in page.text


def test_a_rejected_candidate_has_its_reasons_on_top():
    page = Page(html(REJECTED))

    reason = "F1 on the holdout is 0.8, below the minimum of 0.9"
    assert "Candidate rejected" in page.text
    assert page.text.index(reason) < page.text.index("Conditions of the gate")


def test_a_champion_that_was_not_compared_is_no_silence():
    page = Page(html(COLUMNS_CHANGED))

    assert "could not be compared: it reads columns that the data set no longer has: size" in page.text
    assert "not compared columns changed" in page.text


def test_intervals_of_differences_are_called_by_the_gate_s_confidence():
    usual, other = Page(html(COMPARED)), Page(html(evaluations.binary(confidence=0.8)))

    assert "its whole 95% interval is on that side of 0" in usual.text
    assert "differences with" not in usual.text
    assert "its whole 80% interval is on that side of 0" in other.text
    assert "better: +0.040 to +0.120 (80% interval)" in other.text
    assert "Metrics on the holdout, with 95% intervals, differences with 80% intervals" in other.text


def test_columns_that_the_champion_does_not_read_are_named():
    columns = {"added": [f"column {number}" for number in range(12)], "removed": []}
    page = Page(html(evaluations.binary(champion=evaluations.champion({"f1": 0.8}, columns=columns))))

    assert "does not read the columns added since: column 0, " in page.text
    assert "column 9, 2 more." in page.text
    assert "does not read" not in Page(html(COMPARED)).text


def test_synthetic_data_and_notes_are_said_before_anything_else():
    data = evaluations.dataset(synthetic=True)
    page = Page(html(evaluations.multiclass(dataset=data, notes=["the holdout has one class only, no"])))

    assert page.text.index("The data are synthetic") < page.text.index("F1 (macro) on the holdout")
    assert "The holdout has one class only, no." in page.text


def test_changes_of_the_data_set_since_the_champion_s_are_listed():
    columns = [
        {"name": "age", "type": "number"},
        {"name": "size", "type": "number"},
        {"name": "readmitted", "type": "text"},
    ]
    before = evaluations.dataset(
        sha256="cd" * 32, columns=columns, rows={"total": 1600, "train_validation": 1280, "test": 320}
    )
    other = evaluations.champion({"f1": 0.8}, dataset=before, same_dataset=False)
    page = Page(html(evaluations.binary(champion=other)))

    for sentence in (
        "rows: 1,600 became 2,000 (+25.0%)",
        "new columns: ward",
        "columns that are gone: size",
        "columns of another type: age from number to integer",
        "was trained on another data set",
    ):
        assert sentence in page.text


def test_only_groups_that_are_drawn_by_the_same_seed_stay_off_the_holdout():
    by_hand = {"split": {"group": ["patient"]}}
    drawn = {**by_hand, "seed": 42, "holdout": 0.2}

    for fields, warned in ((drawn, False), (by_hand, True)):
        before = evaluations.dataset(sha256="cd" * 32, **fields)
        other = evaluations.champion({"f1": 0.8}, dataset=before, same_dataset=False)
        page = Page(html(evaluations.binary(dataset=evaluations.dataset(**fields), champion=other)))
        assert ("perhaps on some rows of today's holdout" in page.text) == warned


def test_of_a_split_by_time_a_champion_has_seen_the_holdout_only_with_later_rows():
    rules = [{"time": "day"}, {"time": "hour"}]
    drawn = {"seed": 42, "holdout": 0.2}

    for rule, warned in zip(rules, (False, True), strict=True):
        before = evaluations.dataset(sha256="cd" * 32, split=rule, **drawn)
        other = evaluations.champion({"f1": 0.8}, dataset=before, same_dataset=False)
        now = evaluations.dataset(split=rules[0], **drawn)
        page = Page(html(evaluations.binary(dataset=now, champion=other)))
        assert ("perhaps on some rows of today's holdout" in page.text) == warned
        assert ("only if it was trained on later rows" in page.text) != warned


def test_what_was_not_counted_is_said():
    by_reference = evaluations.dataset(
        sha256="cd" * 32,
        rows={"total": None, "train_validation": None, "test": 400},
        classes=None,
        reference={"objects": 12, "bytes": 34_567_890, "sha256": "ef" * 32},
    )
    since = evaluations.champion({"f1": 0.8}, dataset=evaluations.dataset(), same_dataset=False)
    until = evaluations.champion({"f1": 0.8}, dataset=by_reference, same_dataset=False)

    page = Page(html(evaluations.binary(dataset=by_reference, champion=since)))
    back = Page(html(evaluations.binary(champion=until)))

    assert (
        "not counted in the 12 objects of 34,567,890 bytes to train and validate; 400 held out" in page.text
    )
    assert "rows: 2,000 became not counted" in page.text
    assert "rows: not counted became 2,000" in back.text


def test_where_it_came_from_is_linked_if_it_is_a_web_address():
    commit, run = "c" * 40, "https://github.com/clinic/hospital/actions/runs/1"
    page = Page(html(NO_CHAMPION, Provenance("arn:x", commit, "clinic/hospital", run, "arn:y/4")))
    unsafe = Page(html(NO_CHAMPION, Provenance(repository='x"/y', run_url="javascript:alert(1)")))

    links = [attributes["href"] for attributes in page.of("a")]
    assert f"https://github.com/clinic/hospital/commit/{commit}" in links
    assert run in links
    assert all(attributes["href"].startswith("#") for attributes in unsafe.of("a"))


HOSTILE = '</style><script>alert(1)</script><img src=x onerror="alert(1)">'


def test_labels_columns_and_reasons_cannot_break_out():
    evaluation = evaluations.multiclass(
        labels=[HOSTILE, "a & b", "]]>"],
        slices=[evaluations.slices(HOSTILE, HOSTILE)],
        reasons=[HOSTILE],
        decision="reject",
        notes=[HOSTILE],
        dataset=evaluations.dataset(name=HOSTILE, target=HOSTILE, classes={HOSTILE: 1}),
        importance={"source": None, "reason": HOSTILE, "features": []},
    )

    page = Page(html(evaluation, Provenance(commit=HOSTILE, repository=HOSTILE, run_url=HOSTILE)))

    names = {name for _, attributes in page.elements for name in attributes}
    assert [tag for tag, _ in page.elements if tag in ("script", "img")] == []
    assert [
        name for name in names if name.startswith("on") or not re.fullmatch(r"[a-z][a-z0-9:-]*", name)
    ] == []
    assert len(page.of("style")) == 1
    assert HOSTILE in page.text


def test_the_same_evaluation_gives_the_same_page():
    assert html(COMPARED) == html(COMPARED)


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.8, 0.75, 0.84, "0.800"),
        (0.81234, 0.81230, 0.81239, "0.812340"),
        (4.158, 3.87, 4.49, "4.16"),
        (123456.7, 120000.0, 130000.0, "123,457"),
        (0.00012, None, None, "0.0001200"),
        (-1.8e-15, None, None, "0.000"),
        (-2.5, None, None, "\N{MINUS SIGN}2.500"),
        (3e15, None, None, "3.000e+15"),
    ],
)
def test_numbers_have_as_many_digits_as_they_deserve(value, low, high, shown):
    assert words.estimate(value, Estimated(value, low, high)).text == shown


@pytest.mark.parametrize(
    ("value", "signed", "shown"),
    [
        (-0.0002, False, "\N{MINUS SIGN}0.0002"),
        (-0.0002, True, "\N{MINUS SIGN}0.0002"),
        (0.0002, True, "+0.0002"),
        (-0.0096, False, "\N{MINUS SIGN}0.01"),
        (-0.0, True, "0.00"),
        (-1e-13, True, "0.00"),
        (-1.0, False, "\N{MINUS SIGN}1.00"),
    ],
)
def test_nothing_but_0_is_rounded_to_it(value, signed, shown):
    assert words.number(value, 2, signed=signed) == shown


def test_an_interval_that_ends_before_0_does_not_touch_it():
    """A gate that says "surely not better" stands beside it, in the headline, the table and the charts' sentences."""
    metrics = {"r2": -1.56, "rmse": 4.2, "mae": 3.1}
    apart = {"r2": Difference(-1.56, -10.94, -0.4193, "worse")}
    page = Page(
        html(
            evaluations.regression(
                metric="r2",
                objective_name="R2",
                objective=Objective("R2", "r2", "maximize", -1.56, -10.94, -0.4193, None),
                metrics=metrics,
                intervals={"r2": {"low": -10.94, "high": -0.4193}},
                champion=evaluations.champion(
                    metrics, dataset=evaluations.dataset(classes=None), differences=apart
                ),
            )
        )
    )

    assert page.text.count("\N{MINUS SIGN}11 to \N{MINUS SIGN}0.4") >= 3
    assert "\N{MINUS SIGN}0 " not in page.text
    assert " to 0 " not in page.text


def test_errors_are_shown_with_the_same_decimals():
    page = Page(html(REGRESSION))

    assert "Half of the errors lie between \N{MINUS SIGN}2.50 and 2.50" in page.text
    assert "50.0% 0.00 75.0% 2.50" in page.text


def test_a_picture_is_drawn_without_the_network(monkeypatch):
    def refuse(*arguments: object) -> None:
        raise AssertionError("a picture wants the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    rows = [{"label": "a", "model": "Candidate", "value": 0.5, "low": 0.4, "high": 0.6}]

    picture = charts.svg(charts.intervals(rows, ["Candidate"], "x"), "A point.")

    assert picture.startswith('<svg role="img" aria-label="A point."')


def test_with_ten_classes_it_says_which_curves_are_drawn_and_why():
    labels = [str(number) for number in (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)]
    curves = [evaluations.curve(label) | {"auc": 0.99 - 0.01 * int(label)} for label in labels]
    classes = [evaluations.class_of(label) | {"support": 100 + int(label)} for label in labels]
    confusion = {"labels": sorted(labels, key=int), "rows": [[1] * 10] * 10}

    page = Page(
        html(evaluations.multiclass(labels=labels, classes=classes, curves=curves, confusion=confusion))
    )

    assert "Curves are drawn of 6 of the 10 classes, the 6 with the smallest area" in page.text
    assert "Area under the curve: class “5” 0.940; class “6” 0.930;" in page.text
    table = page.text[page.text.index("Classes, with 95% intervals") : page.text.index("Curves are drawn")]
    assert [word for word in table.split() if word in labels and word.isdigit()] == sorted(labels, key=int)


def test_the_worst_slice_is_one_that_has_enough_rows():
    page = Page(html(evaluations.multiclass(slices=[evaluations.slices()])))

    assert "is worst, 0.780, for “below 50” (200 rows)" in page.text


def test_the_baseline_is_named_by_metric():
    page = Page(html(evaluations.binary(champion=None)))

    assert (
        "the best constant answer by each metric: for F1, the objective, always “no”, which scores 0.400"
        in page.text
    )
    assert "0.450 the same score for every row" in page.text
    assert "Against always “no”" in page.text


def test_an_evaluation_from_before_baselines_had_names_has_a_report():
    document = plain(evaluations.multiclass())
    document["baseline"]["name"] = "most frequent class"
    del document["baseline"]["names"]
    evaluation = Evaluation.load(json.dumps(document).encode(), "evaluation.json")

    page = Page(html(evaluation))

    assert "The baseline predicts “no” for every row." in page.text
    assert "Against the most frequent class" in page.text


def test_a_smaller_error_is_called_better_beside_its_minus_sign():
    champion = evaluations.champion(
        {"rmse": 8000.0},
        differences={"rmse": evaluations.layout.Difference(-3465.0, -4000.0, -2900.0, "better")},
    )

    page = Page(html(evaluations.regression(metrics={"rmse": 4535.0}, champion=champion)))

    assert "\N{MINUS SIGN}3,465 better: \N{MINUS SIGN}4,000 to \N{MINUS SIGN}2,900" in page.text


def test_what_stands_together_has_the_same_decimals():
    figures = [
        (0.4, Interval(0.37, 0.43)),
        (0.4312, Interval(0.4309, 0.4315)),
        (0.41, Interval(0.38, 0.44)),
    ]

    assert words.places(figures) == 3
    assert words.places([(0.5, None), (1234.5, None)]) == 0
    assert words.places([]) == 3


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "9", "-1", "1.5"], ["-1", "1.5", "9", "10"]),
        (["True", "False"], ["False", "True"]),
        (["no", ">30", "<30"], ["<30", ">30", "no"]),
        (["10", "9", "many"], ["10", "9", "many"]),
    ],
)
def test_classes_stand_in_the_evaluation_s_order(labels, expected):
    assert sorted_labels(labels) == expected
    assert Classes(labels).labels == expected


def test_long_labels_that_differ_at_their_ends_stay_apart():
    names = [
        f"a diagnosis that nobody can say in one line, with a further part ({side} knee)"
        for side in ("left", "right")
    ]

    shown = [chart_text.lines(name, charts.LABEL_WIDTH) for name in names]

    assert shown[0] != shown[1]
    for lines in shown:
        assert len(lines) == chart_text.MOST_LINES
        assert all(chart_text.width(line) <= charts.LABEL_WIDTH for line in lines)


def test_every_text_of_a_chart_says_how_wide_it_is():
    rows = [
        {"label": label, "model": "Candidate", "value": 0.51234}
        for label in ("30 to below 60", "漢字", "0.51234")
    ]

    picture = charts.svg(charts.intervals(rows, ["Candidate"], "x"), "Points.")

    assert picture.count("<text") == picture.count("textLength=") > 3
    assert ">0.51234</text>" in picture
    assert 'textLength="22.0" lengthAdjust="spacingAndGlyphs">漢字<' in picture


STEERING = "a\x00\x01\x08\x1b[31m\x7f\x9b\u202eb\u2066\ud800\ufffec"
UNSEEN = {"\x00", "\x01", "\x08", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\ud800", "\ufffe"}


@every
def test_a_text_that_the_charts_engine_dies_of_is_shown_as_it_is_written(evaluation):
    known = shown_whole(evaluation)
    page, text = html(known), markdown(known)

    for form in (page, text):
        assert not UNSEEN & {*form}
        assert r"\x1b[31m" in form or r"&#92;x1b" in form


def shown_whole(evaluation):
    """The evaluation with a strange column, and strange labels where it has classes."""
    names = {column.name: f"{column.name}{STEERING}" for column in evaluation.dataset.columns}
    labels = {entry.label: f"{entry.label}{STEERING}" for entry in evaluation.classes}
    return Evaluation.load(json.dumps(_renamed(plain(evaluation), names | labels)).encode(), "t")


def _renamed(value, names):
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


def test_classes_of_few_rows_in_the_holdout_are_named_before_anything_else():
    """As the push did, in the same words."""
    rare = evaluations.class_of("yes") | {"support": 2}
    page = Page(html(evaluations.multiclass(classes=[evaluations.class_of("no"), rare])))

    assert (
        "The holdout has fewer than 5 rows of 1 class (yes): what is measured of them is chance, and an average over "
        "classes counts them like the others."
    ) in page.text


def test_what_the_decision_costs_on_the_holdout_stands_beside_its_errors():
    """Of 200 rows of either class 30 negative ones were called positive, and 40 positive ones were missed."""
    page = Page(html(evaluations.binary(threshold={"value": 0.2, "costs": COSTS})))

    # (30 * 1 + 40 * 20) / 400, and all 200 negative ones at 1 are cheaper than all 200 positive ones at 20
    assert (
        "On the holdout its errors cost 2.075 a row (30 false positives at 1, 40 false negatives at 20); calling every "
        "row “yes” would cost 0.5."
    ) in page.text
    assert "errors cost" not in html(evaluations.binary(threshold={"value": 0.2}))


def test_intervals_of_rows_split_by_time_are_said_to_take_rows_as_independent():
    page = Page(
        html(evaluations.regression(dataset=evaluations.dataset(classes=None, split={"time": "read_at"})))
    )

    assert (
        'Where rows of one read_at err alike, they are too narrow: with [dataset] group = "read_at" beside time they '
        "are of times."
    ) in page.text
    assert "independent" not in html(evaluations.regression())


COSTS = {"false_positive": 1, "false_negative": 20}
