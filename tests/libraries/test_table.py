"""The page about libraries says what is tried: compared without running anything."""

from tests.behaviours import behaviour
from tests.libraries import table
from tests.libraries.displays import displays

DISPLAYS = displays()
ROWS = table.read(table.PAGE.read_text(encoding="utf-8"))


@behaviour("libraries:table")
def test_the_page_is_what_was_measured_of_the_displays_as_they_are() -> None:
    assert len({each.name for each in DISPLAYS}) == len(DISPLAYS) >= 200
    assert ROWS.keys() == {each.name for each in DISPLAYS}, "measure it: python -m tests.libraries"
    text = table.PAGE.read_text(encoding="utf-8")
    assert table.page(text, DISPLAYS, ROWS) == text


@behaviour("libraries:explained")
def test_what_is_not_shown_is_explained() -> None:
    told = {each.name: each.why for each in DISPLAYS}
    assert [
        name for name, row in ROWS.items() if {row.live, row.reloaded} != {"shown"} and not told[name]
    ] == []


@behaviour("libraries:explained")
def test_what_was_seen_is_what_is_expected() -> None:
    expected = {each.name: (each.expect, each.expect) for each in DISPLAYS}
    assert {name: (row.live, row.reloaded) for name, row in ROWS.items()} == expected
