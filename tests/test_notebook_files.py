"""Notebooks as programs of all kinds write them: each goes out again with its code, outputs and text."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coderunner.__main__ import main
from coderunner.errors import NotANotebook
from coderunner.kernel.widgets.widget_models import VIEW, unkept
from coderunner.outputs import ExecuteResult, Result, Stream
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import MEMORY, Database
from coderunner.records.database.conversation_queries import StoredConversation, StoredMessage
from coderunner.records.database.message_json import Kind, MessagePart
from coderunner.records.database.run_queries import Key
from coderunner.records.notebook_format import WIDGETS, YOU, code_in, fenced, unnamed
from coderunner.records.run_registry import Records
from coderunner.runner import find_chat, from_notebook, to_notebook
from tests.behaviours import behaviour

CORPUS = Path(__file__).parent / "corpora" / "notebooks"
FILES = sorted(CORPUS.glob("*.ipynb"))

Json = dict[str, Any]


@pytest.fixture
def records() -> Iterator[Records]:
    book = Records(Database(MEMORY))
    yield book
    book.close()


def back(records: Records, file: bytes | str) -> Json:
    """A notebook that was imported and exported again."""
    import nbformat  # here: its import takes seconds, in each worker

    chat = find_chat(records, from_notebook(records, file, "title"))
    text = to_notebook(chat)
    nbformat.validate(nbformat.reads(text, as_version=nbformat.NO_CONVERT))
    exported: Json = json.loads(text)
    return exported


def joined(value: object) -> object:
    return "".join(value) if isinstance(value, list) else value


def seen(output: Json) -> Json:
    """An output as a reader sees it, whichever way it is spelt."""
    data = {kind: each if "json" in kind else joined(each) for kind, each in output.get("data", {}).items()}
    return {"type": output["output_type"], "text": joined(output.get("text", "")), "data": data}


def code_of(notebook: Json) -> list[tuple[object, object, list[Json]]]:
    return [
        (joined(cell["source"]), cell["execution_count"], [seen(each) for each in cell["outputs"]])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def text_of(notebook: Json) -> str:
    texts = (joined(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] != "code")
    return "\n".join(unnamed(str(text)) for text in texts)


@behaviour("notebooks:files:corpus")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_notebook_comes_back_with_its_code_its_outputs_and_its_text(records: Records, file: Path) -> None:
    import nbformat

    data = file.read_bytes()
    # nbformat reads the older ones as they are meant.
    written = json.dumps(json.loads(data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8-sig")))
    meant = json.loads(nbformat.writes(nbformat.reads(written, as_version=4)))
    exported = back(records, data)
    assert code_of(exported) == code_of(meant)
    for cell in meant["cells"]:
        if cell["cell_type"] != "code":
            assert str(joined(cell["source"])).strip("\n") in text_of(exported)


def holds_something(cell: Json) -> bool:
    """Notebooks end with an empty cell, which is no part of a conversation."""
    return bool(str(joined(cell["source"])).strip() or cell["outputs"])


LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), max_size=4)
SOURCES = LINES.map("\n".join) | st.sampled_from(
    ["x\n", "x  ", "\n\n", "a\r\nb", "`" * 5, "```python\n1\n```", ">"]
)
OUTPUTS = st.lists(
    st.sampled_from(
        [
            {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
            {"output_type": "stream", "name": "stderr", "text": "a\r\n"},
            {"output_type": "display_data", "data": {"text/html": [], "text/plain": ""}, "metadata": {}},
            {"output_type": "display_data", "data": {"application/json": ["a", "b"]}, "metadata": {}},
            {
                "output_type": "execute_result",
                "data": {"text/plain": ["1"]},
                "execution_count": 3,
                "metadata": {},
            },
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a", "b"]},
        ]
    ),
    max_size=3,
)
CODE_CELLS = st.builds(
    lambda source, outputs, count: {
        "cell_type": "code",
        "metadata": {"jupyter": {"source_hidden": True}, "tags": ["a"]},
        "source": source,
        "outputs": outputs,
        "execution_count": count,
    },
    SOURCES | LINES.map(lambda lines: [f"{line}\n" for line in lines]),
    OUTPUTS,
    st.none() | st.integers(0, 100),
)


@behaviour("notebooks:files:round-trip")
@settings(max_examples=40, deadline=None)
@given(st.lists(CODE_CELLS, min_size=1, max_size=4).filter(lambda cells: any(map(holds_something, cells))))
def test_whatever_code_a_notebook_holds_comes_back_as_it_was(cells: list[Json]) -> None:
    records = Records(Database(MEMORY))
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 2}
    exported = back(records, json.dumps(notebook))
    records.close()
    assert code_of(exported) == code_of(notebook | {"cells": [*filter(holds_something, cells)]})


@behaviour("notebooks:files:round-trip")
@given(SOURCES)
def test_the_code_of_a_fence_is_the_code_that_was_put_into_it(source: str) -> None:
    assert code_in(fenced(source, "python")) == source


def made(*cells: Json, **metadata: object) -> str:
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def code(source: str | list[str], *outputs: Json, **metadata: object) -> Json:
    cell = {"cell_type": "code", "execution_count": 1, "outputs": outputs}
    return {**cell, "metadata": metadata, "source": source}


@behaviour("notebooks:files:languages")
@pytest.mark.parametrize(
    "metadata", [{"vscode": {"languageId": "r"}}, {"language": "r"}, {"kernel": "r"}], ids=str
)
def test_a_cell_in_another_language_is_text_and_no_block(records: Records, metadata: Json) -> None:
    said: list[str] = []
    shown = {"output_type": "stream", "name": "stdout", "text": "1"}
    file = made(code("summary(x)", shown, **metadata), code("1"))
    chat = find_chat(records, from_notebook(records, file, "x", said.append))
    assert [run.code for run in chat.records] == ["1\n"]
    assert chat.sayings[1].pieces[0].text == "```r\nsummary(x)\n```\n"
    assert said == ["Outputs of cells in other languages were left out: 1."]


@behaviour("notebooks:import:language")
@pytest.mark.parametrize(
    ("metadata", "fence", "title", "kernel"),
    [
        ({"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}, "r", "R", "ir"),
        ({"language_info": {"name": "R", "version": "4.2.2"}}, "r", "R", "ir"),
        ({"kernelspec": {"name": "ir"}}, "r", "R", "ir"),
        ({"kernelspec": {"name": "julia-1.9"}}, "julia", "Julia", "julia"),
        ({"kernelspec": {"name": "julia-1.9", "language": "julia"}}, "julia", "Julia", "julia"),
        ({"kernelspec": {"name": "deno", "language": "typescript"}}, "typescript", "TypeScript", "deno"),
        ({"kernelspec": {"name": "bash", "language": "bash"}}, "bash", "Bash", "bash"),
        ({"kernelspec": {"name": "xcpp17", "language": "C++17"}}, "cpp", "C++", "cpp"),
        ({"kernelspec": {"name": "odd", "language": "Oddish 2"}}, "oddish-2", "Oddish 2", "oddish-2"),
    ],
)
def test_a_notebook_of_another_language_keeps_it_and_what_it_showed(
    metadata: Json, fence: str, title: str, kernel: str, records: Records
) -> None:
    said: list[str] = []
    shown = {"output_type": "stream", "name": "stdout", "text": "15\n"}
    other = code("print(1)", shown, vscode={"languageId": "python"})
    own = code("more", shown, vscode={"languageId": fence})
    chat = find_chat(
        records, from_notebook(records, made(code("code", shown), other, own, **metadata), "x", said.append)
    )
    assert said == [
        f"This notebook is in {title}: to run its blocks again, choose a kernel that speaks {title}.",
        "Outputs of cells in other languages were left out: 1.",
    ]
    assert [run.code for run in chat.records] == ["code\n", "more\n"]
    texts = [piece.text for piece in chat.sayings[1].pieces]
    assert texts == [f"```{fence}\ncode\n```\n", "```python\nprint(1)\n```\n", f"```{fence}\nmore\n```\n"]
    assert "Result: 15" in chat.sayings[1].text
    back = json.loads(to_notebook(chat))
    assert back["metadata"]["kernelspec"]["name"] == kernel
    assert [cell["source"] for cell in back["cells"] if cell["cell_type"] == "code"] == ["code", "more"]


@behaviour("notebooks:files:kept")
def test_cells_of_no_known_kind_are_told(records: Records) -> None:
    said: list[str] = []
    from_notebook(records, made(code("1"), {"cell_type": "slide"}), "x", said.append)
    assert said == ["Cells of unknown types were left out: 1."]


@behaviour("notebooks:files:kept")
def test_raw_cells_come_back_and_a_notebook_of_them_alone_is_not_empty(records: Records) -> None:
    raw = {"cell_type": "raw", "metadata": {"format": "text/latex"}, "source": "$a$\n```\nb"}
    (cell,) = [each for each in back(records, made(raw))["cells"] if each["cell_type"] != "markdown"]
    assert (cell["cell_type"], cell["source"]) == ("raw", raw["source"])
    assert cell["metadata"]["format"] == "text/latex"


@behaviour("notebooks:files:kept")
def test_a_picture_that_is_attached_stands_below_its_text_and_is_no_text_for_the_model(
    records: Records,
) -> None:
    cell = {
        "cell_type": "markdown",
        "metadata": {},
        "source": "Look: ![](attachment:a.png)",
        "attachments": {"a.png": {"image/png": "AQID"}, "b.svg": {"image/svg+xml": "<svg/>"}},
    }
    chat = find_chat(records, from_notebook(records, made(cell, code("1")), "x"))
    assert chat.sayings[1].pieces[0].text == "![a.png](data:image/png;base64,AQID)"
    assert "base64" not in chat.sayings[1].text
    assert chat.sayings[1].pieces[1].text == "![b.svg](data:image/svg+xml;base64,PHN2Zy8+)"
    texts = [joined(each["source"]) for each in json.loads(to_notebook(chat))["cells"]]
    assert texts[1:] == ["![b.svg](data:image/svg+xml;base64,PHN2Zy8+)", "1"]


@behaviour("notebooks:files:attached")
@pytest.mark.parametrize(
    ("source", "name"),
    [("![x](attachment:a.png)", "a.png"), ("![](attachment:my%20%5B1%5D.png)", "my [1].png")],
)
def test_a_text_keeps_the_pictures_that_it_refers_to(records: Records, source: str, name: str) -> None:
    pictures = {name: {"image/png": "AQID"}}
    cell = {"cell_type": "markdown", "metadata": {}, "source": f"See\n\n{source}", "attachments": pictures}
    again = back(records, json.dumps(back(records, made(cell, code("1")))))
    assert [each.get("attachments") for each in again["cells"]] == [pictures, None]
    assert source in str(joined(again["cells"][0]["source"]))


@behaviour("notebooks:files:halves")
def test_a_character_of_which_the_halves_stand_in_two_lines_is_whole(records: Records) -> None:
    halves = ["x = '\ud83e", "\udd8a'\n", "y\ud83e"]
    shown = {"output_type": "stream", "name": "stdout", "text": ["\ud83e", "\udd8a"]}
    (cell,) = [each for each in back(records, made(code(halves, shown)))["cells"] if each.get("outputs")]
    assert joined(cell["source"]) == "x = '🦊'\ny\ufffd"
    assert joined(cell["outputs"][0]["text"]) == "🦊"


@behaviour("notebooks:files:kept")
def test_what_a_stream_of_another_name_holds_is_kept_and_told(records: Records) -> None:
    streams = [{"output_type": "stream", "name": name, "text": name} for name in ("stdin", "stderr", "log")]
    said: list[str] = []
    identity = from_notebook(records, made(code("1", *streams)), "x", said.append)
    assert said == ["What these streams hold is taken for stdout: log, stdin."]
    (run,) = find_chat(records, identity).records
    assert run.result is not None
    assert [(each.name, each.text) for each in run.result.outputs if isinstance(each, Stream)] == [
        ("stdout", "stdin"),
        ("stderr", "stderr"),
        ("stdout", "log"),
    ]


@behaviour("notebooks:files:kept")
def test_widgets_come_in_where_the_object_around_their_states_is_missing(records: Records) -> None:
    model = {"model_name": "LayoutModel", "model_module": "@jupyter-widgets/base", "state": {"width": "1px"}}
    shown = {"output_type": "display_data", "data": {VIEW: {"model_id": "a"}}, "metadata": {}}
    for widgets in ({WIDGETS: {"a": model}}, {WIDGETS: {"state": {"a": model}}}, {"a": model}):
        file = made(code("slider", shown), widgets=widgets)
        (run,) = find_chat(records, from_notebook(records, file, "x")).records
        assert [each[0] for each in unkept(run.widgets)] == ["a"]


@behaviour("notebooks:files:numbers")
@pytest.mark.parametrize("count", [10**25, -1, 1.5, True, "7"])
def test_a_count_beyond_all_numbers_is_none_and_the_cell_is_there(records: Records, count: Any) -> None:
    cell = code("1", {"output_type": "execute_result", "data": {"text/plain": "1"}, "execution_count": count})
    chat = find_chat(records, from_notebook(records, made({**cell, "execution_count": count}), "x"))
    (run,) = chat.records
    assert run.result is not None
    assert run.result.execution_count is None
    assert run.result.outputs == (ExecuteResult({"text/plain": "1"}),)


@behaviour("notebooks:files:refused")
def test_an_import_that_is_not_kept_does_not_say_that_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "a.ipynb"
    file.write_text(made(code("1")))
    (tmp_path / "data").write_text("a file in its place")
    assert main(["import", str(file)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "cannot save records" in told.err
    (tmp_path / "data").unlink()
    assert main(["import", str(file)]) == 0
    identity = capsys.readouterr().out.strip()
    database = sqlite3.connect(tmp_path / "data" / "records" / "records.sqlite")
    assert [row[0] for row in database.execute("SELECT id FROM coderunner_chats")] == [identity]
    database.close()


@behaviour("notebooks:files:refused")
@pytest.mark.parametrize("name", ["folder", "gone.ipynb"])
def test_what_is_no_file_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "folder").mkdir()
    assert main(["import", str(tmp_path / name)]) == 2
    assert "cannot be read" in capsys.readouterr().err


@behaviour("notebooks:export:current")
def test_what_was_edited_away_is_not_in_the_notebook(records: Records) -> None:
    for message in ("old", "new"):
        entry = records.claim(Key("label", message, 0), f"print('{message}')\n")
        assert isinstance(entry, ActiveRun)
        assert entry.send()
        entry.finish(Result())
    said = fenced("print('new')", "python")
    pieces = (MessagePart(Kind.BLOCK, said, "", 0),)
    records.conversations.keep(
        "talk", "label", (StoredMessage("user", "q"), StoredMessage("assistant", said, pieces, "new"))
    )
    assert records.settle()
    chat = find_chat(records, "talk")
    cells = json.loads(to_notebook(chat))["cells"]
    assert [cell["source"] for cell in cells] == [f"{YOU}q", "print('new')"]
    alone = StoredConversation("", "runs", "label", (), chat.records)
    assert len(json.loads(to_notebook(alone))["cells"]) == 2


def cell_of(kind: str, source: str, count: int | None = None) -> Json:
    ran: Json = {"execution_count": count, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source, **ran}


def sources(records: Records, *cells: Json) -> list[tuple[object, object]]:
    """The cells of a notebook after import and export."""
    file = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    back = json.loads(to_notebook(find_chat(records, from_notebook(records, file, "title"))))
    return [(cell["cell_type"], cell["source"]) for cell in back["cells"]]


@behaviour("notebooks:files:unrun")
def test_a_cell_that_has_not_run_is_a_cell_and_an_empty_one_is_none(records: Records) -> None:
    cells = [
        cell_of("markdown", "Sum it."),
        cell_of("code", "1 + 1"),
        cell_of("code", ""),
        cell_of("code", " \n"),
        cell_of("markdown", ""),
        cell_of("markdown", "\n"),
    ]
    assert sources(records, *cells) == [("markdown", "**You:** Sum it."), ("code", "1 + 1")]
    with pytest.raises(NotANotebook, match="is empty"):
        sources(records, cell_of("code", ""), cell_of("markdown", " "))


@behaviour("notebooks:files:unrun")
def test_of_a_cell_that_has_not_run_the_model_reads_that_and_not_that_it_was_declined(
    records: Records,
) -> None:
    file = json.dumps({"cells": [cell_of("code", "1")], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    chat = find_chat(records, from_notebook(records, file, "title"))
    assert chat.sayings[-1].text.endswith("Result: (not run: it was not run in the notebook)\n\n")


@behaviour("notebooks:files:markdown")
@pytest.mark.parametrize(
    "text",
    [
        "# A heading",
        "```proto\nmap<string, Feature> x;\n```",
        "- a\n- b",
        "1. a",
        "|a|\n|-|\n|1|",
        "> q",
        "a\n===",
    ],
)
def test_what_has_to_begin_a_line_begins_one(records: Records, text: str) -> None:
    exported = sources(records, cell_of("markdown", text))
    assert exported == [("markdown", f"**You:**\n\n{text}")]
    assert sources(records, cell_of("markdown", str(exported[0][1]))) == exported
