import sys
from pathlib import Path

import pytest

from coderunner.private_folders import make_private, write_private
from tests.behaviours import behaviour

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def rights(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


@behaviour("folders:private")
def test_a_folder_and_those_above_it_are_their_owners_alone(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    for _ in range(2):
        make_private(there / "data" / "records")
    assert [rights(each) for each in (there, there / "data", there / "data" / "records")] == [
        "0o755",
        "0o700",
        "0o700",
    ]


@behaviour("folders:private")
def test_a_file_of_that_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(OSError, match="data"):
        make_private(tmp_path / "data")


@behaviour("folders:private")
def test_a_file_is_its_owners_alone_and_whole_or_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "data" / "choices.json"
    for text in ("first", "second"):
        write_private(file, text)
        assert (file.read_text(), rights(file), rights(file.parent)) == (text, "0o600", "0o700")
    with pytest.raises(UnicodeEncodeError):
        write_private(file, "third, cut off by half a character: \ud800")
    (tmp_path / "data" / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_private(tmp_path / "data" / "taken", "fourth")
    assert (file.read_text(), {each.name for each in file.parent.iterdir()}) == (
        "second",
        {"choices.json", "taken"},
    )
