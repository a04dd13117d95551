"""What automl.toml and dataset.lock contradict is refused before anything is paid, and what is foolish is a notice.

Each row of the tables: the change of automl.toml, the change of dataset.lock, the core of the sentence, and the reason
(what would happen else) as its name.
"""

from __future__ import annotations

from typing import Any

import pytest
from making import automl_toml, lock, lock_by_reference

from automl_gitops.data import consistency
from automl_gitops.data.lock import Column, DatasetLock, Reference, Rows, SplitRule
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.account import AUTOPILOT

TWO = {"no": 600, "yes": 400}
BINARY = {"autopilot": {"problem_type": "BinaryClassification", "objective": "F1"}}
CHOSEN = {"decision": {"positive": "yes", "threshold": "validation"}}
COSTS = {"decision": {"costs": {"false_positive": 1, "false_negative": 5}}}
VALIDATED = Rows(total=1000, train_validation=640, validation=160, test=200)
REGRESSION = {
    "autopilot": {"problem_type": "Regression", "objective": "RMSE"},
    "gate": {"minimum": None, "maximum": 3.0},
}
R2 = {"autopilot": {"problem_type": "Regression", "objective": "R2"}}
INFER = {"autopilot": {"problem_type": "infer", "objective": None}}
TUNING = {"autopilot": {"mode": "HYPERPARAMETER_TUNING"}}
AUTO = {"autopilot": {"mode": "AUTO"}}
SERVERLESS = {
    "staging": {"serverless": {"memory_mb": 2048}},
    "production": {"serverless": {"memory_mb": 2048}},
}
QUANTITY = Column(name="label", type="number", distinct=900, least=0.0, most=100.0)


def columns(*changed: Column, target: Column | None = None) -> dict[str, list[Column]]:
    """The columns of the lock, of which some are as given; further ones are added."""
    known = {
        "age": Column(name="age", type="integer", missing=0, distinct=70, least=20, most=89),
        "ward": Column(name="ward", type="text", distinct=3, values={"a": 500, "b": 300, "c": 200}),
        "label": target or Column(name="label", type="text"),
    }
    return {"columns": list({**known, **{column.name: column for column in changed}}.values())}


def quantity(*changed: Column) -> dict[str, Any]:
    """A lock of a quantity."""
    return {"classes": None, **columns(*changed, target=QUANTITY)}


def slices(*names: str, **bands: Any) -> dict[str, Any]:
    return {"evaluation": {"slices": list(names), "bands": bands}}


def types(**of_columns: str) -> dict[str, Any]:
    return {"autopilot": {"types": of_columns}}


def merged(*parts: dict[str, Any]) -> dict[str, Any]:
    """Changes of automl.toml put together."""
    found: dict[str, Any] = {}
    for part in parts:
        for section, keys in part.items():
            found[section] = {**found.get(section, {}), **keys}
    return found


def gate(**keys: Any) -> dict[str, Any]:
    return {"gate": keys}


def row(reason: str, changes: dict[str, Any], of_lock: dict[str, Any] | None, core: str) -> Any:
    return pytest.param(changes, of_lock, core, id=reason)


def minimums(name: str, bound: float) -> dict[str, Any]:
    return gate(minimums={name: bound})


def maximums(name: str, bound: float) -> dict[str, Any]:
    return gate(maximums={name: bound})


MORE_CLASSES = {"classes": {f"c{n:03}": 990 for n in range(101)}}
HUNDREDS = {"rows": Rows(total=100_000, train_validation=80_000, test=20_000), **MORE_CLASSES}
FEW = {"rows": Rows(total=344, train_validation=275, test=69)}
ONE_HOT = (
    Column(name="race_A", type="integer", least=0, most=1, distinct=2),
    Column(name="race_B", type="integer", least=0, most=1, distinct=2),
)

