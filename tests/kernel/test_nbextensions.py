"""Programs of widgets that the kernel's environment has: asked of real kernels, told to pages, and kept."""

from pathlib import Path

import pytest

from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Session
from coderunner.kernel.widgets.binary_framing import pack
from coderunner.kernel.widgets.nbextensions import (
    MOST,
    Nbextensions,
    as_bytes,
    as_text,
    file_module,
    foreign,
    needs,
)
from coderunner.kernel.widgets.widget_panel import SavedPanel, WidgetPanel
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND
from tests.kernel.test_widget_models import Looker


@behaviour("widgets:modules:named")
@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('define(["@jupyter-widgets/base"], (b) => b)', []),
        (
            "/*! ours */define(['@jupyter-widgets/base', 'bqscales','exports'],function(a,b){})",
            ["bqscales"],
        ),
        ('define("mine", ["@scope/other"], f)', ["@scope/other"]),
        ("define(() => 1)", []),
        ('define(["../up", "https://elsewhere/x.js", "/etc/passwd"], f)', []),
        ("redefine([1])", []),
        ("", []),
    ],
)
def test_a_module_says_at_its_beginning_which_others_it_needs(source: str, named: list[str]) -> None:
    assert needs(source.encode()) == named


@behaviour("widgets:modules:named")
@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "@a/../b", "@a", "a\n", "x" * 101, None, 5, "anywidget", "ä"],
)
def test_what_is_no_name_of_a_module_or_is_ours_is_not_asked_for(name: object) -> None:
    assert not foreign(name)


@behaviour("widgets:modules:named")
def test_a_file_beside_a_program_is_named_by_its_folder_and_leads_nowhere_else() -> None:
    assert file_module("nbextensions/own/7.index.js") == "own"
    assert file_module("labextensions/@scope/own/static/a~b.woff2") == "@scope/own"
    for name in (
        "own/7.js",
        "nbextensions/own",
        "nbextensions/own/../x.js",
        "nbextensions/../own/x.js",
        "nbextensions/own/.hidden",
        "nbextensions//x.js",
        "/nbextensions/own/x.js",
        f"nbextensions/own/{'x' * 300}",
    ):
        assert file_module(name) is None


@behaviour("widgets:modules:kept")
def test_a_file_of_bytes_is_written_down_as_text_and_comes_back() -> None:
    for content in (b"define(1)", "ä".encode(), b"\x00\xff\xfe", b""):
        assert as_bytes(as_text(content)) == content


@behaviour("widgets:modules:fetched")
def test_the_kernel_gives_files_beside_the_programs_of_what_is_shown_and_no_others(
    session: Session, tmp_path: Path
) -> None:
    panel = WidgetPanel()
    page = Looker(panel)
    more = """
(folder / "nbextensions/mine/7.js").write_text("part")
(folder / "nbextensions/mine/own.woff2").write_bytes(b"\\xff\\xfe")
(folder / "nbextensions/other").mkdir()
(folder / "nbextensions/other/7.js").write_text("other")
own("mine")"""
    session.begin(own(tmp_path, mine=100) + more, panel=panel).wait(BOUND)
    page.wait_for(lambda its: "mine" in told(its))
    for name in ("other/7.js", "mine/7.js", "mine/own.woff2", "mine/none.js"):
        panel.receive(pack({"file": f"nbextensions/{name}"}))
    page.wait_for(lambda its: "nbextensions/mine/none.js" in told(its))
    assert {name: content for name, content in told(page).items() if "/" in name} == {
        "nbextensions/mine/7.js": b"part",
        "nbextensions/mine/own.woff2": b"\xff\xfe",
        "nbextensions/mine/none.js": None,
    }


@behaviour("widgets:modules:bounded")
async def test_only_so_many_are_asked_for_each_of_them_once() -> None:
    asked: list[str] = []
    modules = Nbextensions(lambda name: asked.append(name) or name, lambda _name: None)
    for _ in range(2):
        modules.want(f"module-{number}" for number in range(2 * MOST))
    modules.clear()
    assert asked == [f"module-{number}" for number in range(MOST)]


