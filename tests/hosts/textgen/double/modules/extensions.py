# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202
# It stands for a program without annotations, and has its names.
"""Loading extensions, and calling their hooks."""

import importlib
import importlib.util
import logging
import sys
from inspect import signature
from pathlib import Path

from modules import shared

logger = logging.getLogger("double")
available_extensions: list[str] = []
state: dict[str, tuple[int, object]] = {}
setup_called: set[object] = set()


def load_extensions():
    """Load in the order of the command line. A missing module ends the program; other failures are logged."""
    state.clear()
    for place, name in enumerate(shared.args.extensions):
        try:
            extension = _load(name)
            if extension not in setup_called:
                _overlay(extension, name)
                if hasattr(extension, "setup"):
                    extension.setup()
                setup_called.add(extension)
            state[name] = (place, extension)
        except ModuleNotFoundError:
            raise
        except Exception:
            logger.exception("the extension %s could not be loaded", name)


def _load(name):
    """The user's folder goes first and is run afresh each time; the program's own is a cached import."""
    script = shared.user_data_dir / "extensions" / name / "script.py"
    if not script.exists():
        return importlib.import_module(f"extensions.{name}.script")
    spec = importlib.util.spec_from_file_location(f"user_ext_{name}", script)
    extension = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = extension
    spec.loader.exec_module(extension)
    return extension


def _overlay(extension, name):
    for key in getattr(extension, "params", {}):
        shared.default_settings[f"{name}-{key}"] = extension.params[key]
        if f"{name}-{key}" in shared.settings:
            extension.params[key] = shared.settings[f"{name}-{key}"]


def iterator():
    for name, (_, extension) in sorted(state.items(), key=lambda item: item[1][0]):
        yield extension, name


def _first(hook):
    return next((getattr(extension, hook) for extension, _ in iterator() if hasattr(extension, hook)), None)


def _strings(hook):
    def chain(text, state, is_chat=False):
        for extension, _ in iterator():
            if function := getattr(extension, hook, None):
                names = list(signature(function).parameters)
                wanted = {"is_chat": is_chat} if "is_chat" in names else {}
                plain = [name for name in names if name != "is_chat"]
                text = function(*([text, state] if len(plain) == 2 else [text]), **wanted)
        return text

    return chain


def _values(hook):
    def chain(value):
        for extension, _ in iterator():
            if function := getattr(extension, hook, None):
                value = function(value)
        return value

    return chain


def _chat_input(text, visible, state):
    for extension, _ in iterator():
        if function := getattr(extension, "chat_input_modifier", None):
            text, visible = function(text, visible, state)
    return text, visible


def _chat_prompt(text, state, **kwargs):
    hook = _first("custom_generate_chat_prompt")
    return hook(text, state, **kwargs) if hook else None


def _joined(hook):
    return lambda: "".join(
        getattr(extension, hook)() for extension, _ in iterator() if hasattr(extension, hook)
    )


HOOKS = {
    "input": _strings("input_modifier"),
    "output": _strings("output_modifier"),
    "bot_prefix": _strings("bot_prefix_modifier"),
    "chat_input": _chat_input,
    "state": _values("state_modifier"),
    "history": _values("history_modifier"),
    "custom_generate_chat_prompt": _chat_prompt,
    "custom_generate_reply": lambda: _first("custom_generate_reply"),
    "css": _joined("custom_css"),
    "js": _joined("custom_js"),
}


def apply_extensions(kind, *args, **kwargs):
    return HOOKS[kind](*args, **kwargs)


def is_served(path):
    """Whether the page may read this file: the user's extensions folder is not served."""
    allowed = [Path("css"), Path("js"), Path("extensions"), shared.user_data_dir / "cache"]
    return any(Path(path).resolve().is_relative_to(folder.resolve()) for folder in allowed)
