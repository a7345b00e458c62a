# mypy: disable-error-code="import-not-found"
# The webui is there only where we run in it.
"""The seam to text-generation-webui: all that we use of the program around us, and nothing else.

Its package `modules` is imported when a function is called, never before: at the time this file is read the
program may still be loading, and in a test there may be a double in its place.
"""

import ast
import html
import logging
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute

from coderunner.hosts.textgen.webui.loader_errors import LOADER_ERRORS

State = dict[str, Any]
"""The webui's parameters of one reply, as it hands them to a hook."""

OWN_STREAMS = frozenset({"LlamaServer", "Exllamav3Model", "TensorRTLLMModel"})
"""Names of the model classes that stream by themselves; every other one goes the way of Transformers."""


UNSAVED = "incognito-deleted"
"""A name under which the webui saves nothing."""

_growing: dict[int, State] = {}
"""The parameters of each reply that is being written: by the name in them the webui saves its chat."""

OURS = "_coderunner"
"""Marks a function that stands in for one of the webui's, which it holds."""


class Convert(Protocol):
    """The webui's own way from the text of a message to HTML."""

    def __call__(self, text: str, *, finished: bool = False) -> str:
        """Make HTML; a text that is `finished` will be asked for again, unchanged."""


class GenerateReply(Protocol):
    """The hook `custom_generate_reply`, and the webui's own functions of the same shape.

    Gives the text of this call, longer each time; never the prompt.
    """

    def __call__(
        self,
        question: str,
        original_question: str,
        state: State,
        stopping_strings: list[str] | None = None,
        is_chat: bool = False,  # noqa: FBT001, FBT002 - the webui's own signature
    ) -> Iterator[str]:
        """Reply to `question`."""
        ...


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


