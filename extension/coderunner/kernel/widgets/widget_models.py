"""The models of a kernel's widgets, folded from its comm messages: the last state of each, bytes included.

Pure. Everything in a message is a stranger's: what has the wrong shape is ignored, and what is too much is
not kept, so that the memory this takes is bounded whatever a program does.

Source: the Jupyter widget messaging protocol 2.1 (`jupyter.widget` comms; `update`, `echo_update`).
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from coderunner.kernel.widgets.custom_messages import (
    CustomMessage,
    CustomMessages,
    kept_messages,
    unkept_messages,
)
from coderunner.text.json_reader import clipped, loads

TARGET = "jupyter.widget"
"""The name of the comms of which widgets are made."""
VIEW = "application/vnd.jupyter.widget-view+json"
"""What stands for a widget among outputs: names its model."""

MOST = 5000
"""Models of one kernel: a large dashboard has some hundred."""
WHOLE = 64 * 1024 * 1024
"""Characters and bytes of all models together."""

IDENTITY = re.compile(r"[\w-]{1,64}", re.ASCII)
_NAMED = re.compile(r'IPY_MODEL_([\w-]{1,64})|"model_id": "([\w-]{1,64})"', re.ASCII)
"""How a state names another model: a reference, or the view of one among captured outputs."""

LINKS = ("LinkModel", "DirectionalLinkModel")
"""What joins values of two models."""

_NOWHERE = ("__proto__", "constructor", "prototype")
"""Steps that would lead out of a state where it is a script's object."""

Path = tuple[str | int, ...]
State = Mapping[str, object]


@dataclass(slots=True)
class WidgetModel:
    """One widget's model."""

    state: dict[str, object] = field(default_factory=dict)
    """Without what is bytes."""
    buffers: dict[Path, bytes] = field(default_factory=dict)
    """What is bytes, by its place in the state."""
    named: dict[str, frozenset[str]] = field(default_factory=dict)
    """The models that each part of the state names."""
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> object:
        """What kind of widget it is."""
        return self.state.get("_model_name")

    @property
    def points(self) -> bool:
        """It acts on models that it names, and none of those names it: a link, a watcher of events.

        Such a model is drawn nowhere: it says so by a view without a name.
        """
        return self.name in LINKS or ("_view_name" in self.state and not self.state["_view_name"])

    @property
    def modules(self) -> frozenset[str]:
        """The programs that it is made of, and drawn by."""
        return modules_of(self.state)

    def names(self) -> frozenset[str]:
        """All models that it names."""
        return frozenset().union(*self.named.values())

    def part(self, keys: Iterable[str]) -> tuple[dict[str, object], list[Path], list[bytes]]:
        """Some of its state: what is JSON, where bytes go, and those."""
        wanted = set(keys)
        bytes_in = [(path, each) for path, each in self.buffers.items() if path[0] in wanted]
        state = {key: self.state[key] for key in wanted if key in self.state}
        return state, [path for path, _ in bytes_in], [each for _, each in bytes_in]


@dataclass(frozen=True, slots=True)
class Update:
    """What a comm message says of a state."""

    state: Mapping[str, object]
    buffers: Mapping[Path, bytes]

    @property
    def keys(self) -> frozenset[str]:
        """The parts of the state that are new."""
        return frozenset(self.state) | {str(path[0]) for path in self.buffers}


def update_of(data: Mapping[str, object], buffers: Sequence[bytes]) -> Update | None:
    """Read `state` and `buffer_paths` of a comm message's data; None where they make no sense."""
    state, paths = data.get("state"), data.get("buffer_paths") or []
    if not isinstance(state, dict) or not isinstance(paths, list) or len(paths) != len(buffers):
        return None
    placed: dict[Path, bytes] = {}
    for path, each in zip(paths, buffers, strict=True):
        if not isinstance(path, list) or not 0 < len(path) <= 32 or not isinstance(path[0], str):
            return None
        if not all(type(step) in (str, int) and step not in _NOWHERE for step in path):
            return None
        placed[tuple(path)] = bytes(each)
    kept = clipped(state)
    return Update(kept, placed) if isinstance(kept, dict) else None


