"""What widgets are at the end of a run, as a real kernel's own widgets say it."""

import re

import pytest

from coderunner.chat.results.result_text import for_model, for_tool, images
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.kernel.widgets.widget_models import Update, WidgetModels
from coderunner.kernel.widgets.widget_text import words
from coderunner.outputs import DisplayData, ExecuteResult
from coderunner.records.database.output_json import decode, encode
from tests.behaviours import behaviour
from tests.kernel.conftest import run


@pytest.fixture
def session(sessions: Sessions) -> Session:
    return sessions.get("words", Local("python3"))


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SHOWN = {
    "w.IntSlider(value=7, description='speed')": "IntSlider speed: 7",
    "w.FloatText(2.5)": "FloatText: 2.5",
    "w.Text('Ann', description='name')": "Text name: Ann",
    "w.Password(value='secret', description='key')": "Password key",
    "w.Checkbox(True, description='on')": "Checkbox on: yes",
    "w.Dropdown(options=['a', 'b'], value='b', description='pick')": "Dropdown pick: b (of a, b)",
    "w.SelectMultiple(options=['a', 'b', 'c'], value=['a', 'c'])": "SelectMultiple: a, c (of a, b, c)",
    "w.IntRangeSlider(value=(2, 5))": "IntRangeSlider: 2, 5",
    "w.Button(description='Go')": "Button Go",
    "w.HTML('<b>bold</b> &amp; plain')": "bold & plain",
    "w.DatePicker(value=__import__('datetime').date(2024, 1, 31))": "DatePicker: 2024-01-31",
    "w.IntProgress(value=3, max=9)": "IntProgress: 3 of 9",
    "w.VBox([w.Label('a'), w.HBox([w.Label('b'), w.Text('c')])])": "a\nb Text: c",
    "w.Tab([w.Label('a'), w.Label('b')], titles=['one', 'two'])": "one: a\ntwo: b",
}


@behaviour("widgets:words:state")
def test_each_widget_is_told_by_its_kind_its_label_and_its_value(session: Session) -> None:
    for source, said in SHOWN.items():
        result = run(session, f"import ipywidgets as w\n{source}")
        (shown,) = result.outputs
        assert shown.widget == said  # type: ignore[union-attr]
        assert decode(encode(shown)) == shown


@behaviour("widgets:words:state")
def test_a_widget_is_told_as_it_is_at_the_end_and_not_as_it_was_shown(session: Session) -> None:
    bar = run(session, "from tqdm.notebook import tqdm\nfor _ in tqdm(range(5), desc='rows'): pass")
    assert re.search(r"rows: 100% 5/5 \[", for_model(bar))
    moved = run(session, "import ipywidgets as w\nx = w.IntSlider()\ndisplay(x)\nx.value = 42")
    assert for_model(moved) == "Result: IntSlider: 42\n"
    calls = run(session, "@w.interact(k=(1, 8))\ndef f(k=3): print('k is', k)")
    assert "IntSlider k: 3\nk is 3" in for_model(calls)


DRAWS = """\
import ipywidgets as w
from base64 import b64decode
from IPython.display import Image
def draw(k=3):
    print("k is", k)
    display(Image(b64decode(PNG)))
"""


@behaviour("widgets:words:picture")
@pytest.mark.parametrize(
    ("shows", "said"),
    [
        ("w.interact(draw, k=(1, 8));", "IntSlider k: 3\nk is 3"),
        ("out = w.Output()\nwith out: draw()\nw.VBox([w.Label('a'), out])", "a\nk is 3"),
        ("out = w.Output()\nwith out: draw(); draw()\nout", "k is 3\nk is 3\n[image/png]"),
    ],
)
def test_the_picture_in_a_widget_is_its_picture(session: Session, shows: str, said: str) -> None:
    result = run(session, f"PNG = {PIXEL!r}\n{DRAWS}{shows}")
    (shown,) = [output for output in result.outputs if isinstance(output, DisplayData | ExecuteResult)]
    assert shown.widget == said
    assert shown.data["image/png"].strip() == PIXEL  # type: ignore[attr-defined]
    assert [str(image) for image in images(result)] == ["[image/png, 1×1, 70 bytes]"]
    text = for_model(result, pictures=["![a](b)"])
    assert text == f"Result:\n```output\n{said}\n```\n![a](b)\n"
    assert [str(each) for each in for_tool(result.outputs)] == [said, "[image/png, 1×1, 70 bytes]"]
    assert decode(encode(shown)) == shown


@behaviour("widgets:words:closed")
def test_a_widget_that_was_closed_is_not_told(session: Session) -> None:
    nested = (
        "from tqdm.notebook import tqdm\nfor _ in tqdm(range(3), desc='outer'):\n"
        "    for _ in tqdm(range(2), desc='inner', leave=False): pass"
    )
    said = for_model(run(session, nested))
    assert "inner" not in said
    assert said.count("outer: 100% 3/3") == 1
    closed = run(session, "import ipywidgets as w\nx = w.IntSlider()\ndisplay(x)\nx.close()")
    assert for_model(closed) == "Result: (no output)\n"


@behaviour("widgets:words:any")
def test_states_of_any_shape_are_told_somehow() -> None:
    widgets = WidgetModels()
    strange: tuple[object, ...] = (
        None,
        1.5,
        float("nan"),
        "x",
        ["IPY_MODEL_a", 3],
        {"year": "x"},
        [[1]],
        True,
    )
    for number, value in enumerate(strange):
        state = dict.fromkeys(("value", "description", "children", "titles", "outputs", "index"), value)
        for name in ("IntSliderModel", "TabModel", "OutputModel", "HBoxModel", "DropdownModel", 7):
            more = {
                "_model_name": name,
                "_model_module": "@jupyter-widgets/controls",
                "_options_labels": value,
            }
            widgets.open("a", Update({**state, **more}, {}))
            assert isinstance(words(widgets, "a"), str), (number, name)
    widgets.open("a", Update({"_model_name": "VBoxModel", "children": ["IPY_MODEL_a"] * 900}, {}))
    assert words(widgets, "a") == ""
