# mypy: disable-error-code="import-not-found"
# The webui is there only where we run in it.
"""What we read and set of text-generation-webui and of its page.

Its package `modules` is imported when a function is called, never before: at the time this file is read the
program may still be loading, and in a test there may be a double in its place.
"""

import ast
import html
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection

from coderunner.hosts.textgen.webui.loader_errors import LOADER_ERRORS

State = dict[str, Any]
"""The webui's parameters of one reply, as it hands them to a hook."""


def share_log() -> None:
    """Let what we log stand where the webui's own messages do: its root logger drops everything."""
    ours, theirs = logging.getLogger("coderunner"), logging.getLogger("textgen")
    if handlers := [each for each in theirs.handlers if each is not LOADER_ERRORS]:
        ours.handlers = handlers
        ours.setLevel(logging.WARNING)
    theirs.addHandler(LOADER_ERRORS)


def offer_characters() -> list[str]:
    """Have every page offer the characters that there are by now; gives them.

    The webui makes its list when it builds its page, and takes nothing that is not in it: a page that is
    loaded after such a character was chosen has none.
    """
    from modules import utils

    found, menu, page = (
        list(utils.get_available_characters()),
        component("character_menu"),
        component("interface"),
    )
    if menu is not None:
        menu.choices = [(name, name) for name in found]
    if page is not None:
        page.config = page.get_config_file()
    return found


def stopped() -> bool:
    """Whether somebody pressed Stop since the webui began its latest reply."""
    from modules import shared

    return bool(shared.stop_everything)


def set_stopped(value: bool) -> None:  # noqa: FBT001 - the flag itself
    """Set the webui's Stop flag."""
    from modules import shared

    shared.stop_everything = value


def serves_several() -> bool:
    """Whether the webui was started for several people (`--multi-user`)."""
    from modules import shared

    return bool(getattr(shared.args, "multi_user", False))


def user_data() -> Path:
    """The folder of the person's own data."""
    from modules import shared

    # Where it is now: what is written late is written there, wherever the program stands by then.
    return Path(getattr(shared, "user_data_dir", "user_data")).absolute()


def serves_others() -> bool:
    """Whether it can be reached from other machines under an address of its own (`--listen`)."""
    from modules import shared

    return bool(getattr(shared.args, "listen", False))


def shared_at() -> str:
    """The address under which gradio's tunnel serves the page (`--share`); empty where there is none."""
    from modules import shared

    return str(getattr(shared.gradio.get("interface"), "share_url", None) or "")


def visitor(scope: Mapping[str, Any]) -> str | None:
    """Whose request it is: of everybody who may see the page, and they all see the same; None: of nobody.

    Without a login (`--gradio-auth`) everybody may. gradio itself asks for none at routes that are not its.
    """
    app = scope.get("app")
    if getattr(app, "auth", None) is None and getattr(app, "auth_dependency", None) is None:
        return ""
    cookies = HTTPConnection(dict(scope)).cookies
    login = getattr(app, "cookie_id", None)
    tokens = getattr(app, "tokens", {})
    given = (cookies.get(f"access-token-{login}"), cookies.get(f"access-token-unsecure-{login}"))
    return "" if any(token and tokens.get(token) is not None for token in given) else None


def saved_chat(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The history of a chat as it is saved; an empty one where there is none."""
    from modules import chat

    try:
        found = chat.load_history(state["unique_id"], state.get("character_menu"), state.get("mode"))
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def chat_names(folder: str) -> list[str]:
    """The names of the saved chats of a character, or of the mode `instruct`."""
    from modules import chat

    mode = "instruct" if folder == "instruct" else "chat"
    return [path.stem for path in chat.get_history_file_path("any", folder, mode).parent.glob("*.json")]


def component(name: str) -> Any | None:  # noqa: ANN401 - a component of the webui's gradio
    """One of the page's own components, such as `unique_id`; None where this webui has none of that name."""
    from modules import shared

    return shared.gradio.get(name)


def session_hash() -> str | None:
    """The id of the browser page for which we are called; None outside of a page's call."""
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    return getattr(request, "session_hash", None)


def thinking_tags() -> tuple[str, ...]:
    """All tags by which the webui tells thought from answer, wherever they stand."""
    from modules.reasoning import THINKING_FORMATS

    return tuple(dict.fromkeys(tag for tags in THINKING_FORMATS for tag in tags if tag))


def answer(reply: str) -> str:
    """The part of `reply` that the webui shows as the answer; nothing while a thought is still open."""
    from modules.reasoning import extract_reasoning

    return str(extract_reasoning(reply)[1])


_NOTE = re.compile(r"(?:\n\n|\A)\u200b\*[^*\n]*\*\Z")


def with_note(page: str, note: str) -> str:
    """The HTML-escaped text of a message with a sentence of ours below it that is no thought.

    `without_note` removes it when the reply is continued.
    """
    from modules.reasoning import THINKING_FORMATS, extract_reasoning

    sentence = f"\u200b*{note}*"
    if not page.strip():
        return sentence
    # A thought that nobody closed would take it in.
    for end in ("", *(html.escape(end) for start, end, _ in THINKING_FORMATS if start)):
        text = f"{page}{end}\n\n{sentence}"
        if sentence in str(extract_reasoning(text, html_escaped=True)[1]):
            return text
    return page


def without_note(text: str) -> str:
    """A text without the sentence that `with_note` put below it."""
    return _NOTE.sub("", text)


def opens_thought(prompt: str) -> bool:
    """Whether the template ended the prompt with the tag that begins a thought."""
    from modules.reasoning import THINKING_FORMATS

    end = prompt.rstrip("\n")
    return any(start and end.endswith(start) for start, *_ in THINKING_FORMATS)


def stop_strings(given: list[str] | str | None, state: Mapping[str, Any]) -> list[str]:
    """Every text at which the webui ends a reply: the template's and the person's."""
    every: list[str] = []
    for some in (given, state.get("custom_stopping_strings")):
        listed = ast.literal_eval(f"[{some}]") if isinstance(some, str) else some
        every += [text for text in listed or [] if isinstance(text, str) and text]
    return every


def tokens(text: str) -> int:
    """How many tokens `text` is to the loaded model."""
    from modules.text_generation import get_encoded_length

    return int(get_encoded_length(text))