OWN = """
import os, pathlib, time, ipywidgets as w, traitlets as t
folder = pathlib.Path({folder!r})
os.environ["JUPYTER_PATH"] = str(folder)
for name, size in {modules}.items():
    path = folder / "nbextensions" / name / "index.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'define(["{{name}}-s"], () => 1)'.ljust(size))
def own(module):
    parts = {{f"_{{kind}}_{{part}}": t.Unicode(each).tag(sync=True)
        for kind in ("model", "view") for part, each in (("name", "Own"), ("module", module))}}
    return type("Own", (w.DOMWidget,), parts)()
"""


def own(folder: Path, **modules: int) -> str:
    """A cell that makes modules of these names and sizes, and `own`, which makes a widget of one."""
    return OWN.format(folder=str(folder), modules=modules)


def told(page: Looker) -> dict[str, bytes | None]:
    """The modules that a page was told of."""
    return {
        str(head["name"]): buffers[0] if head["found"] else None
        for head, buffers in list(page.told)
        if head["t"] == "module"
    }


@behaviour("widgets:modules:fetched")
def test_the_kernel_gives_the_programs_of_its_widgets_also_while_a_cell_runs(
    session: Session, tmp_path: Path
) -> None:
    panel = WidgetPanel()
    page = Looker(panel)
    waits = "\nwhile not (folder / 'go').exists(): time.sleep(0.02)"
    source = own(tmp_path, mine=100) + "display(own('@scope/mine'), own('nowhere'))" + waits
    running = session.begin(source, panel=panel)
    page.wait_for(lambda its: len(told(its)) == 3)
    assert not running.future.done()
    content = told(page)["@scope/mine"]
    assert told(page) == {"@scope/mine": content, "mine-s": None, "nowhere": None}
    assert content is not None
    assert content.startswith(b'define(["mine-s"]')
    (tmp_path / "go").touch()
    assert running.wait(BOUND) is not None


@behaviour("widgets:modules:bounded")
def test_one_that_is_too_large_is_none(session: Session, tmp_path: Path) -> None:
    panel = WidgetPanel()
    page = Looker(panel)
    session.begin(own(tmp_path, large=13 << 20) + "own('large')", panel=panel).wait(BOUND)
    page.wait_for(lambda its: told(its) == {"large": None})


@behaviour("widgets:modules:kept")
def test_they_are_written_down_and_told_when_the_kernel_is_gone(session: Session, tmp_path: Path) -> None:
    written: list[str] = []
    modules: list[tuple[str, str]] = []
    panel = WidgetPanel(written.append, lambda *module: modules.append(module))
    page = Looker(panel)
    session.begin(own(tmp_path, mine=100) + "display(own('mine'), own('nowhere'))", panel=panel).wait(BOUND)
    page.wait_for(lambda its: len(told(its)) == 3)
    io_thread().call(session.restart(), BOUND)
    session.begin("0").wait(BOUND)
    assert [name for name, _ in modules] == ["mine"]
    assert Looker(panel).told[:-1] == [each for each in Looker(panel).told if each[0]["t"] == "module"]
    assert told(Looker(panel)) == told(page)
    kept = Looker(SavedPanel(written[-1], lambda: dict(modules)))
    kept.wait_for(lambda its: len(its.models) == len(page.models))
    assert told(kept) == {"mine": told(page)["mine"], "nowhere": None}


@behaviour("widgets:modules:none")
def test_a_page_of_widgets_that_we_draw_asks_for_none(session: Session) -> None:
    panel = WidgetPanel()
    page = Looker(panel)
    session.begin("import ipywidgets as w\nw.IntSlider()", panel=panel).wait(BOUND)
    page.id_of("IntSliderModel")
    assert told(page) == {}
