"""Which messages of a conversation are shown, and how another version of one comes to be."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from coderunner.records.database.message_tree import changes, path, previous, versions_of
from tests.behaviours import behaviour


@dataclass(frozen=True)
class Said:
    previous: int | None = None
    shown: bool = True


EDITED = [Said(), Said(), Said(shown=False), Said(), Said(1), Said(4), Said(5, shown=False), Said(5)]
"""Four messages; the third was edited, and the answer to what was said after that written anew."""

TREES = st.lists(st.builds(Said, st.none() | st.integers(-3, 30), st.booleans()), min_size=1, max_size=30)


@behaviour("records:chats:versions")
def test_the_path_goes_by_the_version_that_is_shown_at_each_fork() -> None:
    assert path([Said()] * 3) == [0, 1, 2]
    assert path(EDITED) == [0, 1, 4, 5, 7]
    assert path([]) == []


@behaviour("records:chats:versions")
def test_versions_are_those_that_follow_the_same_message() -> None:
    assert {number: each for number, each in versions_of(EDITED).items() if len(each) > 1} == {
        2: [2, 4],
        4: [2, 4],
        6: [6, 7],
        7: [6, 7],
    }


@behaviour("records:chats:versions")
def test_a_version_that_is_shown_again_is_shown_as_it_was_left() -> None:
    back = shown(EDITED, 2)
    assert path(back) == [0, 1, 2, 3]
    assert path(shown(back, 4)) == [0, 1, 4, 5, 7]
    # Of a version that is hidden itself, as another page may still show it.
    assert path(shown(back, 6)) == [0, 1, 4, 5, 6]


@behaviour("records:chats:versions")
@given(TREES, st.data())
def test_whatever_stands_there_any_message_can_be_shown(tree: list[Said], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(tree) - 1))
    now = path(shown(tree, number))
    assert number in now
    assert now == sorted(now)
    assert [previous(each, tree[each]) for each in now] == [-1, *now[:-1]]
    assert path(shown(shown(tree, number), number)) == now


def shown(tree: list[Said], number: int) -> list[Said]:
    changed = changes(tree, number)
    return [replace(each, shown=changed.get(at, each.shown)) for at, each in enumerate(tree)]
