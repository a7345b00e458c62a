"""A Plotly figure in words. Source: the figure schema of plotly.js 3 (`data`, `layout`)."""

from collections.abc import Iterator, Mapping, Sequence

from . import numbers

TRACES = 12
"""Traces that are told of one figure."""
MIME = "application/vnd.plotly.v1+json"

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
    lines += [_trace(trace) for trace in traces[:TRACES]]
    lines += [f"… {len(traces) - TRACES} more traces"] if len(traces) > TRACES else []
    return "\n".join(lines if traces else [*lines, "(no traces)"])


def _title(of: Mapping[str, object]) -> str:
    title = of.get("title")
    return numbers.words(title.get("text") if isinstance(title, Mapping) else title)


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
    kind, name = numbers.words(trace.get("type"), 40) or "scatter", numbers.words(trace.get("name"), 80)
    found = [(key, trace[key]) for key in _COLUMNS if key in trace]
    facts = [f"{key} {said}" for key, data in found if (said := numbers.extent(data))]
    counts = [said for _, data in found if (said := numbers.size(data))]
    grid = next((said for said in counts if "×" in said), "")
    count = grid or (f"{max(map(int, counts))} points" if counts and all(map(str.isdigit, counts)) else "")
    head = f"{kind} {name}" if name else kind
    return f"- {head}: {', '.join([count, *facts] if count else facts) or 'no data'}"
