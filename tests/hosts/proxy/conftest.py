"""The proxy as it really runs, before the demo model as one of its personalities."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import pytest

from coderunner.access.api_keys import ApiKeys
from coderunner.hosts.proxy.active_replies import GRACE
from coderunner.hosts.proxy.routes import Proxy
from coderunner.hosts.proxy.server import guarded
from coderunner.hosts.proxy.team.accounts import Accounts
from coderunner.hosts.proxy.team.members import Members
from coderunner.hosts.proxy.team.team import Team
from coderunner.models.demo.demo_replies import MODEL
from coderunner.models.endpoint.client import Endpoint
from coderunner.secret_value import Secret
from coderunner.settings.settings import load
from tests.models.conftest import listening, pool, serve

__all__ = ["pool", "serve"]

ALICE, BOB = "alice-7f3a9c51e2d4b680", "bob-51e2d47f3a9c00b680"
RUNS = f"{MODEL}+python"

SHARED = {"x-coderunner-session": "shared"}
"""One conversation for all tests that need no kernel of their own: a new one takes a second."""

WAIT = 30.0
"""Seconds that a client waits for what comes in one or two."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """A proxy on a socket."""

    url: str
    proxy: Proxy
    clients: ExitStack
    """Closes them in the end."""
    clock: "Clock"
    """The time for limits of its users: it stands still but for what a test adds."""

    def client(self, key: str = ALICE) -> openai.OpenAI:
        client = openai.OpenAI(
            base_url=f"{self.url}/v1", api_key=key, timeout=WAIT, max_retries=0, default_headers=SHARED
        )
        return self.clients.enter_context(client)

    def anthropic(self, key: str = ALICE) -> anthropic.Anthropic:
        """Anthropic's client, whose conversations have no name but the one in what it sends back."""
        client = anthropic.Anthropic(base_url=self.url, api_key=key, timeout=WAIT, max_retries=0)
        return self.clients.enter_context(client)

    def asynchronous(self, key: str = ALICE) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            base_url=f"{self.url}/v1", api_key=key, timeout=WAIT, max_retries=0, default_headers=SHARED
        )


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


Open = Callable[..., Proxied]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Give a function that opens a proxy before an endpoint; the same one where it is the same."""
    with ExitStack() as servers:
        known: dict[str, Proxied] = {}

        def start(
            upstream: str,
            *,
            quiet: float = 0.2,
            grace: float = GRACE,
            key: str = "",
            team: str = "",
            **chosen: Any,
        ) -> Proxied:
            """`team`: what the team file says; without it, ALICE and BOB have a key each."""
            what = f"{upstream} {quiet} {grace} {key} {team} {sorted(chosen.items())}"
            if what not in known:
                folder = tmp_path_factory.mktemp("proxy")
                clock = Clock()
                accounts = Accounts(folder / "tokens-today.json", clock=clock, calendar=clock)
                api_keys, members = ApiKeys([Secret(ALICE), Secret(BOB)]), Members()
                if team:
                    (folder / "team.toml").write_text(team)
                    chosen = {"team_file": folder / "team.toml", **chosen}
                settings = load({"allow_local_kernel": True, "data_dir": folder, **chosen})
                if team:
                    given = Team(settings, lambda _: None)
                    api_keys, members = given.api_keys, given.members
                endpoint = Endpoint(upstream, Secret(key))
                proxy = Proxy(settings, endpoint, members, accounts, quiet=quiet, spare=False, grace=grace)
                url = servers.enter_context(listening(guarded(proxy, api_keys)))
                known[what] = Proxied(url, proxy, servers.enter_context(ExitStack()), clock)
            return known[what]

        yield start
