"""Charts as static SVG: Vega-Lite specifications, rendered without a browser and without the network.

Colours are names of the page's CSS variables, so that the same SVG suits a light and a dark page. Charts are
drawn as wide as a phone; a wider page sets them side by side.
"""

import html
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from automl_gitops.report import chart_text

WIDTH = 400
LABEL_WIDTH, LINE_HEIGHT = 150, 13
_SYMBOL_WIDTH = 34  # of a legend's entry, with the room about it
VEGA_LITE = "6.4"
COLOURS = tuple(f"var(--series-{number})" for number in range(1, 7))
CANDIDATE = COLOURS[0]
# A model looks the same in every chart.
_MODELS = {
    "Candidate": (COLOURS[0], "circle"),
    "Champion": (COLOURS[1], "diamond"),
    "Baseline": (COLOURS[5], "square"),
}
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 3])
_INK, _RULE = "currentColor", "var(--rule)"
_CONFIG = {
    "aria": False,
    "background": None,
    "font": "sans-serif",
    "padding": 8,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "gridColor": _RULE,
        "labelColor": _INK,
        "labelFontSize": chart_text.SIZE,
        "labelLimit": 0,
        "tickCount": 5,
        "ticks": False,
        "titleColor": _INK,
        "titleFontSize": chart_text.SIZE,
        "titleFontWeight": "normal",
        "labelPadding": 6,
    },
    "legend": {
        "labelColor": _INK,
        "labelFontSize": chart_text.SIZE,
        "labelLimit": 0,
        "orient": "top",
        "title": None,
        "symbolSize": 55,
        "symbolStrokeWidth": 2,
    },
}
# What Vega writes for programs that read the picture; the page's own text alternative says it better.
_ROLES = re.compile(r' (?:role|aria-[a-z]+|xmlns(?::xlink)?|version|class|pointer-events)="[^"]*"')
_INVISIBLE = re.compile(r'<path(?=[^>]*(?:display="none"|d="M0,0h0v0h0Z"))[^>]*/>')

_VALUES = ("value", "low", "high")
_SUPERSCRIPTS = str.maketrans(
    "-0123456789",
    "\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT ZERO}\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT THREE}"
    "\N{SUPERSCRIPT FOUR}\N{SUPERSCRIPT FIVE}\N{SUPERSCRIPT SIX}\N{SUPERSCRIPT SEVEN}\N{SUPERSCRIPT EIGHT}"
    "\N{SUPERSCRIPT NINE}",
)

Rows = Sequence[Mapping[str, Any]]


def svg(spec: Mapping[str, Any], summary: str) -> str:
    """The picture as an `<svg>` element, with a sentence for who cannot see it."""
    # Imported here, since the engine takes a moment and only HTML needs it.
    import vl_convert

    drawn = vl_convert.vegalite_to_svg({"config": _CONFIG, **spec}, vl_version=VEGA_LITE)
    drawn = _INVISIBLE.sub("", _ROLES.sub("", drawn))
    drawn = re.sub(r"\d+\.\d{3,}(?=[^<>]*>)", lambda match: f"{float(match[0]):.2f}", drawn)
    drawn = chart_text.fitted(drawn)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{html.escape(summary)}" ', 1)


def intervals(
    rows: Rows, models: Sequence[str], axis: str, *, at: float | None = None, at_name: str = ""
) -> dict[str, Any]:
    """Values with their intervals, a line of the chart for each `label`.

    Rows are {label, model, value, low, high}; ``models`` are of `_MODELS`, apart by colour and shape. ``at``
    draws a line across, which ``at_name`` explains.
    """
    labels = list(dict.fromkeys(row["label"] for row in rows))
    places = {label: place for place, label in enumerate(labels)}
    known = [row[name] for row in rows for name in _VALUES if row.get(name) is not None]
    factor, unit = _unit([*known, *([] if at is None else [at])])
    at, axis = None if at is None else at / factor, axis + unit
    rows = [_divided(row, factor) | {"place": places[row["label"]]} for row in rows]
    y, height = _names(labels, {"grid": True, "tickBand": "extent"})
    offset = {"field": "model", "sort": list(models)}
    colour = _scale("model", models, [_MODELS[model][0] for model in models]) | _legend(models)
    shape = _scale("model", models, [_MODELS[model][1] for model in models]) | _legend(models)
    x = {"type": "quantitative", "scale": {"zero": False, "nice": True}, "title": axis}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 1.5},
            "transform": [{"filter": "isValid(datum.low)"}],
            "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "color": colour},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
            "encoding": {"x": {"field": "value", **x}, "color": colour, "shape": shape},
        },
    ]
    if at is not None:
        layers.insert(
            0,
            {
                "data": {"values": [{"at": at}]},
                "mark": {"type": "rule", "color": _INK, "strokeDash": [3, 3], "opacity": 0.6},
                "encoding": {"x": {"field": "at", **x}},
            },
        )
    for layer in layers[-2:]:
        layer["encoding"] |= {"y": y, "yOffset": offset}
    return _sized(
        {
            "data": {"values": list(rows)},
            "layer": layers,
            "height": {"step": max(16 * len(models) + 8, height), "for": "position"},
        }
    )


