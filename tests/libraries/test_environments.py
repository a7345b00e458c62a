"""The libraries that are tried, and the displays by which they are."""

from tests.behaviours import behaviour
from tests.libraries.displays import displays
from tests.libraries.environments import requirements, versions

DISPLAYS = displays()
NEEDED = {
    *("duckdb-engine", "imageio", "imageio-ffmpeg", "ipykernel", "mapclassify", "matplotlib-inline"),
    *("setuptools", "six", "svgling", "vl-convert-python"),
}
"""What others need to show something."""


@behaviour("libraries:pinned")
def test_each_library_has_one_version_and_is_tried() -> None:
    assert [each for wanted in requirements().values() for each in wanted if "==" not in each] == []
    tried = {(each.environment, each.library.lower()) for each in DISPLAYS if each.library != "python"}
    pinned = {(place, name) for place, its in versions().items() for name in its}
    assert tried - pinned == set()
    assert {name for _, name in pinned} - {name for _, name in tried} == NEEDED


@behaviour("libraries:named")
def test_each_display_has_a_name_of_its_own_and_something_to_look_for() -> None:
    assert len({each.name for each in DISPLAYS}) == len(DISPLAYS) >= 200
    assert [each.name for each in DISPLAYS if not (each.see and each.what and all(each.blocks))] == []
    assert [each.name for each in DISPLAYS if each.expect != "shown" and not each.why] == []