class WidgetModels:
    """The models of one kernel, in the order in which they were opened: parts before the whole."""

    def __init__(self, first: int = 1) -> None:
        """`first`: the number of the first custom message, greater than those of an earlier process."""
        self._models: dict[str, WidgetModel] = {}
        self._size = 0
        self.said = CustomMessages(first)
        """What programs said to them beside their states."""
        self.version = 0
        """Grows whenever a model comes or goes, or names others than before."""

    def __contains__(self, identity: object) -> bool:
        """Return whether there is such a model."""
        return identity in self._models

    def __getitem__(self, identity: str) -> WidgetModel:
        """Return the model of a comm."""
        return self._models[identity]

    def open(self, identity: str, update: Update) -> bool:
        """Take a new model; False where there are too many."""
        if not IDENTITY.fullmatch(identity) or len(self._models) >= MOST:
            return False
        self.close(identity)
        self._models[identity] = WidgetModel()
        self.version += 1
        if self.update(identity, update) or not update.keys:
            return True
        self.close(identity)
        return False

    def update(self, identity: str, update: Update) -> frozenset[str]:
        """Take what is new in a model; returns the parts of its state that it was, none where it is too much.

        What cannot be kept stays as it was before.
        """
        model = self._models.get(identity)
        if model is None:
            return frozenset()
        try:
            measured = {key: _measured(key, update) for key in update.keys}
        except RecursionError:  # deeper than anybody draws
            return frozenset()
        more = sum(size - model.sizes.get(key, 0) for key, (size, _) in measured.items())
        if more > 0 and self._size + more > WHOLE:
            return frozenset()
        self._size += more
        for path in [path for path in model.buffers if path[0] in measured]:
            del model.buffers[path]
        for key, (size, names) in measured.items():
            model.state.pop(key, None)
            model.sizes[key] = size
            if model.named.get(key, frozenset()) != names:
                model.named[key] = names
                self.version += 1
        model.state.update(update.state)
        model.buffers.update(update.buffers)
        return frozenset(measured)

    def close(self, identity: str) -> bool:
        """Let go of a model; False where there is none."""
        model = self._models.pop(identity, None)
        if model is None:
            return False
        self._size -= sum(model.sizes.values())
        self.said.forget(identity)
        self.version += 1
        return True

    def clear(self) -> None:
        """Let go of all."""
        for identity in list(self._models):
            self.close(identity)

    def drop_but(self, kept: frozenset[str]) -> None:
        """Let go of all but these."""
        for identity in [each for each in self._models if each not in kept]:
            self.close(identity)

    @property
    def crowded(self) -> bool:
        """There is hardly any space left."""
        return len(self._models) >= MOST or self._size > WHOLE // 2

    def reach(self, roots: Iterable[str]) -> list[str]:
        """The models reached from `roots`, those that point at them included, as they were opened."""
        reached: set[str] = set()
        self._follow(list(roots), reached)
        pointing = [(identity, model.names()) for identity, model in self._models.items() if model.points]
        found = True
        while found:
            joining = [
                identity for identity, names in pointing if identity not in reached and names & reached
            ]
            self._follow(joining, reached)
            found = bool(joining)
        return [identity for identity in self._models if identity in reached]

    def _follow(self, left: list[str], reached: set[str]) -> None:
        while left:
            identity = left.pop()
            if identity not in reached and (model := self._models.get(identity)) is not None:
                reached.add(identity)
                left.extend(model.names())


def _measured(key: str, update: Update) -> tuple[int, frozenset[str]]:
    """How large a part of a state is, and the models that it names."""
    text = json.dumps(update.state[key]) if key in update.state else ""
    size = len(text) + sum(len(each) for path, each in update.buffers.items() if path[0] == key)
    return size, named_in(text)


def view_of(data: object) -> str | None:
    """The model whose view a MIME bundle shows; None where it shows none."""
    view = data.get(VIEW) if isinstance(data, dict) else None
    root = view.get("model_id") if isinstance(view, dict) else None
    return root if isinstance(root, str) else None


