"""Names of files that come in."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coderunner.files.chat_folder import NotAName
from coderunner.files.file_kinds import file_kind
from coderunner.files.file_names import LONGEST, chosen_name, file_name, numbered
from tests.behaviours import behaviour


@behaviour("files:names")
@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("sales.csv", "sales.csv"),
        ("data/./2026//sales.csv", "data/2026/sales.csv"),
        ("測 定 👩\u200d🔬.csv", "測 定 👩\u200d🔬.csv"),
        ("cafe\u0301.csv", "caf\u00e9.csv"),
        (".env", "env"),
        (".git/config", "git/config"),
        ("a/... /b", "a/file/b"),
        ("a/__pycache__/x.pyc", "a/pycache/x.pyc"),
        ("con", "_con"),
        ("Aux.tar.gz", "_Aux.tar.gz"),
        ("com1 .csv", "_com1 .csv"),
        ("console.csv", "console.csv"),
        ("a:b*c?.csv", "a_b_c_.csv"),
        ("C:\\data\\x.csv", "C__data_x.csv"),
        ("a\nb\0c.csv", "a_b_c.csv"),
        ("invoice\u202egpj.exe", "invoice_gpj.exe"),
        ("zero\u200bwidth.csv", "zero_width.csv"),
        ("a\udc80b.csv", "a_b.csv"),
        ("trailing. . ", "trailing"),
        ("x" * 300 + ".tar.gz", "x" * (LONGEST - 7) + ".tar.gz"),
        ("é" * 300, "é" * (LONGEST // 2)),
    ],
)
def test_a_name_is_kept_as_far_as_every_system_takes_it(path: str, kept: str) -> None:
    assert file_name(path) == kept


@behaviour("files:names")
@pytest.mark.parametrize(
    "path", ["", "/", ".", "a/", "/etc/passwd", "..", "../a", "a/../../b", "a/..", "/".join("a" * 30)]
)
def test_a_path_that_leads_elsewhere_or_names_nothing_is_refused(path: str) -> None:
    with pytest.raises(NotAName):
        file_name(path)


@behaviour("files:names")
@given(st.text(st.characters(), max_size=300))
@example("..")
@example("con" + " " * 300)
def test_a_name_that_was_kept_is_kept_again(path: str) -> None:
    try:
        kept = file_name(path)
    except NotAName:
        return
    assert file_name(kept) == kept
    for part in kept.split("/"):
        assert (part and not part.startswith(".") and part.isprintable()) or "\u200d" in part
        assert len(part.encode()) <= LONGEST + 1
    assert unicodedata.is_normalized("NFC", kept)


@behaviour("files:names")
def test_a_name_that_somebody_types_is_taken_as_it_is_or_refused_with_a_better_one() -> None:
    assert chosen_name("b/new.csv") == "b/new.csv"
    with pytest.raises(NotAName) as caught:
        chosen_name("a:b.csv")
    assert str(caught.value) == "a:b.csv cannot be the name of a file on every system; a_b.csv can."


@behaviour("files:names")
@pytest.mark.parametrize(
    ("path", "next_one"),
    [
        ("a.csv", "a (2).csv"),
        ("d/a.tar.gz", "d/a (2).tar.gz"),
        ("Makefile", "Makefile (2)"),
        ("v1.2 final", "v1.2 final (2)"),
    ],
)
def test_a_name_that_is_taken_gets_a_number_before_its_ending(path: str, next_one: str) -> None:
    names = numbered(path)
    assert [next(names), next(names)] == [path, next_one]


@behaviour("files:kinds")
@pytest.mark.parametrize(
    ("name", "kind"),
    [("a/b.CSV", "table"), ("x.png", "image"), ("x.py", "text"), ("x.mp3", "audio"), ("x", "none")],
)
def test_a_kind_is_read_from_the_ending(name: str, kind: str) -> None:
    assert file_kind(name) == kind
