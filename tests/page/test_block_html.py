"""What a block shows: fixed values in, HTML out."""

import base64
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.ending_sentences import OTHER_FILES
from coderunner.outputs import (
    Aftermath,
    DisplayData,
    Error,
    ExecuteResult,
    Output,
    Question,
    Refusal,
    Remedy,
    Result,
    Status,
    Stream,
)
from coderunner.page.block_state import Block, State
from coderunner.page.html import block_html, output_html
from coderunner.page.html.active_output import ActiveOutput
from coderunner.page.html.block_html import Setting
from tests.behaviours import behaviour
from tests.pictures import drawn, text

SETTING = Setting(30.0)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'

ALLOWED = {
    "div": {"class", "role", "aria-label", "tabindex", "hidden"},
    "pre": {"class", "tabindex"},
    "code": set(),
    "span": {"class", "style", "data-cr-clock", "data-cr-elapsed", "data-cr-of"},
    "details": {"class", "hidden", "open"},
    "summary": set(),
    "b": set(),
    "p": set(),
    "i": {"aria-hidden"},
    "img": {"src", "alt", "style"},
    "form": {"class", "hidden", "data-cr-ticket", "autocomplete"},
    "label": {"for"},
    "input": {"id", "name", "type", "maxlength", "autocomplete", "autocapitalize", "spellcheck"},
    "button": {
        "type",
        "class",
        "title",
        "aria-expanded",
        "aria-label",
        *("data-cr", "data-cr-ticket", "data-cr-text", "data-cr-reply"),
        *("data-cr-then", "data-cr-python", "data-cr-lines"),
    },
}


