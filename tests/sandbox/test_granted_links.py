"""A granted path that has become a link: what it leads to was never granted."""

from pathlib import Path

import pytest

from coderunner.kernel.sessions.registry import Local
from coderunner.outputs import Status
from coderunner.sandbox.kernel_sandbox import real
from coderunner.sandbox.policy import Backend, Grants
from tests.behaviours import behaviour
from tests.sandbox.backends_here import HERE, TRIED, printed, sessions_in

SWAP = """
import os
for name in ("read", "write"):
    os.rename(f"{out}/{name}", f"{out}/{name}-before")
    os.symlink(elsewhere, f"{out}/{name}")
"""
LOOK = f"""{TRIED}
tried("read", lambda: open(f"{{out}}/read/canary").read())
tried("read there", lambda: open(f"{{elsewhere}}/canary").read())
tried("write", lambda: os.mkdir(f"{{out}}/write/made"))
tried("listed", lambda: os.listdir(f"{{out}}/write/"))
tried("own", lambda: os.rmdir(os.mkdir(f"{{out}}/made") or f"{{out}}/made"))
"""


@behaviour("sandbox:granted:links")
@pytest.mark.asyncio
@pytest.mark.parametrize("by", ["code", "a person"])
@pytest.mark.parametrize("backend", HERE)
async def test_a_granted_folder_that_becomes_a_link_grants_nothing_of_what_that_leads_to(
    backend: Backend, by: str, tmp_path: Path
) -> None:
    place = real(tmp_path)
    out, elsewhere = place / "out", place / "elsewhere"
    for each in (out / "read", out / "write", elsewhere):
        each.mkdir(parents=True)
    (elsewhere / "canary").write_text("15")
    registry = sessions_in(backend, place / "work")
    names = f"out, elsewhere = {str(out)!r}, {str(elsewhere)!r}\n"
    try:
        sandbox = registry.sandbox
        assert sandbox is not None
        session = registry.get("one", Local())
        sandbox.granted.add("one", Grants(write=frozenset({out})))
        if by == "code":
            assert (await session.execute(names + SWAP)).status is Status.OK
        else:
            exec(SWAP, {"out": str(out), "elsewhere": str(elsewhere)})
        inner = Grants(frozenset({out / "read"}), frozenset({out / "write"}))
        sandbox.granted.add("one", inner)  # as it was before
        await session.restart()
        assert printed(await session.execute(names + LOOK)) == "own"
    finally:
        await registry.close_all(keep=False)
    assert [each.name for each in elsewhere.iterdir()] == ["canary"]
