"""Conversations as notebooks: real Jupyter tools read them, and they come back as they were."""

import json
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coderunner.__main__ import main
from coderunner.errors import NoSuchConversation, NotANotebook
from coderunner.kernel.widgets.widget_models import VIEW, unkept
from coderunner.outputs import (
    Aftermath,
    DisplayData,
    Error,
    ExecuteResult,
    MadeFile,
    Omission,
    Result,
    Status,
    Stream,
)
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import MEMORY, Database
from coderunner.records.database.conversation_queries import StoredConversation, StoredMessage
from coderunner.records.database.message_json import Kind, MessagePart
from coderunner.records.database.output_json import LARGE
from coderunner.records.database.run_queries import Key
from coderunner.records.notebook_format import WIDGETS
from coderunner.records.run_registry import Records
from coderunner.runner import (
    find_chat,
    from_notebook,
    label_of,
    missing_words,
    open_records,
    pieces_in,
    to_notebook,
)
from tests.behaviours import behaviour

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAADUlEQVR4nGNgGAWkAwABMgABn5GIfgAAAABJRU5ErkJggg=="
SUM = Result((Stream("stdout", "15\n"),), execution_count=3, duration=0.25)
SHOWN = Result(
    (
        Stream("stderr", "careful\n"),
        DisplayData({"image/png": PIXEL, "text/plain": "<Figure>"}, {"needs_background": "light"}),
        DisplayData({"application/json": {"x": float("nan")}, "text/plain": "<JSON>"}),
        ExecuteResult({"text/plain": "1", "text/html": "<b>1</b>"}, execution_count=4),
        Stream("stdout", "head\ntail\n", Omission(at=5, lines=2, characters=2000)),
    ),
    execution_count=4,
)
FAILED = Result(
    (Error("ZeroDivisionError", "division by zero", ("\x1b[31mTraceback\x1b[0m", "1 / 0")),),
    Status.ERROR,
    execution_count=5,
)
LATE = Result((), Status.TIMEOUT, Aftermath.READY, 6, 30.0, "the limit is 30 s")
SKIPPED = Result(status=Status.DECLINED)


def block(code: str, ordinal: int, end: Result | None = None) -> MessagePart:
    return MessagePart(Kind.BLOCK, f"```python\n{code}\n```\n", "Result: …\n", ordinal, end)


@pytest.fixture
def records() -> Iterator[Records]:
    book = Records(Database(MEMORY))
    yield book
    book.close()


@pytest.fixture
def chat(records: Records) -> StoredConversation:
    """A conversation with all that a notebook has a place for, and some that it has not."""
    ran = (("print(10 + 5)", SUM), ("show()", SHOWN), ("1 / 0", FAILED), ("wait()", LATE))
    for ordinal, (code, result) in enumerate(ran):
        entry = records.claim(Key("label", "reply", ordinal), code)
        assert isinstance(entry, ActiveRun)
        assert entry.send()
        entry.finish(result)
    pieces = (
        MessagePart(Kind.THOUGHT, "Easy."),
        MessagePart(Kind.PROSE, "Let me *compute* that.\n\n"),
        *(block(code, ordinal) for ordinal, (code, _) in enumerate(ran)),
        block("drop()", 4, SKIPPED),
        MessagePart(Kind.PROSE, "So it is 15."),
        MessagePart(Kind.NOTICE, "The reply was stopped."),
    )
    text = "".join(piece.text + piece.read for piece in pieces if piece.kind is not Kind.THOUGHT)
    records.conversations.keep(
        "talk", "label", (StoredMessage("user", "10 + 5?"), StoredMessage("assistant", text, pieces, "reply"))
    )
    assert records.settle()
    return find_chat(records, "talk")


def read(text: str) -> Any:
    """A notebook as Jupyter reads it: a warning is an error."""
    import nbformat  # here: its import takes seconds, in each worker

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        return notebook


