"""The data set against [dataset] and [autopilot]: is it the one that automl.toml speaks of, and can it be "
"learned from."""

import json
from collections.abc import Mapping

from automl_evaluation import values
from automl_evaluation.cautions import few_rows
from automl_evaluation.layout import ON_VALIDATION
from automl_evaluation.metrics import (
    BINARY,
    DEFAULT_OBJECTIVES,
    METRICS,
    MULTICLASS,
    OF_A_THRESHOLD,
    REGRESSION,
    metric_of,
)
from automl_gitops.data.consistency.case import Case, Checks, Said
from automl_gitops.data.lock import Column
from automl_gitops.kernel.errors import Finding
from automl_gitops.kernel.settings.model import INFER, LEAST_TRAINING_ROWS
from automl_gitops.kernel.words import counted, meant, quoted, some

FEW_ROWS_TO_TRAIN_ON = 10  # of a class: AutoGluon, the engine of ensembling mode, leaves out rarer ones
FEW_ROWS_TO_JUDGE = 100
FEW_GROUPS_HELD_OUT = 30  # of which intervals are: with fewer they cover less than they say
_HALF = 0.5


def _again(case: Case) -> str:
    return f"run `automl data {'refer` again' if _refers(case) else 'push FILE` again'}"


def _refers(case: Case) -> bool:
    return bool(case.lock and case.lock.reference)


def _of_lock(case: Case, sentence: str) -> Said:
    return Said(Finding(f"{case.data}: {sentence}", case.data), stops=True)


def split(case: Case) -> Checks:
    """The target and the split are those of automl.toml."""
    lock, wanted = case.lock, case.config.dataset
    if lock is None:
        return
    rule = lock.split.rule if lock.split else {}
    if lock.reference:
        if lock.target != wanted.target:
            yield _of_lock(
                case,
                f'made for target "{lock.target}", but automl.toml: [dataset] has "{wanted.target}": '
                f"{_again(case)}, or change it back",
            )
    elif wanted.split and lock.target == wanted.target and rule == wanted.rule:
        return  # the column alone decides
    elif (lock.target, lock.holdout, lock.seed) != (wanted.target, wanted.holdout, wanted.seed):
        yield _of_lock(
            case,
            f'made for target "{lock.target}", holdout {lock.holdout} and seed {lock.seed}, '
            f'but automl.toml: [dataset] has "{wanted.target}", {wanted.holdout} and {wanted.seed}: '
            f"{_again(case)}, or change it back",
        )
    if rule != wanted.rule:
        yield _of_lock(
            case,
            f"made for rows split {_rule(rule) or 'at random'}, but automl.toml: [dataset] has "
            f"{_rule(wanted.rule) or 'no rule by which they are split'}: {_again(case)}, or change it back",
        )


def _rule(rule: Mapping[str, str | list[str]]) -> str:
    """The keys of a rule as automl.toml has them, "" where there is none."""
    return ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in rule.items())


def roles(case: Case) -> Checks:
    """The columns that are no features are those of automl.toml; types are of columns that can have them."""
    lock, wanted = case.lock, case.config.dataset
    if lock is None:
        return
    was, now = (lock.exclude or [], lock.weight), (wanted.exclude, wanted.weight)
    if (set(was[0]), was[1]) != (set(now[0]), now[1]):
        yield _of_lock(
            case,
            f"made with {_roles(*was)}, but automl.toml: [dataset] has {_roles(*now)}: {_again(case)}, or change it "
            "back",
        )
        return
    for name, kind in case.config.autopilot.types.items():
        path = ("autopilot", "types", name)
        column = case.features.get(name)
        if column is None:
            hint = meant(name, case.features) or "remove it, or name a column"
            yield case.wrong(path, f'types has "{name}", which is no input column of {lock.source}: {hint}')
        elif kind == "numeric" and column.type == "text":
            yield case.wrong(
                path,
                f'types has "numeric" for "{name}", which has values that are no numbers: use categorical or text',
            )
    if lock.reference and wanted.no_features and case.config.autopilot.mode != "ENSEMBLING":
        key = next(key for key in ("exclude", "weight", "group", "time") if getattr(wanted, key))
        yield case.odd(
            ("dataset", key),
            f"{key} leaves {some(wanted.no_features)} out of data by reference, and what a model of this mode then "
            "wants in a row is not documented: try it on a sample, or refer to data without these columns",
        )


