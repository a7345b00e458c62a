"""The code keeps to the import plan: read from the source, so that an import inside a function counts too."""

import ast
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.behaviours import behaviour
from tests.plan import EFFECTS, PLAN, PURE_LIBRARY, Layer

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "extension" / "coderunner"


def sources() -> dict[str, str]:
    """The package's modules by their name within it; a package's `__init__` bears its name, ours is ''."""
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


@dataclass
class Facts:
    """What the rules below ask of a module's code."""

    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    """The builtins with an effect that it calls."""
    classes: dict[str, int] = field(default_factory=dict)
    """The lines of each class."""
    asked: list[str] = field(default_factory=list)
    """Where it asks a path whether it is there."""

    def receive(self, node: ast.AST) -> None:
        """Note what one node tells."""
        match node:
            case ast.Import() | ast.ImportFrom():
                self.imports.append(node)
            case ast.ClassDef():
                self.classes[node.name] = (node.end_lineno or 0) - node.lineno
            case ast.Call(func=ast.Name(id=name)) if name in EFFECTS:
                self.effects.append(name)
            case ast.Call(func=ast.Attribute(value=value, attr="exists" | "is_dir" | "is_file"), keywords=[]):
                if ast.unparse(value) not in ("os.path", "entry"):
                    self.asked.append(ast.unparse(node))


@cache
def facts(source: str) -> Facts:
    """What a module's code tells; each is read once, since to parse all of them takes seconds."""
    found = Facts()
    for node in ast.walk(ast.parse(source)):
        found.receive(node)
    return found


def imports(module: str, source: str, known: Collection[str]) -> Iterator[str]:
    """All that `module` imports, by full name; `known` tells our modules from the names inside them."""
    package = f"coderunner.{module}".split(".") + (["__init__"] if module in PACKAGES else [])
    for node in facts(source).imports:
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(level=level, module=tail, names=names):
                start = package[:-level] if level else []
                base = ".".join([*start, *([tail] if tail else [])])
                for name in names:
                    inner = f"{base}.{name.name}"
                    yield inner if inner.removeprefix("coderunner.") in known else base


