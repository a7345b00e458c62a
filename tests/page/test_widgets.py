"""Widgets in a real browser, with a real kernel: moved, seen in two tabs, loaded again, left by a kernel."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, FilePayload, FrameLocator, Locator, Page, expect

from coderunner.outputs import DisplayData, Stream
from coderunner.page.html.active_output import WIDGET
from coderunner.runner import SavedPanel
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS
from tests.page.host import block_of, frame_of, opened
from tests.page.stage import Shown, Stage
from tests.page.test_attacks import ATTACKS, CONTROL

pytestmark = [*MARKS, pytest.mark.timeout(240)]


SLIDER = """
slider, label = w.FloatSlider(value=7, description='n'), w.Label('square = 49')
def square(change): label.value = f'square = {change.new ** 2:g}'
slider.observe(square, 'value')
w.VBox([slider, label])
"""


def handle(frame: FrameLocator) -> Locator:
    return frame.get_by_role("slider").first


@behaviour("page:widgets:moved")
def test_a_slider_moves_in_the_browser_in_the_kernel_and_in_every_tab(browser: Browser, stage: Stage) -> None:
    shown = stage.show("slider", SLIDER)
    with opened(browser, stage.host) as page, opened(browser, stage.host) as other:
        for each in (page, other):
            expect(shown.in_frame(each).get_by_text("square = 49")).to_be_visible()
        for _ in range(5):
            handle(shown.in_frame(page)).press("ArrowRight")
        for each in (page, other):
            expect(shown.in_frame(each).get_by_text("square = 56.25")).to_be_visible()
            expect(handle(shown.in_frame(each))).to_have_attribute("aria-valuenow", "7.5")
        handle(shown.in_frame(other)).press("ArrowLeft")
        expect(handle(shown.in_frame(page))).to_have_attribute("aria-valuenow", "7.4")
        assert shown.printed("print(slider.value)") == "7.4\n"
        page.reload()
        expect(shown.in_frame(page).get_by_text("square = 54.76")).to_be_visible()
    assert stage.host.asked == []


@behaviour("page:widgets:gone")
def test_widgets_of_a_kernel_that_died_stand_as_they_did_and_cannot_be_moved(
    browser: Browser, stage: Stage
) -> None:
    shown = stage.show("killed", SLIDER)
    with opened(browser, stage.host) as page:
        frame = shown.in_frame(page)
        handle(frame).press("ArrowRight")
        expect(frame.get_by_text("square = 50.41")).to_be_visible()
        assert shown.session.begin("import os; os._exit(1)").wait(BOUND) is not None
        expect(frame.get_by_text("Not connected to a kernel")).to_be_visible()
        expect(frame.locator(".cr-widget > [inert]")).to_have_count(1)
        shown.session.begin("'another one'").wait(BOUND)
        # As a host shows it that was started anew: from what was written down.
        again = stage.host.show("kept", [shown.view], panel=SavedPanel(shown.kept[-1]))
        page.reload()
        for cell in (shown.cell, again):
            block_of(page, cell).scroll_into_view_if_needed()
            expect(frame_of(page, cell).get_by_text("square = 50.41")).to_be_visible()
            expect(frame_of(page, cell).get_by_text("Not connected to a kernel")).to_be_visible()


MOVED = """
def moved():
    slider, label = w.IntSlider(value=7), w.Label('square 49')
    slider.observe(lambda change: setattr(label, 'value', f'square {change.new ** 2}'), 'value')
    display(w.VBox([slider, label]))
