"""The data set, and what changed since the one that the champion was trained on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.report import words
from pipeline.report.blocks import Block, Bullets, Cell, Facts, Section, Table, Text

_MOST_CLASSES, _MOST_NAMES = 30, 20


def section(evaluation: Mapping[str, Any]) -> Section:
    """Facts, changes and classes."""
    dataset = evaluation["dataset"]
    blocks: list[Block] = [_facts(dataset)]
    champion = evaluation["champion"]
    before = (champion or {}).get("dataset")
    if before:
        found = list(changes(dataset, before))
        blocks.append(
            Text("Since the champion's data set:" if found else "It is the champion's data set, unchanged.")
        )
        blocks += [Bullets(found)] if found else []
    elif champion:
        blocks.append(Text("What the champion was trained on could not be read."))
    if dataset.get("classes"):
        blocks.append(_classes(dataset["classes"], (before or {}).get("classes")))
    return Section("dataset", "Data set", blocks)


def _facts(dataset: Mapping[str, Any]) -> Facts:
    rows = dataset["rows"]
    kind = "synthetic: made up, it says nothing about real cases" if dataset["synthetic"] else "real"
    return Facts(
        [
            ("Name", Cell(dataset["name"])),
            ("Kind", Cell(kind, tone="bad" if dataset["synthetic"] else "plain")),
            ("SHA-256", Cell(dataset["sha256"], code=True)),
            (
                "Rows",
                Cell(
                    f"{words.number(rows['total'])}: {words.number(rows['train_validation'])} to train and validate, "
                    f"{words.number(rows['test'])} held out"
                ),
            ),
            ("Columns", Cell(words.number(len(dataset["columns"])))),
            ("Target", Cell(dataset["target"], code=True)),
        ]
    )


def changes(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about what differs between two data sets' facts."""
    if now["sha256"] == before["sha256"]:
        return
    if now["name"] != before["name"]:
        yield f"name: {before['name']} became {now['name']}"
    if now["synthetic"] != before["synthetic"]:
        yield "synthetic rows became real ones" if before["synthetic"] else "real rows became synthetic ones"
    if now["target"] != before["target"]:
        yield f"target: {before['target']} became {now['target']}"
    total, earlier = now["rows"]["total"], before["rows"]["total"]
    share = f" ({words.number(100 * (total - earlier) / earlier, 1, signed=True)}%)" if earlier else ""
    yield f"rows: {words.number(earlier)} became {words.number(total)}{share}"
    types = {column["name"]: column["type"] for column in now["columns"]}
    earlier_types = {column["name"]: column["type"] for column in before["columns"]}
    added = [name for name in types if name not in earlier_types]
    removed = [name for name in earlier_types if name not in types]
    if added:
        yield f"new columns: {_listed(added)}"
    if removed:
        yield f"columns that are gone: {_listed(removed)}"
    changed = [
        f"{name} from {earlier_types[name]} to {types[name]}"
        for name in types
        if name in earlier_types and types[name] != earlier_types[name]
    ]
    if changed:
        yield f"columns of another type: {_listed(changed)}"
    if not added and not removed and list(types) != list(earlier_types):
        yield "the columns are in another order"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _classes(now: Mapping[str, int], before: Mapping[str, int] | None) -> Table:
    total, earlier = sum(now.values()) or 1, sum((before or {}).values()) or 1
    numeric = ["Rows", "Share", *(["Share before"] if before else [])]
    rows = []
    labels = sorted({*now, *(before or {})}, key=lambda label: (-now.get(label, 0), label))
    for label in labels[:_MOST_CLASSES]:
        count = now.get(label, 0)
        share = Cell(words.percent(count / total), numeric=True, bar=count / total)
        row = [Cell(label), words.count(count), share]
        if before:
            row.append(Cell(words.percent(before.get(label, 0) / earlier), numeric=True))
        rows.append(row)
    more = len(labels) - len(rows)
    caption = f"Classes of the whole data set{f'; {more} rarer ones are left out' if more > 0 else ''}"
    return Table(caption, ["Class", *numeric], rows, frozenset(numeric))
