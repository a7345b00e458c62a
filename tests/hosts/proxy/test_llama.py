"""The proxy before a real engine, with a real kernel behind it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import Open
from tests.models.llama import llama_server
from tests.models.test_llama import ASKED, CALLED, WHOLE


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server(tmp_path_factory.mktemp("llama")) as url:
        yield url


@behaviour("proxy:reply:llama")
@pytest.mark.parametrize(
    ("way", "whole"), [("auto", WHOLE), ("raw", WHOLE), ("next-turn", WHOLE), ("tools", CALLED)]
)
def test_a_real_engine_and_a_real_kernel_give_one_reply(
    opened: Open, llama: str, way: Any, whole: str
) -> None:
    client = opened(llama, continuation=way).client()
    model = client.models.list().data[0].id
    asked: Any = [ASKED]
    chunks = list(client.chat.completions.create(model=model, messages=asked, stream=True))
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text.replace("42\n\nSo", "42\nSo") == whole
    assert (len({chunk.id for chunk in chunks}), chunks[-1].choices[0].finish_reason) == (1, "stop")
