"""What has come at the same time is taken as one."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from coderunner.models.endpoint.chunks import ChunkContent, by_lines
from coderunner.models.endpoint.coalescing import MOST, together
from tests.behaviours import behaviour


async def given(*pieces: bytes | None) -> AsyncGenerator[bytes]:
    """The pieces; None is a pause."""
    for piece in pieces:
        if piece is None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        else:
            yield piece


@behaviour("models:together:all")
async def test_nothing_is_lost_and_what_came_together_is_given_together() -> None:
    taken = [data async for data in together(given(b"a", b"b", None, None, b"c", None, b"d", b"e"))]
    assert b"".join(taken) == b"abcde"
    assert taken[0] == b"ab"
    assert [data async for data in together(given())] == []


@behaviour("models:together:all")
async def test_a_failure_comes_after_what_came_before_it() -> None:
    async def failing() -> AsyncGenerator[bytes]:
        yield b"a"
        raise ConnectionError

    pieces = together(failing())
    assert await anext(pieces) == b"a"
    with pytest.raises(ConnectionError):
        await anext(pieces)


@behaviour("models:together:bounded")
async def test_a_slow_reader_makes_the_server_wait() -> None:
    given_out = 0

    async def much() -> AsyncGenerator[bytes]:
        nonlocal given_out
        while True:
            given_out += 1
            yield b"x" * 1000

    pieces = together(much())
    assert len(await anext(pieces)) > MOST
    await asyncio.sleep(0)
    assert given_out * 1000 <= 2 * MOST + 2000
    await pieces.aclose()


@behaviour("models:together:lines")
def test_pieces_are_taken_together_up_to_the_end_of_a_line() -> None:
    texts = ["a", "b\n", "c", "``", "`\n", "d"]
    groups = [[each.content for each in group] for group in by_lines([ChunkContent(text) for text in texts])]
    assert groups == [["a", "b\n"], ["c", "``", "`\n"], ["d"]]