def converted(notebook: Any, **options: str) -> str:
    """The page that Jupyter makes of it."""
    from nbconvert import HTMLExporter  # the same

    page: str = HTMLExporter(**options).from_notebook_node(notebook)[0]
    return page


@behaviour("notebooks:export:real")
def test_a_conversation_is_a_notebook_with_what_its_cells_really_showed(chat: StoredConversation) -> None:
    notebook = read(to_notebook(chat))
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        ("markdown", "**You:** 10 + 5?"),
        ("markdown", "<details><summary>Thought</summary>\n\nEasy.\n\n</details>"),
        ("markdown", "Let me *compute* that."),
        ("code", "print(10 + 5)"),
        ("code", "show()"),
        ("code", "1 / 0"),
        ("code", "wait()"),
        ("markdown", "*stopped at the time limit; variables are kept; the limit is 30 s*"),
        ("code", "drop()"),
        ("markdown", "*not run: it was declined*"),
        ("markdown", "So it is 15."),
        ("markdown", "*The reply was stopped.*"),
    ]
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [3, 4, 5, 6, None]
    assert cells[0].outputs == [{"output_type": "stream", "name": "stdout", "text": "15\n"}]
    assert [output.output_type for output in cells[1].outputs] == [
        "stream",
        "display_data",
        "display_data",
        "execute_result",
        "stream",
    ]
    assert cells[1].outputs[1].data == {"image/png": PIXEL, "text/plain": "<Figure>"}
    assert cells[1].outputs[2].data["application/json"] == {"x": None}
    assert cells[1].outputs[4].text == "head\n\n… 2 lines, 2,000 characters left out …\ntail\n"
    assert cells[2].outputs[0].ename == "ZeroDivisionError"
    assert notebook.metadata.kernelspec.name == "python3"


@behaviour("notebooks:export:opens")
def test_jupyter_converts_the_notebook_without_a_warning(chat: StoredConversation) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = converted(read(to_notebook(chat)), template_name="basic")
    assert PIXEL in page
    assert "Traceback" in page


@behaviour("notebooks:export:named")
def test_a_conversation_is_found_by_its_title_and_nothing_is_guessed(
    chat: StoredConversation, records: Records
) -> None:
    records.conversations.keep("other", "x", (StoredMessage("user", "10 + 6?"),))
    records.settle()
    assert find_chat(records, "10 + 5?").id == find_chat(records, "+ 5").id == chat.id
    with pytest.raises(
        NoSuchConversation, match=r"several .* '10 \+'; name one by its id:\n  other  10 \+ 6\?\n  talk"
    ):
        find_chat(records, "10 +")
    for number in range(12):
        records.conversations.keep(f"more-{number}", "x", (StoredMessage("user", "Hello"),))
    records.settle()
    with pytest.raises(NoSuchConversation) as told:
        find_chat(records, "nobody")
    first, *listed, last = str(told.value).splitlines()
    assert (first, len(listed), last) == (
        "no conversation is called 'nobody'; the latest are:",
        10,
        "  and 4 more",
    )


@behaviour("notebooks:export:runs")
def test_runs_of_which_nothing_was_said_are_a_notebook_too(records: Records) -> None:
    entry = records.claim(Key("work", "call", 0), "print(10 + 5)")
    assert isinstance(entry, ActiveRun)
    assert entry.send()
    entry.finish(SUM)
    records.settle()
    (cell,) = read(to_notebook(find_chat(records, "work"))).cells
    assert (cell.source, cell.execution_count, cell.outputs[0].text) == ("print(10 + 5)", 3, "15\n")


@behaviour("notebooks:export:files")
def test_a_cell_names_the_files_that_it_made(records: Records) -> None:
    entry = records.claim(Key("work", "call", 0), "table.to_csv('out.csv')")
    assert isinstance(entry, ActiveRun)
    assert entry.send()
    entry.finish(replace(SUM, files=(MadeFile("out.csv", 8, 1), MadeFile("d/b.png", 9, 1, new=False))))
    records.settle()
    (cell,) = read(to_notebook(find_chat(records, "work"))).cells
    assert cell.metadata.coderunner.files == [
        {"path": "out.csv", "size": 8, "new": True},
        {"path": "d/b.png", "size": 9, "new": False},
    ]


