"""The model that a person chose in the form, after a restart of the app."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.hosts.app.choices import chosen_model
from coderunner.hosts.app.choices.available_models import AvailableModels
from coderunner.hosts.app.choices.choices import Choices, ModelChoice
from coderunner.hosts.app.page import html_fragments
from coderunner.models.endpoint.client import Endpoint
from coderunner.secret_value import Secret
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot


@pytest.fixture(scope="module")
def parrot() -> Iterator[str]:
    with served(Parrot) as address:
        yield address


async def restarted(data: Path, **settings: object) -> tuple[Choices, str, str]:
    """An app that is started again: its choices, the address in its form, and what its banner says."""
    told = load({"data_dir": data, **settings})
    choices, model_choices = Choices.of(told), AvailableModels(told)
    choices.choice = await model_choices.start()
    await model_choices.stop()
    assert any(each.demo for each in model_choices.model_choices) or "model_url" in settings
    banner = re.sub("<[^>]+>", " ", html_fragments.banner(choices)).strip()
    return choices, model_choices.address, banner.removesuffix("Connect a model").strip()


@behaviour("app:form:model-kept")
async def test_the_chosen_model_is_there_after_a_restart_without_its_key(parrot: str, tmp_path: Path) -> None:
    url, gone = f"{parrot}/v1", "http://127.0.0.1:9/v1"
    polly = ModelChoice("polly", Endpoint(url, model="polly"))
    choices = Choices.of(load({"data_dir": tmp_path}))
    choices.choose_model(polly)
    assert (tmp_path / "model.json").stat().st_mode & 0o77 == 0 or os.name == "nt"
    again, address, banner = await restarted(tmp_path)
    assert again.choice is not None
    assert (again.choice.endpoint, address, banner) == (polly.endpoint, url, "")

    choices.choose_model(ModelChoice("polly", Endpoint(url, Secret("sk-canary"), "polly")))
    again, address, banner = await restarted(tmp_path)
    assert again.choice is not None
    assert (again.choice.endpoint, address) == (polly.endpoint, url)
    assert banner == "The API key for 127.0.0.1 is not kept when CodeRunner stops, so enter it again."
    assert "sk-canary" not in (tmp_path / "model.json").read_text()
    again.answered(again.choice)
    assert html_fragments.banner(again) == ""

    choices.choose_model(ModelChoice("gone", Endpoint(gone, model="gone")))
    again, address, banner = await restarted(tmp_path)
    assert again.choice is not None
    assert (again.choice.endpoint, address) == (Endpoint(gone, model="gone"), gone)
    assert banner.startswith("gone · 127.0.0.1:9 did not answer when CodeRunner started: ")
    assert "127.0.0.1:9/v1" in banner


@behaviour("app:form:model-kept")
async def test_the_settings_come_before_the_chosen_model_and_the_demo_takes_its_place(
    parrot: str, tmp_path: Path
) -> None:
    choices = Choices.of(load({"data_dir": tmp_path}))
    choices.choose_model(ModelChoice("gone", Endpoint("http://127.0.0.1:9/v1", model="gone")))
    named, *_ = await restarted(tmp_path, model_url=f"{parrot}/v1", model="parrot")
    demo, *_ = await restarted(tmp_path, demo=True)
    assert named.choice is not None
    assert named.choice.endpoint == Endpoint(f"{parrot}/v1", model="parrot")
    assert demo.choice is not None
    assert demo.choice.demo
    (tmp_path / "model.json").write_text('{"address": []}')
    assert chosen_model.read(tmp_path) is None
    choices.choose_model(demo.choice)
    assert not (tmp_path / "model.json").exists()
