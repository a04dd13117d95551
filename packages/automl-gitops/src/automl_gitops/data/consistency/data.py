"""The data set against [dataset] and [autopilot]: is it the one that automl.toml speaks of, and can it be "
"learned from."""

import json

from automl_gitops.data.consistency.case import Case, Checks, Said, some
from automl_gitops.evaluation.metrics import BINARY, MULTICLASS, REGRESSION
from automl_gitops.kernel.errors import Finding
from automl_gitops.kernel.settings.model import INFER, LEAST_TRAINING_ROWS
from automl_gitops.kernel.words import counted, nearest

LOCK = "dataset.lock"
FEW_ROWS_TO_TRAIN_ON = 10  # of a class: AutoGluon, the engine of ensembling mode, leaves out rarer ones
FEW_ROWS_HELD_OUT = 5  # of a class
FEW_ROWS_TO_JUDGE = 100
_HALF = 0.5


def _again(case: Case) -> str:
    return f"run `automl data {'refer` again' if _refers(case) else 'push FILE` again'}"


def _refers(case: Case) -> bool:
    return bool(case.lock and case.lock.reference)


def _of_lock(sentence: str) -> Said:
    return Said(Finding(f"{LOCK}: {sentence}", LOCK), stops=True)


def split(case: Case) -> Checks:
    """The target and the split are those of automl.toml."""
    lock, wanted = case.lock, case.config.dataset
    if lock is None:
        return
    if lock.reference:
        if lock.target != wanted.target:
            yield _of_lock(
                f'made for target "{lock.target}", but automl.toml: [dataset] has "{wanted.target}": '
                f"{_again(case)}, or change it back"
            )
    elif (lock.target, lock.holdout, lock.seed) != (wanted.target, wanted.holdout, wanted.seed):
        yield _of_lock(
            f'made for target "{lock.target}", holdout {lock.holdout} seed {lock.seed}, '
            f'but automl.toml: [dataset] has "{wanted.target}", {wanted.holdout} and {wanted.seed}: '
            f"{_again(case)}, or change it back"
        )


def columns(case: Case) -> Checks:
    """The target is a column, and another one varies."""
    if case.lock is None or case.lock.target != case.config.dataset.target:
        return
    if case.target is None:
        near = nearest(case.lock.target, [column.name for column in case.lock.columns])
        hint = f'did you mean "{near}"? ' if near else ""
        yield _of_lock(f'has no column "{case.lock.target}", the target: {hint}{_again(case)}')
        return
    constant = [name for name, column in case.features.items() if column.distinct == 1]
    if not case.features:
        yield _of_lock(
            "has no column beside the target, so that there is nothing to predict it from: "
            f"add columns, and {_again(case)}"
        )
    elif len(constant) == len(case.features):
        yield _of_lock(
            f"no column beside the target varies ({some(constant)}), so that there is nothing to learn: add columns "
            f"with more than one value, and {_again(case)}"
        )


def bucket(case: Case) -> Checks:
    """[dataset] buckets names the bucket of data by reference, and no other."""
    named = case.config.dataset.buckets
    if case.lock is None:
        return
    uri = case.lock.uris.train_validation
    used = uri.removeprefix("s3://").partition("/")[0] if case.lock.reference else None
    if used is not None and used not in named:
        yield case.wrong(
            ("dataset", "buckets"),
            f'buckets does not name "{used}", in which the data of dataset.lock lies ({uri}): add it, and an '
            "administrator runs `make bootstrap` so that the pipeline may read it",
        )
    others = [name for name in named if name != used]
    if others:
        yield case.odd(
            ("dataset", "buckets"),
            f"buckets lets the pipeline read {some(others)}, which dataset.lock does not use: remove what "
            f"nobody needs",
        )


def problem(case: Case) -> Checks:
    """The target's values suit the problem type, however dataset.lock was made."""
    wanted, target, key = case.config.autopilot.problem_type, case.target, ("autopilot", "problem_type")
    if target is None or wanted == INFER:
        return
    said, classes = f"problem_type = {json.dumps(wanted)}", case.classes
    where = " in the holdout" if _refers(case) else ""
    if wanted == REGRESSION:
        if target.type == "text":
            yield case.wrong(
                key,
                f'{said}, but the target "{target.name}" has texts'
                + (f" ({some(sorted(classes))})" if classes else "")
                + f", which are no quantity: use {_suits(classes)}",
            )
        elif classes is not None:
            yield case.odd(
                key,
                f'{said}, but the data was pushed for classes ("{target.name}" has {len(classes)} values): it works, '
                f"and {_again(case)} to have a split for a quantity",
            )
        return
    if classes is None:
        yield case.wrong(
            key,
            f'{said}, but the data was pushed for a quantity, "{target.name}", without looking at classes: '
            f"{_again(case)}, or change it back to {REGRESSION}",
        )
    elif wanted == BINARY and len(classes) != 2:
        yield case.wrong(
            key,
            f'{said}, but the target "{target.name}" has {counted(len(classes), "class", "classes")}{where} '
            f"({some(sorted(classes))}): use {MULTICLASS}, or give data of two classes",
        )
    elif wanted == MULTICLASS and len(classes) == 2 and case.lock and case.lock.classes:
        yield case.odd(
            key,
            f'{said}, but the target "{target.name}" has two classes ({some(sorted(classes))}): {BINARY} offers '
            f"F1, AUC, "
            "precision and recall of the positive one",
        )


