"""Programs that show too much, too fast, or what makes no sense."""

import uuid

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.kernel.sessions.registry import Local, Server, Session, Sessions
from coderunner.outputs import Aftermath, Error, Result, Status, Stream
from tests.behaviours import behaviour
from tests.faults.conftest import Ordeal, text_of

MB = 1024 * 1024


@pytest.fixture
async def here(sessions: Sessions) -> Session:
    session = sessions.get(uuid.uuid4().hex, Local())
    assert (await session.execute("x = 7")).status is Status.OK
    return session


async def put(session: Session, source: str, ordeal: Ordeal) -> Result:
    ordeal.bound = 60.0
    ordeal.strike()
    result = await session.execute(source, deadline=60)
    ordeal.took = result.duration
    return result


@behaviour("faults:output:rate")
async def test_output_that_the_server_drops_is_said_with_the_setting_that_mends_it(
    sessions: Sessions, there: Server, ordeal: Ordeal
) -> None:
    session = sessions.get(uuid.uuid4().hex, there)
    await session.execute("x = 7")
    result = await put(session, "for _ in range(100): print('y' * 1_000_000)", ordeal)
    words = (
        "the server dropped output; print less at once, or raise its limit ServerApp.iopub_data_rate_limit"
    )
    silent = "" if result.outputs else "no output; "
    ordeal.ends(result, Status.OK, Aftermath.READY, silent + words)
    assert "rate exceeded" not in text_of(result)
    await ordeal.goes_on(session, kept=True)


@behaviour("faults:output:bounded")
async def test_a_hundred_megabytes_here_take_little_memory_and_are_counted(
    here: Session, ordeal: Ordeal
) -> None:
    before = psutil.Process().memory_info().rss
    result = await put(here, "for _ in range(100): print('y' * 1_000_000)", ordeal)
    (stream,) = result.outputs
    assert isinstance(stream, Stream)
    assert len(stream.text) + stream.omitted.characters == 100 * 1_000_001
    assert psutil.Process().memory_info().rss - before < 150 * MB
    ordeal.ends(result, Status.OK, Aftermath.READY, "```")
    await ordeal.goes_on(here, kept=True)


@behaviour("faults:output:counted")
@pytest.mark.slow
async def test_of_a_million_lines_each_is_shown_or_counted(here: Session, ordeal: Ordeal) -> None:
    result = await put(here, "for number in range(1_000_000): print(number)", ordeal)
    (stream,) = result.outputs
    assert isinstance(stream, Stream)
    assert stream.text.count("\n") + stream.omitted.lines == 1_000_000
    ordeal.ends(result, Status.OK, Aftermath.READY, "```")
    await ordeal.goes_on(here, kept=True)


FORGED = """
k = get_ipython().kernel
def forge(kind, content): k.send_response(k.iopub_socket, kind, content)
forge('stream', {'name': 7, 'text': ['list']})
forge('display_data', {'data': [1], 'metadata': 3})
forge('error', {'ename': None, 'traceback': 'text'})
forge('status', {'execution_state': 'idle'})
forge('no such type', {'x' * 100_000: float('nan')})
print('went on')
"""
CLEARS = """
from IPython.display import clear_output
for number in range(5000):
    clear_output(wait=True)
    print(number)
"""
ESCAPES = "print('a\\x1b[31m\\x00\\x1b]8;;http://x\\x07b\\u202e')"
STRANGE = {
    "5000 times cleared": (CLEARS, "4999\n"),
    "raw bytes and escapes": (ESCAPES, "a\x1b[31m\x00\x1b]8;;http://x\x07b\u202e\n"),
    "forged messages": (FORGED, "went on\n"),
}


@behaviour("faults:output:strange")
@pytest.mark.parametrize("fault", STRANGE)
async def test_what_makes_no_sense_ends_no_cell(fault: str, here: Session, ordeal: Ordeal) -> None:
    source, text = STRANGE[fault]
    result = await put(here, source, ordeal)
    assert (result.status, text_of(result)) == (Status.OK, text)
    await ordeal.goes_on(here, kept=True)


@behaviour("faults:output:bounded")
async def test_a_traceback_of_five_megabytes_is_cut(here: Session, ordeal: Ordeal) -> None:
    result = await put(here, "raise ValueError('y' * 5_000_000)", ordeal)
    (error,) = result.outputs
    assert isinstance(error, Error)
    assert len(error.evalue) < 10_000
    assert sum(map(len, error.traceback)) < 100_000
    assert result.status is Status.ERROR
    await ordeal.goes_on(here, kept=True)
