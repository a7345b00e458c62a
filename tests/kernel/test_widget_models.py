"""Widgets: their models as a kernel tells of them, what is shown of them, and what a page may say to them."""

import json
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Server, Session, Sessions
from coderunner.kernel.widgets import output_capture, widget_models
from coderunner.kernel.widgets.binary_framing import pack, unpack
from coderunner.kernel.widgets.custom_messages import LARGEST, MOST, WHOLE, CustomMessage, CustomMessages
from coderunner.kernel.widgets.page_messages import sendable
from coderunner.kernel.widgets.widget_models import Update, WidgetModels, update_of
from coderunner.kernel.widgets.widget_panel import SavedPanel, WidgetPanel
from coderunner.outputs import Result, Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen

# --- states, folded


def model(**state: object) -> Update:
    return Update(state, {})


def made(**models: Update) -> WidgetModels:
    its = WidgetModels()
    for identity, update in models.items():
        assert its.open(identity, update)
    return its


@behaviour("widgets:state:folded")
def test_a_state_is_what_was_last_said_of_each_part_bytes_included() -> None:
    its = made(a=Update({"value": 1, "list": [None]}, {("list", 0): b"old", ("image",): b"png"}))
    its.update("a", model(value=2))
    its.update("a", Update({"list": [None, None]}, {("list", 1): b"new"}))
    its.update("nobody", model(value=3))
    assert its["a"].state == {"value": 2, "list": [None, None]}
    assert its["a"].buffers == {("list", 1): b"new", ("image",): b"png"}
    assert its["a"].part(["image", "value"]) == ({"value": 2}, [("image",)], [b"png"])


@behaviour("widgets:state:nonsense")
@pytest.mark.parametrize(
    "data",
    [
        {},
        {"state": []},
        {"state": {}, "buffer_paths": [["a"]]},
        {"state": {}, "buffer_paths": [[]]},
        {"state": {}, "buffer_paths": [[1]]},
        {"state": {}, "buffer_paths": [["a", None]]},
        {"state": {}, "buffer_paths": [["constructor"]]},
        {"state": {}, "buffer_paths": "a"},
    ],
)
def test_what_is_no_state_is_none(data: dict[str, object]) -> None:
    paths = data.get("buffer_paths")
    buffers = [b"x"] if paths and paths != [["a"]] else []
    assert update_of(data, buffers) is None


@behaviour("widgets:reach:closed")
def test_a_view_reaches_its_parts_what_was_caught_in_it_and_links_to_them_and_no_more() -> None:
    view = {"data": {widget_models.VIEW: {"model_id": "caught"}}}
    its = made(
        part=model(value=1),
        caught=model(value=1),
        out=model(_model_name="OutputModel", outputs=[view]),
        box=model(children=["IPY_MODEL_part", {"deep": "IPY_MODEL_out"}]),
        linked=model(value=1),
        link=model(
            _model_name="LinkModel", source=["IPY_MODEL_part", "value"], target=["IPY_MODEL_linked", "value"]
        ),
        other=model(children=["IPY_MODEL_part"]),
        loop=model(children=["IPY_MODEL_loop"]),
    )
    assert its.reach(["box"]) == ["part", "caught", "out", "box", "linked", "link"]
    assert its.reach(["loop", "nobody"]) == ["loop"]
    its.update("box", model(children=[]))
    assert its.reach(["box"]) == ["box"]


@behaviour("widgets:reach:closed")
def test_what_is_drawn_nowhere_and_points_at_what_is_reached_is_reached() -> None:
    its = made(
        shown=model(_view_name="LabelView"),
        away=model(_view_name="LabelView"),
        watch=model(_view_name=None, source="IPY_MODEL_shown"),
        other=model(_view_name=None, source="IPY_MODEL_away"),
        box=model(_view_name="BoxView", children=["IPY_MODEL_shown"]),
    )
    assert its.reach(["shown"]) == ["shown", "watch"]
    its.update("other", model(source="IPY_MODEL_shown"))
    assert its.reach(["shown"]) == ["shown", "watch", "other"]


