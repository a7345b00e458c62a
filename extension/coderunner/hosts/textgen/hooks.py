"""The hooks of a webui in which CodeRunner can run."""

from collections.abc import Callable, Generator
from functools import cache, partial
from html import escape, unescape
from typing import Any

from coderunner.characters import readable
from coderunner.endings import how_a_reply_ended
from coderunner.hosts.textgen import budget, own, places, style, webui
from coderunner.hosts.textgen.door import Door
from coderunner.hosts.textgen.form import build
from coderunner.hosts.textgen.marks import KEY, Mark, is_api
from coderunner.hosts.textgen.preferences import Preferences
from coderunner.hosts.textgen.reply import Prompt, Reply, Speech
from coderunner.runner import Manner, Turn, late_words


@cache
def door() -> Door:
    """What is kept for the whole process, over all restarts of the interface."""
    return Door.open(webui.user_data())


def setup() -> None:
    """Called before the page is built, at each restart of the interface: what runs goes on running."""
    webui.share_log()
    door().install()


def ui() -> None:
    """Build the form at the foot of the page."""
    build(door(), first=lambda: webui.before_us(custom_generate_chat_prompt, "custom_generate_chat_prompt"))


def custom_css() -> str:
    """How the form and the bar look."""
    return style.CSS


def custom_js() -> str:
    """Loads the elements that show blocks, and keeps the bar up to date while a reply grows."""
    return door().elements.script() + style.JS


def chat_input_modifier(text: str, visible_text: str, state: webui.State) -> tuple[str, str]:
    """Put what came of late blocks, and of the blocks of the person's own message, before the model."""
    chosen = door().store.get()
    name = door().conversation(state)
    if is_api(state) or name is None or not door().may_run():
        return text, visible_text
    manner = Manner(keep=door().keep, ledger=door().ledger(name))
    late = late_words(door().kernel(name), manner, forbidden=webui.thinking_tags())
    late = "\n".join(words for words in (late, *door().stage.untold(name)) if words)
    if chosen.own_blocks:
        text, visible_text = _with_results(text, visible_text, name, chosen)
    return (f"{late}\n{text}", f"{escape(late)}\n{visible_text}") if late else (text, visible_text)


def _with_results(text: str, visible_text: str, name: str, chosen: Preferences) -> tuple[str, str]:
    # Who wrote a block and chose that it runs has consented; a Stop from before is no Stop now.
    manner = Manner(deadline=chosen.deadline, limit=chosen.limit, keep=door().keep)
    before = webui.stopped()
    turn = Turn(max_cells=chosen.max_blocks, forbidden=webui.thinking_tags())
    changed = own.with_results(
        text, turn, door().kernel(name), manner, lambda: webui.stopped() and not before
    )
    return changed, own.visibly(text, visible_text, changed)


def custom_generate_chat_prompt(text: str, state: webui.State, **more: Any) -> str | None:  # noqa: ANN401
    """Mark the reply whose prompt is made; the prompt itself is left to whoever comes next."""
    state.pop(KEY, None)
    mark = door().mark(state, more)
    if mark is not None:
        door().marks.put(state, mark)
    return webui.prompt_without_us(custom_generate_chat_prompt, text, state, more)


def custom_generate_reply(
    question: str,
    original_question: str,
    state: webui.State,
    stopping_strings: list[str] | None = None,
    is_chat: bool = False,  # noqa: FBT001, FBT002 - the webui's own signature
) -> Generator[str]:
    """Give a marked reply with the results of its code, and every other one untouched."""
    mark, question = door().marks.claim(state), places.without(question)

    def base(prompt: str, its_state: webui.State) -> Generator[str]:
        return webui.reply_without_us(
            custom_generate_reply, prompt, original_question, its_state, stopping_strings, is_chat
        )

    if mark is None or not is_chat:
        yield from base(question, state)
        return
    reply = _reply(mark, question, state, webui.stop_strings(stopping_strings, state), base)
    door().ended.pop(mark.conversation, None)
    try:
        yield from reply.give()
        if reply.speech.why and not mark.api:
            door().ended[mark.conversation] = reply.speech.why
    finally:
        door().leave(mark)


def output_modifier(text: str, state: webui.State, is_chat: bool = False) -> str:  # noqa: FBT001, FBT002 - the webui's own
    """Say below a reply that was cut, or is without a word, why; of what is shown only the page has it."""
    if not is_chat or is_api(state) or not door().store.get().active:
        return text
    said = door().why(state)
    if not said and not places.opened(text) and not readable(webui.answer(unescape(text))):
        said = how_a_reply_ended("stopped" if webui.stopped() else "", empty=True)
    return webui.below(text, said) if said else text


def _reply(
    mark: Mark,
    question: str,
    state: webui.State,
    stops: list[str],
    base: Callable[[str, webui.State], Generator[str]],
) -> Reply:
    chosen, tags = door().store.get(), webui.thinking_tags()
    turn = Turn(
        prior=mark.prior,
        thinking=not mark.prior and webui.opens_thought(question),
        max_cells=chosen.max_blocks,
        forbidden=(*stops, *tags),
        resume=True,
    )
    state = budget.at_most(chosen.max_tokens, state)
    prompt = Prompt(restored(question, mark.prior), mark.prior, state, stops)
    return Reply(
        turn=turn,
        speech=Speech(prompt, base),
        kernel=door().kernel(mark.conversation),
        manner=door().manner(mark),
        tags=tags,
        stopped=_stopped(state) if mark.api else webui.stopped,
        api=mark.api,
        streams=mark.streams,
        watch=partial(door().watch, mark),
        before=mark.before,
        draws=door().draws(mark),
    )


def restored(question: str, prior: str) -> str:
    """`question` with the blanks at the end of `prior`, which the webui strips when it continues a reply.

    So the prompt is what stands in the reply, byte for byte, and the model's cache holds.
    """
    words = prior.split()
    if words and question.endswith(words[-1]):
        return question + prior[len(prior.rstrip()) :]
    return question


def _stopped(state: webui.State) -> Callable[[], bool]:
    event = state.get("stop_event")
    return lambda: webui.stopped() or bool(event is not None and event.is_set())