def lines(
    rows: Rows,
    series: Sequence[str],
    axes: tuple[str, str],
    *,
    band: bool = False,
    diagonal: bool = False,
    domain: tuple[float, float] | None = (0.0, 1.0),
) -> dict[str, Any]:
    """Curves of {series, x, y, order} and, with ``band``, {low, high} about the first of them."""
    scale = {"domain": list(domain)} if domain else {"zero": False}
    x = {"field": "x", "type": "quantitative", "title": axes[0], "scale": scale}
    y = {"field": "y", "type": "quantitative", "title": axes[1], "scale": scale}
    legend = _legend(series)
    colour = _scale("series", series, COLOURS) | legend
    layers: list[dict[str, Any]] = []
    if diagonal:
        layers.append(_diagonal(*(domain or (0.0, 1.0))))
    if band:
        layers.append(
            {
                "transform": [{"filter": "isValid(datum.low)"}],
                "mark": {"type": "area", "opacity": 0.18, "color": CANDIDATE},
                "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
            }
        )
    layers.append(
        {
            "mark": {"type": "line", "strokeWidth": 2, "strokeJoin": "round"},
            "encoding": {
                "x": x,
                "y": y,
                "color": colour,
                "strokeDash": _scale("series", series, _DASHES) | legend,
                "order": {"field": "order", "type": "quantitative"},
            },
        }
    )
    return _square({"data": {"values": list(rows)}, "layer": layers})


def reliability(rows: Rows, axes: tuple[str, str], extent: tuple[float, float]) -> dict[str, Any]:
    """What came against what was said: points of {x, y, low, high} about the diagonal."""
    factor, unit = _unit(extent)
    extent = (extent[0] / factor, extent[1] / factor)
    rows = [{name: value / factor for name, value in row.items()} for row in rows]
    axes = (axes[0] + unit, axes[1] + unit)
    scale = {"domain": list(extent), "nice": True, "zero": False}
    x = {"field": "x", "type": "quantitative", "title": axes[0], "scale": scale}
    y = {"field": "y", "type": "quantitative", "title": axes[1], "scale": scale}
    return _square({
        "data": {"values": list(rows)},
        "layer": [
            _diagonal(*extent),
            {
                "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.5, "color": CANDIDATE},
                "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "line", "strokeWidth": 1.5, "color": CANDIDATE,
                         "point": {"filled": True, "size": 40, "color": CANDIDATE}},
                "encoding": {"x": x, "y": y},
            },
        ],
    })  # fmt: skip


def histogram(rows: Rows, axes: tuple[str, str]) -> dict[str, Any]:
    """Bars of {from, to, rows}, with a line at 0."""
    factor, unit = _unit([row[end] for row in rows for end in ("from", "to")])
    rows = [{**row, "from": row["from"] / factor, "to": row["to"] / factor} for row in rows]
    axes = (axes[0] + unit, axes[1])
    return _square(
        {
            "data": {"values": list(rows)},
            "layer": [
                {
                    "mark": {"type": "bar", "color": CANDIDATE, "opacity": 0.75, "binSpacing": 0.5},
                    "encoding": {
                        "x": {"field": "from", "type": "quantitative", "title": axes[0], "bin": "binned"},
                        "x2": {"field": "to"},
                        "y": {"field": "rows", "type": "quantitative", "title": axes[1]},
                    },
                },
                {
                    "data": {"values": [{"at": 0}]},
                    "mark": {"type": "rule", "color": _INK, "strokeDash": [3, 3]},
                    "encoding": {"x": {"field": "at", "type": "quantitative"}},
                },
            ],
        }
    )


