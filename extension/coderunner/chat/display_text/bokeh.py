"""A Bokeh document in words. Source: the models of Bokeh 3 as `docs_json` has them."""

from collections.abc import Iterator, Mapping

from coderunner.chat.display_text import number_ranges

MOST = 100_000
"""Parts of a document that are looked at."""
PLOTS, GLYPHS = 6, 12
"""Plots of a document, and glyphs of a plot, that are told."""


def told(documents: object) -> str:
    """Of each plot title, axes and glyphs with their data; empty where there is none."""
    models = list(_models(documents))
    known = {str(model["id"]): model for model in models if "attributes" in model and "id" in model}
    plots = [model for model in models if model.get("name") in ("Figure", "Plot", "GMap")]
    lines = [line for plot in plots[:PLOTS] for line in _plot(plot, known)]
    return "\n".join([*lines, *([f"… {len(plots) - PLOTS} more plots"] if len(plots) > PLOTS else [])])


def _models(value: object) -> Iterator[Mapping[str, object]]:
    """All models within, in any depth; each before what is in it."""
    waiting, looked = [value], 0
    while waiting and looked < MOST:
        looked += 1
        each = waiting.pop()
        if isinstance(each, Mapping):
            if each.get("type") == "object":
                yield each
            waiting.extend(reversed(list(each.values())))
        elif (
            isinstance(each, list)
            and len(each) < MOST
            and any(isinstance(one, dict | list) for one in each[:4])
        ):
            waiting.extend(reversed(each))


Known = Mapping[str, Mapping[str, object]]


def _plot(plot: Mapping[str, object], known: Known) -> Iterator[str]:
    has = _attributes(plot, known)
    title = number_ranges.words(_attributes(has.get("title"), known).get("text"))
    yield f"Bokeh chart: {title}" if title else "Bokeh chart"
    axes = [(side, axis) for side in ("below", "left", "right", "above") for axis in _list(has.get(side))]
    named = [
        f"{'x' if side in ('below', 'above') else 'y'}: {label}"
        for side, axis in axes
        if (label := number_ranges.words(_attributes(axis, known).get("axis_label")))
    ]
    if named:
        yield "; ".join(named)
    legend = dict(_legend(has, known))
    renderers = _list(has.get("renderers"))
    for renderer in renderers[:GLYPHS]:
        yield _glyph(renderer, known, legend)
    if len(renderers) > GLYPHS:
        yield f"… {len(renderers) - GLYPHS} more glyphs"


def _legend(has: Mapping[str, object], known: Known) -> Iterator[tuple[str, str]]:
    """The label of each glyph, by its id."""
    for side in ("center", "left", "right", "above", "below"):
        for each in _list(has.get(side)):
            for item in _list(_attributes(each, known).get("items")):
                entry = _attributes(item, known)
                label = entry.get("label")
                said = number_ranges.words(label.get("value") if isinstance(label, Mapping) else label, 80)
                for renderer in _list(entry.get("renderers")):
                    if isinstance(renderer, Mapping) and said:
                        yield str(renderer.get("id")), said


def _glyph(renderer: object, known: Known, legend: Mapping[str, str]) -> str:
    has = _attributes(renderer, known)
    glyph = has.get("glyph")
    kind = number_ranges.words(glyph.get("name"), 40) if isinstance(glyph, Mapping) else ""
    name = legend.get(str(renderer.get("id"))) if isinstance(renderer, Mapping) else None
    columns = dict(_columns(_attributes(has.get("data_source"), known).get("data")))
    facts = [
        f"{key[:40]} {said}"
        for key, data in list(columns.items())[:6]
        if (said := number_ranges.extent(data))
    ]
    counts = [len(values) for data in columns.values() if (values := number_ranges.column(data)) is not None]
    count = [f"{max(counts)} points"] if counts else []
    return f"- {kind or 'glyph'}{f' {name}' if name else ''}: {', '.join([*count, *facts]) or 'no data'}"


def _columns(data: object) -> Iterator[tuple[str, object]]:
    entries = data.get("entries") if isinstance(data, Mapping) else None
    for entry in _list(entries):
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and entry[0] != "index":
            yield entry[0], entry[1]


def _attributes(model: object, known: Known) -> Mapping[str, object]:
    """A model's attributes, also where it is named only."""
    if not isinstance(model, Mapping):
        return {}
    whole = model if "attributes" in model else known.get(str(model.get("id")), {})
    attributes = whole.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
