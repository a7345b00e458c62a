"""What a widget is at the end of a run, in words: its kind, its label and its value. Pure.

A widget's own text is its constructor, as it was when it was shown: of a bar that is at its end it says 0 %.
"""

import re
from collections.abc import Sequence
from html import unescape

from coderunner.kernel.widgets.widget_models import State, WidgetModel, WidgetModels, view_of

DEEPEST = 8
"""Boxes within boxes that are told."""
MOST = 100
"""Widgets of one view that are told."""
OPTIONS = 12
"""Options that are told of those that may be chosen."""
LONGEST = 2_000
"""Characters of one value: a text that a widget holds, or what it has caught."""

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_OURS = "@jupyter-widgets/"
_REFERENCE = re.compile(r"IPY_MODEL_([\w-]{1,64})", re.ASCII)
_TAG = re.compile(r"<[^<>]{0,500}>")
_SECRET = frozenset(("PasswordModel",))
"""Whose value is for the program alone."""


def words(widgets: WidgetModels, identity: str) -> str:
    """A view of that model in words, one line a part; empty where nothing is known but that it is there."""
    return "\n".join(line for line in _lines(widgets, identity, DEEPEST, [MOST]) if line)


def picture(widgets: WidgetModels, identity: str) -> tuple[str, str] | None:
    """The first picture that a view of that model has caught, and its type: `interact` draws its plots so."""
    left = [identity]
    for _ in range(MOST):
        if not left:
            return None
        model = widgets[each] if (each := left.pop()) in widgets else None
        if model is None:
            continue
        if model.name == "OutputModel":
            caught = filter(None, map(_pictured, _list(model.state.get("outputs"))))
            if (found := next(caught, None)) is not None:
                return found
        children = map(_reference, _list(model.state.get("children")))
        left += reversed([named[1] for named in children if named])
    return None


def _pictured(output: object) -> tuple[str, str] | None:
    data = output.get("data") if isinstance(output, dict) else None
    if not isinstance(data, dict):
        return None
    return next(((kind, each) for kind in _PICTURES if isinstance(each := data.get(kind), str)), None)


def _lines(widgets: WidgetModels, identity: str, deeper: int, left: list[int]) -> Sequence[str]:
    if identity not in widgets or not deeper or not left[0]:
        return ()
    left[0] -= 1
    model = widgets[identity]
    name = model.name if isinstance(model.name, str) else ""
    if name == "OutputModel":
        return [_caught(widgets, output, deeper, left) for output in _list(model.state.get("outputs"))]
    parts = [named[1] for child in _list(model.state.get("children")) if (named := _reference(child))]
    if parts:
        return _box(widgets, name, model, parts, deeper, left)
    if not _module(model).startswith(_OURS):
        return ()
    return [_one(name.removesuffix("Model"), model.state)]


def _box(
    widgets: WidgetModels, name: str, model: WidgetModel, parts: Sequence[str], deeper: int, left: list[int]
) -> Sequence[str]:
    told = [_lines(widgets, part, deeper - 1, left) for part in parts]
    if name == "HBoxModel":
        # A bar between texts is what they say.
        kinds = [widgets[part].name if part in widgets else None for part in parts]
        bar = "HTMLModel" in kinds and bool({"FloatProgressModel", "IntProgressModel"} & set(kinds))
        shown = [
            line
            for kind, lines in zip(kinds, told, strict=True)
            for line in lines
            if not (bar and isinstance(kind, str) and kind.endswith("ProgressModel"))
        ]
        return [" ".join(filter(None, shown))]
    if name in ("TabModel", "AccordionModel", "StackModel"):
        titles = [*map(_text, _list(model.state.get("titles"))), *[""] * len(told)]
        return [f"{title}: {'; '.join(lines)}" for title, lines in zip(titles, told, strict=False)]
    return [line for lines in told for line in lines]


def _one(kind: str, state: State) -> str:
    label, value = _text(state.get("description")), _value(kind, state)
    if kind in ("HTML", "HTMLMath", "Label"):
        return " ".join(filter(None, (label, value)))
    head = " ".join(filter(None, (kind, label)))
    return f"{head}: {value}" if value else head


def _value(kind: str, state: State) -> str:
    if f"{kind}Model" in _SECRET:
        return ""
    if kind in ("FloatProgress", "IntProgress"):
        return f"{_shown(state.get('value'))} of {_shown(state.get('max'))}"
    if labels := _list(state.get("_options_labels")):
        return _chosen(labels, state.get("index"))
    if kind in ("Image", "Video", "Audio"):
        return _text(state.get("format"))
    return _shown(state.get("value"))


def _chosen(labels: Sequence[object], index: object) -> str:
    places = index if isinstance(index, list) else [index]
    chosen = [_text(labels[at]) for at in places if type(at) is int and 0 <= at < len(labels)]
    more = ", …" if len(labels) > OPTIONS else ""
    return f"{', '.join(chosen) or 'nothing'} (of {', '.join(map(_text, labels[:OPTIONS]))}{more})"


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case list() if all(isinstance(each, int | float | str) for each in value):
            return ", ".join(_shown(each) for each in value[:12])
        case {"year": int(year), "month": int(month), "date": int(day)}:
            return f"{year}-{month + 1:02}-{day:02}"
        case int() | float() if abs(value) < 1e300:
            return str(value)
    return _text(value)


def _text(value: object) -> str:
    """A text as it is seen: widgets' texts may be HTML."""
    if not isinstance(value, str):
        return ""
    return " ".join(unescape(_TAG.sub(" ", value[: 4 * LONGEST])).split())[:LONGEST]


def _caught(widgets: WidgetModels, output: object, deeper: int, left: list[int]) -> str:
    """What an Output widget has caught, as text."""
    match output:
        case {"output_type": "stream", "text": str(text)}:
            return text[-LONGEST:].removesuffix("\n")
        case {"output_type": "error", "ename": str(name), "evalue": str(value)}:
            return f"{name}: {value[:LONGEST]}"
        case {"data": dict(data)}:
            inner = view_of(data)
            if inner is not None:
                return "\n".join(_lines(widgets, inner, deeper - 1, left))
            picture = next((kind for kind in data if isinstance(kind, str) and kind.startswith("image/")), "")
            plain = data.get("text/plain")
            return f"[{picture}]" if picture else plain[:LONGEST] if isinstance(plain, str) else ""
    return ""


def _module(model: WidgetModel) -> str:
    module = model.state.get("_model_module")
    return module if isinstance(module, str) else ""


def _reference(child: object) -> re.Match[str] | None:
    return _REFERENCE.fullmatch(child) if isinstance(child, str) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