GONE = "[an output is not in the records any more]\n"


def of_replies(*reads: tuple[str, Result | None]) -> StoredConversation:
    """A conversation of which the records have no run: what the model read of each block, and its end."""
    blocks = tuple(
        MessagePart(Kind.BLOCK, f"```python\n{at}\n```\n", *each[:1], at, each[1])
        for at, each in enumerate(reads)
    )
    return StoredConversation("talk", "Talk", "label", (StoredMessage("assistant", "", blocks, "reply"),), ())


@behaviour("notebooks:export:missing")
def test_a_cell_says_where_the_records_lack_what_it_showed_and_so_does_the_command() -> None:
    chat = of_replies(
        ("Result: 15\n", Result()),
        ("Result:\n```output\na\nb\n```\n", None),
        ("Result: (no output)\n", Result()),
        ("Result: (not run: it was declined)\n", SKIPPED),
        ("", None),
    )
    texts = [cell.source for cell in read(to_notebook(chat)).cells]
    note = "*what it showed is not in the records any more; the model read:*\n\n"
    assert texts == [
        *("0", f"{note}Result: 15", "1", f"{note}Result:\n```output\na\nb\n```"),
        *("2", "3", "*not run: it was declined*", "4"),
    ]
    lacks = "The notebook lacks what 2 blocks showed: it is not in the records any more."
    assert missing_words(chat) == lacks
    assert missing_words(of_replies(("Result: (no output)\n", Result()))) == ""


@behaviour("notebooks:export:language")
@pytest.mark.parametrize(
    ("word", "kernel", "language", "extension"),
    [
        ("r", "ir", "R", ".R"),
        ("{r, echo=FALSE}", "ir", "R", ".R"),
        ("ts", "deno", "TypeScript", ".ts"),
        ("bash", "bash", "Bash", ".sh"),
        ("c++", "cpp", "C++", ".cpp"),
    ],
)
def test_a_notebook_is_in_the_language_of_its_blocks_and_others_are_no_cells(
    word: str, kernel: str, language: str, extension: str
) -> None:
    unfit = Result(status=Status.UNFIT, detail=f"this kernel speaks {language}")
    blocks = (
        MessagePart(Kind.BLOCK, "```python\n1\n```\n", "", 0, unfit),
        MessagePart(Kind.BLOCK, f"```{word}\n2\n```\n", "Result: (no output)\n", 1, Result()),
    )
    sayings = (StoredMessage("assistant", "", blocks, "reply"),)
    notebook = read(to_notebook(StoredConversation("talk", "Talk", "label", sayings, ())))
    metadata = notebook.metadata
    assert (metadata.kernelspec.name, metadata.kernelspec.language) == (kernel, language)
    assert (metadata.language_info.name, metadata.language_info.file_extension) == (language, extension)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        ("markdown", "```python\n1\n```"),
        ("markdown", f"*not run: this kernel speaks {language}*"),
        ("code", "2"),
    ]


