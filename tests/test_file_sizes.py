"""Sizes of files in words."""

import pytest

from coderunner.text.file_sizes import in_words
from tests.behaviours import behaviour


@behaviour("text:file-sizes")
@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (2_048, "2 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (3_449_000, "3.4 MB"),
        (999_940_000, "1 GB"),
        (1_234_000_000, "1.2 GB"),
        (2**62, "4611686 TB"),
    ],
)
def test_a_size_is_told_in_the_unit_that_reads_best(size: int, said: str) -> None:
    assert in_words(size) == said
