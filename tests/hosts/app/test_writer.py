"""How the app writes a reply, with a model that is an endpoint and a kernel that is one."""

from concurrent.futures import Future
from pathlib import Path

from coderunner.hosts.app.request import Request
from coderunner.hosts.app.state import Choices, Offer
from coderunner.hosts.app.transcript import Message
from coderunner.hosts.app.writer import Writer
from coderunner.models.endpoint import Endpoint
from coderunner.models.memory import StrategyMemory
from coderunner.outputs import Question
from coderunner.runner import Event, Finish, Local, Say, Sessions, granted, open_records
from coderunner.secret import Secret
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot

BLOCK = "```python\nprint(10 + 5)\n```\n"


def nobody(_question: Question) -> Future[Secret]:
    return Future()


@behaviour("app:reply:allowance")
async def test_a_reply_that_has_had_its_tokens_ends_and_says_so(tmp_path: Path) -> None:
    bird, sessions = Parrot(), Sessions(tmp_path)
    with served(lambda: bird) as address:
        offer = Offer("parrot", Endpoint(f"{address}/v1", model="parrot"))
        choices, records = Choices(Local(), offer=offer, max_tokens=3), open_records("", tmp_path)
        writer = Writer(choices, sessions, StrategyMemory(), records)
        request = Request(
            "conversation",
            [Message("user", text=BLOCK)],
            granted,
            ask=nobody,
            think=lambda _text: None,
            count=lambda _tokens: None,
        )
        try:
            events: list[Event] = [event async for event in writer.write(request)]
        finally:
            await sessions.close_all(keep=False)
            records.close()
    said = "".join(event.text for event in events if isinstance(event, Say))
    assert bird.asked[0]["max_tokens"] == 3
    assert said == f"{BLOCK}Result: (not run: this reply has used its 3 tokens)\n"
    assert events[-1] == Finish("limit")