@behaviour("notebooks:export:missing")
@pytest.mark.parametrize(
    "harm",
    [
        "delete from coderunner_blobs",
        "update coderunner_blobs set text = '{}'",
        "update coderunner_outputs set text = '['",
    ],
)
def test_an_output_that_the_records_lost_is_told_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path))
    size = 100 if "outputs" in harm else LARGE
    outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * size}]
    cells = [{"cell_type": "code", "source": "x", "execution_count": 1, "outputs": outputs, "metadata": {}}]
    (tmp_path / "x.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    assert main(["import", str(tmp_path / "x.ipynb")]) == 0
    with closing(sqlite3.connect(tmp_path / "records" / "records.sqlite")) as database:
        database.execute(harm)
        database.commit()
    capsys.readouterr()
    assert main(["export", "x", "-"]) == 0
    told = capsys.readouterr()
    cell = next(cell for cell in read(told.out).cells if cell.cell_type == "code")
    assert [each.text for each in cell.outputs] == [GONE]
    assert (
        told.err == "coderunner: The notebook lacks what a block showed: it is not in the records any more.\n"
    )


@behaviour("notebooks:export:pieces")
def test_a_reply_is_taken_apart_by_what_ran_in_it(chat: StoredConversation) -> None:
    first, second, changed = chat.records[:3]
    text = (
        "One:\n````python\nprint(10 + 5)\n````\nResult: 15\nTwo:\n```py\nshow()\n```\n"
        "Result:\n```output\n1\n```\n(stopped)\n\n![figure](file/1.png)\n\nEnd. Result: no"
    )
    assert pieces_in(text, [first, second, changed]) == (
        MessagePart(Kind.PROSE, "One:\n"),
        MessagePart(Kind.BLOCK, "````python\nprint(10 + 5)\n````\n", "Result: 15\n", 0),
        MessagePart(Kind.PROSE, "Two:\n"),
        MessagePart(
            Kind.BLOCK,
            "```py\nshow()\n```\n",
            "Result:\n```output\n1\n```\n(stopped)\n\n![figure](file/1.png)\n",
            1,
        ),
        MessagePart(Kind.PROSE, "\nEnd. Result: no"),
        MessagePart(Kind.BLOCK, "", ordinal=2),
    )


@behaviour("notebooks:import:same")
def test_what_was_exported_comes_back_as_it_was(chat: StoredConversation, records: Records) -> None:
    identity = from_notebook(records, to_notebook(chat), "talk")
    copy = find_chat(records, identity)
    assert (copy.title, copy.label, len(copy.sayings)) == (chat.title, label_of(identity), 2)
    assert copy.sayings[0] == chat.sayings[0]
    seen = [
        (piece.kind, piece.text.strip("\n"))
        for piece in chat.sayings[1].pieces
        if piece.kind is not Kind.THOUGHT
    ]
    assert [(piece.kind, piece.text.strip("\n")) for piece in copy.sayings[1].pieces] == seen
    before, after = ([run.result for run in each.records] for each in (chat, copy))
    assert after[0] == before[0]
    assert after[2:] == before[2:]
    assert "Result: 15" in copy.sayings[1].text


FOREIGN: dict[str, Any] = {
    "cells": [
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 1,
            "source": ["x = 1\n", "x"],
            "outputs": [],
        },
        {"cell_type": "raw", "metadata": {}, "source": "raw"},
        {"cell_type": "markdown", "metadata": {}, "source": ["# Next\n", "more"]},
        {
            "cell_type": "code",
            "metadata": {"coderunner": {"status": "no such", "duration": "long"}},
            "execution_count": None,
            "source": "print('```')",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["`", "``\n"]},
                {
                    "output_type": "display_data",
                    "data": {"text/plain": ["a", "b"], "image/png": 7},
                    "metadata": {},
                },
                {"output_type": "unknown"},
                "no object",
            ],
        },
        {"cell_type": "code", "metadata": {}, "execution_count": None, "source": "later()", "outputs": []},
    ],
    "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@behaviour("notebooks:import:foreign")
def test_a_notebook_of_anybodys_becomes_a_conversation(records: Records) -> None:
    chat = find_chat(records, from_notebook(records, json.dumps(FOREIGN), "analysis"))
    assert chat.title == "analysis"
    assert [(stored.role, stored.text) for stored in chat.sayings if stored.role == "user"] == [
        ("user", "analysis"),
        ("user", "# Next\nmore"),
    ]
    assert [run.code for run in chat.records] == ["x = 1\nx\n", "print('```')\n"]
    assert chat.records[1].result == Result(
        (Stream("stdout", "```\n"), DisplayData({"text/plain": "ab"})), execution_count=None
    )
    assert [piece.text for piece in chat.sayings[1].pieces][1:] == ["```raw\nraw\n```\n"]
    last = chat.sayings[-1]
    assert last.pieces[0].text == "````python\nprint('```')\n````\n"
    assert last.pieces[1].end == Result(status=Status.UNRUN)


