"""The tree in the docstring is the tree of the classes."""

import builtins
import inspect

from coderunner import errors
from coderunner.errors import CodeRunnerError, EndpointFailed
from tests.behaviours import behaviour

LEVEL = 4
"""Columns by which a branch of the drawn tree is indented."""


def drawn() -> list[tuple[str, str, str]]:
    """Class, parent and builtin base of each line of the drawn tree, from the top down."""
    found: list[tuple[str, str, str]] = []
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        name, *rest = line.lstrip(" │├└─").split()[:2] or [""]
        if not (
            name.isidentifier() and hasattr(errors, name) and set(line[: line.index(name)]) <= set(" │├└─")
        ):
            continue
        depth = line.index(name) // LEVEL - 1
        base = rest[0].strip("()") if rest and rest[0].startswith("(") else ""
        found.append((name, above[depth - 1] if depth else "Exception", base))
        above[depth:] = [name]
    return found


def defined() -> list[tuple[str, str, str]]:
    """The same of the classes, in the order of the source."""
    classes = [
        each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__
    ]
    classes.sort(key=lambda each: inspect.getsourcelines(each)[1])
    return [
        (each.__name__, each.__bases__[0].__name__, "".join(base.__name__ for base in each.__bases__[1:]))
        for each in classes
    ]


@behaviour("errors:tree:drawn")
def test_the_drawn_tree_is_the_tree_of_the_classes() -> None:
    assert drawn() == defined()


@behaviour("errors:tree:builtin")
def test_every_end_of_the_tree_is_also_the_builtin_that_a_caller_expects() -> None:
    parents = {parent for _, parent, _ in defined()}
    ends = {name: base for name, _, base in defined() if name not in parents}
    assert [
        name for name, base in ends.items() if not issubclass(getattr(builtins, base, type), Exception)
    ] == []


@behaviour("errors:tree:caught")
def test_one_clause_catches_all_of_ours() -> None:
    assert all(issubclass(getattr(errors, name), CodeRunnerError) for name, _, _ in defined())


@behaviour("errors:endpoint:status")
def test_an_endpoint_that_failed_tells_its_status() -> None:
    failure = EndpointFailed("the endpoint answered 503: overloaded", status=503)
    assert (str(failure), failure.status) == ("the endpoint answered 503: overloaded", 503)