def _roles(exclude: list[str], weight: str | None) -> str:
    said = [f"exclude = {json.dumps(exclude, ensure_ascii=False)}"] if exclude else []
    said += [f'weight = "{weight}"'] if weight else []
    return " and ".join(said) or "neither exclude nor weight"


def columns(case: Case) -> Checks:
    """The target is a column, and another one varies."""
    if case.lock is None or case.lock.target != case.config.dataset.target:
        return
    if case.target is None:
        hint = meant(case.lock.target, [column.name for column in case.lock.columns])
        yield _of_lock(
            case, f'has no column "{case.lock.target}", the target: {hint}{" " if hint else ""}{_again(case)}'
        )
        return
    constant = [name for name, column in case.features.items() if _is_constant(column)]
    if not case.features:
        yield _of_lock(
            case,
            "has no column beside the target, so that there is nothing to predict it from: "
            f"add columns, and {_again(case)}",
        )
    elif len(constant) == len(case.features):
        yield _of_lock(
            case,
            f"no column beside the target varies ({some(constant)}), so that there is nothing to learn: add columns "
            f"with more than one value, and {_again(case)}",
        )


def _is_constant(column: Column) -> bool:
    """Whether all values are one, as a trainer reads them: `1` and `1.0` are."""
    return column.distinct == 1 or (column.least is not None and column.least == column.most)


def labels(case: Case) -> Checks:
    """Each class has one spelling."""
    if case.classes is None or case.target is None or case.problems == (REGRESSION,):
        return
    for group in values.spellings(case.classes):
        yield _of_lock(
            case,
            f'"{case.target.name}" has {some(map(quoted, group))}, which are spellings of one class: write it alike in '
            f"all rows, and {_again(case)}",
        )


