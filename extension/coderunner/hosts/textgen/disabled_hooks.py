"""The hooks if CodeRunner cannot run in this webui: replies stay unchanged, and the form says why."""

from collections.abc import Generator
from html import escape
from pathlib import Path
from typing import Any

from coderunner.hosts.textgen.webui import other_hooks, webui_api

reason = ""
"""The import error of our own modules."""

REQUIREMENTS = Path(__file__).resolve().parents[4] / "requirements.txt"


def setup() -> None:
    """Nothing to set up."""


def sentence() -> str:
    """What the user has to do."""
    command = f'pip install -r "{REQUIREMENTS}" --upgrade'
    return (
        f"<b>CodeRunner</b> is missing a library ({escape(reason)}). In the webui's Python environment, "
        f"run <code>{escape(command)}</code>, then restart the webui. Until then no code runs."
    )


def ui() -> None:
    """Show the sentence in place of the form."""
    import gradio as gr

    gr.HTML(sentence())


def custom_css() -> str:
    """No style."""
    return ""


def custom_js() -> str:
    """No script."""
    return ""


def chat_input_modifier(text: str, visible_text: str, state: webui_api.State) -> tuple[str, str]:
    """Leave the message as it is."""
    return text, visible_text


def custom_generate_chat_prompt(text: str, state: webui_api.State, **more: Any) -> str | None:  # noqa: ANN401
    """Leave the prompt to the next extension."""
    return other_hooks.prompt_without_us(custom_generate_chat_prompt, text, state, more)


def custom_generate_reply(
    question: str,
    original_question: str,
    state: webui_api.State,
    stopping_strings: list[str] | None = None,
    is_chat: bool = False,  # noqa: FBT001, FBT002 - the webui's own signature
) -> Generator[str]:
    """Leave the reply to the next extension."""
    yield from other_hooks.reply_without_us(
        custom_generate_reply, question, original_question, state, stopping_strings, is_chat
    )


def output_modifier(text: str, _state: dict[str, Any], *, is_chat: bool = False) -> str:
    """Leave the shown text as it is."""
    return text
