"""How the app writes a reply, with a model that is an endpoint and a kernel that is one."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coderunner.hosts.app.choices.choices import Choices, ModelChoice
from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.hosts.app.conversation.reply_request import ReplyRequest
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Endpoint
from coderunner.outputs import Question
from coderunner.runner import Event, Finish, Local, Say, Sessions, granted, open_records
from coderunner.secret_value import Secret
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot

BLOCK = "```python\nprint(10 + 5)\n```\n"


def nobody(_question: Question) -> Future[Secret]:
    return Future()


PLOT = """```python
from IPython.display import Image, display
display(Image(data=bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489\
0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082")))
```
"""


@dataclass
class Desk:
    """Writes replies of the parrot, with a kernel and records of its own."""

    folder: Path
    bird: Parrot = field(default_factory=Parrot)

    async def write(self, text: str, **chosen: Any) -> list[Event]:
        """What happens in a reply in which the model says `text`."""
        sessions, records = Sessions(self.folder), open_records("", self.folder)
        with served(lambda: self.bird) as address:
            choice = ModelChoice("parrot", Endpoint(f"{address}/v1", model="parrot"))
            writer = ReplyWriter(
                Choices(Local(), choice=choice, **chosen), sessions, StrategyCache(), records
            )
            request = ReplyRequest(
                "conversation",
                [Message("user", text=text)],
                granted,
                off=lambda: False,
                ask=nobody,
                think=lambda _text: None,
                count=lambda _tokens: None,
            )
            try:
                return [event async for event in writer.write(request)]
            finally:
                await sessions.close_all(keep=False)
                records.close()


@behaviour("app:reply:allowance")
async def test_a_reply_that_has_had_its_tokens_ends_and_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    events = await desk.write(BLOCK, max_tokens=3)
    said = "".join(event.text for event in events if isinstance(event, Say))
    assert desk.bird.asked[0]["max_tokens"] == 3
    assert said == f"{BLOCK}Result: (not run: this reply has reached its limit of 3 tokens)\n"
    assert events[-1] == Finish("limit")


@behaviour("app:reply:continuations")
async def test_the_table_of_models_says_how_a_reply_goes_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    table = load({"continuations": "par*=tools", "continuation": "flags"})
    events = await desk.write(BLOCK, continuation_of=table.continuation_of)
    first, second = desk.bird.asked
    assert first["tools"][0]["function"]["name"] == "run_python"
    # This model has written a block all the same, and reads its result as the user's message.
    assert [each["role"] for each in second["messages"]] == ["system", "user", "assistant", "user"]
    assert "Result: 15" in "".join(event.text for event in events if isinstance(event, Say))


@behaviour("app:reply:pictures")
async def test_a_model_that_sees_is_shown_what_its_code_shows(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    events = await desk.write(PLOT, vision="on")
    words, picture = desk.bird.asked[-1]["messages"][-1]["content"]
    assert words["text"].startswith("Result: [image/png, 1×1")
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert "base64" not in "".join(event.text for event in events if isinstance(event, Say))
    assert events[-2:] == [Say("Seen.\n"), Finish("end")]