def mount(routes: Sequence[BaseRoute]) -> None:
    """Have every app that gradio makes from now on answer at these routes first."""
    from gradio.routes import App

    theirs = getattr(App.create_app, OURS, App.create_app)

    def create_app(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - gradio's own
        app = theirs(*given, **named)
        app.router.routes[:0] = routes
        return app

    setattr(create_app, OURS, theirs)
    setattr(App, "create_app", staticmethod(create_app))  # noqa: B010 - a method to the type checker


def draw_with(draw: Callable[[str, Convert], str]) -> bool:
    """Have `draw` make the HTML of each message, from its escaped text and the webui's own way to HTML.

    False where this webui makes its messages in another way.
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
    """Have it told when a chat gets another name, and when one is deleted.

    A reply that is being written in it is saved under the new name, or not at all. `renamed` gets the old and
    the new name, `deleted` the name, both the character and the mode.
    """
    from modules import chat

    def after_rename(theirs: Callable[..., Any], old: str, new: str, character: str, mode: str) -> None:
        there = chat.get_history_file_path(new, character, mode).exists()
        theirs(old, new, character, mode)
        if not there and chat.get_history_file_path(new, character, mode).exists():
            _save_as(new, old, character, mode)
            renamed(old, new, character, mode)

    def after_delete(theirs: Callable[..., Any], name: str, character: str, mode: str) -> None:
        theirs(name, character, mode)
        _save_as(UNSAVED, name, character, mode)
        deleted(name, character, mode)

    _stand_in(chat, "rename_history", after_rename)
    _stand_in(chat, "delete_history", after_delete)


def _save_as(new: str, old: str, character: str, mode: str) -> None:
    """Have the replies that grow in a chat saved under another name."""
    for state in list(_growing.values()):
        instruct = mode == state["mode"] == "instruct"
        same = instruct or (mode != "instruct" != state["mode"] and character == state["character_menu"])
        if same and state["unique_id"] == old:
            state["unique_id"] = new


def keep_when_left() -> bool:
    """Have a reply saved as it is when its page is loaded again or closed; False where that cannot be.

    The webui saves a growing reply every eight seconds, and closes it without saving: what was said, and what
    ran, since then would be in no chat.
    """
    from modules import chat

    name = "generate_chat_reply_wrapper"
    found = getattr(chat, name, None)
    theirs = getattr(found, OURS, found)
    if theirs is None:
        return False

    # Gradio takes only what is written as a generator for one.
    @wraps(theirs)
    def reply(text: str, state: State, *given: Any, **named: Any) -> Generator[Any]:  # noqa: ANN401
        if named.get("_continue") and (rows := state["history"]["visible"]):
            rows[-1][1] = _SAID.sub("", rows[-1][1])
        steps, last = theirs(text, state, *given, **named), None
        _growing[id(state)] = state
        try:
            for last in steps:
                yield last
        except GeneratorExit:
            steps.close()
            place = state["unique_id"], state["character_menu"], state["mode"]
            # A chat that was deleted meanwhile does not come back.
            if last is not None and chat.get_history_file_path(*place).exists():
                chat.save_history(last[1], *place)
            raise
        finally:
            del _growing[id(state)]

    setattr(reply, OURS, theirs)
    setattr(chat, name, reply)
    return True


def _stand_in(module: object, name: str, ours: Callable[..., Any]) -> bool:
    """Have `ours` called in the stead of one of the webui's functions, with that as its first argument.

    False where there is none of that name. Again it takes the place of what stood in before.
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


_SAID = re.compile(r"(?:\n\n|\A)\u200b\*[^*\n]*\*\Z")


def below(page: str, said: str) -> str:
    """The text of a message as its page has it, HTML-escaped, with a sentence of ours that is no thought.

    When the reply is continued it is taken off again.
    """
    from modules.reasoning import THINKING_FORMATS, extract_reasoning

    sentence = f"\u200b*{said}*"
    if not page.strip():
        return sentence
    # A thought that nobody closed would take it in.
    for end in ("", *(html.escape(end) for start, end, _ in THINKING_FORMATS if start)):
        text = f"{page}{end}\n\n{sentence}"
        if sentence in str(extract_reasoning(text, html_escaped=True)[1]):
            return text
    return page


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


def next_hook(ours: object, name: str) -> Any | None:  # noqa: ANN401 - another extension's function
    """The hook `name` of the first extension after ours: the webui calls the first that has it."""
    following = iter(_extensions())
    for extension in following:
        if getattr(extension, name, None) is ours:
            break
    return next((getattr(extension, name) for extension in following if hasattr(extension, name)), None)


def before_us(ours: object, name: str) -> str | None:
    """The name of an extension that takes the hook `name` before ours; None where we come first."""
    from modules import extensions

    for extension, its_name in extensions.iterator():
        hook = getattr(extension, name, None)
        if hook is not None:
            return None if hook is ours else str(its_name)
    return None


def prompt_without_us(ours: object, text: str, state: State, more: Mapping[str, Any]) -> str | None:
    """The prompt of the next extension that makes one; None leaves it to the webui."""
    hook = next_hook(ours, "custom_generate_chat_prompt")
    prompt: str | None = hook(text, state, **more) if hook is not None else None
    return prompt


def reply_without_us(
    ours: object,
    question: str,
    original_question: str,
    state: State,
    stopping_strings: list[str] | None,
    is_chat: bool,  # noqa: FBT001 - the webui's own signature
) -> Generator[str]:
    """What the webui would say if we were not there; closing it closes the model's stream."""
    generate: GenerateReply | None = next_hook(ours, "custom_generate_reply") or _loader()
    if generate is None:
        yield ""
        return
    stream = generate(question, original_question, state, stopping_strings, is_chat=is_chat)
    try:
        yield from stream
    finally:
        if isinstance(stream, Generator):
            stream.close()


def _loader() -> GenerateReply | None:
    """The webui's function for the loaded model; None where no model is loaded."""
    from modules import shared, text_generation
    from modules.utils import check_model_loaded

    if not check_model_loaded()[0]:
        return None
    own = type(shared.model).__name__ in OWN_STREAMS
    chosen: GenerateReply = (
        text_generation.generate_reply_custom if own else text_generation.generate_reply_HF
    )
    return chosen


def _extensions() -> Iterator[object]:
    from modules import extensions

    for extension, _name in extensions.iterator():
        yield extension
