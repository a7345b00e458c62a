"""Widgets that live by more than their state and one program: by words, by others, by further files."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, expect

from coderunner.outputs import DisplayData
from coderunner.runner import SavedPanel
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS
from tests.page.host import block_of, frame_of, opened
from tests.page.stage import Stage

pytestmark = [*MARKS, pytest.mark.timeout(240)]

EASEL = """define(["@jupyter-widgets/base"], (base) => ({
  model: class extends base.DOMWidgetModel {
    initialize(...given) {
      super.initialize(...given);
      this.strokes = [];
      this.on("msg:custom", (content, buffers) => {
        this.strokes.push(`${content.stroke}${buffers.map((each) => each.byteLength)}`);
        this.trigger("drawn");
      });
    }
  },
  view: class extends base.DOMWidgetView {
    render() {
      const draw = () => { this.el.textContent = `strokes ${this.model.strokes.join(" ")}.`; };
      this.listenTo(this.model, "drawn", draw);
      draw();
    }
  },
}))"""
WATCH = """define(["@jupyter-widgets/base"], (base) => ({
  model: class extends base.WidgetModel {
    static serializers = { ...base.WidgetModel.serializers, source: { deserialize: base.unpack_models } };
    initialize(...given) {
      super.initialize(...given);
      const wait = setInterval(() => {
        for (const view of Object.values(this.get("source").views ?? {})) {
          clearInterval(wait);
          view.then(({ el }) => el.addEventListener("click", () => this.send({ event: "click" })));
        }
      }, 20);
    }
  },
}))"""
PARTS = """define(["@jupyter-widgets/base", "module"], (base, module) => ({
  model: base.DOMWidgetModel,
  view: class extends base.DOMWidgetView {
    async render() {
      const beside = module.uri.replace(/[^/]*$/, ""), notebook = document.body.dataset.baseUrl;
      const style = document.createElement("style");
      style.textContent = `
        @font-face { font-family: "own"; src: url(${beside}own.eot), url(${beside}own.woff2?v=1) }
        .own-part { font-family: own; background: center url(${beside}own.png) no-repeat }`;
      document.head.append(style);
      this.el.classList.add("own-part");
      const chunk = document.createElement("script");
      const loaded = new Promise((done, failed) => { chunk.onload = done; chunk.onerror = failed; });
      chunk.src = `${notebook}nbextensions/parts/7.index.js`;
      document.head.append(chunk);
      await loaded;
      const none = document.createElement("script"), failed = new Promise((done) => { none.onerror = done; });
      none.src = `${beside}none.js`;
      document.head.append(none);
      const { word } = await (await fetch(`${beside}words.json`)).json();
      await failed;
      this.el.textContent = `${globalThis.chunk} ${word}`;
    }
  },
}))"""
# As webpack builds it: a container of modules, with its further parts beside its own file.
LAB = """var _JUPYTERLAB; (() => {
  const beside = document.currentScript.src.replace(/[^/]*$/, "");
  let base;
  const part = () => new Promise((done) => {
    globalThis.partOfLab = done;
    document.head.append(Object.assign(document.createElement("script"), { src: `${beside}12.js` }));
  });
  const plugin = async () => {
    base = (await globalThis.shared["@jupyter-widgets/base"]["6.0.12"].get())();
    const text = await part();
    const exports = async () => ({ model: base.DOMWidgetModel,
      view: class extends base.DOMWidgetView { render() { this.el.textContent = text; } } });
    const activate = (_app, registry) =>
      registry.registerWidget({ name: "@own/lab", version: "1.0.0", exports });
    return () => ({ id: "lab", requires: [base.IJupyterWidgetRegistry], activate });
  };
  (_JUPYTERLAB = typeof _JUPYTERLAB === "undefined" ? {} : _JUPYTERLAB)["@own/lab"] = {
    init: (scope) => { globalThis.shared = scope; }, get: plugin };
})()"""
PACKAGE = '{"jupyterlab": {"_build": {"load": "static/remoteEntry.1.js", "extension": "./extension"}}}'
FILES = {
    "nbextensions/easel/index.js": EASEL,
    "nbextensions/watch/index.js": WATCH,
    "nbextensions/parts/index.js": PARTS,
    "nbextensions/parts/7.index.js": "globalThis.chunk = 'chunk'",
    "nbextensions/parts/words.json": '{"word": "fetched"}',
    "nbextensions/parts/own.woff2": "no font",
    "nbextensions/parts/own.png": "no picture",
    "labextensions/@own/lab/package.json": PACKAGE,
    "labextensions/@own/lab/static/remoteEntry.1.js": LAB,
    "labextensions/@own/lab/static/12.js": "globalThis.partOfLab('from the lab')",
}
BLOB = """<script>
  const page = "<b>made</b><script>document.body.append(' and ran')</" + "script>";
  const frame = Object.assign(document.createElement("iframe"), { className: "made" });
  frame.src = URL.createObjectURL(new Blob([page], { type: "text/html" }));
  document.currentScript.after(frame);