SLIDER = {
    "model_name": "IntSliderModel",
    "model_module": "@jupyter-widgets/controls",
    "model_module_version": "2.0.0",
    "state": {"value": 7, "max": float("inf"), "layout": "IPY_MODEL_b"},
}
LAYOUT = {
    "model_name": "LayoutModel",
    "model_module": "@jupyter-widgets/base",
    "model_module_version": "2.0.0",
    "state": {"width": "10px"},
    "buffers": [{"path": ["data"], "encoding": "base64", "data": "AQID"}],
}
STATES = {"version_major": 2, "version_minor": 0, "state": {"a": SLIDER, "b": LAYOUT, "c": LAYOUT}}
VIEWED = Result(
    (DisplayData({VIEW: {"model_id": "a", "version_major": 2, "version_minor": 0}, "text/plain": "slider"}),),
    execution_count=1,
)


@behaviour("notebooks:export:widgets")
def test_widgets_go_into_a_notebook_and_come_back_as_they_stood_last(records: Records) -> None:
    entry = records.claim(Key("work", "call", 0), "slider")
    assert isinstance(entry, ActiveRun)
    assert entry.send()
    entry.finish(VIEWED)
    entry.keep(json.dumps(STATES))
    records.settle()
    text = to_notebook(find_chat(records, "work"))
    notebook = read(text)
    states = notebook.metadata.widgets[WIDGETS].state
    assert (states.a.state.value, states.a.state.max, states.b.buffers[0].data) == (7, None, "AQID")
    page = converted(notebook)
    assert '"value": 7' in page
    back = find_chat(records, from_notebook(records, text, "copy"))
    (run,) = back.records
    assert run.result is not None
    assert run.result.outputs == VIEWED.outputs
    kept = {identity: (state, places) for identity, state, *places in unkept(run.widgets)}
    assert kept.keys() == {"a", "b"}  # what the cell shows, and what belongs to that
    assert kept["a"][0]["value"] == 7
    assert kept["b"][1] == [[["data"]], [b"\x01\x02\x03"]]


@behaviour("notebooks:export:widgets")
@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        {"a": 7},
        {"a": {"state": []}},
        {"a": {"state": {}, "buffers": [7]}},
        {"a": {"state": {}, "buffers": [{"path": ["x"], "data": "no base64"}]}},
        {"a": {"state": {}, "buffers": [{"path": ["constructor"], "data": "AQID"}]}},
        {"../a": SLIDER},
    ],
)
def test_states_that_make_no_sense_are_left_out(records: Records, state: object) -> None:
    cell = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": "slider",
        "outputs": [{"output_type": "display_data", "data": {VIEW: {"model_id": "a"}}, "metadata": {}}],
    }
    strange = FOREIGN | {"cells": [cell], "metadata": {"widgets": {WIDGETS: {"state": state}}}}
    (run,) = find_chat(records, from_notebook(records, json.dumps(strange), "x")).records
    assert run.widgets == ""


@behaviour("notebooks:import:refused")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no", "it is not JSON"),
        ("[]", "it has no cells"),
        ('{"worksheets": []}', "the notebook is empty"),
        ('{"worksheets": 7}', "it has no cells"),
        ('{"cells": []}', "the notebook is empty"),
        (b"\x1f\x8b\x08\x00", "a compressed file, not a notebook; unpack it"),
        (b"\xff\xfe\x00\xd8", "it is not in UTF"),
        (b"PK\x03\x04\xff", "this is not a notebook"),
        ("[" * 60_000, "nested more than 256 levels deep"),
        ('{"cells": [' + "[" * 5_000 + "]" * 5_000 + "]}", "nested more than 256 levels deep"),
        (b"[" + b" " * (100 * 2**20), "larger than 100 MB; clear some"),
    ],
    ids=range(11),
)
def test_what_is_no_notebook_of_ours_is_refused(records: Records, text: str | bytes, said: str) -> None:
    with pytest.raises(NotANotebook, match=said):
        from_notebook(records, text, "title")
    assert records.conversations.cards() == []


