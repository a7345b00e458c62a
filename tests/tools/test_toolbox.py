"""Settings, signatures and arguments: what needs no kernel."""

import subprocess
import sys
from pathlib import Path

import pytest

from coderunner.errors import SettingsError
from coderunner.settings import handed_on
from coderunner.settings.settings import load
from coderunner.tools import prompt
from coderunner.tools.arguments import wrong
from coderunner.tools.tool import Tool, described, named
from tests.behaviours import behaviour

SECRET = "canary-of-the-shop"


def tool(key: str, server: str = "web", **schema: object) -> Tool:
    return named([Tool("", key, server, *described("Does it. Well."), {"type": "object", **schema})])[0]


@behaviour("tools:servers:forms")
def test_servers_are_read_from_a_table_or_a_line_and_keep_their_secrets_to_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    monkeypatch.setenv("SHOP_KEY", SECRET)
    config = tmp_path / "config.toml"
    config.write_text(
        f"[tools.web]\nurl = 'https://example.com/mcp?key=x'\nfile = '{secret}'\n"
        "[tools.shop]\ncommand = 'uvx shop --all'\nenvironment = { KEY = '$SHOP_KEY' }\n"
    )
    settings = load(config=config)
    web, shop = settings.tools
    assert web.headers == {"Authorization": f"Bearer {SECRET}"}
    assert shop.command == ("uvx", "shop", "--all")
    assert "SHOP_KEY" in settings.secret_variables
    told = {each.name: each.value for each in settings.effective()}["tools"]
    assert told == "web: https://example.com/mcp, shop: uvx"
    assert SECRET not in repr(settings)
    again = handed_on.read(handed_on.written(settings).reveal()).tools
    assert [each.headers for each in again] == [each.headers for each in settings.tools]
    assert again[1].environment == shop.environment
    line = load({"tools": f"web=http://127.0.0.1:1/mcp@{secret}, shop=uvx shop"}).tools
    assert [str(each) for each in line] == ["web: http://127.0.0.1:1/mcp", "shop: uvx"]


@behaviour("tools:servers:forms")
@pytest.mark.parametrize(
    "place",
    [
        {"url": "ftp://example.com"},
        {"url": "https://me:canary-of-the-shop@example.com/mcp"},
        {"url": "http://example.com/mcp", "file": "/nowhere"},
        {"url": "https://example.com", "command": "x"},
        {"url": "https://example.com", "header": "a b"},
        {"command": ""},
        {"command": "'"},
        {"command": "x", "environment": {"KEY": 1}},
        {"command": "x", "token": SECRET},
        SECRET,
    ],
)
def test_what_is_no_server_gets_a_sentence_that_says_what_is_one(place: object) -> None:
    with pytest.raises(SettingsError, match=r"tools is '\*+', but must be .*command|https") as failure:
        load({"tools": {"web": place}})
    assert SECRET not in str(failure.value)


@behaviour("tools:signatures")
def test_names_and_parameters_are_those_that_python_has() -> None:
    made = tool(
        "find-it",
        properties={
            "user-id": {"type": "integer"},
            "from": {"type": ["string", "null"], "default": None},
            "kind": {"enum": ["a", "b"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "any": {},
        },
        required=["user-id", "kind"],
    )
    assert made.signature == (
        "find_it(user_id: int, kind: 'a' | 'b', from_: str | None = None, tags: list[str] = ..., any=...)"
    )
    assert [each.key for each in made.parameters] == ["user-id", "kind", "from", "tags", "any"]
    pair = [Tool("", "search", "web"), Tool("", "search", "shop"), Tool("", "class", "shop")]
    assert [each.name for each in named(pair)] == ["web_search", "shop_search", "class_"]
    assert tool("1 + 1").name == "tool_1___1"
    assert tool("…").name == "tool"


@behaviour("tools:prompt")
def test_the_model_reads_a_bounded_list() -> None:
    assert prompt.words([]) == ""
    few = prompt.words([tool("add", properties={"a": {"type": "integer"}}, required=["a"])])
    assert few.splitlines()[1] == "tools.add(a: int): Does it."
    many = prompt.words([tool(f"tool_number_{number}") for number in range(1000)])
    assert len(many) < prompt.MOST * 2
    assert "more: print(dir(tools))" in many.splitlines()[-1]


@behaviour("tools:arguments")
def test_arguments_are_checked_without_what_may_take_for_ever() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert wrong(schema, {"n": 1}) == ""
    assert wrong(schema, {"n": "x"}) == "n: 'x' is not of type 'integer'"
    assert wrong(schema, {}) == "'n' is a required property"
    slow = {"properties": {"s": {"type": "string", "pattern": "^(a+)+$"}}}
    assert wrong(slow, {"s": "a" * 100 + "b"}) == ""  # the server's own affair
    assert wrong({"$ref": "http://127.0.0.1:9/schema"}, {}) == ""
    assert wrong({"type": 5}, {"n": 1}) == ""


@behaviour("tools:none")
def test_without_tools_nothing_of_mcp_is_imported() -> None:
    program = (
        "import sys; from coderunner.runner import Sessions, Toolbox\n"
        "from coderunner.settings.settings import load\n"
        "assert Toolbox.of(load(), people=True) is None\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('mcp', 'jsonschema')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
