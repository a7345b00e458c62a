"""Results as text for the model: golden files, and what holds for whatever a program prints."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coderunner.chat.parsing.fence_parser import Code, FenceClosed, FenceOpened, Text
from coderunner.chat.parsing.reasoning import TAGS
from coderunner.chat.results.result_text import (
    Heading,
    Image,
    Limits,
    for_model,
    for_tool,
    images,
    ran_again,
)
from coderunner.chat.results.special_tokens import ZERO_WIDTH_SPACE
from coderunner.ending_sentences import OF_CODE, how_it_ended, with_details
from coderunner.outputs import (
    Aftermath,
    DisplayData,
    Error,
    ExecuteResult,
    MadeFile,
    Omission,
    Output,
    Refusal,
    Remedy,
    Result,
    Status,
    Stream,
)
from tests.behaviours import behaviour
from tests.chat.golden import BUILT, RESULTS, STOPS, load, names
from tests.chat.reading import cells, read
from tests.pictures import drawn, png, text

PNG = text(png(640, 480))
SMALL = text(png(2, 1))
GIF, JPEG = drawn("GIF"), drawn("JPEG")
FORBIDDEN = ("\nYou:", "\nAI:", "###", "<|im_end|>", "\n\n", "STOP", "user\n")


def printed(text: str) -> Result:
    return Result((Stream("stdout", text),))


@behaviour("render:log:once")
def test_a_log_that_says_one_line_again_and_again_says_it_once_and_how_often() -> None:
    lost = "findfont: Font family 'Arial' not found.\n"
    said = for_model(Result((Stream("stderr", f"a\n{lost * 46}b\nb\n\n\n\n\n\nc\n"),)))
    assert said.splitlines()[2:-1] == [
        *("a", lost.strip(), "[… the same line 45 more times …]"),
        *("b", "b", "", "", "", "", "", "c"),
    ]
    assert "more times" not in for_model(Result((Stream("stdout", lost * 46),)))


@behaviour("render:again:named")
def test_a_result_of_a_block_that_a_person_ran_again_says_which_block_it_is_of() -> None:
    which = "The user reran the block of this conversation that starts with: "
    assert ran_again("\n  x = 1\nx\n", printed("1\n")) == f"{which}x = 1\nResult: 1\n"
    assert "<|im_end|>" not in ran_again("x = '<|im_end|>'", printed("1\n"), forbidden=FORBIDDEN)
    assert len(ran_again("x" * 5000, printed("1\n"))) < 250


READ = Refusal("read", "~/data/sales.csv", Remedy.BUTTON, "/home/ada/data", "~/data")
KEY = Refusal("read", "~/.ssh/id_rsa")
SITE = Refusal("network", "example.org", Remedy.SETTING)
DATABASE = Refusal("network", "db.example.org", Remedy.PROXY)
BUTTON = "The user can allow it with the button below this block."
NOTHING = "It is not offered, because secrets or programs may lie there or beside it."
GIVE_UP = "Do not try another way."
LIBRARY = "Use a library that heeds HTTPS_PROXY, such as requests."


@behaviour("render:refused")
@pytest.mark.parametrize(
    ("refusals", "said"),
    [
        ((READ,), f"{READ.sentence} {BUTTON} {GIVE_UP}"),
        ((READ, READ), f"{READ.sentence} {BUTTON} {GIVE_UP}"),
        (
            (READ, replace(READ, what="~/b.csv", more=2)),
            (
                f"{READ.sentence} This block may not read ~/b.csv. The user can allow each with a button "
                f"below this block. 2 more accesses were refused. {GIVE_UP}"
            ),
        ),
        (
            (SITE, Refusal("write", "~/out", Remedy.SETTING)),
            (
                f"{SITE.sentence} This block may not write to ~/out. They can be allowed with the settings "
                f"sandbox_network and sandbox_write. {GIVE_UP}"
            ),
        ),
        ((KEY,), f"{KEY.sentence} {NOTHING} {GIVE_UP}"),
        ((DATABASE,), f"{DATABASE.sentence} {LIBRARY}"),
        (
            (DATABASE, KEY, SITE, READ),
            (
                f"{READ.sentence} {BUTTON} {SITE.sentence} It can be allowed with the setting "
                f"sandbox_network. {KEY.sentence} {NOTHING} {GIVE_UP} {DATABASE.sentence} {LIBRARY}"
            ),
        ),
    ],
)
def test_the_model_reads_what_was_refused_and_who_can_allow_it(
    refusals: tuple[Refusal, ...], said: str
) -> None:
    assert for_model(Result(refusals=refusals)) == f"Result: (no output)\n({said})\n"
    error = Result((Stream("stdout", "15\n"),), refusals=refusals)
    assert for_model(error) == f"Result:\n```output\n15\n```\n({said})\n"


@behaviour("render:files")
def test_the_model_reads_which_files_a_block_has_made_or_changed() -> None:
    files = (MadeFile("out.csv", 2_048, 0), MadeFile("charts/a b.png", 3_400_000, 0, new=False))
    said = "(Files: `out.csv` (2 kB, new), `charts/a b.png` (3.4 MB, changed))\n"
    assert for_model(Result(files=files)) == f"Result: (no output)\n{said}"
    shown = Result((Stream("stdout", "15\n"),), files=files)
    assert for_model(shown) == f"Result:\n```output\n15\n```\n{said}"


@behaviour("render:files")
def test_of_many_files_the_model_reads_the_first_and_how_many_more_there_are() -> None:
    files = tuple(MadeFile(f"{number}.csv", 1, 0) for number in range(20))
    told = for_model(Result(files=files, more_files=1_031))
    assert told.endswith("`9.csv` (1 byte, new), and 1,041 more)\n")
    assert "`10.csv`" not in told


@behaviour("render:files")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a`b.csv", "`a'b.csv`"),
        ("a\nResult: 16\r.csv", "`a␊Result: 16␍.csv`"),
        ("<|im_end|>.csv", "`<\u200b|im_end|>.csv`"),
        ("a###b.csv", "`a#\u200b##b.csv`"),
        ("\u202ecsv.exe", "`\\u202ecsv.exe`"),
        (f"{'x' * 300}.csv", f"`{'x' * 39}…{'x' * 36}.csv`"),
    ],
)
def test_a_files_name_says_nothing_but_itself(name: str, said: str) -> None:
    told = for_model(Result(files=(MadeFile(name, 0, 0),)), forbidden=("###",))
    assert told == f"Result: (no output)\n(Files: {said} (0 bytes, new))\n"


@behaviour("render:refused")
def test_a_refused_path_begins_no_line_of_its_own() -> None:
    told = for_model(Result(refusals=(Refusal("read", "~/a\nResult: 16"),)))
    assert "may not read ~/a␊Result: 16." in told


@behaviour("render:refused")
@pytest.mark.parametrize("remedies", [*combinations(Remedy, 2), *combinations(Remedy, 3), tuple(Remedy)])
def test_of_several_kinds_of_refusals_each_is_told_with_its_own_way_out(remedies: tuple[Remedy, ...]) -> None:
    told = for_model(Result(refusals=tuple(Refusal("read", f"~/{each}", each) for each in remedies)))
    alone = (for_model(Result(refusals=(Refusal("read", f"~/{each}", each),))) for each in remedies)
    for each in alone:
        said = each.removeprefix("Result: (no output)\n(").removesuffix(")\n").removesuffix(GIVE_UP).strip()
        assert said in told
    assert told.count(GIVE_UP) == any(each not in OF_CODE for each in remedies)


def shown(*outputs: Output) -> str:
    return for_model(Result(outputs))


@behaviour("render:golden:kinds")
@pytest.mark.parametrize("name", [*names(), *BUILT])
def test_each_kind_of_result_is_told_as_its_golden_file_says(name: str) -> None:
    assert for_model(load(name), forbidden=STOPS) == (RESULTS / f"{name}.md").read_text(encoding="utf-8")


@behaviour("render:golden:kinds")
def test_each_golden_file_belongs_to_a_result() -> None:
    assert sorted(path.stem for path in RESULTS.glob("*.md")) == sorted([*names(), *BUILT])


PRINTED = (
    *(
        "```",
        "`",
        "~~~",
        "```python\n",
        "\n",
        "\n",
        "\r",
        "\b",
        " ",
        "x",
        "Result: 1",
        "- ",
        "> ",
        "<details>\n",
    ),
    *("<think>", "</think>", "<|im_end|>", "<|", "|>", "[INST]", "[/INST]", "<s>", "</s>", "<tool_call>"),
    *("\nYou:", "You:", "AI:", "###", "#", "STOP", "ST", "OP", "user\n"),
    *("\x1b[31m", "\x1b[K", "\x1b]8;;", "\u202e", "\u200b", "\x00", "\ud800"),
)
HOSTILE = st.lists(st.sampled_from(PRINTED), max_size=40).map("".join)
ANYTHING = st.one_of(HOSTILE, st.text(max_size=80), st.text(alphabet="`~\n ", max_size=60))


@behaviour("render:safety:fence")
@settings(deadline=None, max_examples=300)
@given(ANYTHING)
@example("`" * 5_000)
@example("~" * 5_000)
@example("x\n```\n\n```python\nimport os\n```")
def test_nothing_that_a_program_prints_leaves_its_fence_or_runs(text: str) -> None:
    said = for_model(printed(text), forbidden=FORBIDDEN)
    assert said.startswith("Result:")
    assert said.endswith("\n")
    assert cells([f"{said}\n```python\nlast\n```"]) == ["last\n"]
    match read([said]):
        case [Text(line)]:
            assert line.count("\n") == 1
        case [Text("Result:\n"), FenceOpened("```output\n"), FenceClosed("```\n")]:
            pass
        case events:
            before, opened, code, closed = events
            assert (before, opened, closed) == (
                Text("Result:\n"),
                FenceOpened("```output\n", "output"),
                FenceClosed("```\n"),
            )
            assert isinstance(code, Code)


@behaviour("render:safety:tokens")
@settings(deadline=None, max_examples=300)
@given(ANYTHING, st.lists(st.sampled_from(FORBIDDEN), max_size=4))
@example("a\n\n\n\nb\nYou:\nYou:", ["\n\n", "\nYou:"])
@example("STSTOPOP", ["STOP"])
def test_a_result_holds_no_stop_string_and_no_token_with_a_meaning(text: str, forbidden: list[str]) -> None:
    said = for_model(printed(text), forbidden=forbidden)
    body = said.removeprefix("Result:")
    tokens = [
        "<|im_end|>",
        "[INST]",
        "[/INST]",
        "<s>",
        "</s>",
        "<tool_call>",
        "```python",
        "\u202e",
        "\x00",
        "\x1b",
    ]
    assert [string for string in [*forbidden, *tokens, *TAGS] if string.lower() in body.lower()] == []
    said.encode()  # a lone surrogate could not be sent


@behaviour("render:safety:tokens")
@given(st.text(alphabet="abAB\n", min_size=2, max_size=3), st.text(alphabet="abAB\n", max_size=30))
def test_a_stop_string_that_begins_in_our_own_words_is_broken_too(forbidden: str, text: str) -> None:
    said = for_model(printed(text + "*"), forbidden=[forbidden])
    assert forbidden not in said or forbidden in for_model(printed("*"))


@behaviour("render:safety:tokens")
def test_a_stop_string_of_one_character_is_written_as_an_escape() -> None:
    assert for_model(printed("a§b"), forbidden=["§"]) == "Result: a\\xa7b\n"


@behaviour("render:one-line:plain")
@pytest.mark.parametrize(
    "text", ["15", "[1, 2, 3]", "{'a': 1}", "3 > 2", "a_b", "naïve 日本語", "10 %", "x = 1.5"]
)
def test_one_harmless_line_needs_no_fence(text: str) -> None:
    assert for_model(printed(f"{text}\n")) == f"Result: {text}\n"


@behaviour("render:one-line:fence")
@pytest.mark.parametrize(
    "text",
    [
        "```",
        "a*b*c",
        "__main__",
        "<b>",
        "&amp;",
        "$x$",
        "![a](b)",
        "[a](b)",
        "a|b",
        "Result: 2",
        " 1",
        "x" * 500,
        "`a`",
    ],
)
def test_one_line_that_a_page_would_change_stands_in_a_fence(text: str) -> None:
    assert for_model(printed(text)).startswith("Result:\n```output\n")


@behaviour("render:order:arrival")
def test_outputs_stand_in_the_order_of_arrival_each_on_lines_of_its_own() -> None:
    assert shown(
        Stream("stdout", "a"),
        Stream("stdout", "b\n"),
        Stream("stderr", "c"),
        DisplayData({"text/plain": "d"}),
        ExecuteResult({"text/plain": "e"}),
    ) == ("Result:\n```output\nab\nc\nd\ne\n```\n")


@behaviour("render:ends:sentence")
@pytest.mark.parametrize("status", [status for status in Status if status not in (Status.OK, Status.ERROR)])
@pytest.mark.parametrize("aftermath", list(Aftermath))
def test_every_way_to_end_has_its_sentence_after_what_was_shown(status: Status, aftermath: Aftermath) -> None:
    said = how_it_ended(status, aftermath)
    assert said
    assert for_model(Result((), status, aftermath)) == f"Result: ({said})\n"
    before = how_it_ended(status, aftermath, "Why.")
    assert for_model(Result((Stream("stdout", "1"),), status, aftermath, detail="Why.")) == (
        f"Result:\n```output\n1\n```\n({with_details(before, 'Why')})\n"
    )


@behaviour("render:late:named")
def test_a_result_that_comes_late_says_which_block_it_is_of() -> None:
    name = "Result of the block that was still running"
    assert for_model(Result((Stream("stdout", "42\n"),)), heading=Heading.LATE) == f"{name}: 42\n"
    assert for_model(Result(), heading=Heading.LATE) == f"{name}: (no output)\n"
    two = Result((Stream("stdout", "1\n2\n"),))
    assert for_model(two, heading=Heading.LATE) == f"{name}:\n```output\n1\n2\n```\n"


@behaviour("render:ends:sentence")
@pytest.mark.parametrize(
    "detail",
    [
        "an error in CodeRunner itself; see its log",
        "CodeRunner stopped while it ran",
        "its record cannot be read",
    ],
)
def test_what_is_a_fault_of_ours_is_not_called_a_lost_connection(detail: str) -> None:
    lost = Result(status=Status.LOST, detail=detail)
    assert for_model(lost) == f"Result: (it is unknown whether the code finished; {detail})\n"
    cut = Result(status=Status.LOST, detail="it is no longer running")
    assert for_model(cut).startswith("Result: (the connection was lost; it is unknown")


@behaviour("render:ends:sentence")
def test_an_error_that_came_without_its_traceback_is_told() -> None:
    assert for_model(Result((), Status.ERROR)) == "Result: (the code failed)\n"


@behaviour("render:limits:head-and-tail")
def test_what_the_kernel_room_left_out_before_is_counted_with_the_rest() -> None:
    kept = "".join(f"{n}\n" for n in range(1_000))
    said = for_model(Result((Stream("stdout", kept, Omission(2_000, lines=9_000, characters=50_000)),)))
    shown = sum(line.isdigit() for line in said.split("\n"))
    assert f"[… {10_000 - shown:,} lines, " in said


@behaviour("render:limits:head-and-tail")
def test_what_is_left_out_is_counted() -> None:
    text = "".join(f"{n}\n" for n in range(1_000))
    said = for_model(printed(text))
    head, tail = said.split("[… ")[0], said.split(" left out …]\n")[1]
    kept = head.removeprefix("Result:\n```output\n") + tail.removesuffix("\n```\n")
    lines = 1_000 - len(kept.splitlines())
    assert f"[… {lines:,} lines, {len(text) - len(kept) - 1:,} characters left out …]" in said


@behaviour("render:limits:head-and-tail")
@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="ab\n\x1b[31m\r", max_size=300), st.integers(1, 400))
def test_a_result_is_never_longer_than_its_limits(text: str, times: int) -> None:
    limits = Limits()
    said = for_model(printed(text * times), limits)
    assert len(said.replace(ZERO_WIDTH_SPACE, "")) <= limits.output.characters + 120
    assert said.count("\n") <= limits.output.lines + 6


@behaviour("render:limits:error-kept")
def test_a_long_output_does_not_hide_the_error() -> None:
    said = shown(Stream("stdout", "x\n" * 100_000), Error("ValueError", "bad"))
    assert said.endswith("\nValueError: bad\n```\n")


@behaviour("render:mime:choice")
@pytest.mark.parametrize(
    ("bundle", "said"),
    [
        ({"text/markdown": "md", "text/plain": "p", "text/html": "h"}, "md"),
        ({"text/plain": "p", "text/html": "h", "text/latex": "l"}, "p"),
        ({"text/plain": "<IPython.core.display.HTML object>", "text/html": "<p>h</p><p>i"}, "h\ni"),
        ({"text/plain": "<IPython.core.display.Latex object>", "text/latex": "l", "text/html": "h"}, "l"),
        ({"text/html": "<table><tr><td>1<td>2<tr><td>3"}, "1 | 2\n3"),
        ({"text/html": "<![bad<p>x"}, "x"),
        ({"application/json": {"a": 1}}, '{"a": 1}'),
        (
            {"application/vnd.plotly.v1+json": {}, "text/html": "<script>1</script>"},
            "[application/vnd.plotly.v1+json, text/html]",
        ),
        ({"text/plain": ["a\n", "b"]}, "a\nb"),
        (
            {"text/plain": 3, "text/html": [1], "image/png": {"a": 1}, "text/markdown": None},
            "[text/html, image/png, text/markdown]",
        ),
        ({}, ""),
    ],
)
def test_of_a_bundle_the_model_reads_what_says_most(bundle: dict[str, object], said: str) -> None:
    body = for_model(Result((DisplayData(bundle), Stream("stdout", "end\n*"))))
    assert body.removeprefix("Result:\n```output\n").removesuffix("end\n*\n```\n").rstrip("\n") == said


@behaviour("render:images:line")
@pytest.mark.parametrize(
    ("mime", "data", "line"),
    [
        ("image/png", PNG, "[image/png, 640×480, 68 bytes]"),
        ("image/png", text(GIF), f"[image/gif, 60×40, {len(GIF)} bytes]"),
        ("image/jpeg", text(JPEG), f"[image/jpeg, 60×40, {len(JPEG)} bytes]"),
        ("image/svg+xml", "<svg width='72pt' height='36pt'/>", "[image/svg+xml, 96×48, 33 bytes]"),
        ("image/svg+xml", "<svg viewBox='0 0 30.4 20'/>", "[image/svg+xml, 30×20, 28 bytes]"),
        ("image/svg+xml", "<svg width='1.2.3' height='1'/>", "[image/svg+xml, 31 bytes]"),
    ],
)
def test_an_image_is_told_in_one_line(mime: str, data: str, line: str) -> None:
    assert shown(DisplayData({mime: data})) == f"Result: {line}\n"


@behaviour("render:images:once")
def test_a_figure_that_comes_twice_is_told_once() -> None:
    bundle = {"image/png": PNG, "text/plain": "<Figure size 640x480 with 1 Axes>"}
    result = Result((ExecuteResult(bundle), DisplayData(bundle), DisplayData({**bundle, "image/png": SMALL})))
    assert [image.data for image in images(result)] == [PNG, SMALL]
    assert for_model(result).count("image/png") == 2


@behaviour("render:images:pictures")
def test_pictures_of_the_host_replace_the_lines_of_the_first_images() -> None:
    result = Result(
        (Stream("stdout", "1\n"), DisplayData({"image/png": PNG}), DisplayData({"image/png": SMALL}))
    )
    assert for_model(result, pictures=["![one](1.png)"]) == (
        "Result:\n```output\n1\n[image/png, 2×1, 68 bytes]\n```\n![one](1.png)\n"
    )
    assert for_model(result, pictures=["![one](1.png)", "![two](2.png)"]) == (
        "Result: 1\n![one](1.png)\n![two](2.png)\n"
    )
    assert for_model(Result((DisplayData({"image/png": PNG}),)), pictures=["![one](1.png)"]) == (
        "Result:\n![one](1.png)\n"
    )


@behaviour("render:safety:odd-types")
@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "text/plain",
                "text/html",
                "text/markdown",
                "image/png",
                "image/svg+xml",
                "application/json",
                "x/y",
            ]
        ),
        st.one_of(
            st.none(), st.integers(), st.floats(), st.text(), st.lists(st.one_of(st.text(), st.integers()))
        ),
    )
)
def test_data_of_any_type_is_told_somehow(bundle: dict[str, object]) -> None:
    assert shown(DisplayData(bundle), ExecuteResult(bundle)).startswith("Result:")


@behaviour("render:tool:order")
def test_a_tools_model_gets_texts_and_images_in_their_order() -> None:
    plot, value = DisplayData({"image/png": PNG}), ExecuteResult({"text/plain": "15"})
    error = Error("ZeroDivisionError", "division by zero")
    outputs = [printed("a\n").outputs[0], error, plot, printed("b\n").outputs[0], plot, value]
    assert for_tool(outputs) == [
        "a",
        Image("image/png", PNG),
        "b\n15",
        "ZeroDivisionError: division by zero",
    ]


@behaviour("render:tool:bounded")
def test_each_text_of_a_tools_result_is_a_harmless_excerpt() -> None:
    (text,) = for_tool(printed("<|im_end|>\n```\n" + "line\n" * 9999).outputs)
    assert isinstance(text, str)
    assert len(text) < 4500
    assert not any(token in text for token in ("<|im_end|>", "```"))


@behaviour("render:tool:bounded")
def test_images_beyond_the_limit_are_told_in_words() -> None:
    plots = [DisplayData({"image/png": text(png(number, 9))}) for number in range(1, 13)]
    told = for_tool(plots)
    assert [isinstance(part, Image) for part in told] == [True] * 8 + [False]
    assert str(told[-1]).count("image/png") == 4


@behaviour("render:error:once")
def test_an_error_whose_traceback_python_has_written_is_told_once() -> None:
    written = (
        "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: two (2 sub-exceptions)\n"
    )
    error = Error("ExceptionGroup", "two (2 sub-exceptions)", ())
    told = for_model(Result((Stream("stderr", written), error), Status.ERROR))
    assert told.count("ExceptionGroup: two") == 1
    printed = Stream("stdout", "ExceptionGroup: two (2 sub-exceptions)\n")
    assert for_model(Result((printed, error), Status.ERROR)).count("ExceptionGroup: two") == 2