def bars(rows: Rows, axis: str) -> dict[str, Any]:
    """Horizontal bars of {label, value, low, high}."""
    y, height = _names([row["label"] for row in rows], {"grid": False})
    factor, unit = _unit([row["value"] for row in rows])
    rows = [_divided(row, factor) | {"place": place} for place, row in enumerate(rows)]
    axis += unit
    x = {"type": "quantitative", "title": axis}
    return _sized(
        {
            "data": {"values": list(rows)},
            "height": {"step": max(20, height)},
            "layer": [
                {
                    "mark": {"type": "bar", "color": CANDIDATE, "opacity": 0.75, "height": 11},
                    "encoding": {"y": y, "x": {"field": "value", **x}},
                },
                {
                    "transform": [{"filter": "isValid(datum.low)"}],
                    "mark": {"type": "rule", "color": _INK, "strokeWidth": 1.5},
                    "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}},
                },
            ],
        }
    )


def _unit(values: Sequence[float]) -> tuple[float, str]:
    """What the numbers of an axis are divided by, and what its title says of that: nobody counts nine zeros."""
    greatest = max(map(abs, values), default=0.0)
    if not greatest or 1e-3 <= greatest < 1e6:
        return 1.0, ""
    power = 3 * math.floor(math.log10(greatest) / 3)
    return 10.0**power, f" (\N{MULTIPLICATION SIGN}10{str(power).translate(_SUPERSCRIPTS)})"


def _divided(row: Mapping[str, Any], factor: float) -> dict[str, Any]:
    return {
        name: value / factor if name in _VALUES and value is not None else value
        for name, value in row.items()
    }


def _names(labels: Sequence[str], axis: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The channel of an axis that names its places 0, 1, ..., and the height that a name needs.

    Places, not labels, are the data: two long labels that are shown alike stay apart.
    """
    shown = [chart_text.lines(label, LABEL_WIDTH) for label in labels]
    room = max((chart_text.width(line) for lines in shown for line in lines), default=0) + 8
    channel = {
        "field": "place",
        "type": "ordinal",
        "title": None,
        "axis": {
            **axis,
            "labelExpr": f"{json.dumps(shown)}[datum.value]",
            "labelLineHeight": LINE_HEIGHT,
            # The engine's own extent knows nothing of letters that it has no font for.
            "minExtent": room,
            "maxExtent": room,
        },
    }
    return channel, LINE_HEIGHT * max(map(len, shown), default=1) + 6


def _legend(names: Sequence[str]) -> dict[str, Any]:
    """Of names that may be long: in as many columns as there is room for; none for one series."""
    if len(names) < 2:
        return {"legend": None}
    room = WIDTH - 2 * _SYMBOL_WIDTH
    shown = {name: " ".join(chart_text.lines(name, room, 1)) for name in names}
    widest = max(map(chart_text.width, shown.values())) + _SYMBOL_WIDTH
    return {
        "legend": {
            "columns": max(1, min(len(names), int(WIDTH // widest))),
            "labelExpr": f"{json.dumps(shown)}[datum.value]",
        }
    }


def _scale(field: str, names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(values[: len(names)])},
    }


def _diagonal(low: float, high: float) -> dict[str, Any]:
    return {
        "data": {"values": [{"x": low, "y": low}, {"x": high, "y": high}]},
        "mark": {"type": "line", "color": _INK, "strokeDash": [3, 3], "strokeWidth": 1, "opacity": 0.5},
        "encoding": {
            "x": {"field": "x", "type": "quantitative"},
            "y": {"field": "y", "type": "quantitative"},
        },
    }


def _sized(spec: dict[str, Any]) -> dict[str, Any]:
    return {"width": WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}, **spec}


def _square(spec: dict[str, Any]) -> dict[str, Any]:
    return {"width": WIDTH, "height": 330, "autosize": {"type": "fit", "contains": "padding"}, **spec}
