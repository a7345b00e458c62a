"""The form that chooses the model."""

import asyncio
from typing import Any

import gradio as gr

from coderunner.errors import CodeRunnerError
from coderunner.hosts.app.choices.available_models import AvailableModels
from coderunner.hosts.app.choices.choices import Choices
from coderunner.hosts.app.forms.event_options import COMMAND, STREAM
from coderunner.hosts.app.forms.findings import finding
from coderunner.secret_value import Secret
from coderunner.system_prompt import SYSTEM_PROMPT
from coderunner.text.surrogates import whole

HELP = (
    "Any OpenAI-compatible server: Ollama `http://127.0.0.1:11434/v1`, LM Studio `…:1234/v1`, "
    "llama.cpp `…:8080/v1`, text-generation-webui `…:5000/v1`, vLLM `…:8000/v1`, or a hosted one with "
    "its API key."
)
NO_KEY, KEY = "Only if the server needs one", "Known; type to replace it"


class ModelForm:
    """Model, URL and key, temperature, system prompt."""

    def __init__(self, choices: Choices, model_choices: AvailableModels) -> None:
        self._choices = choices
        self._model_choices = model_choices
        self.picker = gr.Dropdown([], label="Model", elem_id="cr-model", filterable=True)
        self.scan = gr.Button("Find local models", size="sm", elem_id="cr-scan")
        self.url = gr.Textbox(
            label="Address", placeholder="http://127.0.0.1:11434/v1", elem_id="cr-model-url"
        )
        self.key = gr.Textbox(label="API key", type="password", placeholder=NO_KEY, elem_id="cr-key")
        self.find = gr.Button("Find models", size="sm", variant="primary", elem_id="cr-find")
        self.status = gr.HTML(
            "", elem_id="cr-model-status", elem_classes="cr-html", apply_default_css=False, padding=False
        )
        gr.Markdown(HELP, elem_classes="cr-help")
        self.temperature = gr.Number(
            label="Temperature", minimum=0, maximum=2, step=0.1, placeholder="Server default"
        )
        self.prompt = gr.Textbox(
            label="System prompt",
            lines=8,
            max_lines=14,
            elem_id="cr-prompt",
            info="Its examples show the model how to run code.",
        )
        self.reset = gr.Button("Reset to default", size="sm", elem_id="cr-reset")

    @property
    def shown(self) -> list[Any]:
        """The components that `values` fills."""
        return [self.picker, self.url, self.key, self.temperature, self.prompt]

    def values(self) -> list[Any]:
        """The current choices, without the key."""
        address = self._model_choices.address
        return [
            self._picked(),
            address,
            _key_field(known=bool(address and self._model_choices.endpoint(address, Secret()).key)),
            self._choices.temperature,
            self._choices.system_prompt,
        ]

    def listen(self) -> list[Any]:
        """Connect the form to its handlers; gives the events after which the page shows the new choices."""
        self.temperature.input(self._set_temperature, [self.temperature], None, **COMMAND)
        self.prompt.blur(self._set_system_prompt, [self.prompt], None, **COMMAND)
        self.reset.click(self._reset, None, [self.prompt], **COMMAND)
        found = [self.picker, self.key, self.status]
        ask = [self.url, self.key]
        return [
            self.picker.input(self._pick, [self.picker], None, **COMMAND),
            self.scan.click(self._scan, None, [self.picker, self.status], **STREAM),
            self.find.click(self._find, ask, found, **STREAM),
            self.url.submit(self._find, ask, found, **STREAM),
        ]

    def _picked(self) -> gr.Dropdown:
        choice = self._choices.choice
        labels = [each.label for each in self._model_choices.model_choices]
        return gr.Dropdown(choices=labels, value=choice.label if choice else None)

    async def _pick(self, label: str) -> None:
        if choice := self._model_choices.find(label):
            await asyncio.to_thread(self._choices.choose_model, choice)

    async def _scan(self) -> list[Any]:
        found = await self._model_choices.look()
        known = self._model_choices.model_choices
        self._model_choices.model_choices = [*found, *(choice for choice in known if choice not in found)]
        if not found:
            return [
                self._picked(),
                finding("No model server found on the usual ports of this computer.", ok=False),
            ]
        return [self._picked(), finding(f"Models found: {len(found)}. Choose one above.", ok=True)]

    async def _find(self, url: str, key: str) -> list[Any]:
        """List the models at the URL and choose the one of before, or the first.

        The key stays here; its field is emptied.
        """
        try:
            endpoint = self._model_choices.endpoint(url.strip(), Secret(key.strip()))
            model_choices = await self._model_choices.ask(endpoint)
        except CodeRunnerError as failure:
            return [gr.skip(), gr.skip(), finding(str(failure), ok=False)]
        if not model_choices:
            return [gr.skip(), gr.skip(), finding("The server responded, but no model is loaded.", ok=False)]
        self._model_choices.address = endpoint.url
        before = self._choices.choice
        same = (each for each in model_choices if before is not None and each.same_as(before))
        await asyncio.to_thread(self._choices.choose_model, next(same, model_choices[0]))
        count = "1 model" if len(model_choices) == 1 else f"{len(model_choices)} models"
        held = _key_field(known=bool(endpoint.key))
        return [self._picked(), held, finding(f"Connected: {count}.", ok=True)]

    async def _set_temperature(self, temperature: float | None) -> None:
        self._choices.temperature = temperature

    async def _reset(self) -> str:
        self._choices.system_prompt = SYSTEM_PROMPT
        return SYSTEM_PROMPT

    async def _set_system_prompt(self, prompt: str) -> None:
        self._choices.system_prompt = whole(prompt)


def _key_field(*, known: bool) -> gr.Textbox:
    """The field for the key, which is never in it."""
    return gr.Textbox(value="", placeholder=KEY if known else NO_KEY)
