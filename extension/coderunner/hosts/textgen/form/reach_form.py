"""The part of the form that shows what code of the chat may reach, allows more and takes it back."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from coderunner.hosts.textgen.form.handlers import Chat, Line
from coderunner.hosts.textgen.form.reach_handlers import ELSEWHERE, ReachHandlers, words
from coderunner.hosts.textgen.state.extension_state import ExtensionState
from coderunner.runner import GRANT_CHOICES, GRANT_FIELDS

TITLE = "What code may reach"
PROVEN = """(_token, ...rest) =>
    [document.querySelector('meta[name="coderunner-token"]')?.content ?? "", ...rest]"""
"""Adds the page's token, which is in no component's value, as the buttons of blocks send it."""


class ReachForm:
    """A ticked line for each grant of the chat, what settings grant to all chats, and a field for more.

    The page's script presses `coderunner-reach-look` whenever the section is opened.
    """

    def __init__(self, extension: ExtensionState, chat: Sequence[Any], how: dict[str, Any]) -> None:
        """`chat`: the components that say which chat the page shows; `how`: options of the events."""
        self._handlers = ReachHandlers(extension)
        self._chat = list(chat)
        self._how = how

    def build(self, *, free: bool) -> None:
        """Build it; without its fields unless whoever is at the page is `free` to allow more."""
        first, kind = next(iter(GRANT_CHOICES.items()))
        label, example = GRANT_FIELDS[kind]
        with gr.Accordion(TITLE, open=False, elem_id="coderunner-reach"):
            self._words = gr.HTML(elem_classes="coderunner-reach-words")
            self._list = gr.CheckboxGroup([], label="Allowed in this chat", visible=False)
            with gr.Row(visible=False, elem_id="coderunner-allow") as self._more:
                if free:
                    self._choice = gr.Dropdown(
                        list(GRANT_CHOICES), value=first, label="Allow code in this chat to"
                    )
                    self._text = gr.Textbox(label=label, placeholder=example, max_lines=1)
                    self._allow = gr.Button("Allow")
            self._said = gr.HTML(elem_classes="coderunner-status", elem_id="coderunner-reach-said")

    def listen(self, *, free: bool) -> None:
        """Connect it, once it is built; adds hidden components, which the page must have wherever it is."""
        with gr.Row(elem_classes="coderunner-hidden"):
            self._token = gr.Textbox()
            self._seen = gr.Textbox()
            self._look = gr.Button(elem_id="coderunner-reach-look")
        shown = [self._words, self._list, self._seen, self._more, self._said]

        def look(token: str, unique_id: Any, character: Any, mode: Any, request: gr.Request) -> list[Any]:  # noqa: ANN401 - what components hold
            return self._news(Chat(unique_id, character, mode), self._refused(request, token))

        proven = {"js": PROVEN, **self._how}
        at = [self._token, *self._chat]
        self._look.click(look, at, shown, **proven)
        for each in self._chat:
            if hasattr(each, "change"):
                each.change(look, at, shown, **proven)
        if free:
            self._listen_to_fields(shown, proven)

    def _listen_to_fields(self, shown: list[Any], proven: dict[str, Any]) -> None:
        def allow(
            token: str,
            choice: str,
            text: str | None,
            unique_id: Any,  # noqa: ANN401 - what components hold
            character: Any,  # noqa: ANN401 - as above
            mode: Any,  # noqa: ANN401 - as above
            request: gr.Request,
        ) -> list[Any]:
            chat, said = Chat(unique_id, character, mode), self._refused(request, token)
            said = said or self._handlers.allow(chat, choice, text or "")
            # What is wrong stays in the field.
            return [*self._news(chat, said), "" if said.good else gr.update()]

        def keep(
            token: str,
            seen: str | None,
            kept: list[str],
            unique_id: Any,  # noqa: ANN401 - as above
            character: Any,  # noqa: ANN401 - as above
            mode: Any,  # noqa: ANN401 - as above
            request: gr.Request,
        ) -> list[Any]:
            chat, said = Chat(unique_id, character, mode), self._refused(request, token)
            said = said or self._handlers.keep(chat, seen or "", kept)
            return [gr.update()] * len(shown) if said is None else self._news(chat, said)

        typed = [self._token, self._choice, self._text, *self._chat]
        for event in (self._allow.click, self._text.submit):
            event(allow, typed, [*shown, self._text], **proven)
        # On change: at `input`, the gradio of the webui still has the ticks from before.
        self._list.change(keep, [self._token, self._seen, self._list, *self._chat], shown, **proven)
        self._choice.input(self._ask_for, self._choice, self._text, **self._how)

    def _refused(self, request: gr.Request, token: str) -> Line | None:
        return None if self._handlers.admits(request, token) else ELSEWHERE

    def _news(self, chat: Chat, said: Line | None) -> list[Any]:
        """What the section shows from now on, and below it what came of a press."""
        if said is ELSEWHERE:
            return [gr.update(), gr.update(), gr.update(), gr.update(), said.html]
        reach = self._handlers.look(chat)
        own = list(reach.own)
        return [
            words(reach),
            gr.update(choices=own, value=own, visible=bool(own)),
            self._handlers.seen(chat),
            gr.update(visible=not reach.why_not),
            said.html if said else "",
        ]

    @staticmethod
    def _ask_for(choice: str) -> Any:  # noqa: ANN401 - gradio's update
        label, example = GRANT_FIELDS[GRANT_CHOICES[choice]]
        return gr.update(label=label, placeholder=example, visible=bool(label))