def bucket(case: Case) -> Checks:
    """[dataset] buckets names the bucket of data by reference, and no other."""
    named = case.config.dataset.buckets
    if case.lock is None:
        return
    uris = [
        uri for uri in (case.lock.uris.train_validation, case.lock.uris.validation) if uri and _refers(case)
    ]
    used = {uri.removeprefix("s3://").partition("/")[0]: uri for uri in reversed(uris)}
    for name, uri in used.items():
        if name not in named:
            yield case.wrong(
                ("dataset", "buckets"),
                f'buckets does not name "{name}", in which the data of dataset.lock lies ({uri}): add it, and an '
                "administrator runs `make bootstrap` so that the pipeline may read it",
            )
    others = [name for name in named if name not in used]
    if others:
        yield case.odd(
            ("dataset", "buckets"),
            f"buckets lets the pipeline read {some(others)}, which dataset.lock does not use: remove what nobody needs",
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


def decision(case: Case) -> Checks:
    """[decision] is of two classes, and names one of them."""
    positive, path = case.config.decision.positive, ("decision", "positive")
    if positive is None or case.lock is None or case.target is None:
        return
    said = f'positive = "{positive}"'
    if BINARY not in case.problems:
        yield case.wrong(
            path,
            f'{said} is of two classes, and Autopilot takes "{case.target.name}" for {case.problems[0]}: remove it',
        )
        return
    # Of data by reference the holdout alone was counted, which may lack a class.
    classes = case.classes or {}
    if positive not in classes and (case.lock.classes or len(classes) > 1):
        yield case.wrong(
            path,
            f'{said} is none of the classes of "{case.target.name}" ({some(sorted(classes))}): '
            + (meant(positive, classes) or "name one of them"),
        )
    elif case.problems != (BINARY,):
        yield case.odd(
            path,
            f"{said} is of two classes, and Autopilot may find more: name the problem type in [autopilot] problem_type",
        )


def threshold(case: Case) -> Checks:
    """A threshold that validation rows choose has such rows, and something to be chosen by."""
    decision, path = case.config.decision, ("decision", "threshold")
    if not decision.on_validation:
        return
    said = f'threshold = "{ON_VALIDATION}"'
    metric = metric_of(case.config.autopilot.metric or DEFAULT_OBJECTIVES[BINARY])
    if not decision.costs and metric not in OF_A_THRESHOLD:
        offered = ", ".join(METRICS[name].autopilot for name in OF_A_THRESHOLD)
        yield case.wrong(
            path,
            f"{said} is chosen by the objective, and {METRICS[metric].autopilot} has no best threshold ({offered} "
            "have): add costs, by which it is chosen then, or give a number",
        )
    lock = case.lock
    if lock is None:
        return
    if lock.reference:
        yield case.wrong(
            path,
            f"{said} is chosen on rows that `automl data push` sets apart, and the data is by reference: give a "
            "number, or costs alone, from which one follows",
        )
    elif not lock.rows.validation:
        way_out = (
            f'say "validation" of some rows in the column "{case.config.dataset.split}", and {_again(case)}'
            if case.config.dataset.split
            else f"{_again(case)}, which then sets some apart"
        )
        yield case.wrong(path, f"{said} is chosen on validation rows, and {case.data} has none: {way_out}")
    elif lock.rows.validation < FEW_ROWS_TO_JUDGE:
        yield case.odd(
            path,
            f"{said} is chosen on {counted(lock.rows.validation, 'validation row')}: among so few, chance chooses",
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
                case,
                f"{reference} have at most {counted(most, 'row')} to train on, and Autopilot takes {least:,} or more: "
                "refer to more rows",
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
            case,
            f"{counted(train, 'row')} to train on, and {_taker(least)} {least:,} or more: push more rows{_more(case)}"
            f"{lenient}",
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
    """Whether a smaller holdout would do, and what a rule left out."""
    total, least = case.lock.rows.total if case.lock else None, case.config.autopilot.least_rows
    share = case.config.dataset.holdout
    left_out = case.lock.split.left_out if case.lock and case.lock.split else None
    if left_out:
        keys = "holdout or gap" if "gap" in left_out else "holdout"
        rows = " and ".join(f"{reason} leaves out {count:,}" for reason, count in left_out.items())
        return f", or lower [dataset] {keys}: {rows} rows beside those held out"
    if total is None or total * 0.9 < least or share <= 0.1 or case.config.dataset.rule:
        return ""
    return f", or lower [dataset] holdout = {share:g}"


def small(case: Case) -> Checks:
    """Classes and holdout are not so small that figures say little."""
    if case.lock is None:
        return
    share, total, test = case.config.dataset.holdout, case.lock.rows.total, case.lock.rows.test
    if total is not None and share > _HALF and not case.config.dataset.split:
        yield case.odd(
            ("dataset", "holdout"),
            f"holdout = {share:g} keeps more rows from the training ({test:,}) than it leaves",
        )
    if test < FEW_ROWS_TO_JUDGE:
        yield case.odd(
            ("dataset", "holdout"),
            f"holdout is of {counted(test, 'row')}: intervals of so few are wide, and a good model may be rejected",
        )
    rule = case.lock.split
    if rule and rule.gap and not case.lock.reference and "gap" not in (rule.left_out or {}):
        yield case.odd(
            ("dataset", "gap"),
            f'gap = "{rule.gap}" leaves out no row: take a longer one, or remove it',
        )
    groups = case.lock.split.groups if case.lock.split else None
    if groups and groups.test < FEW_GROUPS_HELD_OUT:
        yield case.odd(
            ("dataset", "group"),
            f"group leaves {counted(groups.test, 'group')} for the holdout: intervals of so few are wide, and less "
            "sure than they say",
        )
    if case.classes is None or case.problems == (REGRESSION,):
        return
    if few := few_rows(case.held_out):
        yield case.odd(("dataset", "holdout"), few)
    if case.lock.classes:
        rare = [
            label
            for label, count in case.classes.items()
            if count - case.held_out[label] < FEW_ROWS_TO_TRAIN_ON
        ]
        if rare:
            yield case.odd(
                ("dataset", "target"),
                f"target has {counted(len(rare), 'class', 'classes')} of fewer than {FEW_ROWS_TO_TRAIN_ON} rows to "
                f"train on ({some(sorted(rare))}), which Autopilot may leave out and then never predicts: give more "
                "rows, or merge classes",
            )


CHECKS = (split, roles, columns, labels, bucket, problem, decision, threshold, rows, small)
