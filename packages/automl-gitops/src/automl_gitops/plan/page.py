"""The plan as a page, for a terminal or the comment on a pull request: short at the top, the rest folded."""

from collections.abc import Iterator, Sequence
from typing import Any

from automl_gitops.data.findings import KINDS
from automl_gitops.data.lock import NOT_COUNTED, DataFinding, DatasetLock
from automl_gitops.kernel.page import Block, Bullets, Code, Page, Section, Strong, Table, Warn, Words
from automl_gitops.kernel.settings.account import Prices
from automl_gitops.kernel.words import counted
from automl_gitops.plan import Plan
from automl_gitops.plan.changes import Change
from automl_gitops.runs.ceiling import CostItem, hours, money

MOST_CHANGES = 60  # rows of one table
_LONGEST = 120
_STATES = {
    "absent": "absent",
    "current": "as in this branch",
    "outdated": "other than in this branch",
    "CREATE_COMPLETE": "as in this branch",
    "UPDATE_COMPLETE": "as in this branch",
}


def page(plan: Plan, prices: Prices) -> Page:
    """The report."""
    blocks = (Bullets([*_opening(plan, prices)]), *_notices(plan), *_details(plan, prices))
    return Page("Plan", blocks)


def _opening(plan: Plan, prices: Prices) -> Iterator[Words]:
    yield _what_it_starts(plan, prices)
    for problem in filter(None, (plan.deployed.problem, plan.deployed.lost)):
        yield Warn(), f" {problem}."
    schema = plan.data.schema
    if schema.sentences:
        follows = (
            _champion(plan) if plan.production[1] else "Whoever sends rows to an endpoint has to follow."
        )
        yield Warn(), f" The data set's schema changes ({'; '.join(schema.sentences)}). {follows}"
    if plan.data.changed and plan.data.after:
        before, after = plan.data.before, plan.data.after
        kind = " of made-up (synthetic) data" if after.synthetic else ""
        yield f"Data set: {_amount(after)}{_was(before, after)}, {counted(len(after.columns), 'column')}{kind}."
    if plan.data.changed and plan.data.after and plan.data.after.findings:
        yield Warn(), f" Findings on the data: {'; '.join(_kinds(plan.data.after.findings))}."
    if plan.retrains and plan.positive:
        text = str(plan.positive)
        yield f"{text[0].upper()}{text[1:]}."
    if not plan.has_data:
        yield "There is no dataset.lock yet: ", Code("automl data push FILE"), " makes it."
    if plan.settings:
        yield f"automl.toml: {counted(len(plan.settings), 'setting')} changed."
    if plan.contract:
        yield f"contract.toml: {counted(len(plan.contract), 'difference')}{_unchecked(plan)}."
    if any(change.path.partition(".")[0] == "production" for change in plan.settings):
        yield "Production gets its new [production] with the next promotion, or by the workflow Promote run by hand."
    if any(change.path == "dataset.buckets" for change in plan.settings):
        yield (
            "The pipeline may read the buckets of [dataset] once an administrator runs ",
            Code("make bootstrap"),
            ".",
        )
    if plan.definition:
        listed = ", ".join(
            f"{place} ({len(listed_changes)})" for place, listed_changes in plan.definition.items()
        )
        yield f"Pipeline definition: {listed}."
    bootstrap = Code("make bootstrap")
    before_merge = ("an administrator runs ", bootstrap, " on this branch right before the merge.")
    parameters = _role_parameters(plan)
    if parameters:
        yield (f"Parameters of the roles' stacks change ({', '.join(sorted(parameters))}); ", *before_merge)
    for name, listed_changes in plan.templates.items():
        differs = f"infrastructure/{name}: {counted(len(listed_changes), 'difference')}"
        if name in ("bootstrap.yaml", "people.yaml", "services.yaml"):
            yield (f"{differs}; ", *before_merge)
        else:
            yield f"{differs}."
    yield from filter(None, (plan.base_problem, plan.definition_problem))
    yield plan.ceiling.standing
    yield _aws(plan)
    yield f"Compared with {plan.base.reference}, which this branch left at {plan.base.commit[:12]}."


def _champion(plan: Plan) -> str:
    """What the gate makes of the version in production on rows of another schema."""
    schema, name = plan.data.schema, "The version in production"
    if schema.keeps_champion and schema.unreadable:
        listed = ", ".join(schema.unreadable)
        follows = (
            'the gate rejects the trained model, unless automl.toml says [gate] champion_failure = "accept"'
            if plan.needs_champion
            else "the gate compares with none"
        )
        return f"{name} reads {listed} as numbers and cannot be compared: {follows}."
    if schema.only_retyped:
        return f"{name} reads such rows too: the gate compares it."
    compared = "compares it by the columns that it knows" if schema.keeps_champion else "compares with none"
    return f"{name} cannot read such rows: the gate {compared}."


