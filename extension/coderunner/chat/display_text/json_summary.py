"""JSON in words: whole where it is short, else what it is made of; maps by their shapes."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from coderunner.chat.display_text import number_ranges

SHORT = 600
"""Characters of JSON that are told as they are."""
KEYS, DEEPEST = 12, 3
"""Keys of an object, and levels, that are told."""
PLACES = 200_000
"""Coordinates that are looked at."""


def told(value: object) -> str:
    """A JSON value: itself, or its structure and how much there is of it."""
    if value is None:
        return ""
    try:
        # Only what is small by its count can be short when it is written.
        text = json.dumps(value, ensure_ascii=False) if _small(value) else ""
    except (TypeError, ValueError, RecursionError):
        text = ""
    return text if text and len(text) <= SHORT else f"JSON: {_sketch(value, DEEPEST)}"


def _small(value: object) -> bool:
    waiting, count = [value], 0
    while waiting and count <= SHORT:
        each = waiting.pop()
        inner = list(each.values()) if isinstance(each, Mapping) else each if isinstance(each, list) else []
        count += 1 + (len(each) if isinstance(each, str) else 0)
        waiting.extend(inner[: SHORT + 1])
    return count <= SHORT


def _sketch(value: object, deeper: int) -> str:
    match value:
        case Mapping() if not deeper:
            return f"{{{len(value)} keys}}"
        case Mapping():
            shown = [f"{str(key)[:60]}: {_sketch(value[key], deeper - 1)}" for key in list(value)[:KEYS]]
            more = [f"… {len(value) - KEYS} more keys"] if len(value) > KEYS else []
            return f"{{{', '.join([*shown, *more])}}}"
        case list() if not value:
            return "[]"
        case list():
            extent = "" if isinstance(value[0], list | Mapping) else number_ranges.extent(value)
            first = extent or f"the first: {_sketch(value[0], deeper - 1)}" if deeper else ""
            return f"[{len(value):,} items{', ' if first else ''}{first}]"
        case str():
            return json.dumps(value[:60] + ("…" if len(value) > 60 else ""), ensure_ascii=False)
        case int() if not isinstance(value, bool):
            return number_ranges.number_words(value)
        case _:
            return json.dumps(value) if isinstance(value, bool | float | None) else str(type(value).__name__)


def geojson(value: object) -> str:
    """A map's shapes by kind and count, what is said of them, and where they are; empty where it is none."""
    if not isinstance(value, Mapping) or not isinstance(kind := value.get("type"), str):
        return ""
    features = value.get("features") if kind == "FeatureCollection" else [value]
    features = [each for each in features if isinstance(each, Mapping)] if isinstance(features, list) else []
    shapes = [_mapping(each.get("geometry")) if each.get("type") == "Feature" else each for each in features]
    counts = Counter(str(shape.get("type"))[:40] for shape in shapes if shape)
    of = ", ".join(f"{count:,} {name}" for name, count in counts.most_common(7))
    named = dict.fromkeys(key for each in features[:1_000] for key in _mapping(each.get("properties")))
    facts = [f"GeoJSON {kind[:40]}: {of or 'empty'}"]
    facts += [f"properties {number_ranges.names(list(named))}"] if named else []
    places = list(_places([shape.get("coordinates") or shape.get("geometries") for shape in shapes]))
    if places:
        x, y = (number_ranges.extent([place[axis] for place in places]) for axis in (0, 1))
        facts += [f"x {x}, y {y}"]
    return "; ".join(facts)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _places(value: object) -> Iterator[tuple[float, float]]:
    waiting, found = [value], 0
    while waiting and found < PLACES:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting.append(each.get("coordinates"))
        elif isinstance(each, list):
            match each:
                case [int() | float() as x, int() | float() as y, *_]:
                    found += 1
                    yield x, y
                case _:
                    waiting.extend(each)
