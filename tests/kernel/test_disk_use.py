"""How much disk the files in some folders take."""

import os
from pathlib import Path

import pytest

from coderunner.kernel.connections.disk_use import MOST, DiskUse
from tests.behaviours import behaviour


@behaviour("sandbox:limits:disk:looks")
def test_many_files_are_counted_a_bounded_number_at_a_time(tmp_path: Path) -> None:
    for number in range(2 * MOST // 100 + 1):
        (tmp_path / str(number)).mkdir()
        for other in range(100):
            (tmp_path / str(number) / str(other)).write_bytes(b"x")
    each = (tmp_path / "0" / "0").stat().st_blocks * 512
    use = DiskUse([tmp_path])
    looks = [use.look() for _ in range(3)]
    assert [complete for _, complete in looks] == [False, False, True]
    assert looks[0][0] <= MOST * each
    assert looks[2][0] == (2 * MOST + 100) * each
    assert use.look()[1] is False  # the next round


@behaviour("sandbox:limits:disk:looks")
@pytest.mark.skipif(os.name != "posix", reason="Windows does not count blocks")
def test_what_counts_is_the_disk_that_is_taken(tmp_path: Path) -> None:
    elsewhere, own = tmp_path / "elsewhere", tmp_path / "own"
    for each in (elsewhere, own):
        each.mkdir()
    (elsewhere / "large").write_bytes(b"x" * 2_000_000)
    (own / "link").symlink_to(elsewhere)
    (own / "to-file").symlink_to(elsewhere / "large")
    with (own / "sparse").open("wb") as file:
        file.truncate(10**9)
    (own / "one").write_bytes(b"x" * 1_000_000)
    os.link(own / "one", own / "two")
    used, complete = DiskUse([own, tmp_path / "nowhere"]).look()
    assert complete
    assert 1_000_000 <= used < 1_100_000