def _role_parameters(plan: Plan) -> set[str]:
    """What the stacks of an administrator would be given otherwise, as far as AWS or automl.toml tells."""
    key = {"KmsKeyArn" for one in plan.settings if one.path.startswith("encryption")}
    return key | {
        change.path.split(".")[1]
        for name, listed in plan.deployed.stack_changes.items()
        if name.endswith(("-bootstrap", "-services"))
        for change in listed
        if change.path.startswith("Parameters.")
    }


def _notices(plan: Plan) -> Iterator[Block]:
    """What automl.toml and dataset.lock show that is hardly meant."""
    if plan.notices:
        yield Strong("Works, but is it meant?")
        yield Bullets([str(notice) for notice in plan.notices])


def _what_it_starts(plan: Plan, prices: Prices) -> str:
    if plan.retrains and not plan.has_data:
        return "Merging this deploys the stack; there is no data set to train on."
    if plan.retrains:
        most, complete = money(plan.ceiling.run)
        price = (
            f", {prices.money(most)}{'' if complete else ' and what has no price'}"
            if most is not None
            else ""
        )
        was = ""
        if plan.base_ceiling and hours(plan.base_ceiling.run) != hours(plan.ceiling.run):
            was = f" (was {hours(plan.base_ceiling.run):,.1f})"
        text = (
            f"Merging this trains a model: at most {hours(plan.ceiling.run):,.1f} instance-hours{was}{price}."
        )
        return text + (" It promotes too." if plan.promotes else "")
    if plan.promotes:
        before, after = plan.production
        return f"Merging this changes what production serves: {_version(before)} becomes {_version(after)}."
    if plan.base.changed:
        return "Merging this neither trains nor deploys."
    return "This changes no file of the project."


def _aws(plan: Plan) -> str:
    deployed = plan.deployed
    if deployed.reason:
        return f"AWS was not looked at: {deployed.reason}."
    parts = [f"pipeline {_STATES[deployed.pipeline]}"]
    parts += [f"stack {name} {_STATES.get(state, state.lower())}" for name, state in deployed.stacks.items()]
    if deployed.elsewhere:
        serving = f"production is in account {deployed.elsewhere}, which was not looked at"
    elif deployed.production:
        serving = f"production serves {_version(deployed.production)}"
    else:
        serving = "no production endpoint in this account" if deployed.named else "nothing in production"
    if not deployed.elsewhere and deployed.production != deployed.named and not plan.promotes:
        serving += f" (Git names {_version(deployed.named)})"
    return f"In AWS account {deployed.account}: {', '.join(parts)}; {serving}."


def _details(plan: Plan, prices: Prices) -> Iterator[Block]:
    if plan.settings:
        yield Section("automl.toml", _changes(plan.settings), folded=True)
    if plan.contract:
        yield Section("contract.toml", _changes(plan.contract), folded=True)
    if plan.data.changed and (plan.data.before or plan.data.after):
        yield Section("Data set", _data(plan), folded=True)
    yield from _findings(plan)
    if plan.definition:
        steps: list[Block] = []
        for place, listed in plan.definition.items():
            steps += [(Strong(place),), *_changes(listed)]
        yield Section("Pipeline definition, by step", steps, folded=True)
    for name, listed in plan.templates.items():
        yield Section(f"infrastructure/{name}", _changes(listed), folded=True)
    for name, listed in plan.deployed.stack_changes.items():
        yield Section(f"Stack {name} in AWS against this branch", _changes(listed), folded=True)
    yield Section("Ceiling of the cost", [*_ceiling(plan, prices)], folded=True)


