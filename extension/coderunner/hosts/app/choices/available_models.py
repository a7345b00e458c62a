"""The models that can be chosen: those of the settings and the form, those on this machine, the demo."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from coderunner.errors import CodeRunnerError
from coderunner.hosts.app.choices import chosen_model
from coderunner.hosts.app.choices.choices import ModelChoice
from coderunner.hosts.app.choices.chosen_model import ChosenModel
from coderunner.models.continuation import detection
from coderunner.models.demo import demo_replies
from coderunner.models.demo.server import DemoServer
from coderunner.models.endpoint.client import Client, Endpoint
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings

NAMES = {
    "ollama": "Ollama",
    "lm-studio": "LM Studio",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "koboldcpp": "KoboldCpp",
    "text-generation-webui": "text-generation-webui",
}


PATIENCE = 3.0
"""Seconds that the start waits for the endpoint's list of models; the page can ask for it later."""

KEY_NEEDED = "The API key for {host} is not kept when CodeRunner stops, so enter it again."
SILENT = "{model} did not answer when CodeRunner started: {reason}"
SLOW = f"nothing came from {{host}} within {PATIENCE:.0f} seconds"


class AvailableModels:
    """The models that the form offers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._demo = DemoServer()
        self.model_choices: list[ModelChoice] = []
        self.address = ""
        """The one that a person has entered last, also before the app was started again."""

    async def start(self) -> ModelChoice:
        """Find the models, and give the first choice.

        That is the endpoint of the settings, or the model that a person chose before, or the only model on
        this machine, or the demo.
        """
        settings = self._settings
        if settings.demo:
            return await self.offer_demo()
        if settings.model_url:
            return await self._explicit(Endpoint(settings.model_url, settings.model_key, settings.model))
        if kept := chosen_model.read(settings.data_dir):
            return await self._kept(kept)
        self.model_choices = await self.look()
        script = await self.offer_demo()
        real = [choice for choice in self.model_choices if not choice.demo]
        return real[0] if len(real) == 1 else script

    async def stop(self) -> None:
        """End the demo's server."""
        await self._demo.stop()

    async def look(self) -> list[ModelChoice]:
        """Find the models on this machine; nothing is sent to a model."""
        return [
            ModelChoice(
                f"{model.id} · {NAMES.get(found.kind, found.kind)}", Endpoint(found.url, Secret(), model.id)
            )
            for found in await detection.scan()
            for model in found.models
        ]

    async def ask(self, endpoint: Endpoint) -> Sequence[ModelChoice]:
        """The models of an endpoint; raises ModelError or SettingsError."""
        async with Client(endpoint) as client:
            listed = await client.models()
        model_choices = [_named(Endpoint(endpoint.url, endpoint.key, model.id)) for model in listed]
        self.model_choices = [
            *model_choices,
            *(choice for choice in self.model_choices if not any(map(choice.same_as, model_choices))),
        ]
        return model_choices

    async def offer_demo(self) -> ModelChoice:
        """The scripted demo, served on a free port of this machine."""
        endpoint = Endpoint(await self._demo.start(), Secret(), demo_replies.MODEL)
        choice = ModelChoice(demo_replies.MODEL, endpoint, demo=True)
        if choice not in self.model_choices:
            self.model_choices.append(choice)
        return choice

    def named(self, url: str, model: str) -> ModelChoice:
        """A model at an address, which is not contacted; raises SettingsError."""
        return _named(Endpoint(url, Secret(), model))

    def endpoint(self, url: str, key: Secret) -> Endpoint:
        """The endpoint at `url`; without a key, the key stored for exactly this URL, which no page gets.

        Raises SettingsError.
        """
        meant = Endpoint(url, key)
        known = (choice.endpoint.key for choice in self.model_choices if choice.endpoint.url == meant.url)
        return meant if key else replace(meant, key=next(known, key))

    def find(self, label: str) -> ModelChoice | None:
        """The model with that label."""
        return next((choice for choice in self.model_choices if choice.label == label), None)

    async def _kept(self, kept: ChosenModel) -> ModelChoice:
        """The model that a person chose before; the demo can be chosen, but is never taken in its place."""
        endpoint = kept.endpoint
        self.address, choice, reason = endpoint.url, _named(endpoint), ""
        if kept.keyed:
            choice = replace(choice, trouble=KEY_NEEDED.format(host=endpoint.host))
        else:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.ask(endpoint)
            except CodeRunnerError as failure:
                reason = str(failure)
            except TimeoutError:
                reason = SLOW.format(host=endpoint.host)
        if reason:
            choice = replace(choice, trouble=SILENT.format(model=choice.label, reason=reason))
        if choice not in self.model_choices:
            self.model_choices.insert(0, choice)
        await self.offer_demo()
        return choice

    async def _explicit(self, endpoint: Endpoint) -> ModelChoice:
        """The endpoint of the settings; if no model is set, the endpoint's first, if it answers."""
        choice = _named(endpoint)
        try:
            async with asyncio.timeout(PATIENCE):
                model_choices = await self.ask(endpoint)
        except (CodeRunnerError, TimeoutError):
            model_choices = ()
        if not endpoint.model and model_choices:
            return model_choices[0]
        if choice not in self.model_choices:
            self.model_choices.insert(0, choice)
        return choice


def _named(endpoint: Endpoint) -> ModelChoice:
    return ModelChoice(f"{endpoint.model or 'default model'} · {urlsplit(endpoint.url).netloc}", endpoint)
