import json
from typing import Any

import pytest

from coderunner.languages import language_of
from coderunner.models.continuation.tool_calls import block, called, joined, tool
from tests.behaviours import behaviour


def fragments(*arguments: Any, **first: Any) -> list[dict[str, Any]]:
    """A call in pieces, as streams have them."""
    begun = {"index": 0, "id": "call_7", "function": {"name": "run_python", "arguments": ""}, **first}
    return [begun, *({"index": 0, "function": {"arguments": each}} for each in arguments)]


def block_of(pieces: list[dict[str, Any]]) -> str | None:
    call = called(pieces)
    return call.block if call else None


@behaviour("models:calls:block")
@pytest.mark.parametrize(
    "arguments",
    [
        ('{"code": "print(1)"}',),
        tuple('{"code": "print(1)\\n"}'),
        ('{"code": "print(1)", "why": "because"}',),
        ({"code": "print(1)"},),
        ("print(1)",),
        ('"print(1)"',),
    ],
    ids=str,
)
def test_a_call_is_a_block_of_the_reply(arguments: tuple[Any, ...]) -> None:
    assert block_of(fragments(*arguments)) == "```python\nprint(1)\n```\n"


@behaviour("models:calls:fence")
@pytest.mark.parametrize(("inside", "fence"), [("`", "```"), ("```", "````"), ("`````", "``````")])
def test_no_code_ends_its_own_block(inside: str, fence: str) -> None:
    code = f'text = """\n{inside}\n"""'
    assert block(code) == f"{fence}python\n{code}\n{fence}\n"


@behaviour("models:calls:unreadable")
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("",),
        ("{}",),
        ('{"code": ""}',),
        ('{"code": "print(1)',),
        ('{"code": 1}',),
        ("[1]",),
        ("[" * 100_000,),
        (None,),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_program_or_half_of_one_is_no_call(arguments: tuple[Any, ...]) -> None:
    assert called(fragments(*arguments)) is None
    assert called([*arguments, None, 7]) is None


@behaviour("models:calls:several")
@pytest.mark.parametrize("index", [1, 0], ids=["an index each", "an id each"])
def test_of_several_calls_the_first_is_taken_whole(index: int) -> None:
    second = {
        "index": index,
        "id": "call_8",
        "function": {"name": "run_python", "arguments": '{"code": "2"}'},
    }
    pieces = [*fragments('{"code": ', '"1"}'), second]
    assert [json.loads(call["function"]["arguments"])["code"] for call in joined(pieces)] == ["1", "2"]
    assert block_of(pieces) == "```python\n1\n```\n"


@behaviour("models:calls:several")
def test_a_call_without_id_or_name_gets_them() -> None:
    call = called([{"function": {"arguments": '{"code": "1"}'}}])
    assert call
    assert call.wire == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "run_python", "arguments": '{"code": "1"}'},
    }


@behaviour("models:calls:language")
def test_the_tool_and_its_blocks_are_of_the_kernels_language() -> None:
    r = language_of("R")
    assert tool(r)["function"]["name"] == "run_r"  # type: ignore[index]
    call = called(fragments('{"code": "1 + 1"}'), r)
    assert call is not None
    assert call.block == "```r\n1 + 1\n```\n"
