"""pydantic's findings about automl.toml as sentences that name file, section, key, value and the way out."""

import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from automl_gitops.kernel.errors import Finding
from automl_gitops.kernel.words import nearest

_TYPES = {
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "string_type": 'is not a text in "quotes"',
    "bool_type": "is neither true nor false",
    "list_type": "is not a list in [brackets]",
    "dict_type": "is not a table, such as { name = 1 }",
    "model_type": "is not a section",
    "finite_number": "is not a finite number",
}
_BOOLEANS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}


def sections(model: type[BaseModel], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], type[BaseModel]]:
    """Every section below ``model`` by its path, `("autopilot", "budget")`; ``model`` itself is at `()`."""
    models = {path: model}
    for name, field in model.model_fields.items():
        for candidate in _alternatives(field.annotation):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                models |= sections(candidate, (*path, name))
    return models


def describe(model: type[BaseModel], file: str, error: Mapping[str, Any]) -> str:
    """One finding (an item of `ValidationError.errors()`) about ``model`` as a sentence."""
    known = sections(model)
    location = tuple(str(part) for part in error["loc"] if not isinstance(part, int))
    path = next(location[:size] for size in range(len(location), -1, -1) if location[:size] in known)
    key = ".".join(location[len(path) :])
    where = f"{file}: [{'.'.join(path)}] " if path else f"{file}: "
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return f"{where}{_unknown(known, path, key)}"
    if kind == "missing" and location in known:
        keys = ", ".join(known[location].model_fields)
        return f"{file}: section [{'.'.join(location)}] is missing (keys: {keys})"
    if kind == "missing":
        return f"{where}{key} is missing"
    if not key and kind == "value_error":
        return f"{where}{context['error']}"
    if not key:
        name = ".".join(path)
        return f"{file}: {name} = {_toml(value)} is not a section: write [{name}] and its keys below"
    return f"{where}{key} = {_toml(value)} {complaint(error)}{_meaning(known[path], key, kind)}"


def in_words(error: Mapping[str, Any]) -> str:
    """One finding about a file that a command wrote, whose keys nobody looks for: the key, its value, what is wrong."""
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "extra_forbidden":
        return f"{place} is not a key of it"
    return f"{place} = {_toml(error['input'])} {complaint(error)}" if place else complaint(error)


def telling(model: type[BaseModel], errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings without those of a missing key or section that is there, but misspelt: one mistake, one finding."""
    known = sections(model)
    meant = {
        (*place, nearest(name, known[tuple(place)].model_fields))
        for *place, name in (error["loc"] for error in errors if error["type"] == "extra_forbidden")
        if tuple(place) in known
    }
    return [error for error in errors if error["type"] != "missing" or tuple(error["loc"]) not in meant]


def line_of(text: str, location: Sequence[Any]) -> int | None:
    """The line (from 1) of a TOML text in which the key at ``location`` is set, else its section's, else
    `None`.

    Good enough to place an annotation: it looks at headings and at `key =`, as automl.toml is written.
    """
    path = tuple(part for part in location if isinstance(part, str))
    places: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        heading = re.match(r"\[+([^\[\]]+)\]+\s*(#.*)?$", bare)
        if heading:
            section = _keys(heading[1])
            places.setdefault(section, number)
        elif "=" in bare and not bare.startswith("#"):
            keys = _keys(bare.partition("=")[0])
            for size in range(1, len(keys) + 1):
                places.setdefault((*section, *keys[:size]), number)
    return next((places[path[:size]] for size in range(len(path), 0, -1) if path[:size] in places), None)


def line_of_error(text: str, error: Mapping[str, Any]) -> int | None:
    """The line of a finding; of one about a section that of the first key that it names and the text sets."""
    heading = line_of(text, error["loc"])
    if error["type"] == "value_error":
        sentence = re.sub(r"the \w+", "", str(error["ctx"]["error"]))
        for word in re.findall(r'"[^"]*"|[\w.]+', sentence):
            line = line_of(text, (*error["loc"], *_keys(word)))
            if line != heading:
                return line
    return heading


def placed(finding: Finding) -> Finding:
    """A finding that names a section and a key of automl.toml with the line that the file has the key in."""
    named = re.match(r"(automl\.toml): \[([\w.]+)\] (\w+)", finding.sentence)
    if not named or finding.line or not Path(named[1]).exists():
        return finding
    text = Path(named[1]).read_text(encoding="utf-8-sig")
    return Finding(finding.sentence, named[1], line_of(text, (*named[2].split("."), named[3])))


def _keys(dotted: str) -> tuple[str, ...]:
    """The parts of a TOML key such as `bands."the age"`."""
    return tuple(
        bare or quoted or single
        for bare, quoted, single in re.findall(r"""([A-Za-z0-9_-]+)|"([^"]*)"|'([^']*)'""", dotted)
    )


