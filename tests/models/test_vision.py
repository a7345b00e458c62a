"""What a model sees: by its name, by the setting, until its server refuses."""

import base64
import io
import json
from contextlib import aclosing

import pytest
from PIL import Image

from coderunner.models.continuation.continued_reply import ContinuedReply
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.continuation.vision import LONGEST, UNSEEN, looked_at, sees
from coderunner.models.demo.demo_replies import MODEL
from coderunner.models.endpoint.client import Client, Endpoint
from tests.behaviours import behaviour
from tests.models.conftest import Serve, Served

ASKED = {"role": "user", "content": "What is 10 + 5?"}
BLOCK = "```python\nprint(10 + 5)\n```\n"
RESULT = "Result: 15\n"


def picture(width: int, height: int, kind: str = "PNG", mode: str = "RGB") -> bytes:
    kept = io.BytesIO()
    Image.new(mode, (width, height)).save(kept, kind)
    return kept.getvalue()


PNG = picture(40, 30)


async def told(served: Served, *, memory: StrategyCache | None = None, vision: str = "on") -> str:
    """Have a reply gone on with after a result that showed a picture; gives what the model says then."""
    async with Client(Endpoint(served.url, model=MODEL)) as client:
        reply = ContinuedReply(client, [ASKED], memory=memory, vision=vision)
        async with aclosing(reply.generate()) as deltas:
            said = "".join([delta.content async for delta in deltas])
        said = said[: said.index(BLOCK) + len(BLOCK)] + RESULT
        async with aclosing(reply.generate(said, RESULT, [PNG])) as deltas:
            return "".join([delta.content async for delta in deltas])


@behaviour("models:sight:shown")
@pytest.mark.parametrize("profile", ["vllm", "hosted", "ollama", "calling"])
async def test_a_model_that_sees_gets_the_pictures_with_the_result(serve: Serve, profile: str) -> None:
    served = serve(profile)
    assert await told(served) == "If you add 10 and 5 the result is 15.\n"
    *_, last = served.chats[-1].body["messages"]
    words, shown = last["content"]
    assert (last["role"], words["text"], shown["type"]) == ("user", RESULT.strip(), "image_url")
    assert shown["image_url"]["url"].startswith("data:image/png;base64,")


@behaviour("models:sight:shown")
@pytest.mark.parametrize("vision", ["off", "auto"])
async def test_any_other_model_reads_of_them_only(serve: Serve, vision: str) -> None:
    served = serve("vllm")
    await told(served, vision=vision)
    assert "image_url" not in json.dumps([each.body for each in served.chats])


@behaviour("models:sight:clients")
async def test_one_that_refuses_a_clients_own_images_answers_without_them(serve: Serve) -> None:
    served = serve("llamacpp-blind")
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked: list[dict[str, object]] = [
        {"role": "user", "content": [image]},
        {"role": "assistant", "content": "I see."},
        {"role": "user", "content": [{"type": "text", "text": str(ASKED["content"])}, image]},
    ]
    async with Client(Endpoint(served.url, model=MODEL)) as client:
        said = [delta.content async for delta in ContinuedReply(client, asked).generate()]
    first, second = served.chats
    assert "".join(said)
    assert "image_url" in json.dumps(first.body)
    assert [message["content"] for message in second.body["messages"]] == [
        [{"type": "text", "text": UNSEEN}],
        "I see.",
        [{"type": "text", "text": ASKED["content"]}],
    ]


@behaviour("models:sight:refused")
async def test_one_that_refuses_them_goes_on_without_and_is_shown_none_again(serve: Serve) -> None:
    served, memory = serve("llamacpp-blind"), StrategyCache()
    shown = []
    for _ in range(2):
        assert (await told(served, memory=memory)).strip() == "If you add 10 and 5 the result is 15."
        shown.append(sum("image_url" in json.dumps(each.body) for each in served.chats))
    assert shown == [1, 1]


@behaviour("models:sight:attached")
@pytest.mark.parametrize("profile", ["vllm", "hosted", "ollama", "calling", "llamacpp-blind"])
async def test_a_model_that_sees_gets_the_pictures_of_a_message_with_it(serve: Serve, profile: str) -> None:
    served = serve(profile)
    async with Client(Endpoint(served.url, model=MODEL)) as client:
        reply = ContinuedReply(client, [{"role": "system", "content": "Be brief."}, ASKED], vision="on")
        assert reply.sees
        reply.attach({1: looked_at([PNG])})
        async with aclosing(reply.generate()) as deltas:
            said = "".join([delta.content async for delta in deltas])
        said = said[: said.index(BLOCK) + len(BLOCK)] + RESULT
        async with aclosing(reply.generate(said, RESULT)) as deltas:
            assert "the result is 15." in "".join([delta.content async for delta in deltas])
        blind = profile == "llamacpp-blind"
        assert reply.sees is not blind
    users = [next(each for each in chat.body["messages"] if each["role"] == "user") for chat in served.chats]
    # Others find out how the server goes on.
    asked = [each["content"] for each in users if ASKED["content"] in json.dumps(each)]
    with_pictures = [isinstance(each, list) for each in asked]
    assert with_pictures == ([True, *[False] * (len(asked) - 1)] if blind else [True] * len(asked))
    words, shown = asked[0]
    assert (words["text"], shown["type"]) == (ASKED["content"], "image_url")


@behaviour("models:sight:scaled")
def test_a_picture_is_scaled_down_and_what_is_none_is_left_out() -> None:
    large = picture(4000, 2000)
    bomb = picture(8000, 8000, mode="1")
    strange = [b"", b"not an image", large[:200], b"<svg/>", bomb]
    assert looked_at(strange[:4]) == looked_at(strange[4:]) == ()
    (seen,) = looked_at([large])
    scaled = Image.open(io.BytesIO(base64.b64decode(seen.partition(",")[2])))
    assert scaled.size == (LONGEST, LONGEST // 2)
    kinds = [picture(8, 8, kind, mode) for kind, mode in (("GIF", "P"), ("JPEG", "CMYK"), ("WEBP", "RGBA"))]
    assert len(looked_at(kinds)) == 3


@behaviour("models:sight:names")
@pytest.mark.parametrize(
    ("model", "yes"),
    [
        ("gpt-4o-mini", True),
        ("openai/gpt-5.2", True),
        ("claude-sonnet-4-6", True),
        ("qwen2.5vl:7b", True),
        ("Qwen/Qwen2.5-VL-7B-Instruct", True),
        ("llama3.2-vision:11b", True),
        ("gemma3:4b", True),
        ("gpt-3.5-turbo", False),
        ("qwen2.5-coder:7b", False),
        ("o3-mini", False),
        ("llama3.1:8b", False),
        ("deepseek-r1", False),
        ("", False),
    ],
)
def test_that_a_model_sees_is_told_by_its_name(model: str, *, yes: bool) -> None:
    assert sees(model) is yes
