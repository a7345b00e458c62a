"""The hooks that run code in the webui's replies."""

from collections.abc import Callable, Generator
from functools import cache, partial
from html import escape, unescape
from typing import Any

from coderunner.ending_sentences import how_a_reply_ended
from coderunner.hosts.textgen.form import taught_language
from coderunner.hosts.textgen.form.layout import build
from coderunner.hosts.textgen.reply import attached_files, output_placeholders, token_budget, user_code
from coderunner.hosts.textgen.reply.chat_reply_detection import KEY, ChatRequest, is_api
from coderunner.hosts.textgen.reply.reply import Prompt, Reply, Speech
from coderunner.hosts.textgen.state.extension_state import ExtensionState
from coderunner.hosts.textgen.state.preferences import Preferences
from coderunner.hosts.textgen.webui import css_and_js, other_hooks, webui_api
from coderunner.runner import RunOptions, Turn, late_words
from coderunner.text.surrogates import readable


@cache
def extension() -> ExtensionState:
    """The state of the process, which outlives restarts of the interface."""
    return ExtensionState.open(webui_api.user_data())


def setup() -> None:
    """Called before the page is built, also after a restart of the interface: running code goes on."""
    webui_api.share_log()
    extension().install()


def ui() -> None:
    """Build the form at the bottom of the page."""
    build(
        extension(),
        first=lambda: other_hooks.before_us(custom_generate_chat_prompt, "custom_generate_chat_prompt"),
    )


def custom_css() -> str:
    """The style of the form and of the status bar."""
    return css_and_js.CSS


def custom_js() -> str:
    """Loads the elements that show blocks, and keeps the status bar up to date while a reply is written."""
    return extension().elements.script() + css_and_js.JS


def chat_input_modifier(text: str, visible_text: str, state: webui_api.State) -> tuple[str, str]:
    """Add the results of background blocks, and of the blocks in the user's message, for the model."""
    chosen = extension().store.get()
    name = extension().conversation(state)
    if is_api(state) or name is None or not extension().may_run():
        return text, visible_text
    options = RunOptions(keep=extension().keep, runs=extension().runs(name))
    late = late_words(extension().kernel(name), options, forbidden=webui_api.thinking_tags())
    late = "\n".join(words for words in (late, *extension().controller.buttons.untold(name)) if words)
    if chosen.own_blocks:
        text, visible_text = _with_results(text, visible_text, name, chosen)
    return (f"{late}\n{text}", f"{escape(late)}\n{visible_text}") if late else (text, visible_text)


def _with_results(text: str, visible_text: str, name: str, chosen: Preferences) -> tuple[str, str]:
    # The user wrote the block and chose to run it: no approval is needed. An earlier Stop does not count.
    options = RunOptions(deadline=chosen.deadline, limit=chosen.limit, keep=extension().keep)
    before = webui_api.stopped()
    turn = Turn(
        max_cells=chosen.max_blocks,
        forbidden=webui_api.thinking_tags(),
        language=extension().kernel(name).language_now(),
    )
    changed = user_code.with_results(
        text, turn, extension().kernel(name), options, lambda: webui_api.stopped() and not before
    )
    return changed, user_code.visibly(text, visible_text, changed)


def custom_generate_chat_prompt(text: str, state: webui_api.State, **more: Any) -> str | None:  # noqa: ANN401
    """Note the reply whose prompt is being made; the next extension makes the prompt itself."""
    state.pop(KEY, None)
    request = extension().request_of(state, more)
    if request is not None:
        extension().requests.put(state, request)
        files = extension().sessions.files(request.conversation, extension().store.get().where)
        attached_files.keep(more["history"], request.conversation, files, extension().sessions.io_thread.call)
        taught_language.teach(state, extension().kernel(request.conversation).language_now())
        taught_language.add(state, extension().words_of_tools(request.conversation))
    return other_hooks.prompt_without_us(custom_generate_chat_prompt, text, state, more)


def custom_generate_reply(
    question: str,
    original_question: str,
    state: webui_api.State,
    stopping_strings: list[str] | None = None,
    is_chat: bool = False,  # noqa: FBT001, FBT002 - the webui's own signature
) -> Generator[str]:
    """Give a noted reply with the results of its code, and every other one unchanged."""
    request, question = extension().requests.claim(state), output_placeholders.without(question)

    def base(prompt: str, its_state: webui_api.State) -> Generator[str]:
        return other_hooks.reply_without_us(
            custom_generate_reply, prompt, original_question, its_state, stopping_strings, is_chat
        )

    if request is None or not is_chat:
        yield from base(question, state)
        return
    reply = _reply(request, question, state, webui_api.stop_strings(stopping_strings, state), base)
    extension().ended.pop(request.conversation, None)
    try:
        yield from reply.give()
        if reply.speech.why and not request.api:
            extension().ended[request.conversation] = reply.speech.why
    finally:
        extension().leave(request)


def output_modifier(text: str, state: webui_api.State, is_chat: bool = False) -> str:  # noqa: FBT001, FBT002 - the webui's own
    """Say below a reply that was cut off or is empty why that is; only the page gets this sentence."""
    if not is_chat or is_api(state) or not extension().store.get().active:
        return text
    said = extension().why(state)
    if not said and not output_placeholders.opened(text) and not readable(webui_api.answer(unescape(text))):
        said = how_a_reply_ended("stopped" if webui_api.stopped() else "", empty=True)
    return webui_api.with_note(text, said) if said else text


def _reply(
    request: ChatRequest,
    question: str,
    state: webui_api.State,
    stops: list[str],
    base: Callable[[str, webui_api.State], Generator[str]],
) -> Reply:
    chosen, tags = extension().store.get(), webui_api.thinking_tags()
    turn = Turn(
        prior=request.prior,
        thinking=not request.prior and webui_api.opens_thought(question),
        max_cells=chosen.max_blocks,
        forbidden=(*stops, *tags),
        resume=True,
        language=extension().kernel(request.conversation).language_now(),
    )
    state = token_budget.at_most(chosen.max_tokens, state)
    prompt = Prompt(restored(question, request.prior), request.prior, state, stops)
    return Reply(
        turn=turn,
        speech=Speech(prompt, base),
        kernel=extension().kernel(request.conversation),
        options=extension().options(request),
        tags=tags,
        stopped=_stopped(state) if request.api else webui_api.stopped,
        api=request.api,
        streams=request.streams,
        watch=partial(extension().watch, request),
        before=request.before,
        draws=extension().draws(request),
    )


def restored(question: str, prior: str) -> str:
    """`question` with the white space at the end of `prior`, which the webui strips to continue a reply.

    The prompt then equals the reply byte for byte, and the model's cache stays valid.
    """
    words = prior.split()
    if words and question.endswith(words[-1]):
        return question + prior[len(prior.rstrip()) :]
    return question


def _stopped(state: webui_api.State) -> Callable[[], bool]:
    event = state.get("stop_event")
    return lambda: webui_api.stopped() or bool(event is not None and event.is_set())