@behaviour("notebooks:command:both-ways")
def test_the_command_line_imports_and_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "analysis.ipynb").write_text(json.dumps(FOREIGN))
    assert main(["import", "analysis.ipynb"]) == 0
    identity, said = (text.strip() for text in capsys.readouterr())
    assert said.startswith(
        f"coderunner: analysis.ipynb is the conversation {identity}; coderunner app lists it"
    )
    assert main(["export", "analysis", "out.ipynb"]) == 0
    assert main(["export", identity, "-"]) == 0
    assert capsys.readouterr().out == (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert len(read((tmp_path / "out.ipynb").read_text(encoding="utf-8")).cells) == 6
    assert main(["export", "analysis", "out.ipynb"]) == 2
    assert main(["export", "nobody", "new.ipynb"]) == 2
    assert main(["import", "nowhere.ipynb"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "coderunner: out.ipynb already exists; choose another name"
    assert told[1:3] == [
        "coderunner: no conversation is called 'nobody'; the latest are:",
        f"  {identity}  analysis",
    ]
    assert told[3] == "coderunner: nowhere.ipynb cannot be read: No such file or directory"
    assert main(["export", "analysis"]) == 2
    assert "such as chat.ipynb" in capsys.readouterr().err
    records = open_records("", tmp_path / "data")
    assert [summary.id for summary in records.conversations.cards()] == [identity]
    records.close()


@behaviour("notebooks:command:list")
def test_export_without_a_name_lists_the_conversations_the_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path / "data"))
    assert main(["export"]) == 0
    assert capsys.readouterr().out == "There are no conversations yet.\n"
    for name in ("one", "two"):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(FOREIGN))
    assert main(["import", "one.ipynb", "two.ipynb"]) == 0
    one, two = capsys.readouterr().out.split()
    assert main(["export"]) == 0
    titles, *rows = (line.split() for line in capsys.readouterr().out.splitlines())
    assert titles == ["id", "changed", "title"]
    assert [(row[0], row[-1]) for row in rows] == [(two, "two"), (one, "one")]


@behaviour("notebooks:command:several")
def test_the_command_line_imports_several_and_names_the_one_that_it_cannot_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "analysis.ipynb").write_text(json.dumps(FOREIGN))
    (tmp_path / "broken.ipynb").write_text("{}")
    assert main(["import", "nowhere.ipynb", "broken.ipynb", "analysis.ipynb"]) == 2
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    assert [line.split(": ")[1] for line in told.err.splitlines()[:2]] == [
        "nowhere.ipynb cannot be read",
        "broken.ipynb",
    ]


@behaviour("notebooks:export:tags")
def test_text_in_angle_brackets_is_read_in_a_notebook_and_comes_back_as_it_was(records: Records) -> None:
    asked, told = "What is List<int>?", "Run it with <port> set, `x<y>` and <b>care</b>."
    said = (
        StoredMessage("user", asked),
        StoredMessage("assistant", told, pieces=(MessagePart(Kind.PROSE, told),), reply="r"),
    )
    text = to_notebook(StoredConversation("an-id-of-22-characters", "Tags", "a-label", said, ()))
    page = converted(read(text))
    assert "List&lt;int&gt;" in page
    assert "&lt;port&gt; set" in page
    back = find_chat(records, from_notebook(records, text, "Tags"))
    assert [stored.text.strip() for stored in back.sayings] == [asked, told]