"""


@behaviour("page:widgets:later")
def test_a_widget_that_a_callback_shows_after_the_end_of_its_cell_is_as_live_as_any(
    browser: Browser, stage: Stage
) -> None:
    button = "button = w.Button(description='more')\nbutton.on_click(lambda _: moved())\nbutton"
    shown = stage.show("callback", f"{MOVED}{button}")
    with opened(browser, stage.host) as page:
        shown.in_frame(page).get_by_role("button").click()
        expect(shown.in_frame(page).get_by_text("Output after the block ended")).to_be_visible()
        as_live_as_any(shown, page)


@behaviour("page:widgets:later")
def test_a_widget_that_a_thread_shows_after_the_end_of_its_cell_is_as_live_as_any(
    browser: Browser, stage: Stage
) -> None:
    gate = "gate = threading.Event()"
    work = "threading.Thread(target=lambda: (gate.wait(), print('by then'), moved())).start()"
    shown = stage.show("thread", f"{MOVED}import threading\n{gate}\n{work}\nprint('begun')")
    with opened(browser, stage.host) as page:
        block = block_of(page, shown.cell)
        expect(block.locator(".cr-out")).to_have_text("begun\n")
        shown.printed("gate.set()")
        expect(block.get_by_text("Output after the block ended")).to_be_visible()
        expect(block.locator(".cr-out").last).to_have_text("by then\n")
        as_live_as_any(shown, page)


def as_live_as_any(shown: Shown, page: Page) -> None:
    """It moves in the browser and in the kernel, and stands as it did after a reload."""
    handle(shown.in_frame(page)).press("ArrowRight")
    expect(shown.in_frame(page).get_by_text("square 64")).to_be_visible()
    page.reload()
    handle(shown.in_frame(page)).press("ArrowRight")
    expect(shown.in_frame(page).get_by_text("square 81")).to_be_visible()
    assert shown.host.asked == []


RED = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
MANY = """
import base64
from datetime import date
red = base64.b64decode('RED')
play, count = w.Play(max=3, interval=20), w.IntSlider()
link = w.jslink((play, 'value'), (count, 'value'))
files, text = w.FileUpload(), w.Text(value='größe')
tab = w.Tab([text, w.DatePicker(value=date(2026, 2, 3))], titles=['first', 'second'])
out, button = w.Output(), w.Button(description='press', icon='check')
def press(_):
    with out: print('pressed'); display(w.HTML('<i>shown within</i>'))
