# mypy: disable-error-code="import-not-found"
# The webui can only be imported inside its own process.
"""The hooks of other extensions, and the webui's own function for a reply: ours pass calls on to them."""

from collections.abc import Generator, Iterator, Mapping
from typing import Any, Protocol

from coderunner.hosts.textgen.webui.webui_api import State

OWN_STREAMS = frozenset({"LlamaServer", "Exllamav3Model", "TensorRTLLMModel"})
"""Names of the model classes that stream by themselves; every other one goes through Transformers."""


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


def next_hook(ours: object, name: str) -> Any | None:  # noqa: ANN401 - another extension's function
    """The hook `name` of the next extension after ours: the webui calls only the first that has it."""
    following = iter(_extensions())
    for extension in following:
        if getattr(extension, name, None) is ours:
            break
    return next((getattr(extension, name) for extension in following if hasattr(extension, name)), None)


def before_us(ours: object, name: str) -> str | None:
    """The name of an extension whose hook `name` comes before ours; None if ours is the first."""
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
    """The webui's reply without us; closing it closes the model's stream."""
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
    """The webui's function for the loaded model; None if no model is loaded."""
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
