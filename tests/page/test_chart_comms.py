"""Charts that speak to their kernel and are no widgets, as those of HoloViews and Panel: small stand-ins."""

import pytest
from playwright.sync_api import Browser, expect

from coderunner.kernel.protocol.messages import Message
from coderunner.kernel.widgets.chart_comms import MOST, ChartComms, figures_in, targets_in
from coderunner.runner import WidgetPanel
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import opened
from tests.page.stage import Stage

EXEC = "application/vnd.holoviews_exec.v0+json"
CLIENT, SERVER = "c" * 32, "5" * 32

CELL = """
from IPython.display import publish_display_data
from ipykernel.comm import Comm
shell, back = get_ipython(), []
def begin(comm, message):
    back.append(Comm(target_name=SERVER, data={}))
    def answer(message):
        n = message["content"]["data"]["n"]
        back[0].send({"twice": 2 * n}, buffers=[bytes([n])])
        comm.send(metadata={"msg_type": "Ready", "comm_id": CLIENT})
        print("heard", n)
    comm.on_msg(answer)
shell.kernel.comm_manager.register_target(CLIENT, begin)
script = '''
const kernel = PyViz.kernels["plot"], comm = kernel.connectToComm("CLIENT");
const place = document.getElementById("said");
kernel.registerCommTarget("SERVER", (theirs) => { theirs.onMsg = ({content, buffers}) =>
  place.append(`${content.data.twice} ${buffers[0].getUint8(0)} `); });
comm.onMsg = ({metadata}) => place.append(metadata.msg_type, " ");
comm.open();
document.getElementById("say").onclick = () => comm.send({n: 7});
'''
html = f"<button id=say>Say</button><p id=said></p><script>{script}</script>"
publish_display_data({"text/html": html, "EXEC": ""}, {"EXEC": {"id": "plot"}})
"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("source", [pytest.param(CELL, marks=MARKS, id="")])
@behaviour("page:comms:charts")
def test_a_chart_and_its_program_speak_to_each_other(browser: Browser, stage: Stage, source: str) -> None:
    for name, value in (("CLIENT", CLIENT), ("SERVER", SERVER), ("EXEC", EXEC)):
        source = source.replace(f"={name}", f"={value!r}").replace(f"({name}", f"({value!r}")
        source = source.replace(f": {name}", f": {value!r}").replace(f'"{name}"', f'"{value}"')
    shown = stage.show("chart", source)
    with opened(browser, stage.host) as page:
        for _ in ("live", "reloaded"):
            frame = shown.in_frame(page)
            frame.get_by_text("Say", exact=True).click()
            expect(frame.locator("#said")).to_have_text("14 7 Ready ")
            page.reload()


FIGURE = """
from IPython.display import publish_display_data
from ipykernel.comm import Comm
script = '''
Bokeh.embed.kernels["figure"].registerCommTarget("TARGET", (comm) => {
  comm.onMsg = ({content, buffers}) => {
    const place = document.getElementById("pushed");
    if (!buffers.length) place.append(content.data, " ");
    else place.append(new Uint8Array(buffers[0].buffer)[0], " ");
  };
});
const items = [{"notebook_comms_target":"TARGET"}];
'''
begin = "globalThis.Bokeh ??= {embed: {kernels: {}}}"
publish_display_data({"text/html": f"<p id=pushed></p><script>{begin}</script>", "LOAD": ""})
publish_display_data({"application/javascript": script, "BOKEH": ""}, {"BOKEH": {"id": "figure"}})
handle = Comm(target_name="TARGET", data={})
def push(word):
    handle.send('{"msgtype":"PATCH-DOC"}')
    handle.send(word)
    handle.send({}, buffers=[bytes([7])])
push("first")
"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("source", [pytest.param(FIGURE, marks=MARKS, id="")])
@behaviour("page:comms:pushed")
def test_what_a_program_pushes_to_a_figure_is_seen_live_and_by_those_who_come_later(
    browser: Browser, stage: Stage, source: str
) -> None:
    for name in ("load", "exec"):
        key = f"application/vnd.bokehjs_{name}.v0+json"
        source = source.replace("LOAD" if name == "load" else "BOKEH", key)
    source = source.replace("TARGET", "p1043")
    shown = stage.show("figure", source)
    words = '{"msgtype":"PATCH-DOC"} first 7 '
    with opened(browser, stage.host) as page:
        expect(shown.in_frame(page).locator("#pushed")).to_have_text(words)
        shown.printed("push('second')")
        words += '{"msgtype":"PATCH-DOC"} second 7 '
        expect(shown.in_frame(page).locator("#pushed")).to_have_text(words)
        page.reload()
        expect(shown.in_frame(page).locator("#pushed")).to_have_text(words)


