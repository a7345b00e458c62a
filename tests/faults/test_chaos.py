"""Every line is shown or marked as missing, whatever the network does, and nothing runs twice."""

import random
from dataclasses import replace

import pytest

from coderunner.kernel.sessions.registry import Server, Sessions
from tests.behaviours import behaviour
from tests.faults.conftest import Ordeal
from tests.faults.proxy import Chaos
from tests.faults.soak import Tally, converse

LINES = 10_000
BLOCKS = 10


@behaviour("faults:chaos:accounted")
@pytest.mark.slow
@pytest.mark.parametrize("seed", [4711])
async def test_of_a_hundred_thousand_lines_each_is_shown_or_marked_as_missing(
    seed: int,
    proxy: Chaos,
    sessions: Sessions,
    there: Server,
    ordeal: Ordeal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("coderunner.kernel.connections.servers.websocket.PING", 0.4)
    session = sessions.get("chaos", replace(there, url=proxy.url))
    await session.execute("x = 7")
    chance, tally = random.Random(seed), Tally()
    for _ in range(BLOCKS):
        await converse(session, proxy, chance, tally, lines=LINES, faults=0.7)
    assert tally.faults > BLOCKS // 3
    assert (tally.produced, tally.silent, tally.twice) == (LINES * BLOCKS, 0, 0)
    assert tally.shown + tally.counted + tally.marked == tally.produced
    assert tally.marked < tally.produced / 2
    await ordeal.goes_on(session, kept=True)