REFUSED = [
    # The gate's metrics: the condition fails whatever the model, after the training.
    row(
        "F1 of one class is none of three",
        minimums("f1", 0.5),
        {},
        'minimums has "f1", which MulticlassClassification',
    ),
    row("precision of one class is none of three", minimums("precision", 0.5), {}, "use precision_macro"),
    row("recall of one class is none of three", minimums("recall", 0.5), {}, "use recall_macro"),
    row(
        "a quantity has no accuracy",
        merged(REGRESSION, minimums("accuracy", 0.5)),
        quantity(),
        "use one of r2",
    ),
    row(
        "a quantity has no AUC",
        merged(REGRESSION, minimums("auc", 0.7)),
        quantity(),
        'has "auc", which Regression',
    ),
    row(
        "a quantity has no kappa",
        merged(REGRESSION, minimums("cohen_kappa", 0.2)),
        quantity(),
        "which Regression",
    ),
    row(
        "a quantity has no log loss",
        merged(REGRESSION, maximums("log_loss", 1.0)),
        quantity(),
        "use one of rmse, mse",
    ),
    row(
        "a quantity has no Brier score",
        merged(REGRESSION, maximums("brier", 0.2)),
        quantity(),
        'has "brier", which',
    ),
    row(
        "classes have no R2",
        minimums("r2", 0.5),
        {},
        'has "r2", which MulticlassClassification does not have',
    ),
    row("classes have no RMSE", maximums("rmse", 2.0), {}, "use one of log_loss, brier"),
    row(
        "classes have no mean error",
        merged(BINARY, maximums("mae", 2.0)),
        {"classes": TWO},
        'has "mae", which Binary',
    ),
    row(
        "classes have no greatest error", maximums("max_error", 2.0), {}, 'has "max_error", which Multiclass'
    ),
    row(
        "a quantity has no probabilities",
        merged(REGRESSION, gate(maximum_calibration_error=0.1)),
        quantity(),
        "is about",
    ),
    row(
        "no probabilities of a hundred and one classes",
        minimums("auc", 0.6),
        HUNDREDS,
        "a model of 101 classes is asked",
    ),
    row("nor a log loss", maximums("log_loss", 1.0), HUNDREDS, "which needs probabilities"),
    row("nor a calibration", gate(maximum_calibration_error=0.1), HUNDREDS, "which needs probabilities"),
    row(
        "inferred from two classes: no RMSE",
        merged(INFER, maximums("rmse", 2.0)),
        {"classes": TWO},
        "which Binary",
    ),
    row("inferred from texts: no F1 of one class", merged(INFER, minimums("f1", 0.2)), {}, "use f1_macro"),
    row(
        "inferred from a quantity: no accuracy",
        merged(INFER, gate(minimum=None, maximum=3.0), minimums("accuracy", 0.2)),
        quantity(),
        "which Regression does not have",
    ),
    row(
        "inferred from a quantity: less is better",
        INFER,
        quantity(),
        "minimum = 0.3 does not fit MSE, of which less",
    ),
    row(
        "inferred from classes: more is better",
        merged(INFER, gate(minimum=None, maximum=3.0)),
        {},
        "does not fit Accuracy",
    ),
    # Bounds outside of a metric's range: no model can pass.
    row(
        "F1macro goes up to 1",
        gate(minimum=5),
        {},
        "minimum = 5 can be reached by no model: F1macro goes from 0 to 1",
    ),
    row("a percentage for a share", gate(minimum=85), {}, "and 85 % is 0.85"),
    row("F1 goes up to 1", merged(BINARY, gate(minimum=1.01)), {"classes": TWO}, "F1 goes from 0 to 1"),
    row("R2 goes up to 1", merged(R2, gate(minimum=1.5)), quantity(), "R2 goes up to 1"),
    row(
        "an error is never negative",
        merged(REGRESSION, gate(maximum=-1.0)),
        quantity(),
        "RMSE is never below 0",
    ),
    row(
        "a squared error is never negative",
        merged(REGRESSION, maximums("mse", -2.0)),
        quantity(),
        "maximums.mse = -2",
    ),
    row(
        "a median error is never negative",
        merged(REGRESSION, maximums("median_absolute_error", -1.0)),
        quantity(),
        "never below 0",
    ),
    row("log loss is never negative", maximums("log_loss", -0.1), {}, "log_loss is never below 0"),
    row("a Brier score is never negative", maximums("brier", -0.1), {}, "brier is never below 0"),
    row("a correlation goes up to 1", minimums("matthews_correlation", 1.2), {}, "goes from -1 to 1"),
    row(
        "kappa goes up to 1",
        minimums("cohen_kappa", 40),
        {},
        "cohen_kappa goes from -1 to 1, and 40 % is 0.4",
    ),
    row("accuracy goes up to 1", minimums("accuracy", 90), {}, "and 90 % is 0.9"),
    row("the AUC goes up to 1", minimums("auc", 2), {}, "minimums.auc = 2 can be reached by no model"),
    row(
        "average precision goes up to 1",
        minimums("average_precision", 1.5),
        {},
        "average_precision goes from 0 to 1",
    ),
    row("the range is known without a data set", gate(minimum=5), None, "can be reached by no model"),
    row(
        "the worst slice has the metric's range",
        merged(gate(worst_slice=2), slices("ward")),
        {},
        "worst_slice = 2 can be",
    ),
    row(
        "the worst slice's error is never negative",
        merged(REGRESSION, gate(worst_slice=-1.0), slices("ward")),
        quantity(),
        "worst_slice = -1",
    ),
    # More rows than there are: rejected whatever the model.
    row(
        "more rows than the holdout has",
        gate(minimum_rows=300),
        {},
        "is more than the 200 rows of the holdout",
    ),
    row(
        "the default is more, too",
        {},
        {"rows": Rows(total=620, train_validation=600, test=20), "holdout": 0.2},
        "minimum_rows = 30 (the default)",
    ),
    row(
        "more rows than a holdout by reference",
        merged(gate(minimum_rows=2000), {"dataset": {"buckets": ["lake"]}}),
        "reference",
        "refer to a larger holdout",
    ),
    row("the worst slice of none", gate(worst_slice=0.2), {}, "worst_slice = 0.2 has no slice to judge"),
    row(
        "no slice that large",
        merged(gate(worst_slice=0.2), {"evaluation": {"slices": ["ward"], "minimum_slice_rows": 300}}),
        {},
        "so that no slice can be judged",
    ),
    row(
        "no group that large",
        merged(gate(worst_slice=0.2), slices("clinic")),
        columns(Column(name="clinic", type="text", distinct=20, values={f"k{n}": 50 for n in range(20)})),
        "the largest group of slices has in all data (50 rows)",
    ),
    # Slices and bands: the evaluation fails after the training.
    row("bands of texts", slices("ward", ward=4), columns(), 'bands has "ward", a column of texts'),
    row("edges of texts", slices("ward", ward=[1, 2]), columns(), "which have no order"),
    row(
        "all edges above",
        slices("age", age=[300, 600]),
        columns(),
        "bands.age = [300, 600] cuts nothing: all rows lie from 20 to 89",
    ),
    row("all edges below", slices("age", age=[1, 5]), columns(), "cuts nothing"),
    row("the least value is no edge", slices("age", age=[20]), columns(), "cuts nothing"),
    row(
        "a pattern without a column",
        slices("rase_*"),
        columns(*ONE_HOT),
        'which matches no input column of patients.csv: did you mean "race_*"?',
    ),
    row("a column that is not there", slices("wards"), columns(), 'did you mean "ward"?'),
    row("a column like no other", slices("xyzzy"), columns(), "remove it there, or name a column"),
    row(
        "a pattern of whole numbers",
        slices("race_*"),
        columns(*ONE_HOT, Column(name="race_year", type="integer", least=1900, most=2000)),
        'takes in "race_year" of 1900 to 2000',
    ),
    row(
        "a pattern of fractions",
        slices("a*"),
        columns(Column(name="age", type="number", least=-3.5, most=0.5)),
        'takes in "age" of -3.5 to 0.5',
    ),
    row("a pattern of texts", slices("w*"), columns(), 'takes in "ward" with a, b, c, and no 0/1 column'),
    row(
        "a pattern of many texts",
        slices("n*"),
        columns(Column(name="note", type="text", distinct=900)),
        "of 900 different texts",
    ),
    row("a pattern of everything", slices("*"), columns(), 'slices has "*", which takes in "age"'),
    row(
        "a pattern of two and three",
        slices("sex_*"),
        columns(Column(name="sex_1", type="integer", values={"1": 500, "2": 500})),
        "with 2, and no 0/1",
    ),
    # The problem: the training fails, or its model is one of something else.
    row(
        "a quantity of texts",
        REGRESSION,
        {},
        'the target "label" has texts (<30, >30, no), which are no quantity: use Multi',
    ),
    row("a quantity of two texts", REGRESSION, {"classes": TWO}, "use BinaryClassification"),
    row(
        "two classes of three",
        BINARY,
        {},
        'the target "label" has 3 classes (<30, >30, no): use MulticlassClassification',
    ),
    row("two classes of one", BINARY, {"classes": {"no": 1000}}, "has 1 class (no)"),
    row(
        "classes of what was pushed as a quantity",
        {},
        quantity(),
        'pushed for a quantity, "label", without looking at',
    ),
    row("two classes of a quantity", BINARY, quantity(), "run `automl data push FILE` again"),
    row(
        "classes of a holdout that was not counted",
        {"dataset": {"buckets": ["lake"]}},
        "quantity by reference",
        "run `automl data refer` again",
    ),
    row(
        "two classes of a holdout of three",
        merged(BINARY, {"dataset": {"buckets": ["lake"]}}),
        "reference",
        "has 3 classes in the holdout",
    ),
    # The data: Autopilot refuses it, or it is another than automl.toml speaks of.
    row(
        "fewer rows than Autopilot takes",
        {},
        FEW,
        "275 rows to train on, and Autopilot takes 500 or more: push more rows",
    ),
    row(
        "one row too few",
        {},
        {"rows": Rows(total=624, train_validation=499, test=125)},
        "499 rows to train on",
    ),
    row(
        "rows that a rule left out",
        {"dataset": {"group": "patient", "time": "at", "gap": "7 days"}},
        {
            "rows": Rows(total=3000, train_validation=409, validation=100, test=600, left_out=1891),
            "split": SplitRule(
                group=["patient"], time="at", gap="7 days", left_out={"group": 1871, "gap": 20}
            ),
        },
        "push more rows, or lower [dataset] holdout or gap: group leaves out 1,871 and gap leaves out 20 rows beside "
        "those held out",
    ),
    row(
        "a smaller holdout would do",
        {"dataset": {"holdout": 0.5}},
        {"holdout": 0.5, "rows": Rows(total=900, train_validation=450, test=450)},
        "or lower [dataset] holdout = 0.5",
    ),
    row(
        "fewer than the project's own least",
        {"autopilot": {"least_rows": 5000}},
        {},
        "[autopilot] least_rows asks for 5,000 or more",
    ),
    row(
        "fewer than a lenient project takes",
        {"autopilot": {"least_rows": 300}},
        FEW,
        "Autopilot takes 300 or more",
    ),
    row(
        "bytes that cannot be so many rows",
        {"dataset": {"buckets": ["lake"]}},
        "small reference",
        "have at most 333 rows to train on",
    ),
    row(
        "another target",
        {"dataset": {"target": "ward"}},
        {},
        'made for target "label", holdout 0.2 and seed 42',
    ),
    row("another split", {"dataset": {"holdout": 0.3}}, {}, "but automl.toml: [dataset] has"),
    row("another seed", {"dataset": {"seed": 1}}, {}, "or change it back"),
    row(
        "another target than was referred to",
        {"dataset": {"target": "ward", "buckets": ["lake"]}},
        "reference",
        "data refer` again",
    ),
    row("a bucket that may not be read", {}, "reference", 'buckets does not name "lake"'),
    row(
        "a target that is no column",
        {},
        {"columns": [Column(name="age", type="integer"), Column(name="labels", type="text")]},
        'has no column "label", the target: did you mean "labels"?',
    ),
    row(
        "nothing to predict from",
        {},
        {"columns": [Column(name="label", type="text")]},
        "no column beside the target",
    ),
    row(
        "nothing that varies",
        {},
        columns(Column(name="age", type="integer", distinct=1), Column(name="ward", type="text", distinct=1)),
        "no column beside the target varies (age, ward)",
    ),
    # Endpoints: the version is registered, and cannot be served.
    row(
        "staging of several containers",
        merged(TUNING, {"staging": {"serverless": {"memory_mb": 2048}}}),
        {},
        "[staging] serverless takes models of one container",
    ),
    row(
        "production of several containers",
        merged(TUNING, SERVERLESS),
        {},
        "[production] serverless takes models",
    ),
    row("known without a data set", merged(TUNING, SERVERLESS), None, "[production] serverless takes models"),
    row(
        "data of a size for tuning",
        merged(AUTO, SERVERLESS, {"dataset": {"buckets": ["lake"]}}),
        "large reference",
        'mode = "AUTO" is HYPERPARAMETER_TUNING',
    ),
]