def within(module: str, places: Collection[str]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def layer(module: str) -> Layer:
    """The most particular line of the plan about `module`; a package's own `__init__` is in no layer."""
    lines = [line for line in PLAN if within(module, [line])]
    return PLAN[max(lines, key=len)] if lines else Layer(pure=True)


def trespasses(module: str, source: str, known: Collection[str]) -> list[str]:
    """What `module` does beyond its layer, in words."""
    here = layer(module)
    found = []
    for name in imports(module, source, known):
        top = name.split(".")[0]
        if top == "coderunner":
            used = name.removeprefix("coderunner").lstrip(".")
            allowed = not used or (
                within(used, here.packages.split()) and (layer(used).pure or not here.pure)
            )
        elif top in sys.stdlib_module_names:
            allowed = not here.pure or within(name, PURE_LIBRARY)
        else:
            allowed = top in here.libraries.split()
        found += [] if allowed else [f"imports {name}"]
    return found + ([f"calls {name}" for name in facts(source).effects] if here.pure else [])


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


def folder(module: str) -> str:
    """The folder of a module; what lies at the root stands for itself."""
    return module if module in PACKAGES else module.rpartition(".")[0]


@behaviour("project:layers:imports")
def test_each_module_keeps_to_its_layer() -> None:
    found = {module: trespasses(module, source, SOURCES) for module, source in SOURCES.items()}
    assert {module: told for module, told in found.items() if told} == {}


@behaviour("project:layers:imports")
@pytest.mark.parametrize(
    ("module", "source", "trespass"),
    [
        (
            "chat.turn_state_machine",
            "from coderunner.kernel.execution import client",
            "imports coderunner.kernel.execution.client",
        ),
        (
            "chat.turn_state_machine",
            "def late():\n    from coderunner import settings",
            "imports coderunner.settings",
        ),
        ("chat.turn_state_machine", "import asyncio", "imports asyncio"),
        ("chat.turn_state_machine", "from os import environ", "imports os"),
        ("chat.turn_state_machine", "open('x')", "calls open"),
        (
            "chat.turn_state_machine",
            "from ..kernel.io_thread import IOThread",
            "imports coderunner.kernel.io_thread",
        ),
        ("chat", "from .. import settings", "imports coderunner.settings"),
        (
            "kernel.protocol.messages",
            "from coderunner.kernel import io_thread",
            "imports coderunner.kernel.io_thread",
        ),
        (
            "kernel.execution.client",
            "from coderunner.chat import turn_state_machine",
            "imports coderunner.chat.turn_state_machine",
        ),
        ("models.endpoint.client", "import coderunner.runner", "imports coderunner.runner"),
        ("hosts.app.page.layout", "from coderunner.hosts import textgen", "imports coderunner.hosts.textgen"),
        ("hosts.textgen", "from coderunner.kernel import io_thread", "imports coderunner.kernel.io_thread"),
        ("errors", "import random", "imports random"),
    ],
)
def test_a_trespass_is_noticed(module: str, source: str, trespass: str) -> None:
    known = {
        "kernel.execution.client",
        "kernel.io_thread",
        "chat.turn_state_machine",
        "settings",
        "runner",
        "hosts.textgen",
    }
    assert trespasses(module, source, known) == [trespass]


@behaviour("project:layers:third-party")
@pytest.mark.parametrize(
    ("module", "source", "trespass"),
    [
        ("models.endpoint.client", "import tornado.httpclient", ["imports tornado.httpclient"]),
        ("kernel.connections.servers.server_kernel", "import httpx", ["imports httpx"]),
        (
            "models.demo.asgi_app",
            "from starlette.applications import Starlette",
            ["imports starlette.applications"],
        ),
        ("hosts.app", "from modules import shared", ["imports modules"]),
        ("hosts.app", "import gradio as gr", []),
        ("hosts.textgen", "from modules import shared\nimport gradio", []),
        ("chat.parsing.fences", "from markdown_it import MarkdownIt", []),
    ],
)
def test_a_library_of_another_package_is_noticed(module: str, source: str, trespass: list[str]) -> None:
    assert trespasses(module, source, {}) == trespass


@behaviour("project:layers:every-module")
def test_every_module_has_its_line_in_the_plan_and_every_line_a_module() -> None:
    faces = {"", "kernel", "hosts", "models", "page"}
    lost = [module for module in SOURCES if module not in faces and not within(module, PLAN)]
    idle = [line for line in PLAN if not any(within(module, [line]) for module in SOURCES)]
    assert (lost, idle) == ([], [])


@behaviour("project:layers:no-circles")
def test_the_imports_have_no_circle() -> None:
    TopologicalSorter(graph(SOURCES)).prepare()


@behaviour("project:layers:no-circles")
def test_a_circle_is_noticed() -> None:
    modules = {"a": "from coderunner import b", "b": "from coderunner.c import d", "c": "import coderunner.a"}
    with pytest.raises(CycleError):
        TopologicalSorter(graph(modules)).prepare()


@behaviour("project:layers:no-circles")
def test_the_folders_have_no_circle() -> None:
    folders: dict[str, set[str]] = {}
    for module, used in graph(SOURCES).items():
        for name in used:
            if (here := folder(module)) != (there := folder(name)) and "" not in (here, there):
                folders.setdefault(here, set()).add(there)
    TopologicalSorter(folders).prepare()


@behaviour("project:size")
def test_no_folder_has_more_than_a_dozen_modules() -> None:
    counted = Counter(path.parent for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    assert [str(folder) for folder, modules in counted.items() if modules > 12] == []


@behaviour("project:size")
def test_no_module_is_longer_than_400_lines_and_no_class_longer_than_300() -> None:
    long = [m for m, source in SOURCES.items() if source.count("\n") > 400]
    classes = [
        f"{module}.{name}"
        for module, source in SOURCES.items()
        for name, lines in facts(source).classes.items()
        if lines >= 300
    ]
    assert (long, classes) == ([], [])


@behaviour("project:closed-folders")
def test_nobody_asks_a_path_whether_it_is_there_since_it_fails_where_a_folder_may_not_be_entered() -> None:
    asked = {module: facts(source).asked for module, source in SOURCES.items()}
    assert {module: told for module, told in asked.items() if told} == {}


@behaviour("project:safety:no-same-origin")
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