</script>"""
ALL = """
import os, pathlib, anywidget, traitlets as t
folder = pathlib.Path(FOLDER)
os.environ["JUPYTER_PATH"] = str(folder)
for name, source in FILES.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(source.encode() + b"\\xff" * name.endswith(("woff2", "png")))
def own(name):
    names = {f"_{kind}_{part}": t.Unicode(each).tag(sync=True)
        for kind in ("model", "view") for part, each in (("name", kind), ("module", name))}
    return type("Own", (w.DOMWidget,), names)()
class Listener(anywidget.AnyWidget):
    _esm = '''export default { render({ model, el }) {
      el.textContent = "heard";
      model.on("msg:custom", ({ word }) => el.append(" ", word));
    } }'''
class Watch(w.Widget):
    _model_name = t.Unicode("model").tag(sync=True)
    _model_module = t.Unicode("watch").tag(sync=True)
    source = t.Instance(w.Widget).tag(sync=True, **w.widget_serialization)
easel, listener, watched = own("easel"), Listener(), w.Label("watched")
for number in range(3):
    easel.send({"stroke": number}, [b"x" * number])
listener.send({"word": "early"})
watch = Watch(source=watched)
watch.on_msg(lambda _widget, content, _buffers: setattr(watched, "value", content["event"]))
w.VBox([easel, listener, watched, own("parts"), own("@own/lab")])
"""


def stands(frame: FrameLocator, strokes: str, words: str) -> None:
    expect(frame.get_by_text(f"strokes {strokes}.", exact=True)).to_be_visible()
    expect(frame.get_by_text(f"heard {words}", exact=True)).to_be_visible()
    parts = frame.get_by_text("chunk fetched", exact=True)
    expect(parts).to_have_css("background-image", re.compile(r'^url\("blob:'))
    fonts = "() => [...document.fonts].filter(({ family }) => /own/.test(family)).length"
    assert parts.evaluate(fonts) == 1
    expect(frame.get_by_text("from the lab", exact=True)).to_be_visible()


@behaviour("page:widgets:whole")
def test_widgets_are_whole_live_after_a_reload_and_from_what_was_written_down(
    browser: Browser, stage: Stage, tmp_path: Path
) -> None:
    source = ALL.replace("FOLDER", repr(str(tmp_path))).replace("FILES", repr(FILES))
    shown = stage.show("easel", source, DisplayData({"text/html": BLOB}))
    with opened(browser, stage.host) as page:
        made = shown.in_frame(page).frame_locator(".made").locator("body")
        expect(made).to_have_text("made and ran")
        stands(shown.in_frame(page), "00 11 22", "early")
        shown.printed("easel.send({'stroke': 9}); listener.send({'word': 'late'})")
        stands(shown.in_frame(page), "00 11 22 9", "early late")
        # Who only points at a widget is told what happens to it.
        shown.in_frame(page).get_by_text("watched", exact=True).click()
        expect(shown.in_frame(page).get_by_text("click", exact=True)).to_be_visible()
        page.reload()
        stands(shown.in_frame(page), "00 11 22 9", "early late")
        shown.session.begin("import os; os._exit(1)").wait(BOUND)
        kept = stage.host.show(
            "kept",
            shown.host.block(shown.cell).shown[:1],
            panel=SavedPanel(shown.kept[-1], lambda: shown.modules),
        )
        page.reload()
        block_of(page, kept).scroll_into_view_if_needed()
        stands(frame_of(page, kept), "00 11 22 9", "early late")
    assert stage.host.asked == []
