"""What links to files mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.files.file_links import file_of
from tests.behaviours import behaviour


@behaviour("files:links:named")
@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("out.csv", "out.csv"),
        ("./out.csv", "out.csv"),
        (".//out.csv", "out.csv"),
        ("a/b/out.csv", "a/b/out.csv"),
        ("sandbox:/mnt/data/out.csv", "out.csv"),
        ("sandbox:out.csv", "out.csv"),
        ("Sandbox:./out.csv", "out.csv"),
        ("/mnt/data/a/out.csv", "a/out.csv"),
        ("/home/ada/work/out.csv", "/home/ada/work/out.csv"),
        ("a%20b.csv", "a b.csv"),
        ("100%25.csv", "100%.csv"),
        ("%E6%B8%AC.csv", "測.csv"),
        ("out.csv#rows", "out.csv"),
        ("out.csv?download=1", "out.csv"),
        ("what%3F.txt", "what?.txt"),
        ("Makefile", "Makefile"),
        (" out.csv ", "out.csv"),
    ],
)
def test_a_file_is_meant_however_it_is_written(link: str, path: str) -> None:
    assert file_of(link) == path


@behaviour("files:links:others")
@pytest.mark.parametrize(
    "link",
    [
        *("", "#top", "?q=1", "//host/out.csv", "https://x.y/out.csv", "mailto:a@b.c", "data:text/csv,a"),
        *("javascript:x", "file:///etc/passwd", "C:/out.csv", "ftp://x/out.csv", "attachment:out.csv"),
        *("/about", "/docs/", "/", ".", "..", "a/..", "a/", "out.csv%0a", "a%00.csv", "..\\out.csv"),
        "x" * 3000,
    ],
)
def test_what_means_no_file_is_no_link_to_one(link: str) -> None:
    assert file_of(link) == ""


@behaviour("files:links:others")
@given(st.text())
def test_a_path_has_a_name_and_nothing_that_no_terminal_shows(link: str) -> None:
    path = file_of(link)
    assert path == "" or (path.isprintable() and path.rpartition("/")[2])
