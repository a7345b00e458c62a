"""What the sandbox refuses, asked of the user: a real sandbox, and the SDK's own client."""

from pathlib import Path

import pytest
from mcp import Client
from mcp.types import ElicitRequestParams, ElicitResult

from coderunner.sandbox.backends import available
from tests.behaviours import behaviour
from tests.hosts.mcp.clients import MODES, call, over_stdio, texts

pytestmark = pytest.mark.skipif(not available(), reason=f"no sandbox here: {available().why}")

ASKS = "To ask the user to allow it, call request_access."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("data", "other"):
        (tmp_path / "home" / name).mkdir(parents=True)
        (tmp_path / "home" / name / "a.csv").write_text("1,2")
    return tmp_path / "home"


def alone(home: Path) -> dict[str, str]:
    """The variables of a person whose settings allow nothing."""
    return {"HOME": str(home), "CODERUNNER_SANDBOX_WRITE": ""}


def reads(home: Path, folder: str = "data") -> str:
    return f"print(open({str(home / folder / 'a.csv')!r}).read())"


@behaviour("mcp:access:asked")
@pytest.mark.parametrize("mode", MODES)
async def test_a_user_is_asked_for_what_code_may_not_and_it_may_then(
    mode: str, home: Path, tmp_path: Path
) -> None:
    asked: list[str] = []

    async def ask(_context: object, parameters: ElicitRequestParams) -> ElicitResult:
        asked.append(parameters.message)
        if len(asked) == 1:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={"allow": True})

    async with over_stdio(
        tmp_path / "own", mode=mode, variables=alone(home), elicitation_callback=ask
    ) as client:
        refused = await call(client, "run_python", code=reads(home))
        declined = await call(client, "request_access")
        allowed = await call(client, "request_access")
        ran = await call(client, "run_python", code=reads(home))
        nothing = await call(client, "request_access")
    assert f"This block may not read ~/data/a.csv. {ASKS}" in texts(refused)[-1]
    assert asked == 2 * ["Allow code in this chat to read the folder ~/data?"]
    assert "the user did not allow it" in texts(declined)[0]
    assert texts(allowed) == ["Code in this chat may read the folder ~/data now."]
    assert texts(ran) == ["1,2"]
    assert "has refused nothing" in texts(nothing)[0]


@behaviour("mcp:access:meant")
@pytest.mark.parametrize("mode", MODES)
async def test_only_what_the_user_was_asked_is_allowed(mode: str, home: Path, tmp_path: Path) -> None:
    clients: list[Client] = []

    async def ask(_context: object, _parameters: ElicitRequestParams) -> ElicitResult:
        await call(clients[0], "run_python", code=reads(home, "other"))
        return ElicitResult(action="accept", content={"allow": True})

    async with over_stdio(
        tmp_path / "own", mode=mode, variables=alone(home), elicitation_callback=ask
    ) as client:
        clients.append(client)
        await call(client, "run_python", code=reads(home))
        changed = await call(client, "request_access")
        still = await call(client, "run_python", code=reads(home, "other"))
    assert "other code of this session has run since the user was asked" in texts(changed)[0]
    assert still.is_error


@behaviour("mcp:access:nobody")
async def test_a_client_that_can_ask_nobody_reads_the_setting(home: Path, tmp_path: Path) -> None:
    async with over_stdio(tmp_path / "own", variables=alone(home)) as client:
        refused = await call(client, "run_python", code=reads(home))
        asked = await call(client, "request_access")
    assert "It can be allowed with the setting sandbox_read." in texts(refused)[-1]
    assert "cannot ask its user" in texts(asked)[0]
