# mypy: disable-error-code="import-not-found"
# The webui can only be imported inside its own process.
"""What we read from and set in text-generation-webui and its page.

Its package `modules` is imported only when a function is called: the program may still be loading when this
file is imported, and tests may replace it.
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
    """Log to the webui's own handlers, since its root logger drops everything."""
    ours, theirs = logging.getLogger("coderunner"), logging.getLogger("textgen")
    if handlers := [each for each in theirs.handlers if each is not LOADER_ERRORS]:
        ours.handlers = handlers
        ours.setLevel(logging.WARNING)
    theirs.addHandler(LOADER_ERRORS)


def offer_characters() -> list[str]:
    """Update the list of characters that every page offers; gives them.

    The webui makes its list when it builds its page, and accepts only what is in it: a page that is loaded
    after a new character was chosen would have none.
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
    """Whether Stop was pressed since the webui began its latest reply."""
    from modules import shared

    return bool(shared.stop_everything)


def set_stopped(value: bool) -> None:  # noqa: FBT001 - the flag itself
    """Set the webui's Stop flag."""
    from modules import shared

    shared.stop_everything = value


def serves_several() -> bool:
    """Whether the webui was started for several users (`--multi-user`)."""
    from modules import shared

    return bool(getattr(shared.args, "multi_user", False))


def user_data() -> Path:
    """The folder of the user's data."""
    from modules import shared

    # Absolute, since the working directory may change before a late write.
    return Path(getattr(shared, "user_data_dir", "user_data")).absolute()


def serves_others() -> bool:
    """Whether other machines can reach it directly (`--listen`)."""
    from modules import shared

    return bool(getattr(shared.args, "listen", False))


def shared_at() -> str:
    """The address at which gradio's tunnel serves the page (`--share`); empty without one."""
    from modules import shared

    return str(getattr(shared.gradio.get("interface"), "share_url", None) or "")


def visitor(scope: Mapping[str, Any]) -> str | None:
    """The owner of a request: empty for everybody who may see the page, who all see the same; None: nobody.

    Without a login (`--gradio-auth`) everybody may. gradio itself does not check it for routes of others.
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
    """The saved history of a chat; empty if there is none."""
    from modules import chat

    try:
        found = chat.load_history(state["unique_id"], state.get("character_menu"), state.get("mode"))
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def chat_names(folder: str) -> list[str]:
    """The names of the saved chats of a character, or of `instruct` mode."""
    from modules import chat

    mode = "instruct" if folder == "instruct" else "chat"
    return [path.stem for path in chat.get_history_file_path("any", folder, mode).parent.glob("*.json")]


def component(name: str) -> Any | None:  # noqa: ANN401 - a component of the webui's gradio
    """One of the page's own components, such as `unique_id`; None if this webui has none of that name."""
    from modules import shared

    return shared.gradio.get(name)


def session_hash() -> str | None:
    """The id of the page that calls; None outside of such a call."""
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    return getattr(request, "session_hash", None)


def thinking_tags() -> tuple[str, ...]:
    """All tags by which the webui tells thoughts from the answer."""
    from modules.reasoning import THINKING_FORMATS

    return tuple(dict.fromkeys(tag for tags in THINKING_FORMATS for tag in tags if tag))


def answer(reply: str) -> str:
    """The part of `reply` that the webui shows as the answer; empty while a thought is open."""
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
    # An open thought would contain it.
    for end in ("", *(html.escape(end) for start, end, _ in THINKING_FORMATS if start)):
        text = f"{page}{end}\n\n{sentence}"
        if sentence in str(extract_reasoning(text, html_escaped=True)[1]):
            return text
    return page


def without_note(text: str) -> str:
    """A text without the sentence that `with_note` put below it."""
    return _NOTE.sub("", text)


def opens_thought(prompt: str) -> bool:
    """Whether the prompt ends with the tag that begins a thought, as some templates do."""
    from modules.reasoning import THINKING_FORMATS

    end = prompt.rstrip("\n")
    return any(start and end.endswith(start) for start, *_ in THINKING_FORMATS)


def stop_strings(given: list[str] | str | None, state: Mapping[str, Any]) -> list[str]:
    """Every text at which the webui ends a reply: the template's and the user's."""
    every: list[str] = []
    for some in (given, state.get("custom_stopping_strings")):
        listed = ast.literal_eval(f"[{some}]") if isinstance(some, str) else some
        every += [text for text in listed or [] if isinstance(text, str) and text]
    return every


def tokens(text: str) -> int:
    """The number of tokens of `text` for the loaded model."""
    from modules.text_generation import get_encoded_length

    return int(get_encoded_length(text))