button.on_click(press)
box = w.VBox([tab, w.HBox([play, count]), w.Image(value=red, width=20), files, button, out])
box
"""


@behaviour("page:widgets:kinds")
def test_tabs_links_bytes_uploads_and_outputs_work(browser: Browser, stage: Stage) -> None:
    shown = stage.show("many", MANY.replace("RED", RED))
    with opened(browser, stage.host) as page:
        frame = shown.in_frame(page)
        frame.get_by_role("tab", name="second").click()
        expect(frame.locator("input[type=date]")).to_have_value("2026-02-03")
        expect(frame.locator("input[type=text]")).to_be_hidden()
        frame.get_by_role("tab", name="first").click()
        expect(frame.locator("input[type=date]")).to_be_hidden()
        frame.locator("input[type=text]").fill("größer")
        frame.get_by_title("Play").or_(frame.locator("button:has(.fa-play)")).first.click()
        expect(handle(frame)).to_have_attribute("aria-valuenow", "3.0")
        assert frame.locator(".widget-image, img").first.evaluate("image => image.naturalWidth") == 1
        file: FilePayload = {
            "name": "a.bin",
            "mimeType": "application/octet-stream",
            "buffer": bytes(range(256)) * 40,
        }
        with page.expect_file_chooser() as chooser:
            frame.get_by_role("button", name="Upload").click()
        chooser.value.set_files(file)
        expect(frame.get_by_text("Upload (1)")).to_be_visible()
        frame.get_by_role("button", name="press").click()
        expect(frame.locator(".widget-output i")).to_have_text("shown within")
        expect(frame.locator(".widget-output")).to_contain_text("pressed")
        same = "bytes(files.value[0].content) == bytes(range(256)) * 40"
        said = f"print(text.value, play.value, count.value, {same})"
        assert shown.printed(said) == "größer 3 3 True\n"
        page.reload()
        expect(shown.in_frame(page).locator(".widget-output i")).to_have_text("shown within")


@behaviour("page:widgets:kinds")
def test_interact_draws_anew_and_a_bar_of_tqdm_comes_to_its_end(browser: Browser, stage: Stage) -> None:
    source = (
        "@w.interact(k=(1, 8, 1))\ndef draw(k=2):\n    print('k is', k)\n"
        "from tqdm.notebook import tqdm\nfor _ in tqdm(range(5), desc='steps'): pass"
    )
    shown = stage.show("interact", source)
    with opened(browser, stage.host) as page:
        frame = shown.in_frame(page)
        expect(frame.locator(".widget-output")).to_have_text("k is 2")
        handle(frame).press("ArrowRight")
        expect(frame.locator(".widget-output")).to_have_text("k is 3")
        expect(frame.get_by_text("5/5")).to_be_visible()


@behaviour("page:widgets:unknown")
def test_what_cannot_be_shown_says_so_with_its_text(browser: Browser, stage: Stage) -> None:
    lost = DisplayData({WIDGET: {"model_id": "0" * 32}, "text/plain": "Lost()"})
    parts = ("_model_name", "_model_module", "_view_name", "_view_module")
    names = "".join(f"    {each} = Unicode('own').tag(sync=True)\n" for each in parts)
    own = f"from traitlets import Unicode\nclass Own(w.DOMWidget):\n{names}"
    source = f"{own}display(w.Label('good'))\nOwn()"
    shown = stage.show("unknown", source, lost, Stream("stdout", "after it\n"))
    with opened(browser, stage.host, complains=True) as page:
        frame = shown.in_frame(page)
        expect(frame.get_by_text("after it")).to_be_visible()
        expect(frame.get_by_text("good", exact=True)).to_be_visible()
        expect(frame.locator("pre").first).to_contain_text("Own()\n(own of own 2.0.0 is not supported here)")
        expect(frame.locator("pre").last).to_have_text("Lost()\n(widget model not found)")


ANY = """
import anywidget, traitlets
class Counter(anywidget.AnyWidget):
    _esm = '''
    export default { render({ model, el }) {
      const button = document.createElement("button");
      const draw = () => { button.textContent = `count ${model.get("value")}, told ${model.get("told")}`; };
      button.onclick = () => { model.set("value", model.get("value") + 1); model.save_changes(); };
      model.on("change:value", draw);
      model.on("change:told", draw);
      draw();
      el.append(button);
    } }'''
    _css = "button { color: rgb(1, 2, 3); }"
    value = traitlets.Int(3).tag(sync=True)
    told = traitlets.Int(3).tag(sync=True)
    @traitlets.observe("value")
    def _tell(self, change):
        self.told = change.new
