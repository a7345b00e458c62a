# mypy: disable-error-code="import-not-found"
# The webui can only be imported inside its own process.
"""The functions of text-generation-webui and gradio that we replace with ours.

Each of ours holds the one that it replaces. The interface may restart: then ours replaces our earlier one.
"""

import os
from collections.abc import Callable, Generator, Sequence
from functools import wraps
from typing import Any, Protocol

from starlette.routing import BaseRoute

from coderunner.hosts.textgen.webui.webui_api import State, without_note

UNSAVED = "incognito-deleted"
"""A chat name under which the webui saves nothing."""

_growing: dict[int, State] = {}
"""The parameters of each reply that is being written; the webui saves its chat by the name in them."""

OURS = "_coderunner"
"""The attribute of a replacement that holds the original function."""


class Convert(Protocol):
    """The webui's own conversion of a message's text to HTML."""

    def __call__(self, text: str, *, finished: bool = False) -> str:
        """Make HTML; a `finished` text will be converted again, unchanged, and may be cached."""


def mount(routes: Sequence[BaseRoute]) -> None:
    """Add these routes, before its own, to every app that gradio makes from now on."""
    from gradio.routes import App

    theirs = getattr(App.create_app, OURS, App.create_app)

    def create_app(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - gradio's own
        app = theirs(*given, **named)
        app.router.routes[:0] = routes
        return app

    setattr(create_app, OURS, theirs)
    setattr(App, "create_app", staticmethod(create_app))  # noqa: B010 - a method to the type checker


def draw_with(draw: Callable[[str, Convert], str]) -> bool:
    """Have `draw` make the HTML of each message, from its escaped text and the webui's own conversion.

    False if this webui makes its messages in another way.
    """
    from modules import html_generator

    name = "convert_to_markdown_wrapped"
    found = getattr(html_generator, name, None)
    theirs = getattr(found, OURS, found)
    if theirs is None:
        return False

    def drawn(string: str, message_id: object = None, use_cache: bool = True) -> str:  # noqa: FBT001, FBT002
        def convert(text: str, *, finished: bool = False) -> str:
            return str(theirs(text, message_id=message_id, use_cache=use_cache or finished))

        return draw(string, convert) if string else convert(string)

    setattr(drawn, OURS, theirs)
    setattr(html_generator, name, drawn)
    return True


def follow_chats(
    renamed: Callable[[str, str, str, str], None], deleted: Callable[[str, str, str], None]
) -> None:
    """Call `renamed` when a chat gets another name, and `deleted` when one is deleted.

    A reply that is being written in it is saved under the new name, or not at all. `renamed` gets the old and
    the new name, `deleted` the name, both the character and the mode.
    """
    from modules import chat

    def after_rename(theirs: Callable[..., Any], old: str, new: str, character: str, mode: str) -> None:
        there = os.path.exists(chat.get_history_file_path(new, character, mode))
        theirs(old, new, character, mode)
        if not there and os.path.exists(chat.get_history_file_path(new, character, mode)):
            _save_as(new, old, character, mode)
            renamed(old, new, character, mode)

    def after_delete(theirs: Callable[..., Any], name: str, character: str, mode: str) -> None:
        theirs(name, character, mode)
        _save_as(UNSAVED, name, character, mode)
        deleted(name, character, mode)

    _stand_in(chat, "rename_history", after_rename)
    _stand_in(chat, "delete_history", after_delete)


def _save_as(new: str, old: str, character: str, mode: str) -> None:
    """Save the replies that are being written in a chat under another name."""
    for state in list(_growing.values()):
        instruct = mode == state["mode"] == "instruct"
        same = instruct or (mode != "instruct" != state["mode"] and character == state["character_menu"])
        if same and state["unique_id"] == old:
            state["unique_id"] = new


def keep_when_left() -> bool:
    """Save an unfinished reply when its page is reloaded or closed; False if this webui has no way for it.

    The webui saves a reply every eight seconds while it is written, and closes it without saving: the text
    and the results since then would be lost.
    """
    from modules import chat

    name = "generate_chat_reply_wrapper"
    found = getattr(chat, name, None)
    theirs = getattr(found, OURS, found)
    if theirs is None:
        return False

    # gradio recognises only a function that is itself a generator.
    @wraps(theirs)
    def reply(text: str, state: State, *given: Any, **named: Any) -> Generator[Any]:  # noqa: ANN401
        if named.get("_continue") and (rows := state["history"]["visible"]):
            rows[-1][1] = without_note(rows[-1][1])
        steps, last = theirs(text, state, *given, **named), None
        _growing[id(state)] = state
        try:
            for last in steps:
                yield last
        except GeneratorExit:
            steps.close()
            place = state["unique_id"], state["character_menu"], state["mode"]
            # A chat that was deleted meanwhile stays deleted.
            if last is not None and os.path.exists(chat.get_history_file_path(*place)):
                chat.save_history(last[1], *place)
            raise
        finally:
            del _growing[id(state)]

    setattr(reply, OURS, theirs)
    setattr(chat, name, reply)
    return True


def _stand_in(module: object, name: str, ours: Callable[..., Any]) -> bool:
    """Replace one of the webui's functions by `ours`, which gets the original as its first argument.

    False if there is none of that name. A later call replaces the earlier replacement.
    """
    found = getattr(module, name, None)
    theirs = getattr(found, OURS, found)
    if theirs is None:
        return False

    def function(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - the webui's own
        return ours(theirs, *given, **named)

    setattr(function, OURS, theirs)
    setattr(module, name, function)
    return True