def _alternatives(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return list(typing.get_args(annotation))
    return [annotation]


def _unknown(known: Mapping[tuple[str, ...], type[BaseModel]], path: tuple[str, ...], key: str) -> str:
    """What to do about a key that the section does not have: it may be misspelt, or belong to another
    section.
    """
    names = list(known[path].model_fields)
    what = f"{key} is not a key of this section" if path else f"[{key}] is not a section"
    near = nearest(key, names)
    if near:
        return f"{what}; did you mean {near}?" if path else f"{what}; did you mean [{near}]?"
    elsewhere = [place for place, model in known.items() if place and key in model.model_fields]
    if elsewhere:
        return f"{what}; it belongs to [{'.'.join(elsewhere[0])}]"
    return f"{what} (known: {', '.join(names)})"


def complaint(error: Mapping[str, Any]) -> str:
    """What is wrong with the value of a finding: the end of a sentence that begins with the value."""
    kind, message, context, value = error["type"], error["msg"], error.get("ctx", {}), error["input"]
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        offered = context["expected"].replace("'", "").replace(" or ", ", ")
        near = nearest(value, offered.split(", "))
        return f"is not one of {offered}" + (f"; did you mean {near}?" if near else "")
    if kind == "greater_than_equal":
        return f"is below the least allowed, {context['ge']:g}"
    if kind == "greater_than":
        return f"has to be above {context['gt']:g}"
    if kind == "less_than_equal":
        return f"is above the most allowed, {_bound(context['le'])}{_share(value, context['le'])}"
    if kind == "less_than":
        return f"has to be below {context['lt']:g}{_share(value, context['lt'])}"
    if kind == "multiple_of":
        return f"is no multiple of {context['multiple_of']:g}"
    if kind in ("string_too_short", "too_short"):
        return "is empty"
    if kind in ("string_too_long", "too_long"):
        return f"is longer than {context['max_length']}"
    if kind == "string_pattern_mismatch":
        return f"is not of the form {context['pattern']}"
    return _TYPES.get(kind, message[0].lower() + message[1:]) + _unquoted(
        kind, value, within=isinstance((error["loc"] or ("",))[-1], int)
    )


def _bound(most: float) -> str:
    return str(most) if isinstance(most, int) else f"{most:g}"


def _share(value: Any, most: float) -> str:
    """What was meant by a number above 1 where a share was wanted."""
    return f"; {value:g} % is {value / 100:g}" if most == 1 and 1 < value <= 100 else ""


def _unquoted(kind: str, value: Any, *, within: bool) -> str:
    """The way out where a value was written as a text, or a whole number with a point; ``within`` a list."""
    if kind in ("int_type", "int_from_float") and isinstance(value, float) and value.is_integer():
        return f": write {value:.0f}"
    if not isinstance(value, str):
        return ""
    bare = value.strip()
    if kind == "list_type" and within:
        return f": write [[{json.dumps(value, ensure_ascii=False)}]], a list of lists"
    if kind == "list_type":
        return f": write [{json.dumps(value, ensure_ascii=False)}]"
    if kind == "bool_type" and bare.lower() in _BOOLEANS:
        return f": write {_BOOLEANS[bare.lower()]}, without quotes"
    if kind in ("int_type", "float_type") and re.fullmatch(r"[+-]?\d+([.,]\d+)?\s*%?", bare):
        number = float(bare.rstrip("% ").replace(",", ".")) / (100 if bare.endswith("%") else 1)
        return f": write {number:g}, without quotes"
    return ""


def _meaning(section: type[BaseModel], key: str, kind: str) -> str:
    """What the choices mean, where one of them was wanted."""
    field = section.model_fields.get(key)
    return f" ({field.description})" if kind == "literal_error" and field and field.description else ""


def _toml(value: Any) -> str:
    """A value as automl.toml would write it, cut where it is long."""
    text = (
        "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
        if isinstance(value, dict) and value
        else json.dumps(value, ensure_ascii=False, default=str)
    )
    return text if len(text) <= 80 else text[:77] + "..."