counter = Counter()
counter
"""


@behaviour("page:widgets:any")
def test_an_anywidget_works_where_scripts_may_run_and_else_shows_its_text(
    browser: Browser, stage: Stage
) -> None:
    shown = stage.show("any", ANY)
    with opened(browser, stage.host) as page:
        button = shown.in_frame(page).get_by_role("button")
        expect(button).to_have_text("count 3, told 3")
        button.click()
        # The page counts at once, the program tells when it has.
        expect(button).to_have_text("count 4, told 4")
        expect(button).to_have_css("color", "rgb(1, 2, 3)")
        assert shown.printed("counter.value += 1; print(counter.value)") == "5\n"
        expect(button).to_have_text("count 5, told 5")
        block_of(page, shown.cell).get_by_label("More", exact=True).click()
        block_of(page, shown.cell).get_by_role("button", name="Disable scripts").click()
        expect(shown.in_frame(page).locator("pre")).to_contain_text(
            "the widget needs scripts, which are turned off"
        )


@behaviour("page:widgets:ipympl")
def test_a_figure_of_ipympl_says_where_the_mouse_is_in_it(browser: Browser, stage: Stage) -> None:
    source = "%matplotlib widget\nimport matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()"
    shown = stage.show("ipympl", source)
    with opened(browser, stage.host) as page:
        figure = shown.in_frame(page).locator(".jupyter-matplotlib-canvas-div canvas").last
        figure.hover(position={"x": 250, "y": 200})
        expect(shown.in_frame(page).get_by_text("(x, y) = (")).to_be_visible()


# A script in a block gets hold of the frame's door when that is used, and says there what it likes.
FORGE = """<p id=done></p><script>
const post = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (...what) { window.port = this; return post.apply(this, what); };
const parcel = (head) => {
  const text = new TextEncoder().encode(JSON.stringify({ sizes: [], mid: Math.random() + "", ...head }));
  const bytes = new Uint8Array(4 + text.length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, 4);
  return bytes.buffer;
};
const wait = setInterval(() => {
  if (!window.port) return;
  clearInterval(wait);
  const update = (id, state) => ({ id, data: { method: "update", state } });
  const custom = { id: "OTHER", data: { method: "custom", content: {} } };
  const heads = [update("OTHER", { value: 66 }), update("OWN", { children: ["IPY_MODEL_OTHER"] }),
    update("OWN", { _view_name: "x" }), custom, { id: 1 }, {}];
  for (const head of heads) window.port.postMessage({ t: "parcel", bytes: parcel(head) });
  for (const bytes of [new ArrayBuffer(0), new ArrayBuffer(3), new ArrayBuffer(99), "text", null, 5])
    window.port.postMessage({ t: "parcel", bytes });
  for (const t of ["draw", "run", "act", "watch", "__proto__", null])
    window.port.postMessage({ t, cell: "OTHER" });
  window.port.postMessage({ t: "parcel", bytes: parcel(update("OWN", { box_style: "danger" })) });
  done.textContent = "said";
}, 20);
</script>"""


@behaviour("page:widgets:forged")
def test_a_hostile_output_moves_no_widget_of_another_block(browser: Browser, stage: Stage) -> None:
    other = stage.show("other", "number = w.IntText(value=5)\nnumber")
    own = stage.show("own", "box = w.HBox([w.Label('mine')])\nbox")
    identities = own.printed("print(number.model_id, box.model_id)").split()
    forge = FORGE.replace("OTHER", identities[0]).replace("OWN", identities[1])
    stage.host.show("own", [DisplayData({"text/html": forge}), own.view], panel=own.panel)
    with opened(browser, stage.host) as page:
        frame = own.in_frame(page)
        expect(frame.locator("#done")).to_have_text("said")
        # The last thing that it said was its own to say, so all before that was heard.
        expect(frame.locator(".mod-danger, .alert-danger")).to_have_count(1)
        expect(other.in_frame(page).locator("input")).to_have_value("5")
        assert own.printed("print(number.value, len(box.children), box.box_style)") == "5 1 danger\n"
        expect(own.in_frame(page).locator("input")).to_have_count(0)


HOSTILE = """
hack = "<img src=x onerror='parent.parent.hacked = 1'><script>top.hacked = 1</" + "script>"
html = w.HTML(hack, description=hack, description_allow_html=True)
label = w.Label(hack, description=hack, tooltip=hack)
button = w.Button(description=hack, icon='x" onclick="top.hacked = 1', tooltip=hack)
button.add_class('a" onload="top.hacked = 1')
pick = w.Dropdown(options=[hack], description=hack)
layout = w.Layout(width='url(http://127.0.0.1:9/x)', border='1px solid red; background: url(http://127.0.0.1:9/y)')
loop = w.VBox([])
loop.children = [loop]
odd = w.IntSlider(value=3, min=0, max=5)
odd.send_state()
odd.comm.send({'method': 'update', 'state': {'constructor': 1, 'max': 'many'}})
misplaced = {'method': 'update', 'state': {'value': 4}, 'buffer_paths': [['constructor']]}
odd.comm.send(misplaced, buffers=[b'x'])
odd.comm.send({'method': 'custom', 'content': None})
display(w.VBox([html, label, button, pick, w.Text('fine', layout=layout)]))
display(odd)
display(w.Label('to the end'))
"""


@behaviour("page:widgets:hostile")
def test_a_hostile_state_stays_in_its_frame(browser: Browser, stage: Stage) -> None:
    shown = stage.show("hostile", HOSTILE)
    with opened(browser, stage.host, complains=True) as page:
        frame = shown.in_frame(page)
        expect(frame.get_by_text("to the end")).to_be_visible()
        expect(frame.locator("input[type=text]").first).to_have_value("fine")
        assert page.evaluate("[window.hacked, document.title]") == [None, "Host"]
    assert stage.host.asked == []


@behaviour("page:widgets:hostile")
def test_what_hostile_outputs_try_leads_nowhere_from_widgets_either(browser: Browser, stage: Stage) -> None:
    tried = [
        attack.source.replace("HIT/", f"{stage.host.address}/hit/")
        for attack in ATTACKS
        if attack.kind == "text/html" and not attack.group.startswith("leave by")
    ]
    source = (
        f"tried = {[*tried, CONTROL]!r}\n"
        "html = [w.HTML(each, description=each, description_allow_html=True) for each in tried[:-1]]\n"
        "out = w.Output(outputs=[dict(output_type='display_data', data={'text/html': each}, metadata={})\n"
        "    for each in tried])\nw.VBox([*html, out, w.Label('to the end')])"
    )
    shown = stage.show("tried", source)
    assert len(tried) > 40
    with opened(browser, stage.host, complains=True) as page:
        frame = shown.in_frame(page)
        # What one of them hides is all of this frame, and of no other.
        expect(frame.get_by_text("to the end")).to_be_attached()
        expect(frame.locator(".widget-output .control")).to_have_text("control ran")
        assert page.evaluate("[window.hacked, document.title, localStorage.hacked]") == [None, "Host", None]
    assert stage.host.asked == []


@contextmanager
def heard(page: Page) -> Iterator[list[str]]:
    """The files of ours that a page asks for."""
    names: list[str] = []
    page.on("request", lambda request: names.append(request.url.rsplit("/", 1)[-1].partition("?")[0]))
    yield names


@behaviour("page:widgets:lazy")
def test_what_draws_widgets_is_loaded_with_the_first_one(browser: Browser, stage: Stage) -> None:
    stage.host.show("table", [DisplayData({"text/html": "<table><tr><td>15</td></tr></table>"})])
    with opened(browser, stage.host) as page, heard(page) as names:
        page.reload()
        expect(block_of(page, stage.host.cells[0]).locator("td")).to_have_text("15")
        assert "widgets.js" not in names
        shown = stage.show("later", "w.Label('here')")
        page.reload()
        expect(shown.in_frame(page).get_by_text("here")).to_be_visible()
        assert "widgets.js" in names


NESTED = """
from tqdm.notebook import tqdm
slider = w.IntSlider(description='gone')
display(slider)
for _ in tqdm(range(2), desc='outer'):
    for _ in tqdm(range(2), desc='inner', leave=False): pass
