"""The links that a model writes to files, found while the reply streams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.hosts.proxy.files.link_targets import LONGEST, LinkTargets, Target
from tests.behaviours import behaviour


def read(*pieces: str) -> str:
    """The text with the path of each target in braces."""
    targets = LinkTargets()
    told = [told for piece in pieces for told in targets.receive(piece)]
    return "".join(
        f"{{{each.path}{each.title}}}" if isinstance(each, Target) else each
        for each in [*told, targets.close()]
    )


@behaviour("proxy:links:found")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Here: [out.csv](out.csv).", "Here: [out.csv]({out.csv})."),
        ("[a](sandbox:/mnt/data/out.csv)", "[a]({out.csv})"),
        ("![plot](./plot.png)", "![plot]({plot.png})"),
        ("[a](<my file.csv>)", "[a]({my file.csv})"),
        ("[a](sandbox:/mnt/data/my file.csv)", "[a]({my file.csv})"),
        ('[a](out.csv "the table")', '[a]({out.csv "the table"})'),
        ("[a](out (1).csv)", "[a]({out (1).csv})"),
        ("[![a](a.png)](b.csv)", "[![a]({a.png})]({b.csv})"),
        ("[[x]](a.csv)", "[[x]]({a.csv})"),
        ("`x` [a](a.csv) `y`", "`x` [a]({a.csv}) `y`"),
        ("it`s\n[a](a.csv)", "it`s\n[a]({a.csv})"),
        ("```text\n[a](a.csv)\n```\n[b](b.csv)", "```text\n[a](a.csv)\n```\n[b]({b.csv})"),
        ("~~~\n```\n[a](a.csv)\n~~~~\n[b](b.csv)", "~~~\n```\n[a](a.csv)\n~~~~\n[b]({b.csv})"),
    ],
)
def test_a_link_to_a_file_is_found(text: str, found: str) -> None:
    assert read(text) == found


@behaviour("proxy:links:others")
@pytest.mark.parametrize(
    "text",
    [
        "[a](https://example.org/out.csv)",
        "[a](#part)",
        "[a] (out.csv)",
        "[a](out.csv",
        "[a](\nout.csv)",
        "`[a](out.csv)`",
        "`` ` [a](out.csv) ``",
        "x[0][2]]]",
        "[a](javascript:alert)",
        f"[a]({'x' * LONGEST}.csv)",
        "]",
        "](",
        "",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert read(text) == text


@behaviour("proxy:links:cuts")
@given(
    st.lists(
        st.sampled_from(
            ["[a](a.csv)", "`", "```", "\n", "]", "(", ")", "[", "x", "~~~", "<b c>", " ", "](a.csv"]
        )
    ).map("".join),
    st.data(),
)
def test_cutting_a_reply_anywhere_changes_nothing(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert read(*pieces) == read(text)


@behaviour("proxy:links:cuts")
def test_no_more_than_a_target_is_held_back() -> None:
    targets, text = LinkTargets(), "[a](" + "x" * (LONGEST - 1)
    assert "".join(map(str, targets.receive(text))) == "[a"
    assert "".join(map(str, targets.receive("yz"))) == "](" + "x" * (LONGEST - 1) + "yz"