REFUSED += [
    row(
        "a data set with the column that is to be left out",
        {"dataset": {"exclude": ["ward"]}},
        {},
        'made with neither exclude nor weight, but automl.toml: [dataset] has exclude = ["ward"]: run `automl',
    ),
    row(
        "a data set without the column that is a feature again",
        {"dataset": {"buckets": ["lake"]}},
        "reference without a column",
        'made with exclude = ["id"] and weight = "w", but automl.toml: [dataset] has neither',
    ),
    row(
        "a type of no column", types(wrad="text"), columns(), 'types has "wrad", which is no input column of'
    ),
    row(
        "texts as numbers",
        types(ward="numeric"),
        columns(),
        'types has "numeric" for "ward", which has values',
    ),
    row(
        "a positive class that is none",
        merged(BINARY, {"decision": {"positive": "Yes"}}),
        {"classes": TWO},
        '[decision] positive = "Yes" is none of the classes of "label" (no, yes): did you mean "yes"?',
    ),
    row(
        "a positive class of three that Autopilot infers",
        merged(INFER, {"decision": {"positive": "a"}}),
        {"classes": {"a": 400, "b": 300, "c": 300}},
        "is of two classes, and Autopilot takes",
    ),
    row(
        "a choice on validation rows that there are none of",
        merged(BINARY, CHOSEN),
        {"classes": TWO},
        'threshold = "validation" is chosen on validation rows, and dataset.lock has none: run `automl data push FILE` '
        "again, which then sets some apart",
    ),
    row(
        "a split column that says validation of no row",
        merged(BINARY, CHOSEN, {"dataset": {"split": "part"}}),
        {"classes": TWO, "split": SplitRule(split="part")},
        'say "validation" of some rows in the column "part", and run',
    ),
    row(
        "a choice by an objective of which no threshold is best",
        merged(BINARY, {"autopilot": {"objective": "AUC"}}, CHOSEN),
        {"classes": TWO, "rows": VALIDATED},
        "chosen by the objective, and AUC has no best threshold (Accuracy, BalancedAccuracy, F1 have): add costs",
    ),
    row(
        "a choice by an objective that is best where all is called, before there are data",
        merged(BINARY, {"autopilot": {"objective": "Recall"}}, CHOSEN),
        None,
        "Recall has no best threshold",
    ),
    row(
        "a choice on rows that nobody looked at",
        merged(BINARY, CHOSEN, {"dataset": {"buckets": ["lake"]}}),
        "two classes by reference",
        "the data is by reference: give a number, or costs alone",
    ),
]
ODD = [
    row(
        "a choice on few rows",
        merged(BINARY, CHOSEN),
        {"classes": TWO, "rows": Rows(total=1000, train_validation=750, validation=50, test=200)},
        "is chosen on 50 validation rows: among so few, chance chooses",
    ),
    row(
        "what tuned models want of a row that lacks columns is not known",
        merged(TUNING, {"dataset": {"exclude": ["id"], "buckets": ["lake"]}}),
        "reference without a column of text",
        "exclude leaves id out of data by reference",
    ),
    row(
        "a holdout of one class leaves open what Autopilot infers",
        merged(INFER, {"decision": {"positive": "yes"}, "dataset": {"buckets": ["lake"]}}),
        "two classes by reference",
        "Autopilot may find more: name the problem type",
    ),
    row("a model without error", gate(minimum=1), {}, "minimum = 1 asks for a model without any error"),
    row(
        "an error of nothing",
        merged(REGRESSION, gate(maximum=0)),
        quantity(),
        "maximum = 0 asks for a model without",
    ),
    row("a gate that is open", gate(minimum=0.0), {}, "minimum = 0 lets every model pass"),
    row("a gate below the range", gate(minimum=-3), {}, "minimum = -3 lets every model pass"),
    row(
        "the template's bound",
        merged(REGRESSION, gate(maximum=1e12)),
        {"classes": None, **columns(target=Column(name="label", type="number"))},
        "maximum = 1e+12 lets every model pass",
    ),
    row(
        "an error as wide as the target",
        merged(REGRESSION, gate(maximum=100)),
        quantity(),
        "maximum = 100 lets every",
    ),
    row(
        "a squared error as wide",
        merged(REGRESSION, maximums("mse", 10_000.0)),
        quantity(),
        "maximums.mse = 10000 lets",
    ),
    row(
        "F1 of the class that most rows have",
        BINARY,
        {"classes": {"ja": 60, "nein": 940}},
        '[decision] names no positive class, so that F1 is of the second label, "nein" (94.0% of the rows): where "ja" '
        'is the class to find, write positive = "ja"',
    ),
    row(
        "its precision as a bound beside another objective",
        merged(BINARY, {"autopilot": {"objective": "AUC"}}, minimums("precision", 0.3)),
        {"classes": {"ja": 60, "nein": 940}},
        "so that Precision is of the second label",
    ),
    row(
        "less than always naming one class",
        merged(gate(better_than_baseline=False), minimums("accuracy", 0.4)),
        {},
        "says the same of every row (accuracy 0.5)",
    ),
    row("less than chance", merged(gate(better_than_baseline=False), minimums("auc", 0.5)), {}, "(auc 0.5)"),
    row("one metric twice", minimums("f1_macro", 0.4), {}, "the stricter one decides"),
    row(
        "a margin of everything",
        gate(champion_margin="100%"),
        {},
        "lets every model pass against the champion",
    ),
    row("a margin that was meant as a share", gate(champion_margin=5), {}, 'for 5 % write "5%"'),
    row(
        "a key without effect",
        gate(not_worse_than_champion=False, champion_failure="accept"),
        {},
        "has no effect",
    ),
    row(
        "a type that may be inferred otherwise",
        merged(INFER, minimums("accuracy", 0.6)),
        {"classes": {"1": 300, "2": 300, "3": 400}, **columns(target=Column(name="label", type="integer"))},
        "name the problem type",
    ),
    row(
        "a side that may be inferred otherwise",
        INFER,
        {"classes": {"1": 300, "2": 300, "3": 400}, **columns(target=Column(name="label", type="integer"))},
        "does not fit MSE, of which less is better and which Autopilot may choose",
    ),
    row(
        "slices that are not compared",
        {"evaluation": {"slices": ["ward"], "minimum_slice_rows": 300}},
        {},
        "no slice is compared",
    ),
    row(
        "slices that are nearly too small",
        merged(gate(worst_slice=0.2), {"evaluation": {"slices": ["ward"], "minimum_slice_rows": 150}}),
        columns(),
        "in the holdout (about 100 rows)",
    ),
    row("a slice twice", slices("ward", "ward"), columns(), "names ward twice"),
    row(
        "a slice of many values",
        slices("clinic"),
        columns(Column(name="clinic", type="text", distinct=90)),
        "the 20 most frequent are slices",
    ),
    row(
        "a slice of one value",
        slices("clinic"),
        columns(Column(name="clinic", type="text", distinct=1)),
        "one group is no group",
    ),
    row(
        "a slice by an identifier",
        slices("id"),
        columns(Column(name="id", type="text", looks_like="identifier")),
        "groups of a row each",
    ),
    row("bands without a row", slices("age", age=[10, 60, 120]), columns(), "so drop 10, 120"),
    row(
        "more bands than values",
        slices("stays", stays=8),
        columns(Column(name="stays", type="integer", distinct=3)),
        "more bands than the 3 values",
    ),
    row(
        "bands of 0 and 1",
        slices("race_*", **{"race_*": 4}),
        columns(*ONE_HOT),
        "whose columns are 0 or 1 already",
    ),
    row("two classes as many", {}, {"classes": TWO}, "BinaryClassification offers F1, AUC"),
    row(
        "a quantity that was pushed as classes",
        REGRESSION,
        {"classes": {"1": 300, "2": 300, "3": 400}, **columns(target=Column(name="label", type="integer"))},
        "pushed for classes",
    ),
    row(
        "a class of few rows held out",
        {},
        {"classes": {"<30": 12, ">30": 300, "no": 688}},
        "fewer than 5 rows of 1 class (<30)",
    ),
    row(
        "a class of few rows to train on",
        {},
        {
            "classes": {"<30": 12, ">30": 300, "no": 688},
            "holdout": 0.5,
            "rows": Rows(total=1000, train_validation=500, test=500),
        },
        "which Autopilot may leave out",
    ),
    row(
        "a holdout of few rows",
        {},
        {"rows": Rows(total=1000, train_validation=940, test=60)},
        "holdout is of 60 rows",
    ),
    row(
        "more held out than trained on",
        {"dataset": {"holdout": 0.6}},
        {"holdout": 0.6, "rows": Rows(total=2000, train_validation=800, test=1200)},
        "keeps more rows from the training",
    ),
    row(
        "a bucket that nobody reads",
        {"dataset": {"buckets": ["lake"]}},
        {},
        "which dataset.lock does not use",
    ),
    row(
        "rows for a lenient local AWS", {"autopilot": {"least_rows": 200}}, FEW, "the real Autopilot refuses"
    ),
    row("leniency that nobody needs", {"autopilot": {"least_rows": 200}}, {}, "no effect on so many rows"),
    row(
        "no VPC",
        merged(SERVERLESS, {"network": {"subnets": ["subnet-0a"], "security_groups": ["sg-0a"]}}),
        {},
        "outside of the subnets",
    ),
    row("a mode that may be tuning", merged(AUTO, SERVERLESS), {}, 'mode = "ENSEMBLING" makes them of any'),
    row(
        "staging on other hosting",
        {"staging": {"serverless": {"memory_mb": 2048}}},
        {},
        "on other hosting than production's",
    ),
    row(
        "more rows to verify than there are",
        {"verification": {"rows": 500}},
        {},
        "all of these are predicted",
    ),
    row("clients without a request", {"verification": {"requests": 2}}, {}, "some clients send none"),
    row("a percentile of ten", {"verification": {"requests": 10}}, {}, "the slowest alone decides"),
    row(
        "a median above the percentile",
        {"verification": {"max_latency_p50_ms": 3000}},
        {},
        "so that it never decides",
    ),
    row(
        "verified, though nothing is answered", {"verification": {"max_error_rate": 1}}, {}, "answers nothing"
    ),
    row(
        "verified, and rolled back for errors",
        {"verification": {"max_error_rate": 0.05}},
        {},
        "max_5xx_share = 0.01",
    ),
    row(
        "verified, and rolled back for latency",
        {"verification": {"max_latency_p95_ms": 3000}},
        {},
        "may roll back",
    ),
    row(
        "alarms without time to see",
        {"production": {"deployment": {"wait_seconds": 30}}},
        {},
        "shorter than one period of the alarms",
    ),
    row(
        "scaling without room",
        {"production": {"autoscaling": {"min_instances": 2, "max_instances": 2}}},
        {},
        "nothing scales",
    ),
    row(
        "scaling that begins outside",
        {"production": {"instance_count": 2, "autoscaling": {"min_instances": 3, "max_instances": 5}}},
        {},
        "outside of the 3 to 5 instances",
    ),
    row(
        "a limit that never decides",
        {"autopilot": {"budget": {"max_seconds_per_training_job": 7200}}},
        {},
        "so that it never decides",
    ),
    row(
        "no time to start",
        {"autopilot": {"budget": {"max_seconds": 60, "max_seconds_per_training_job": 60}}},
        {},
        "hardly time for one candidate",
    ),
    row(
        "no time to train",
        {"autopilot": {"budget": {"max_seconds_per_training_job": 10}}},
        {},
        "ends most trainings",
    ),
    row("no time to evaluate", {"evaluation": {"max_seconds": 120}}, {}, "two to four batch transforms"),
    row(
        "instances without work",
        {"evaluation": {"transform_instance_count": 4}},
        {},
        "the holdout has work for 1",
    ),
    row(
        "a price of nothing",
        {"prices": {"ml.c5.xlarge": 0.2, AUTOPILOT: 0.9}},
        {},
        "prices has ml.c5.xlarge, which nothing",
    ),
]