@behaviour("widgets:said:bounded")
def test_what_was_said_is_kept_in_order_the_oldest_goes_and_all_of_a_model_that_is_closed() -> None:
    its = made(a=model(), b=model())
    assert its.said.add(CustomMessage("a", 0, "first")).number < its.said.add(CustomMessage("b", 0, 1)).number
    for number in range(MOST + 5):
        its.said.add(CustomMessage("a", 0, number))
    assert [each.content for each in its.said.of(["b", "a"])] == [1, *range(5, MOST + 5)]
    its.close("a")
    assert its.said.of(["a"]) == []
    large = LARGEST // 2
    for _ in range(4):
        its.said.add(CustomMessage("b", 0, None, [b"x" * large]))
    assert len(its.said.of(["b"])) == 1
    for number in range(2 * WHOLE // large):
        its.said.add(CustomMessage(f"model {number}", 0, None, [b"x" * large]))
    assert its.said.of(["b"]) == []
    assert sum(len(its.said.of([f"model {number}"])) for number in range(2 * WHOLE // large)) == 7


@behaviour("widgets:kept:again")
def test_what_was_said_is_written_down_with_its_number_and_told_once() -> None:
    message = CustomMessage("a", 7, {"draw": "ä"}, [b"\x00\xff"])
    text = widget_models.kept({"a": ({"value": 1}, {})}, said=[message])
    again = CustomMessages(5)
    for _ in range(2):
        for each in widget_models.said_in(text):
            again.put(each)
    assert again.of(["a"]) == [message]
    assert again.add(CustomMessage("a", 0, "next")).number == 8


@behaviour("widgets:state:bounded")
def test_what_is_too_much_is_not_kept_and_what_was_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget_models, "WHOLE", 1000)
    monkeypatch.setattr(widget_models, "MOST", 2)
    its = made(a=model(value="small"), b=Update({}, {("value",): b"x" * 600}))
    assert its.update("a", model(value="x" * 500)) == frozenset()
    assert its["a"].state == {"value": "small"}
    assert not its.open("c", model(value=1))
    assert not its.open("x" * 65, model(value=1))
    its.close("b")
    assert its.update("a", model(value="x" * 500)) == {"value"}
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    assert its.update("a", model(value=deep)) == frozenset()


@behaviour("widgets:kept:again")
def test_what_is_written_down_of_states_is_told_again() -> None:
    text = widget_models.kept({"a": ({"value": "ä\ud800"}, {("image", 0): b"\x00png"})})
    told = list(widget_models.unkept(text))
    assert told == [("a", {"value": "ä\ufffd"}, [["image", 0]], [b"\x00png"])]
    assert text.isascii()


@behaviour("widgets:parcel:round-trip")
@given(
    st.dictionaries(st.sampled_from(["t", "id"]), st.text(max_size=5)),
    st.lists(st.binary(max_size=9), max_size=3),
)
def test_a_parcel_comes_back_as_it_went(head: dict[str, object], buffers: list[bytes]) -> None:
    assert unpack(pack(head, buffers)) == ({**head, "sizes": [len(each) for each in buffers]}, buffers)


@behaviour("widgets:parcel:nonsense")
@given(st.binary(max_size=60))
def test_what_is_no_parcel_is_none(data: bytes) -> None:
    assert unpack(data) is None


# --- what a page may say


def said(identity: str, **data: object) -> dict[str, object]:
    return {"id": identity, "data": data}


FORGED = {
    "another's": said("foreign", method="update", state={"value": 1}),
    "another's, as a custom message": said("foreign", method="custom", content={"event": "click"}),
    "another's, smuggled in": said("own", method="update", state={"children": ["IPY_MODEL_foreign"]}),
    "another's, deep within": said(
        "own", method="update", state={"value": {"a": [{"b": "IPY_MODEL_foreign"}]}}
    ),
    "another's, as a view": said("own", method="update", state={"value": {"model_id": "foreign"}}),
    "what it catches": said("own", method="update", state={"msg_id": "request"}),
    "what it shows": said("own", method="update", state={"outputs": []}),
    "what it is": said("own", method="update", state={"_model_module": "evil"}),
    "how it is seen": said("own", method="update", state={"_view_name": "Evil"}),
    "a request for all": said("own", method="request_state"),
    "no method": said("own", state={"value": 1}),
    "no state": said("own", method="update"),
    "bytes without a place": {**said("own", method="update", state={}), "buffers": [b"x"]},
    "no model": said("", method="custom"),
    "nothing": {},
}


@behaviour("widgets:page:own-only")
@pytest.mark.parametrize("what", FORGED)
def test_a_page_speaks_to_its_own_models_and_names_no_others(what: str) -> None:
    head = FORGED[what]
    buffers = head.get("buffers")
    assert sendable(head, buffers if isinstance(buffers, list) else [], frozenset({"own", "part"})) is None


@behaviour("widgets:page:own-only")
def test_what_a_page_says_to_its_own_models_goes_on() -> None:
    update = said("own", method="update", state={"value": 1, "children": ["IPY_MODEL_part"]})
    assert sendable(update, [], frozenset({"own", "part"})) == {
        "method": "update",
        "state": {"value": 1, "children": ["IPY_MODEL_part"]},
        "buffer_paths": [],
    }


# --- with a kernel


class Looker:
    """A page that shows a panel: what it is told, and what it says."""

    def __init__(self, panel: WidgetPanel | SavedPanel) -> None:
        self.panel = panel
        self.told: list[tuple[dict[str, object], list[bytes]]] = []
        self._changed = threading.Condition()
        self._count = 0
        panel.watch(self._hear)

    def _hear(self, parcel: bytes) -> None:
        read = unpack(parcel)
        assert read is not None
        with self._changed:
            self.told.append(read)
            self._changed.notify_all()

    def wait_for(self, what: Callable[["Looker"], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: what(self), BOUND), self.told

    @property
    def models(self) -> dict[str, dict[str, object]]:
        """The states, as a page has them by now."""
        found: dict[str, dict[str, object]] = {}
        for head, _ in list(self.told):
            for each in head.get("models", ()):  # type: ignore[attr-defined]
                found[each["id"]] = dict(each["state"])
            if head["t"] == "update" and head["id"] in found:
                found[str(head["id"])].update(head["data"].get("state", {}))  # type: ignore[attr-defined]
        return found

    @property
    def live(self) -> bool:
        """What the page was told last of the kernel."""
        return bool([False, *[head["live"] for head, _ in self.told if "live" in head]][-1])

    def id_of(self, name: str) -> str:
        """The model of that kind."""
        self.wait_for(lambda its: any(each.get("_model_name") == name for each in its.models.values()))
        return next(key for key, each in self.models.items() if each.get("_model_name") == name)

    def state_of(self, name: str) -> dict[str, object]:
        identity = self.id_of(name)
        return self.models[identity]

    def say(self, identity: str, buffers: tuple[bytes, ...] = (), **data: object) -> str:
        """Say something, and wait until the kernel, or we, have done with it."""
        self._count += 1
        number = f"{id(self)}-{self._count}"
        self.panel.receive(pack({"id": identity, "mid": number, "data": data}, buffers))
        self.wait_for(lambda its: any(head.get("mid") == number for head, _ in its.told))
        return str(next(head["t"] for head, _ in self.told if head.get("mid") == number))

    def put(self, name: str, **state: object) -> str:
        return self.say(self.id_of(name), method="update", state=state)


def show(session: Session, source: str, later: Screen | None = None) -> tuple[Looker, Result]:
    """Run a cell that shows widgets, and look at them."""
    panel = WidgetPanel()
    result = session.begin(source, panel=panel, on_later=later).wait(BOUND)
    assert result is not None
    assert result.status is Status.OK, result
    return Looker(panel), result


def printed(session: Session, source: str) -> str:
    result = session.begin(source).wait(BOUND)
    assert result is not None
    return "".join(output.text for output in result.outputs if isinstance(output, Stream))


SLIDER = """
import ipywidgets as w
slider, label = w.FloatSlider(value=7), w.Label('square = 49')
def square(change): label.value = f'square = {change.new ** 2:g}'
slider.observe(square, 'value')
display(w.VBox([slider, label]))
"""


@behaviour("widgets:live:both-ways")
def test_a_slider_that_a_page_moves_reaches_the_program_and_its_answer_every_page(session: Session) -> None:
    one, _ = show(session, SLIDER)
    other = Looker(one.panel)
    assert other.state_of("FloatSliderModel")["value"] == 7
    assert one.put("FloatSliderModel", value=9) == "idle"
    for each in (one, other):
        each.wait_for(lambda its: its.state_of("LabelModel")["value"] == "square = 81")
        assert each.state_of("FloatSliderModel")["value"] == 9
    assert printed(session, "print(slider.value)") == "9.0\n"
    assert Looker(one.panel).state_of("LabelModel")["value"] == "square = 81"


@behaviour("widgets:live:bytes")
def test_bytes_go_both_ways(session: Session) -> None:
    source = "import ipywidgets as w\nimage, files = w.Image(value=bytes(range(256))), w.FileUpload()\n"
    page, _ = show(session, f"{source}display(image, files)")
    page.wait_for(lambda its: any(buffers for _, buffers in its.told))
    whole, buffers = next(each for each in page.told if each[1])
    places = [(one["id"], path) for one in whole["models"] for path in one["paths"]]  # type: ignore[attr-defined]
    assert (places, buffers) == ([(page.id_of("ImageModel"), ["value"])], [bytes(range(256))])
    file = {"name": "a", "type": "", "size": 3, "last_modified": 0}
    state, paths = {"value": [file]}, [["value", 0, "content"]]
    data: dict[str, object] = {"method": "update", "state": state, "buffer_paths": paths}
    assert page.say(page.id_of("FileUploadModel"), (b"\x00\xff!",), **data) == "idle"
    assert printed(session, "print(bytes(files.value[0].content))") == "b'\\x00\\xff!'\n"


@behaviour("widgets:output:caught")
def test_what_an_output_widget_catches_is_in_it_and_nowhere_else(session: Session) -> None:
    screen = Screen()
    source = (
        "import ipywidgets as w\n"
        "out, button = w.Output(), w.Button()\n"
        "with out: print('within'); display(w.IntProgress(value=3))\n"
        "def click(_):\n"
        "    out.clear_output(wait=True)\n"
        "    with out: print('clicked')\n"
        "    print('beside')\n"
        "button.on_click(click)\n"
        "print('outside')\ndisplay(w.VBox([out, button]))"
    )
    page, result = show(session, source, screen)
    assert [output.text for output in result.outputs if isinstance(output, Stream)] == ["outside\n"]
    page.wait_for(lambda its: "within" in str(its.state_of("OutputModel")["outputs"]))
    assert page.state_of("IntProgressModel")["value"] == 3
    assert "within" in printed(session, "print(out.outputs)")
    assert page.say(page.id_of("ButtonModel"), method="custom", content={"event": "click"}) == "idle"
    caught = [{"output_type": "stream", "name": "stdout", "text": "clicked\n"}]
    page.wait_for(lambda its: its.state_of("OutputModel")["outputs"] == caught)
    assert screen.wait_for("beside")
    assert printed(session, "print(out.outputs)") == f"{tuple(caught)}\n"


@behaviour("widgets:output:taken-leave")
def test_a_kernel_that_stays_when_we_go_knows_what_its_output_widgets_showed(
    there: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only our leave is in time to tell it.
    monkeypatch.setattr(output_capture, "CATCH", 60.0)
    gate, panel, before, after = tmp_path / "gate", WidgetPanel(), Sessions(), Sessions()
    source = (
        "import ipywidgets as w, os, time\nout = w.Output()\ndisplay(out)\nwith out:\n"
        f"    print('within', flush=True)\n    while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    )
    before.get("leave", there).begin(source, panel=panel)
    Looker(panel).wait_for(lambda its: "within" in str(its.state_of("OutputModel")["outputs"]))
    io_thread().call(before.close_all(), BOUND)
    gate.touch()
    try:
        assert "within" in printed(after.get("leave", there), "print(out.outputs)")
    finally:
        io_thread().call(after.close_all(keep=False), BOUND)


@behaviour("widgets:page:own-only")
def test_the_widgets_of_one_run_are_out_of_reach_from_another(session: Session) -> None:
    first, _ = show(session, SLIDER)
    second, _ = show(session, "box = w.HBox([w.IntText(value=5)])\nbox")
    slider = first.id_of("FloatSliderModel")
    assert slider not in second.models
    assert second.say(slider, method="update", state={"value": 50}) == "refused"
    assert second.put("HBoxModel", children=[f"IPY_MODEL_{slider}"]) == "refused"
    assert slider not in second.models
    assert printed(session, "print(slider.value, len(box.children))") == "7.0 1\n"


@behaviour("widgets:live:as-it-comes")
def test_what_a_program_changes_while_it_runs_is_told_as_it_comes(session: Session) -> None:
    panel = WidgetPanel()
    page = Looker(panel)
    source = (
        "import ipywidgets as w\nbar = w.IntProgress(max=300)\ndisplay(bar)\n"
        "for n in range(301): bar.value = n\ninput_box = w.Text()\nbox = w.VBox([])\ndisplay(box)\n"
        "box.children = [input_box]"
    )
    result = session.begin(source, panel=panel).wait(BOUND)
    assert result is not None
    page.wait_for(lambda its: any(each.get("value") == 300 for each in its.models.values()))
    assert len([1 for head, _ in page.told if head["t"] == "update"]) < 200
    page.id_of("TextModel")


@behaviour("widgets:kept:gone")
def test_when_the_kernel_is_gone_the_last_state_is_left_and_cannot_be_moved(session: Session) -> None:
    written: list[str] = []
    panel = WidgetPanel(written.append)
    session.begin(SLIDER, panel=panel).wait(BOUND)
    page = Looker(panel)
    page.put("FloatSliderModel", value=3)
    io_thread().call(session.restart(), BOUND)
    page.wait_for(lambda its: not its.live)
    session.begin("0").wait(BOUND)
    for each in (Looker(panel), Looker(SavedPanel(written[-1]))):
        assert each.state_of("LabelModel")["value"] == "square = 9"
        assert not each.live
    panel.receive(pack({"id": page.id_of("FloatSliderModel"), "mid": "x", "data": {}}))
    assert json.loads(written[-1])["version_major"] == 2


@behaviour("widgets:kept:gone")
def test_a_kernel_that_is_killed_lets_its_widgets_stand(session: Session) -> None:
    page, _ = show(session, SLIDER)
    page.wait_for(lambda its: its.live)
    result = session.begin("import os; os._exit(1)").wait(BOUND)
    assert result is not None
    page.wait_for(lambda its: not its.live)
    assert session.begin(f"'{uuid.uuid4().hex}'").wait(BOUND) is not None
    assert Looker(page.panel).state_of("FloatSliderModel")["value"] == 7
