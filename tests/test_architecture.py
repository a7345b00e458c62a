"""The house keeps to its plan: read from the source, so that an import inside a function counts too."""

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.behaviours import behaviour
from tests.plan import EFFECTS, PLAN, PURE_LIBRARY, Floor

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "extension" / "coderunner"


def sources() -> dict[str, str]:
    """The package's modules by their name within it; a room's `__init__` bears its name, ours is ''."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        .removesuffix("__init__")
        .removesuffix("."): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }


SOURCES = sources()
PACKAGES = {
    path.parent.relative_to(PACKAGE).as_posix().replace("/", ".") for path in PACKAGE.rglob("__init__.py")
}


def imports(module: str, source: str, known: Collection[str]) -> Iterator[str]:
    """All that `module` imports, by full name; `known` tells our modules from the names inside them."""
    room = f"coderunner.{module}".split(".") + (["__init__"] if module in PACKAGES else [])
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(level=level, module=tail, names=names):
                start = room[:-level] if level else []
                base = ".".join([*start, *([tail] if tail else [])])
                for name in names:
                    inner = f"{base}.{name.name}"
                    yield inner if inner.removeprefix("coderunner.") in known else base


def within(module: str, places: Collection[str]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def floor(module: str) -> Floor:
    """The most particular line of the plan about `module`; a package's own `__init__` stands on no floor."""
    lines = [line for line in PLAN if within(module, [line])]
    return PLAN[max(lines, key=len)] if lines else Floor(pure=True)


def trespasses(module: str, source: str, known: Collection[str]) -> list[str]:
    """What `module` does beyond its floor, in words."""
    here = floor(module)
    found = []
    for name in imports(module, source, known):
        top = name.split(".")[0]
        if top == "coderunner":
            room = name.removeprefix("coderunner").lstrip(".")
            allowed = not room or (within(room, here.rooms.split()) and (floor(room).pure or not here.pure))
        elif top in sys.stdlib_module_names:
            allowed = not here.pure or within(name, PURE_LIBRARY)
        else:
            allowed = top in here.libraries.split()
        found += [] if allowed else [f"imports {name}"]
    return found + ([f"calls {name}" for name in effects(source)] if here.pure else [])


def effects(source: str) -> Iterator[str]:
    """The builtins with an effect that `source` calls."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in EFFECTS:
                yield name


def graph(modules: Mapping[str, str]) -> dict[str, set[str]]:
    """Which of our modules each of them imports."""
    return {
        module: {
            name.removeprefix("coderunner.")
            for name in imports(module, source, modules)
            if name.startswith("coderunner.") and name.removeprefix("coderunner.") in modules
        }
        for module, source in modules.items()
    }


@behaviour("house:floors:imports")
@pytest.mark.parametrize("module", SOURCES)
def test_a_module_keeps_to_its_floor(module: str) -> None:
    assert trespasses(module, SOURCES[module], SOURCES) == []


@behaviour("house:floors:imports")
@pytest.mark.parametrize(
    ("module", "source", "trespass"),
    [
        ("chat.turn", "from coderunner.kernel import client", "imports coderunner.kernel.client"),
        ("chat.turn", "def late():\n    from coderunner import settings", "imports coderunner.settings"),
        ("chat.turn", "import asyncio", "imports asyncio"),
        ("chat.turn", "from os import environ", "imports os"),
        ("chat.turn", "open('x')", "calls open"),
        ("chat.turn", "from ..kernel.client import KernelClient", "imports coderunner.kernel.client"),
        ("chat", "from .. import settings", "imports coderunner.settings"),
        ("kernel.messages", "from coderunner.kernel import client", "imports coderunner.kernel.client"),
        ("kernel.client", "from coderunner.chat import turn", "imports coderunner.chat.turn"),
        ("models.reply", "import coderunner.runner", "imports coderunner.runner"),
        ("hosts.app.page", "from coderunner.hosts import textgen", "imports coderunner.hosts.textgen"),
        ("hosts.textgen", "from coderunner.kernel import client", "imports coderunner.kernel.client"),
        ("errors", "import random", "imports random"),
    ],
)
def test_a_trespass_is_noticed(module: str, source: str, trespass: str) -> None:
    known = {
        "kernel.client",
        "chat.turn",
        "chat.fences",
        "settings",
        "runner",
        "hosts.app.page",
        "hosts.textgen",
    }
    assert trespasses(module, source, known) == [trespass]


@behaviour("house:floors:third-party")
@pytest.mark.parametrize(
    ("module", "source", "trespass"),
    [
        ("models.endpoint", "import tornado.httpclient", ["imports tornado.httpclient"]),
        ("kernel.server", "import httpx", ["imports httpx"]),
        ("models.demo", "from starlette.applications import Starlette", ["imports starlette.applications"]),
        ("hosts.app", "from modules import shared", ["imports modules"]),
        ("hosts.app", "import gradio as gr", []),
        ("hosts.textgen", "from modules import shared\nimport gradio", []),
        ("chat.fences", "from markdown_it import MarkdownIt", []),
    ],
)
def test_a_library_of_another_room_is_noticed(module: str, source: str, trespass: list[str]) -> None:
    assert trespasses(module, source, {}) == trespass


@behaviour("house:floors:every-module")
def test_every_module_has_its_line_in_the_plan_and_every_line_a_module() -> None:
    rooms = {"", "kernel", "hosts"}
    lost = [module for module in SOURCES if module not in rooms and not within(module, PLAN)]
    idle = [line for line in PLAN if not any(within(module, [line]) for module in SOURCES)]
    assert (lost, idle) == ([], [])


@behaviour("house:floors:no-circles")
def test_the_imports_have_no_circle() -> None:
    TopologicalSorter(graph(SOURCES)).prepare()


@behaviour("house:floors:no-circles")
def test_a_circle_is_noticed() -> None:
    modules = {"a": "from coderunner import b", "b": "from coderunner.c import d", "c": "import coderunner.a"}
    with pytest.raises(CycleError):
        TopologicalSorter(graph(modules)).prepare()


@behaviour("house:safety:no-same-origin")
def test_no_frame_gets_the_rights_of_its_page() -> None:
    forbidden = "-".join(["allow", "same", "origin"])
    ours = [*PACKAGE.rglob("*"), *(REPOSITORY / "assets").rglob("*"), REPOSITORY / "script.py"]
    guilty = [
        str(path.relative_to(REPOSITORY))
        for path in ours
        if path.is_file()
        and path.suffix != ".pyc"
        and "node_modules" not in path.parts
        and forbidden in path.read_bytes().decode("utf-8", "replace")
    ]
    assert guilty == []