def built(of_lock: dict[str, Any] | str | None) -> DatasetLock | None:
    """The lock of a row."""
    sha256 = "ef" * 32
    references = {
        "reference": {},
        "two classes by reference": {"holdout_classes": {"no": 600, "yes": 400}},
        "reference without a column": {"exclude": ["id"], "weight": "w"},
        "reference without a column of text": {"exclude": ["id"]},
        "quantity by reference": {"holdout_classes": None, **columns(target=QUANTITY)},
        "small reference": {"reference": Reference(objects=1, bytes=999, sha256=sha256)},
        "large reference": {"reference": Reference(objects=9, bytes=2 * 10**9, sha256=sha256)},
    }
    if of_lock is None:
        return None
    return lock_by_reference(**references[of_lock]) if isinstance(of_lock, str) else lock(**of_lock)


@pytest.mark.parametrize(("changes", "of_lock", "core"), REFUSED)
def test_what_cannot_come_to_a_good_end_is_refused(changes: dict, of_lock: Any, core: str) -> None:
    text = automl_toml(**changes)

    found = consistency.findings(Config.parse(text), built(of_lock))

    assert [one for one in found if core in one.sentence], [one.sentence for one in found]
    for one in found:
        assert one.sentence.startswith(f"{one.file}: ")
        assert "\n" not in one.sentence
        if one.file == "automl.toml" and one.line:
            key = text.splitlines()[one.line - 1].partition(" =")[0].strip('[] "').rpartition(".")[2]
            assert key in one.sentence


