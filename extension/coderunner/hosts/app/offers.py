"""Which models there are to pick: the one that the settings name, those of this machine, the demo."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from coderunner.errors import CodeRunnerError
from coderunner.hosts.app.state import Offer
from coderunner.models import demo_script, detect
from coderunner.models.demo_server import DemoServer
from coderunner.models.endpoint import Client, Endpoint
from coderunner.secret import Secret
from coderunner.settings import Settings

NAMES = {
    "ollama": "Ollama",
    "lm-studio": "LM Studio",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "koboldcpp": "KoboldCpp",
    "text-generation-webui": "text-generation-webui",
}


PATIENCE = 3.0
"""Seconds that the start waits for the list of the settings' endpoint; the page can ask for it later."""


class Offers:
    """What the model picker offers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._demo = DemoServer()
        self.offers: list[Offer] = []

    async def start(self) -> Offer:
        """Find what can be offered, and give what is picked at first.

        That is the settings' endpoint, else the one model that this machine serves, else the demo.
        """
        settings = self._settings
        if settings.demo:
            return await self.offer_demo()
        if settings.model_url:
            return await self._explicit(Endpoint(settings.model_url, settings.model_key, settings.model))
        self.offers = await self.look()
        script = await self.offer_demo()
        real = [offer for offer in self.offers if not offer.demo]
        return real[0] if len(real) == 1 else script

    async def stop(self) -> None:
        """End the demo's server."""
        await self._demo.stop()

    async def look(self) -> list[Offer]:
        """Find the models of this machine; no model is sent anything."""
        return [
            Offer(
                f"{model.id} · {NAMES.get(found.kind, found.kind)}", Endpoint(found.url, Secret(), model.id)
            )
            for found in await detect.scan()
            for model in found.models
        ]

    async def ask(self, endpoint: Endpoint) -> Sequence[Offer]:
        """The models of an endpoint; raises ModelError or SettingsError."""
        async with Client(endpoint) as client:
            listed = await client.models()
        offers = [_named(Endpoint(endpoint.url, endpoint.key, model.id)) for model in listed]
        self.offers = [*offers, *(offer for offer in self.offers if offer not in offers)]
        return offers

    async def offer_demo(self) -> Offer:
        """The scripted model, served on a free port of this machine."""
        endpoint = Endpoint(await self._demo.start(), Secret(), demo_script.MODEL)
        offer = Offer(demo_script.MODEL, endpoint, demo=True)
        if offer not in self.offers:
            self.offers.append(offer)
        return offer

    def named(self, url: str, model: str) -> Offer:
        """An offer of a model at an address, as if it had been asked; raises SettingsError."""
        return _named(Endpoint(url, Secret(), model))

    def endpoint(self, url: str, key: Secret) -> Endpoint:
        """What a person means; without a key the one that is kept for this very address, which no page gets.

        Raises SettingsError.
        """
        meant = Endpoint(url, key)
        known = (offer.endpoint.key for offer in self.offers if offer.endpoint.url == meant.url)
        return meant if key else replace(meant, key=next(known, key))

    def find(self, label: str) -> Offer | None:
        """The offer of that label."""
        return next((offer for offer in self.offers if offer.label == label), None)

    async def _explicit(self, endpoint: Endpoint) -> Offer:
        """The settings' endpoint; without a model's name it is the endpoint's first, when it answers."""
        offer = _named(endpoint)
        try:
            async with asyncio.timeout(PATIENCE):
                offers = await self.ask(endpoint)
        except (CodeRunnerError, TimeoutError):
            offers = ()
        if not endpoint.model and offers:
            return offers[0]
        if offer not in self.offers:
            self.offers.insert(0, offer)
        return offer


def _named(endpoint: Endpoint) -> Offer:
    return Offer(f"{endpoint.model or 'default model'} · {urlsplit(endpoint.url).netloc}", endpoint)