def _suits(classes: dict[str, int] | None) -> str:
    return BINARY if classes is not None and len(classes) == 2 else MULTICLASS


def rows(case: Case) -> Checks:
    """There are rows enough to train on."""
    if case.lock is None:
        return
    least, key = case.config.autopilot.least_rows, ("autopilot", "least_rows")
    train = case.lock.rows.train_validation
    reference = case.lock.reference
    if train is None and reference:
        # A row has a byte for each column at least: its separators and its end.
        most = (reference.bytes + 1) // max(1, len(case.lock.columns))
        if most < least:
            yield _of_lock(
                f"{reference} have at most {counted(most, 'row')} to train on, and Autopilot takes {least:,} or more: "
                "refer to more rows"
            )
        return
    if train is not None and train < least:
        lenient = (
            "; a local AWS that was started with `local-sagemaker up --lenient` takes fewer with [autopilot] "
            "least_rows in automl.toml"
            if least == LEAST_TRAINING_ROWS
            else ""
        )
        yield _of_lock(
            f"{counted(train, 'row')} to train on, and {_taker(least)} {least:,} or more: push more rows{_more(case)}"
            f"{lenient}"
        )
    elif least < LEAST_TRAINING_ROWS:
        what = (
            f"{train:,} rows to train on, which a local AWS started with --lenient takes, and the real "
            f"Autopilot refuses"
            if train is not None and train < LEAST_TRAINING_ROWS
            else "no effect on so many rows"
        )
        yield case.odd(key, f"least_rows = {least} has {what}: remove it")


def _taker(least: int) -> str:
    return "Autopilot takes" if least <= LEAST_TRAINING_ROWS else "[autopilot] least_rows asks for"


def _more(case: Case) -> str:
    """Whether a smaller holdout would do."""
    total, least = case.lock.rows.total if case.lock else None, case.config.autopilot.least_rows
    share = case.config.dataset.holdout
    if total is None or total * 0.9 < least or share <= 0.1:
        return ""
    return f", or lower [dataset] holdout = {share:g}"


def small(case: Case) -> Checks:
    """Classes and holdout are not so small that figures say little."""
    if case.lock is None:
        return
    share, total, test = case.config.dataset.holdout, case.lock.rows.total, case.lock.rows.test
    if total is not None and share > _HALF:
        yield case.odd(
            ("dataset", "holdout"),
            f"holdout = {share:g} keeps more rows from the training ({test:,}) than it leaves",
        )
    if test < FEW_ROWS_TO_JUDGE:
        yield case.odd(
            ("dataset", "holdout"),
            f"holdout is of {counted(test, 'row')}: intervals of so few are wide, and a good model may be rejected",
        )
    if case.classes is None or case.problems == (REGRESSION,):
        return
    held_out = {label: count for label, count in case.held_out.items() if count < FEW_ROWS_HELD_OUT}
    if held_out:
        yield case.odd(
            ("dataset", "holdout"),
            f"holdout has fewer than {FEW_ROWS_HELD_OUT} rows of {counted(len(held_out), 'class', 'classes')} "
            f"({some(sorted(held_out))}): what is measured of them is chance, and an average over classes counts them "
            "like the others",
        )
    if case.lock.classes:
        rare = [
            label
            for label, count in case.classes.items()
            if count - case.held_out[label] < FEW_ROWS_TO_TRAIN_ON
        ]
        if rare:
            yield case.odd(
                ("dataset", "target"),
                f"target has {counted(len(rare), 'class', 'classes')} of fewer than {FEW_ROWS_TO_TRAIN_ON} rows "
                f"to train "
                f"on ({some(sorted(rare))}), which Autopilot may leave out and then never predicts: give more "
                f"rows, or "
                "merge classes",
            )


CHECKS = (split, columns, bucket, problem, rows, small)
