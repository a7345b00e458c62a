"""The manifest holds: checked by reading the tests' source, so that a skipped test counts as one."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.behaviours import behaviour, manifest

TESTS = Path(__file__).parent


@cache
def tests_and_their_claims() -> tuple[tuple[str, list[str]], ...]:
    return tuple(_tests_and_their_claims())


def _tests_and_their_claims() -> Iterator[tuple[str, list[str]]]:
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield f"{path.relative_to(TESTS)}::{node.name}", list(claims(node))


def claims(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for mark in test.decorator_list:
        match mark:
            case ast.Call(func=ast.Name(id="behaviour"), args=[ast.Constant(value=str(identity))]):
                yield identity


@behaviour("project:manifest:both-ways")
def test_each_test_names_one_behaviour_of_the_manifest() -> None:
    known = manifest()
    wrong = {
        test: named for test, named in tests_and_their_claims() if len(named) != 1 or named[0] not in known
    }
    assert wrong == {}


@behaviour("project:manifest:both-ways")
def test_each_behaviour_of_the_manifest_has_a_test() -> None:
    shown = {identity for _, named in tests_and_their_claims() for identity in named}
    assert sorted(manifest().keys() - shown) == []