slider.close()
"""


@behaviour("page:widgets:closed")
def test_a_widget_that_was_closed_in_its_run_leaves_nothing(browser: Browser, stage: Stage) -> None:
    shown = stage.show("nested", NESTED)
    with opened(browser, stage.host) as page:
        for _ in range(2):
            expect(shown.in_frame(page).get_by_text("outer: 100%")).to_be_visible()
            assert shown.in_frame(page).locator(".cr-acts").count() == 1
            assert "inner" not in shown.in_frame(page).locator("#root").inner_text()
            page.reload()


@behaviour("page:widgets:closed")
def test_a_widget_that_a_later_block_closes_leaves_nothing_live_and_written_down(
    browser: Browser, stage: Stage
) -> None:
    shown = stage.show("closed", "slider = w.IntSlider(description='early')\nslider")
    with opened(browser, stage.host) as page:
        expect(handle(shown.in_frame(page))).to_be_visible()
        shown.printed("slider.close()")
        root = shown.in_frame(page).locator("#root")
        expect(root.locator(".cr-acts")).to_have_count(0)
        assert root.inner_text().strip() == ""
        page.reload()
        expect(shown.in_frame(page).locator("#root .cr-piece")).to_have_count(1)
        expect(shown.in_frame(page).locator("#root .cr-acts")).to_have_count(0)
        shown.session.begin("import os; os._exit(1)").wait(BOUND)
        cell = stage.host.show("kept", [shown.view], panel=SavedPanel(shown.kept[-1]))
        page.reload()
        block_of(page, cell).scroll_into_view_if_needed()
        expect(frame_of(page, cell).locator("#root .cr-piece")).to_have_count(1)
        expect(frame_of(page, cell).locator("#root .cr-acts")).to_have_count(0)
