"""A Vega or Vega-Lite chart in words. Source: the schemas of Vega-Lite 6 and Vega 6."""

import re
from collections.abc import Iterator, Mapping, Sequence

from coderunner.chat.display_text import number_ranges

MIME = re.compile(r"application/vnd\.vega(?:lite)?\.v\d+(?:[+.]json)?", re.ASCII)

VIEWS = 8
"""Views of a chart that are told."""
DEEPEST = 6
"""Levels of views within views."""
_PARTS = ("layer", "hconcat", "vconcat", "concat")
_CHANNELS = (
    "x",
    "y",
    "x2",
    "y2",
    "theta",
    "radius",
    "color",
    "size",
    "shape",
    "row",
    "column",
    "facet",
    "text",
)


def told(spec: object) -> str:
    """Its title, its marks with what they show, and the data; empty where it is no such chart."""
    if not isinstance(spec, Mapping):
        return ""
    if isinstance(spec.get("marks"), list):
        return _vega(spec)
    views = list(_views(spec, spec, DEEPEST))
    if not views:
        return ""
    title = _title(spec)
    lines = [f"Vega-Lite chart: {title}" if title else "Vega-Lite chart"]
    lines += [f"- {_view(view)}" for view, _ in views[:VIEWS]]
    lines += [f"… {len(views) - VIEWS} more views"] if len(views) > VIEWS else []
    told: dict[str, None] = {}
    for view, place in views[:VIEWS]:
        if said := _data(spec, place, view):
            told[said] = None
    return "\n".join([*lines, *told])


def _views(
    spec: Mapping[str, object], place: Mapping[str, object], deeper: int
) -> Iterator[tuple[Mapping[str, object], Mapping[str, object]]]:
    """Each view that has a mark, and the nearest place that names its data."""
    place = spec if "data" in spec else place
    inner = [spec.get("spec"), *(each for key in _PARTS for each in _list(spec.get(key)))]
    if "mark" in spec:
        yield spec, place
    for each in inner if deeper else ():
        if isinstance(each, Mapping):
            # What stands above is shared by the layers.
            shared = _mapping(spec.get("encoding")) | dict(_mapping(each.get("encoding")))
            yield from _views({**each, "encoding": shared} if shared else each, place, deeper - 1)


def _view(view: Mapping[str, object]) -> str:
    mark = view.get("mark")
    kind = number_ranges.words(mark.get("type") if isinstance(mark, Mapping) else mark, 40)
    encoding = _mapping(view.get("encoding"))
    shown = [f"{channel} {said}" for channel in _CHANNELS if (said := _channel(encoding.get(channel)))]
    return f"{kind}: {', '.join(shown)}" if shown else kind


def _channel(of: object) -> str:
    if not isinstance(of, Mapping):
        return ""
    field, aggregate = number_ranges.words(of.get("field"), 80), of.get("aggregate")
    said = f"{number_ranges.words(aggregate, 20)}({field})" if isinstance(aggregate, str) else field
    said = f"{said} (binned)" if said and of.get("bin") else said
    axis = of.get("axis")
    title = _title(of) or (_title(axis) if isinstance(axis, Mapping) else "")
    return f"{title} ({said})" if title and said and title != said else title or said


def _fields(view: Mapping[str, object]) -> Iterator[str]:
    for channel in _mapping(view.get("encoding")).values():
        field = channel.get("field") if isinstance(channel, Mapping) else None
        if isinstance(field, str):
            yield field


def _data(spec: Mapping[str, object], place: Mapping[str, object], view: Mapping[str, object]) -> str:
    data = _mapping(place.get("data"))
    if isinstance(url := data.get("url"), str):
        return f"data: {number_ranges.words(url)}"
    rows = _list(data.get("values") or _mapping(spec.get("datasets")).get(str(data.get("name"))))
    if not rows:
        return ""
    ranges = []
    for field in dict.fromkeys(_fields(view)):
        values: list[object] = [row.get(field) for row in rows if isinstance(row, Mapping)]
        if said := number_ranges.extent(values):
            ranges.append(f"{field[:80]} {said}")
    return "; ".join([f"data: {len(rows):,} rows", *ranges])


def _vega(spec: Mapping[str, object]) -> str:
    title = _title(spec)
    kinds = [str(mark.get("type"))[:40] for mark in _list(spec.get("marks")) if isinstance(mark, Mapping)]
    axes = [_title(axis) for axis in _list(spec.get("axes")) if isinstance(axis, Mapping)]
    tables = [
        f"{number_ranges.words(data.get('name'), 40)}: {len(rows):,} rows"
        for data in _list(spec.get("data"))
        if isinstance(data, Mapping) and (rows := _list(data.get("values")))
    ]
    return "\n".join(
        line
        for line in (
            f"Vega chart: {title}" if title else "Vega chart",
            f"- marks: {number_ranges.names(kinds)}" if kinds else "",
            f"- axes: {number_ranges.names(list(filter(None, axes)))}" if any(axes) else "",
            f"data: {'; '.join(tables[:VIEWS])}" if tables else "",
        )
        if line
    )


def _title(of: Mapping[str, object]) -> str:
    title = of.get("title")
    title = title.get("text") if isinstance(title, Mapping) else title
    return number_ranges.words(" ".join(map(str, title[:4])) if isinstance(title, list) else title)


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