@pytest.mark.parametrize(("changes", "of_lock", "core"), ODD)
def test_what_works_is_not_refused_and_what_is_hardly_meant_is_said(
    changes: dict, of_lock: Any, core: str
) -> None:
    config, data = Config.parse(automl_toml(**changes)), built(of_lock)

    said = [one.sentence for one in consistency.notices(config, data)]

    assert [sentence for sentence in said if core in sentence], said
    found = [one.sentence for one in consistency.findings(config, data)]
    assert [sentence for sentence in found if "made for target" not in sentence] == []


FINE = [
    row("types that suit", types(age="categorical", ward="text"), columns(), ""),
    row("algorithms", {"autopilot": {"algorithms": ["lightgbm", "xgboost"]}}, {}, ""),
    row("a column that was left out", {"dataset": {"exclude": ["id"]}}, {"exclude": ["id"]}, ""),
    row("three classes", {}, {}, ""),
    row("two classes", BINARY, {"classes": TWO}, ""),
    row(
        "the more frequent class is meant",
        merged(BINARY, {"decision": {"positive": "nein"}}),
        {"classes": {"ja": 60, "nein": 940}},
        "",
    ),
    row(
        "a metric of both classes",
        merged(BINARY, {"autopilot": {"objective": "AUC"}}),
        {"classes": {"ja": 60, "nein": 940}},
        "",
    ),
    row(
        "the first class is the positive one, by its costs",
        merged(BINARY, {"decision": {"positive": "no", "costs": {"false_positive": 1, "false_negative": 5}}}),
        {"classes": TWO},
        "",
    ),
    row(
        "a threshold that costs choose, whatever the objective is",
        merged(BINARY, {"autopilot": {"objective": "AUC"}}, CHOSEN, COSTS),
        {"classes": TWO, "rows": VALIDATED},
        "",
    ),
    row("a quantity", REGRESSION, quantity(), ""),
    row("R2 may be negative", merged(R2, gate(minimum=-0.5)), quantity(), ""),
    row(
        "a lock that was written before columns were described",
        merged(slices("age", "ward", age=[30, 60])),
        {},
        "",
    ),
    row("one-hot columns", slices("race_*"), columns(*ONE_HOT), ""),
    row(
        "one-hot columns as texts",
        slices("is_*"),
        columns(Column(name="is_a", type="text", values={"True": 500, "False": 500})),
        "",
    ),
    row("edges within", slices("age", age=[30, 60]), columns(), ""),
    row("a holdout of a thousand classes has labels", {}, HUNDREDS, ""),
    row("serverless everywhere", SERVERLESS, {}, ""),
    row("data by reference", {"dataset": {"buckets": ["lake"]}}, "reference", ""),
    row("a correlation below zero", minimums("matthews_correlation", -0.1), {}, ""),
    row("exactly five hundred rows", {}, {"rows": Rows(total=625, train_validation=500, test=125)}, ""),
]


@pytest.mark.parametrize(("changes", "of_lock", "core"), FINE)
def test_what_is_fine_is_passed_in_silence(changes: dict, of_lock: Any, core: str) -> None:
    config, data = Config.parse(automl_toml(**changes)), built(of_lock)

    assert consistency.findings(config, data) == []
    assert consistency.notices(config, data) == []


def test_many_kinds_of_mistakes_are_known() -> None:
    assert len(REFUSED) >= 60


def test_all_is_said_at_once_each_at_its_line() -> None:
    text = automl_toml(**merged(gate(minimum=5, minimum_rows=999), minimums("f1", 0.5), slices("wards")))

    with pytest.raises(UserError) as caught:
        consistency.require(Config.parse(text), lock())

    lines = [text.splitlines()[one.line - 1].partition(" =")[0] for one in caught.value.findings]
    assert lines == ["f1", "minimum", "minimum_rows", "slices"]
    assert str(caught.value).count("\n") == 3