def _data(plan: Plan) -> list[Block]:
    before, after = plan.data.before, plan.data.after
    where = " in the holdout" if any(lock and lock.reference for lock in (before, after)) else ""
    rows: list[tuple[Words | None, ...]] = [
        ("rows", *(_number(lock.rows.total) if lock else None for lock in (before, after))),
        ("to train on", *(_number(lock.rows.train_validation) if lock else None for lock in (before, after))),
        ("to validate", *(_part(lock.rows.validation if lock else None) for lock in (before, after))),
        ("held out", *(_number(lock.rows.test) if lock else None for lock in (before, after))),
        ("left out", *(_part(lock.rows.left_out if lock else None) for lock in (before, after))),
        ("rows are split", *(_rule(lock) for lock in (before, after))),
        ("columns", *(str(len(lock.columns)) if lock else None for lock in (before, after))),
        ("SHA-256", *(Code(lock.sha256[:12]) if lock else None for lock in (before, after))),
        *(
            (f"share of {label}{where}", *("" if share is None else f"{share:.1%}" for share in both))
            for label, *both in plan.data.shares
        ),
    ]
    shown = [[one or "" for one in row] for row in rows if any(row[1:])]
    parts: list[Block] = [Table(("", "before", "after"), shown, "lrr")]
    if plan.data.schema.sentences:
        parts.append(Bullets(plan.data.schema.sentences))
    elif before:
        parts.append("The columns are the same.")
    return parts


def _findings(plan: Plan) -> Iterator[Block]:
    """What the rows showed when they were pushed."""
    before, after = plan.data.before, plan.data.after
    if not after or not after.findings:
        return
    had = {(one.kind, *one.columns) for one in (before and before.findings) or ()}
    sentences: list[Words] = [
        (Strong("new"), f": {one}")
        if before and before.findings is not None and (one.kind, *one.columns) not in had
        else str(one)
        for one in after.findings
    ]
    yield Section(
        f"Findings on the data ({len(sentences)})",
        [Bullets(sentences)],
        folded=True,
    )


def _unchecked(plan: Plan) -> str:
    """Whether the data was pushed under another contract than the branch has."""
    lock = plan.data.after
    if not lock or plan.contract_sha256 is None or lock.contract == plan.contract_sha256:
        return ""
    return ", against which the data of dataset.lock has not been checked (push or refer it again)"


def _kinds(findings: Sequence[DataFinding]) -> list[str]:
    """What there is, each kind once."""
    return list(dict.fromkeys(KINDS.get(one.kind, one.kind) for one in findings))


def _number(rows: int | None) -> str:
    return NOT_COUNTED if rows is None else f"{rows:,}"


def _part(rows: int | None) -> str:
    """Rows of a part that only a rule makes."""
    return f"{rows:,}" if rows else ""


def _rule(lock: DatasetLock | None) -> str:
    if lock is None or (lock.reference and not lock.split):
        return ""
    return str(lock.split) if lock.split else "at random"


def _amount(lock: DatasetLock) -> str:
    if lock.reference:
        return f"{lock.reference} by reference, rows {NOT_COUNTED}"
    return counted(lock.rows.total or 0, "row")


def _was(before: DatasetLock | None, after: DatasetLock) -> str:
    """How much the data set held before, as it stands behind what it holds."""
    if before is None:
        return ""
    if _amount(before) == _amount(after):
        return " (as many as before)"
    alike = not before.reference and not after.reference
    return f" (was {_number(before.rows.total) if alike else _amount(before)})"


def _changes(listed: list[Change]) -> list[Block]:
    rows = [(Code(one.path), _value(one.before), _value(one.after)) for one in listed[:MOST_CHANGES]]
    more = [f"{len(listed) - MOST_CHANGES} more."] if len(listed) > MOST_CHANGES else []
    return [Table(("", "before", "after"), rows), *more]


def _ceiling(plan: Plan, prices: Prices) -> Iterator[Block]:
    for title, items in (("One run", plan.ceiling.run), ("A month of what stays up", plan.ceiling.month)):
        if items:
            rows: list[tuple[Words, ...]] = [_item(item, prices) for item in items]
            most, complete = money(items)
            total = "" if most is None else f"{prices.money(most)}{'' if complete else ' + ?'}"
            rows.append((Strong("in all"), "", f"{hours(items):,.1f}", total, ""))
            yield (Strong(title),)
            yield Table(("", "instances", "hours at most", "money at most", "limit"), rows, "llrrl")
    notes = [*plan.ceiling.notes]
    if all(item.money is None for item in (*plan.ceiling.run, *plan.ceiling.month)):
        notes.append("automl.toml has no [prices], so this speaks of hours alone")
    if notes:
        yield Bullets(notes)


def _item(item: CostItem, prices: Prices) -> tuple[str, ...]:
    return (item.what, item.instances, f"{item.hours:,.1f}", prices.money(item.money), item.limit)


def _value(value: Any) -> Words:
    if value is None:
        return ""
    text = value if isinstance(value, str) else repr(value)
    return Code(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")


def _version(arn: str) -> str:
    if not arn:
        return "nothing"
    return f"version {arn.rsplit('/', 1)[-1]}" if ":model-package/" in arn else arn