def modules_of(state: State) -> frozenset[str]:
    """The programs that a model of this state is made of, and drawn by."""
    named = (state.get(key) for key in ("_model_module", "_view_module"))
    return frozenset(name for name in named if isinstance(name, str))


def named_in(text: str) -> frozenset[str]:
    """The models that are named in a piece of JSON."""
    return frozenset(reference or view for reference, view in _NAMED.findall(text))


def update_names(update: Update) -> frozenset[str]:
    """The models that an update names."""
    return named_in(json.dumps(update.state))


# --- as notebooks keep it -----------------------------------------------------------------------------------

LARGEST_KEPT = 32 * 1024 * 1024
"""Characters of the states of one run that are saved."""


def kept(
    models: Mapping[str, tuple[State, Mapping[Path, bytes]]],
    closed: Iterable[str] = (),
    said: Sequence[CustomMessage] = (),
) -> str:
    """States as nbformat keeps them, as JSON; empty where that is too much."""
    told = {identity: _kept(state, buffers) for identity, (state, buffers) in models.items()}
    # What was closed, and what was said, is ours to know: a notebook has states alone.
    ours = {"closed": list(closed), "said": kept_messages(said)}
    whole = {"version_major": 2, "version_minor": 0, "state": told}
    text = json.dumps({**whole, **{name: each for name, each in ours.items() if each}})
    return text if len(text) <= LARGEST_KEPT else ""


def _kept(state: State, buffers: Mapping[Path, bytes]) -> dict[str, object]:
    return {
        "model_name": state.get("_model_name"),
        "model_module": state.get("_model_module"),
        "model_module_version": state.get("_model_module_version"),
        "state": state,
        "buffers": [
            {"path": list(path), "encoding": "base64", "data": base64.b64encode(each).decode()}
            for path, each in buffers.items()
        ],
    }


def saved(content: object) -> WidgetModels:
    """The models that a notebook's metadata hold, as anybody may have written them."""
    widgets = WidgetModels()
    states = content.get("state") if isinstance(content, dict) else None
    for identity, told in states.items() if isinstance(states, dict) else ():
        update = _saved(told) if isinstance(told, dict) else None
        if update is not None:
            widgets.open(identity, update)
    return widgets


def _saved(told: Mapping[str, object]) -> Update | None:
    state, buffers = told.get("state"), told.get("buffers") or []
    if not isinstance(state, dict) or not isinstance(buffers, list):
        return None
    named = {
        f"_{name}": told[name]
        for name in ("model_name", "model_module", "model_module_version")
        if name in told
    }
    try:
        paths = [each["path"] for each in buffers]
        placed = [base64.b64decode(each["data"], validate=True) for each in buffers]
    except (TypeError, KeyError, ValueError):
        return None
    return update_of({"state": {**named, **state}, "buffer_paths": paths}, placed)


def kept_of(widgets: WidgetModels, roots: Iterable[str]) -> str:
    """What `kept` gives of the models that are reached from `roots`; empty where there are none."""
    models = {each: (widgets[each].state, widgets[each].buffers) for each in widgets.reach(roots)}
    return kept(models) if models else ""


def unkept(text: str) -> Iterator[tuple[str, State, list[list[str | int]], list[bytes]]]:
    """Each model of what `kept` gave: its id, its state, where bytes go, and those."""
    kept = loads(text, lenient=True)
    for identity, told in kept["state"].items() if isinstance(kept, dict) else ():
        buffers = told["buffers"]
        paths = [each["path"] for each in buffers]
        yield identity, told["state"], paths, [base64.b64decode(each["data"]) for each in buffers]


def closed_in(text: str) -> list[str]:
    """The models of what `kept` gave that a program closed."""
    return list(json.loads(text).get("closed", ())) if text else []


def said_in(text: str) -> list[CustomMessage]:
    """What programs said to the models of what `kept` gave."""
    return list(unkept_messages(json.loads(text).get("said"))) if text else []