def panel_and_comms() -> tuple[WidgetPanel, ChartComms, list[tuple[object, ...]]]:
    said: list[tuple[object, ...]] = []

    def note(*what: object) -> str:
        said.append(what)
        return str(len(said))

    return WidgetPanel(), ChartComms(note, note), said


SHOWN = {"text/html": f"<script>connect('{CLIENT}', '{SERVER}')</script>", EXEC: ""}


@behaviour("page:comms:closed")
def test_a_page_speaks_only_to_what_its_own_run_names_and_names_no_comm() -> None:
    mine, comms, said = panel_and_comms()
    comms.name(mine, SHOWN)
    assert comms.take(WidgetPanel(), {"target": CLIENT, "data": {}}, []) == []
    others: list[object] = ["d" * 32, None, 5, "", ["x"]]
    for target in others:
        assert comms.take(mine, {"target": target, "data": {}}, []) == []
    assert comms.take(mine, {"target": CLIENT, "data": "no object"}, []) == ["1"]
    [(comm, named)] = said
    assert (named, len(str(comm)), comm == CLIENT) == (CLIENT, 32, False)
    assert comms.take(mine, {"target": CLIENT, "data": {"n": 1}}, [b"x"]) == ["2"]
    assert said[1] == (comm, {"n": 1}, [b"x"])
    comms.clear()
    assert comms.take(mine, {"target": CLIENT, "data": {}}, []) == []


@behaviour("page:comms:closed")
def test_what_a_kernel_says_to_a_comm_reaches_the_page_of_the_run_that_names_its_target_alone() -> None:
    mine, comms, _ = panel_and_comms()
    heard: list[bytes] = []
    mine.watch(heard.append)
    heard.clear()
    comms.name(mine, SHOWN)
    for comm, target in (("one", SERVER), ("other", "e" * 32)):
        comms.hear(Message("iopub", "comm_open", content={"comm_id": comm, "target_name": target}))
        comms.hear(Message("iopub", "comm_msg", content={"comm_id": comm, "data": {"n": 1}}))
    comms.hear(Message("iopub", "comm_msg", content={"comm_id": ["x"]}))
    assert len(heard) == 1
    assert SERVER.encode() in heard[0]


DRAWN = {
    "application/javascript": '[{"notebook_comms_target":"p1043"}]',
    "application/vnd.bokehjs_exec.v0+json": "",
}


@behaviour("page:comms:closed")
def test_to_a_figure_only_its_program_speaks() -> None:
    mine, comms, said = panel_and_comms()
    assert (figures_in(DRAWN), figures_in({**SHOWN, "text/plain": str(DRAWN)})) == (["p1043"], [])
    comms.name(mine, DRAWN)
    assert comms.take(mine, {"target": "p1043", "data": {}}, []) == []
    heard: list[bytes] = []
    mine.watch(heard.append)
    comms.hear(Message("iopub", "comm_open", content={"comm_id": "one", "target_name": "p1043"}))
    comms.hear(Message("iopub", "comm_msg", content={"comm_id": "one", "data": "pushed"}))
    assert (said, len(heard), b"pushed" in heard[0]) == ([], 1, True)


@behaviour("page:comms:closed")
def test_targets_are_looked_for_in_charts_alone_and_bounded() -> None:
    assert targets_in(SHOWN) == [CLIENT, SERVER]
    assert targets_in({"text/html": SHOWN["text/html"]}) == []
    assert targets_in({EXEC: "", "text/html": "-".join(["a" * 32] * 2)}) == []
    assert targets_in([EXEC]) == targets_in({EXEC: None, 5: "x"}) == []
    many = " ".join(f"{number:032x}" for number in range(2 * MOST))
    assert len(targets_in({EXEC: "", "text/html": many})) == MOST
