"""A Plotly figure in words. Source: the figure schema of plotly.js 3 (`data`, `layout`)."""

from collections.abc import Iterator, Mapping, Sequence

from coderunner.chat.display_text import number_ranges

TRACES = 12
"""Traces that are told of one figure."""
MOST_WRITTEN = 50
"""Annotations that are read: titles of subplots are such."""
MIME = "application/vnd.plotly.v1+json"

_DIMENSIONS = 8
_INNER = (
    ("node", "label"), ("link", "source"), ("link", "target"), ("link", "value"), ("header", "values"),
    ("cells", "values"), ("delta", "reference"),
)  # fmt: skip
_FLAT = (
    "scatter",
    "bar",
    "pie",
    "histogram",
    "box",
    "violin",
    "heatmap",
    "scattergl",
    "scatter3d",
    "surface",
)
"""Kinds that have all their data in `_COLUMNS`."""
_COLUMNS = (
    "x", "y", "z", "labels", "values", "names", "lat", "lon", "locations", "a", "b", "c", "r", "theta",
    "open", "high", "low", "close", "value",
)  # fmt: skip
"""What a trace's data are in, in the order in which they are told."""


def told(figure: object) -> str:
    """Its title, its axes, and of each trace kind, name, count and ranges; empty where it is no figure."""
    data = figure.get("data") if isinstance(figure, Mapping) else None
    if not isinstance(figure, Mapping) or not isinstance(data, Sequence) or isinstance(data, str):
        return ""
    layout = figure.get("layout")
    layout = layout if isinstance(layout, Mapping) else {}
    traces = [trace for trace in data if isinstance(trace, Mapping)]
    title = _title(layout)
    lines = [f"Plotly chart: {title}" if title else "Plotly chart"]
    axes = "; ".join(_axes(layout))
    lines += [axes] if axes else []
    written = list(
        filter(None, (number_ranges.words(_of(each, "text"), 80) for each in _listed(layout, "annotations")))
    )
    lines += [f"written in it: {number_ranges.names(written)}"] if written else []
    lines += [_trace(trace) for trace in traces[:TRACES]]
    lines += [f"… {len(traces) - TRACES} more traces"] if len(traces) > TRACES else []
    return "\n".join(lines if traces else [*lines, "(no traces)"])


def _listed(of: Mapping[str, object], key: str) -> list[object]:
    found = of.get(key)
    return found[:MOST_WRITTEN] if isinstance(found, list) else []


def _of(each: object, key: str) -> object:
    return each.get(key) if isinstance(each, Mapping) else None


def _title(of: Mapping[str, object]) -> str:
    title = of.get("title")
    return number_ranges.words(title.get("text") if isinstance(title, Mapping) else title)


def _axes(layout: Mapping[str, object]) -> Iterator[str]:
    places = [layout, *(scene for key, scene in layout.items() if key.startswith("scene"))]
    for place in places[:4]:
        for key, axis in place.items() if isinstance(place, Mapping) else ():
            if key[1:5] == "axis" and key[0] in "xyz" and isinstance(axis, Mapping):
                title, kind = _title(axis), axis.get("type")
                said = " ".join(filter(None, (title, "(log)" if kind == "log" else "")))
                if said:
                    yield f"{key[0]}{key[5:][:3]}: {said}"


def _trace(trace: Mapping[str, object]) -> str:
    kind, name = (
        number_ranges.words(trace.get("type"), 40) or "scatter",
        number_ranges.words(trace.get("name"), 80),
    )
    found = [*((key, trace[key]) for key in _COLUMNS if key in trace), *_inner(trace)]
    facts = [f"{key} {said}" for key, data in found if (said := number_ranges.extent(data))]
    counts = [said for _, data in found if (said := number_ranges.size(data))]
    grid = next((said for said in counts if "×" in said), "")
    count = grid or (_points(max(map(int, counts))) if counts and all(map(str.isdigit, counts)) else "")
    head = f"{kind} {name}" if name else kind
    told = ", ".join([count, *facts] if count else facts)
    # Of a kind that keeps its data elsewhere it is not known whether there are any.
    return f"- {head}: {told or 'no data'}" if told or kind in _FLAT else f"- {head}"


def _points(count: int) -> str:
    return f"{count} point" if count == 1 else f"{count} points"


def _inner(trace: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The columns that stand further inside: nodes and links, cells of a table, dimensions."""
    for outer, inner in _INNER:
        place = trace.get(outer)
        if isinstance(place, Mapping) and inner in place:
            yield f"{outer} {inner}", place[inner]
    dimensions = trace.get("dimensions")
    for each in dimensions[:_DIMENSIONS] if isinstance(dimensions, list) else ():
        if isinstance(each, Mapping) and "values" in each:
            yield number_ranges.words(each.get("label"), 40) or "dimension", each["values"]