class Reading(HTMLParser):
    """The text of some HTML, and what in it is not among the elements and attributes that we write."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.foreign: list[str] = []
        self.text = ""
        self.images: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if not names <= ALLOWED.get(tag, set()) or tag not in ALLOWED:
            self.foreign.append(f"{tag} {sorted(names)}")
        self.images += [value or "" for name, value in attrs if name == "src"]

    def handle_data(self, data: str) -> None:
        self.text += data


def ended(*outputs: Output, status: Status = Status.OK, source: str = "x", **details: object) -> Block:
    result = replace(Result(outputs, status, duration=0.4), **details)  # type: ignore[arg-type]
    return Block(source=source, state=State.ENDED, result=result)


def failed(**details: object) -> Block:
    block = ended(Error("ZeroDivisionError", "division by zero"), status=Status.ERROR)
    return replace(block, **details)  # type: ignore[arg-type]


def read(block: Block) -> Reading:
    return Reading(block_html.block(block, SETTING))


@behaviour("page:view:unit")
def test_code_output_and_bar_are_one_unit() -> None:
    block = replace(ended(Stream("stdout", "15\n"), execution_count=3), read="Result: 15\n")
    assert block_html.block(block, SETTING) == (
        '<div class="cr-cell" role="group" aria-label="Code and its output">'
        '<pre class="cr-code" tabindex="0"><code>x</code></pre>'
        '<div class="cr-outs"><div class="cr-piece">'
        '<div class="cr-out cr-text" tabindex="0">15\n</div></div></div>'
        '<form class="cr-question" hidden></form>'
        '<details class="cr-read"><summary>What the model saw (1 line)</summary>'
        '<pre tabindex="0">Result: 15</pre></details>'
        '<div class="cr-bar"><span class="cr-dot"></span>'
        '<span class="cr-state"><b>Done</b> · 0.4 s · [3]</span><span class="cr-grow">'
        '<button type="button" data-cr="copy">Copy</button></span></div></div>'
    )


@behaviour("page:view:words")
@pytest.mark.parametrize(
    ("block", "words"),
    [
        (Block("```python\nprint("), "print(Writing"),
        (
            Block("  ```py\n  a\n   b\n", state=State.UNFINISHED),
            "a\n bNot run · the block was not closedCopy",
        ),
        (
            Block("- ~~~py\n  a\n   b\n  ~", state=State.UNFINISHED),
            "a\n bNot run · the block was not closedCopy",
        ),
        (Block("```py\n\n", state=State.UNFINISHED), "Not run · it has no codeCopy"),
        (Block("```py\na\n```", state=State.UNFINISHED), "aNot run · the reply ended firstCopy"),
        (
            Block(source="x", state=State.UNFINISHED, ticket="t", ordinal=0),
            "xNot run · the reply ended firstRunEditCopy",
        ),
        (
            Block(source="x", state=State.UNFINISHED, read="Result: (not run: enough <b>)\n"),
            "xWhat the model saw (1 line)Result: (not run: enough <b>)Not run · enough <b>Copy",
        ),
        (
            Block(source="x", state=State.WAITING, ticket="t"),
            "xRun this code? It runs on your computer without a sandbox.EditSkipAlways allow in this chatRun",
        ),
        (Block(source="x", state=State.RUNNING, ticket="t", elapsed=3.7), "xRunning · 3 s of 30Stop"),
        (
            Block(source="x", state=State.RUNNING, ticket="t", preparing="Waiting for a kernel"),
            "xWaiting for a kernelStop",
        ),
        (
            Block(source="x", state=State.RUNNING, ticket="t", question=Question("q", "Name? ")),
            "xName?SendCancelWaiting for input · the timer is pausedStop",
        ),
        (
            Block(source="x", state=State.RUNNING, ticket="t", question=Question("q", "", password=True)),
            "xThe program is asking for a passwordSendCancelWaiting for input · the timer is pausedStop",
        ),
        (
            Block(source="x", state=State.QUEUED, ticket="t"),
            "xQueued · waiting for the previous blockStop",
        ),
        (
            Block(source="x", state=State.RUNNING, ticket="t", elapsed=12.4, cut=True),
            "xConnection lost · trying again · 12 s of 30Stop",
        ),
        (
            Block(source="x", state=State.LATE, ticket="t", elapsed=31.2, cut=True),
            "xConnection lost · trying again · 31 sStop",
        ),
        (
            Block(source="x", state=State.LATE, ticket="t", elapsed=31.2),
            "xStill running · 31 s · its result will followStop",
        ),
        (ended(status=Status.ERROR), "xError · 0.4 sCopy"),
        (ended(status=Status.INTERRUPTED), "xStopped · 0.4 s · variables are keptCopy"),
        (
            ended(status=Status.INTERRUPTED, duration=0.0, detail="it had not started"),
            "xStopped · it had not startedCopy",
        ),
        (
            ended(status=Status.INTERRUPTED, detail="this is a new kernel; earlier variables are gone"),
            "xStopped · 0.4 s · this is a new kernel; earlier variables are goneCopy",
        ),
        (ended(status=Status.TIMEOUT), "xStopped at the time limit · 0.4 s · variables are keptCopy"),
        (
            ended(status=Status.TIMEOUT, aftermath=Aftermath.FRESH),
            "xStopped at the time limit · 0.4 s · the kernel was restarted, variables are goneCopy",
        ),
        (
            ended(status=Status.DIED, aftermath=Aftermath.FRESH),
            "xThe kernel died while the code ran · 0.4 s · variables are goneCopy",
        ),
        (
            ended(status=Status.LOST),
            "xThe connection was lost · 0.4 s · it is unknown whether the code finishedCopy",
        ),
        (ended(status=Status.DECLINED, duration=0.0), "xNot run · it was declinedCopy"),
        (
            ended(status=Status.REFUSED, duration=0.0, detail="No kernel."),
            "xNot run · no kernel is available · No kernel.Copy",
        ),
        (
            ended(status=Status.ABORTED, duration=0.0),
            "xNot run · an earlier block failed or was stoppedCopy",
        ),
        (
            ended(status=Status.REPLACED, aftermath=Aftermath.FRESH),
            "xThe kernel was restarted or shut down while the code ran · 0.4 s · variables are goneCopy",
        ),
    ],
)
def test_the_bar_says_how_far_a_block_has_come(block: Block, words: str) -> None:
    assert read(block).text == words


@behaviour("page:view:words")
@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0 ms"), (0.009, "9 ms"), (0.41, "0.4 s"), (9.94, "9.9 s"), (12.2, "12 s"), (72.0, "1 min 12 s")],
)
def test_a_duration_is_short_and_exact_enough(seconds: float, words: str) -> None:
    assert block_html.duration(seconds) == words


@behaviour("page:view:words")
def test_the_bar_speaks_to_the_person_of_their_own_files() -> None:
    told = read(ended(status=Status.ERROR, detail=f"it is new; {OTHER_FILES}")).text
    assert "it is new; the kernel works in a folder of this chat; ../.. has your own files" in told


@behaviour("page:view:told")
@pytest.mark.parametrize(
    ("block", "told"),
    [
        (failed(read="Result:\n```output\nZeroDivisionError: division by zero\n```\n"), True),
        (ended(status=Status.ERROR, source="x"), False),
        (failed(), False),
        (failed(read="Result: (still running in the background; its result will follow)\n"), False),
        (failed(read="Result:\n```output\nZeroDivisionError: division by zero\n```\n", imported=True), False),
        (failed(repeat=True, of="ticket"), False),
    ],
    ids=["in its reply", "unknown", "of a person", "after its time", "from a file", "again"],
)
def test_an_error_is_said_to_be_shown_to_the_model_only_where_the_model_has_read_of_it(
    block: Block, told: bool
) -> None:
    assert ("shown to the model" in read(block).text) is told


@behaviour("page:view:error")
def test_an_error_shows_the_hint_that_the_model_reads() -> None:
    failed = ended(Error("ModuleNotFoundError", "No module named 'cv2'"), status=Status.ERROR)
    html = block_html.block(replace(failed, read="a\nHint: <b>\n```\n"), SETTING)
    assert '<span class="cr-where">\nHint: &lt;b&gt;</span>' in html


@behaviour("page:view:error")
def test_an_error_of_syntax_names_its_line_and_no_file_that_is_not_there() -> None:
    for said, shown in (
        ("'(' was never closed (2452353359.py, line 12)", "was never closed (line 12)"),
        ("invalid syntax (tool.py, line 3)", "invalid syntax (tool.py, line 3)"),
    ):
        html = block_html.block(ended(Error("SyntaxError", said), status=Status.ERROR), SETTING)
        assert shown in html.replace("&#x27;", "'")


@behaviour("page:view:error")
def test_an_error_shows_its_line_and_folds_its_traceback() -> None:
    trace = (
        "\x1b[31mZeroDivisionError\x1b[0m",
        "Cell In[3], line 2\n----> 2 total / count",
        "ZeroDivisionError: division by zero",
    )
    html = block_html.block(
        ended(
            Stream("stdout", "before\n"),
            Error("ZeroDivisionError", "division by zero", trace),
            status=Status.ERROR,
            source="total = 1\ntotal / count",
        ),
        SETTING,
    )
    assert "ZeroDivisionError: division by zero" in html
    assert "line 2: total / count" in html
    assert '<details class="cr-trace"><summary>traceback</summary>' in html


@behaviour("page:view:images")
@pytest.mark.parametrize("kind", [DisplayData, ExecuteResult])
def test_a_png_is_an_image_with_its_text_as_description(kind: type[DisplayData | ExecuteResult]) -> None:
    block = ended(kind({"image/png": PIXEL + "\n", "text/plain": "<Figure>"}, {"image/png": {"width": 320}}))
    html = block_html.block(block, SETTING)
    assert f'<img src="data:image/png;base64,{PIXEL}" alt="Figure" style="width:320px">' in html


@behaviour("page:view:images")
@pytest.mark.parametrize(
    ("kind", "mime"), [("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("BMP", "image/bmp")]
)
def test_an_image_is_shown_by_the_type_that_it_has(kind: str, mime: str) -> None:
    data = text(drawn(kind))
    assert read(ended(DisplayData({"image/png": data}))).images == [f"data:{mime};base64,{data}"]


@behaviour("page:view:images")
@pytest.mark.parametrize(
    ("data", "line"),
    [
        (text(b"<!doctype html><p>x"), "[unreadable image: declared as image/png, is HTML]"),
        (text(drawn()[:-40]), "[unreadable image: declared as image/png, is cut off]"),
        ("", "[unreadable image: declared as image/png, is empty]"),
        (text(drawn("TIFF")), "[image/tiff, 7 kB] (not shown: browsers do not support this type)"),
    ],
)
def test_an_image_that_cannot_be_shown_is_one_line(data: str, line: str) -> None:
    reading = read(ended(DisplayData({"image/png": data})))
    assert reading.images == []
    assert line in reading.text


@behaviour("page:view:images")
def test_beside_what_is_said_of_an_image_stands_no_address_of_its_object() -> None:
    data: dict[str, object] = {"image/png": text(drawn("TIFF")), "text/plain": "<PIL.Image at 0x7F00>"}
    assert "0x7F00" not in read(ended(DisplayData(data))).text
    assert "a plot" in read(ended(DisplayData(data | {"text/plain": "a plot"}))).text


@behaviour("page:view:images")
def test_an_svg_is_an_image_too_so_that_its_scripts_never_run() -> None:
    svg = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
    reading = read(ended(DisplayData({"image/svg+xml": svg})))
    assert reading.images == [f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"]
    assert reading.foreign == []


@behaviour("page:view:images")
@pytest.mark.parametrize(
    "data",
    [
        {"image/png": "not base64 !"},
        {"image/png": base64.b64encode(b"<script>").decode()},
        {"image/png": ["a", 1]},
        {"image/png": 15},
        {"image/svg+xml": "no picture"},
        {"image/tiff": base64.b64encode(b"II*\0" + bytes(40)).decode()},
    ],
)
def test_what_is_no_image_is_not_shown_as_one(data: dict[str, object]) -> None:
    assert read(ended(DisplayData({**data, "text/plain": "instead"}))).images == []


@behaviour("page:view:text-for-the-rest")
@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"text/html": "<b>1</b>", "text/plain": "1"}, "1"),
        ({"text/html": "<b>1</b>"}, "(text/html)"),
        ({"text/latex": "$x$", "text/plain": "<Latex>"}, "$x$"),
        ({"text/markdown": ["# a\n", "b"], "text/plain": "<Markdown>"}, "# a\nb"),
        ({}, ""),
    ],
)
def test_rich_output_that_is_no_image_shows_as_text(data: dict[str, object], shown: str) -> None:
    assert read(ended(DisplayData(data))).text == f"x{shown}Done · 0.4 sCopy"


@behaviour("page:view:executed")
def test_what_bokehjs_and_holoviews_show_is_html_with_one_script() -> None:
    kind, html = "application/vnd.bokehjs_exec.v0+json", "<div id=p></div><script>Bokeh.embed()</script>"
    script: dict[str, object] = {"application/javascript": "Bokeh.embed()", kind: ""}
    load: dict[str, object] = {"application/javascript": "ours()", kind.replace("exec", "load"): "load()"}
    for data, parts in (
        (script, {"html": "", "script": "Bokeh.embed()"}),
        ({**script, "text/html": "<p>x</p>"}, {"html": "<p>x</p>", "script": "Bokeh.embed()"}),
        ({**script, "text/html": html}, {"html": html, "script": ""}),
        (load, {"html": "", "script": "load()"}),
    ):
        drawn = output_html.draw(DisplayData(data), Block())
        assert isinstance(drawn, ActiveOutput)
        assert drawn.data == parts
    assert isinstance(output_html.draw(DisplayData({kind: ""}), Block()), str)


@behaviour("page:view:long")
def test_of_a_long_output_the_ends_are_shown() -> None:
    text = read(ended(Stream("stdout", "a" * 100_000 + "z" * 100_000))).text
    assert "140,000 characters left out" in text
    assert text.startswith("xaaa")
    assert "zzz\x00" not in text
    assert len(text) < 61_000


texts = st.one_of(st.text(max_size=40), st.just(HOSTILE), st.just("\x1b[31m" + HOSTILE))
bundles = st.dictionaries(
    st.sampled_from(["text/plain", "text/html", "image/png", "image/svg+xml", "text/markdown", HOSTILE]),
    st.one_of(texts, st.integers(), st.lists(texts, max_size=2), st.none()),
    max_size=4,
)
outputs = st.one_of(
    st.builds(Stream, st.sampled_from(["stdout", "stderr"]), texts),
    st.builds(DisplayData, bundles, bundles),
    st.builds(Error, texts, texts, st.lists(texts, max_size=3).map(tuple)),
)
blocks = st.builds(
    Block,
    written=texts.map(lambda text: f"```python\n{text}"),
    source=texts,
    state=st.sampled_from(State),
    ticket=texts,
    outputs=st.lists(outputs, max_size=3).map(tuple),
    result=st.one_of(
        st.none(),
        st.builds(Result, st.lists(outputs, max_size=3).map(tuple), st.sampled_from(Status), detail=texts),
    ),
    read=texts,
    question=st.one_of(st.none(), st.builds(Question, texts, texts, st.booleans())),
)


@behaviour("page:view:escaped")
@given(blocks)
def test_whatever_a_block_holds_only_our_own_elements_come_of_it(block: Block) -> None:
    reading = Reading(block_html.block(block, Setting(30.0, HOSTILE)))
    assert reading.foreign == []
    assert all(source.startswith("data:image/") for source in reading.images)


READ = Refusal("read", "~/data/a&b.csv", Remedy.BUTTON, "/home/ada/data", "the folder ~/data")
KEY = Refusal("read", "~/.ssh/id_rsa")


@behaviour("page:refused")
def test_a_refusal_has_a_sentence_and_where_it_can_be_allowed_a_button() -> None:
    block = replace(ended(refusals=(READ, KEY)), ticket="t")
    html = block_html.look(block, SETTING).refused
    assert "<b>This block may not read ~/data/a&amp;b.csv.</b>" in html
    assert "</b> Allow code in this chat to read the folder ~/data?</p><button" in html
    assert 'title="Allows exactly this, and runs the block again"' in html
    assert (
        "<b>This block may not read ~/.ssh/id_rsa.</b> Secrets or programs may lie there or beside it; "
        "see the setting sandbox_read.</p></div>"
    ) in html
    assert html.count("<button") == 1
    assert f'data-cr="allow" data-cr-ticket="{block.allowing(READ)}"' in html
    assert read(block).foreign == []


@behaviour("page:refused:granted")
def test_what_was_allowed_in_another_way_has_no_button_that_allows_it() -> None:
    block = replace(ended(refusals=(READ, KEY)), ticket="t")
    html = block_html.look(block, SETTING, granted={READ}).refused
    assert (
        "<b>This block could not read ~/data/a&amp;b.csv.</b> Code in this chat may read the folder ~/data "
        'now.</p><button type="button" class="cr-main" data-cr="again" data-cr-ticket="t">Run again</button>'
    ) in html
    assert "Allow for this chat" not in html
    assert "<b>This block may not read ~/.ssh/id_rsa.</b>" in html
    inner = replace(block, repeat=True, of="first")
    assert 'data-cr-ticket="first">Run again' in block_html.look(inner, SETTING, granted={READ}).refused


@behaviour("page:refused")
def test_what_is_lost_and_what_is_not_told_one_by_one_is_said() -> None:
    lost = Refusal("write", "~/report.csv", lost=True, more=2)
    html = block_html.look(ended(refusals=(READ, lost)), SETTING).refused
    assert (
        "<b>This block may not write to ~/report.csv; what it writes there is not kept.</b> Secrets" in html
    )
    assert html.endswith("<p>2 more accesses were refused.</p></div>")


@behaviour("page:refused")
def test_a_button_allows_what_it_names_and_nothing_else() -> None:
    block = replace(ended(refusals=(READ, KEY)), ticket="t")
    other = replace(READ, grant="/home/ada")
    assert block.allowed(block.allowing(READ)) == READ
    assert [block.allowed(ticket) for ticket in ("t", "", block.allowing(KEY), block.allowing(other))] == [
        None
    ] * 4


@behaviour("page:refused")
def test_a_block_that_was_run_again_leaves_the_refusals_to_its_latest_run() -> None:
    again = replace(ended(refusals=(READ,)), repeat=True, of="t", ticket="own")
    block = replace(ended(refusals=(READ, KEY)), ticket="t", again=again)
    assert block_html.look(block, SETTING).refused == ""
    assert block.allowing(READ) in block_html.look(again, SETTING).refused
    assert block.allowed(again.allowing(READ)) == READ
    runs = replace(block, again=replace(again, state=State.RUNNING, result=None))
    assert runs.allowed(again.allowing(READ)) is None


@behaviour("blocks:code:language")
@pytest.mark.parametrize(
    ("fence", "coloured"),
    [
        ("```r\nx <- TRUE\n", "<span class=cr-k>TRUE</span>"),
        ("   ~~~~ {r, echo=FALSE}\nx <- TRUE\n", "<span class=cr-k>TRUE</span>"),
        ("- ```ts\nconst x = 1\n", "<span class=cr-k>const</span>"),
        ("```python\ndef f(): pass\n", "<span class=cr-k>def</span>"),
        ("```oddish\nif 1\n", "if 1"),
    ],
)
def test_code_is_coloured_in_the_language_of_its_fence(fence: str, coloured: str) -> None:
    assert coloured in block_html.look(Block(written=fence), Setting()).code


@behaviour("blocks:code:language")
def test_a_block_that_the_kernel_does_not_speak_says_so_and_is_not_offered_again() -> None:
    unfit = Result(status=Status.UNFIT, detail="this kernel speaks R")
    shown = block_html.block(Block(source="1", state=State.ENDED, ticket="t", result=unfit), Setting())
    assert "<b>Not run</b> · this kernel speaks R" in shown
    assert "Run again" not in shown
