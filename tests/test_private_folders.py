import sys
from pathlib import Path

import pytest

from coderunner.private_folders import make_private
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
