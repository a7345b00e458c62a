"""How soon each kind of output stands in a page that is loaded, and what it costs.

Run with `python -m bench.paint`. A real kernel shows each kind; a page is loaded with nothing in the
browser's cache, until that is to be seen. The floor is the same page without a block, loaded in turn with it.
Each page, and each frame in it, looks for itself before each of its pictures whether it is there: what asks a
browser from outside asks after 0, 20, 70, 170, 270 and 770 milliseconds, and measures those.
Kinds that need no program of the page are shown by what `jupyter nbconvert --to html` makes of the same cell,
too: all in one file, none of it live. Charts are shown by one file with the program that draws them, too, as
`plotly.io.write_html` makes them. Memory is what all processes of the browser have, pages that they share
divided among them.
"""

import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil  # type: ignore[import-untyped]
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import Browser, Page, ProxySettings
from tests.hosts.app.browsing import chromium
from tests.page.host import Host, block_of, frame_of, hosted
from tests.page.zoo import ANIMALS, Animal

from coderunner.outputs import DisplayData, ExecuteResult, Output, Result, Stream
from coderunner.page.server import static_files
from coderunner.runner import Local, Session, Sessions, WidgetPanel

ROUNDS = 7
TEXTS = 20
MORE = {"a table of pandas (HTML)": 20, "a slider": 10}
"""How many more outputs of a kind are shown, to see what memory they take."""

KINDS = {
    "text": "stdout",
    "a PNG of matplotlib": "plot",
    "a table of pandas (HTML)": "table",
    "a table of polars (HTML)": "polars",
    "a table of a Styler (HTML)": "styler",
    "Markdown": "markdown",
    "LaTeX": "latex",
    "JSON": "json",
    "Vega-Lite": "vega-lite",
    "Plotly": "plotly",
    "a slider": "widget slider",
    "interact": "interact",
    "anywidget": "anywidget",
}
"""What is shown, and its name in the zoo."""

STATIC = {
    "text": ".jp-OutputArea-output pre",
    "a PNG of matplotlib": ".jp-OutputArea-output img",
    "a table of pandas (HTML)": ".jp-OutputArea-output td >> nth=1",
    "a table of polars (HTML)": ".jp-OutputArea-output td >> nth=1",
    "a table of a Styler (HTML)": ".jp-OutputArea-output td",
    "Markdown": ".jp-OutputArea-output strong",
    "LaTeX": ".jp-OutputArea-output.jp-RenderedLatex",
    "JSON": ".jp-OutputArea-output pre",
}
"""Those that nbconvert shows without a network, and where: LaTeX as it was written, JSON as its text."""

DRAWN = {
    "Vega-Lite": ("vega.js", "coderunner.vega.embed(place, data, false)"),
    "Plotly": ("plotly.js", "Plotly.newPlot(place, data)"),
}
"""Charts: the program that draws them, all of it, and how it is asked to."""

FORESEEN = {"Vega-Lite": "import altair", "Plotly": "import plotly", "a slider": "import ipywidgets"}
"""Code from which a page knows which frame a block that runs will need."""

WATCH = """({css, nth, framed}) => {
    if ((window !== top) !== framed) return;
    const within = root => [...root.querySelectorAll("*")].flatMap(each =>
        [...(each.matches(css) ? [each] : []), ...(each.shadowRoot ? within(each.shadowRoot) : [])]);
    const loaded = () => document.readyState === "complete";
    const there = () => css ? within(document)[nth]?.getClientRects().length : loaded();
    const tell = () => console.debug(`seen ${performance.timeOrigin + performance.now()}`);
    const look = () => requestAnimationFrame(there() ? () => setTimeout(tell) : look);
    look();
}"""
"""Has a page tell when its element `nth` of `css` has been painted; without `css`, when it is loaded."""

HEARD = re.compile(r"seen ([\d.]+)")


@dataclass(frozen=True, slots=True)
class Scene:
    """A page, and what of it is waited for."""

    address: str
    selector: str = ""
    """As Playwright writes it; empty: that it is loaded."""
    framed: bool = False
    """It is in a frame."""


@contextmanager
def kernel() -> Iterator[Session]:
    sessions = Sessions()
    try:
        yield sessions.get("bench", Local())
    finally:
        sessions.io_thread.call(sessions.close_all())


def run(session: Session, animal: Animal) -> tuple[Result, WidgetPanel]:
    panel = WidgetPanel()
    result = session.begin(animal.code, panel=panel).wait()
    assert result is not None
    return result, panel


@contextmanager
def tab(browser: Browser, *, height: int = 900) -> Iterator[Page]:
    """An empty tab of an empty browser, which reaches this machine only."""
    # Not by a route of Playwright's: that would ask this program about each request, and count as ours.
    nowhere: ProxySettings = {"server": "http://127.0.0.1:9", "bypass": "127.0.0.1,localhost"}
    context = browser.new_context(viewport={"width": 1000, "height": height}, proxy=nowhere)
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def awaited(page: Page, scene: Scene) -> Iterator[list[float]]:
    """Gives a list that has, after the block, the time at which that was painted: milliseconds since 1970."""
    css, _, nth = scene.selector.partition(" >> nth=")
    told = json.dumps({"css": css, "nth": int(nth or 0), "framed": scene.framed})
    page.add_init_script(f"({WATCH})({told})")
    painted: list[float] = []
    with page.expect_console_message(lambda said: HEARD.fullmatch(said.text) is not None) as heard:
        yield painted
    match = HEARD.fullmatch(heard.value.text)
    assert match is not None
    painted.append(float(match[1]))


def seen(browser: Browser, *scenes: Scene) -> list[float]:
    """Milliseconds from the request for each page to what is waited for: medians of rounds through all."""
    taken: list[list[float]] = [[] for _ in scenes]
    for _ in range(ROUNDS):
        for scene, times in zip(scenes, taken, strict=True):
            with tab(browser) as page:
                with awaited(page, scene) as painted:
                    page.goto(scene.address, wait_until="commit")
                times.append(painted[0] - page.evaluate("performance.timeOrigin"))
    return [statistics.median(times) for times in taken]


def as_notebook(output: Output) -> object:
    match output:
        case Stream(name, text):
            return new_output("stream", name=name, text=text)
        case DisplayData(data, metadata):
            return new_output("display_data", data=data, metadata=metadata)
        case ExecuteResult(data, metadata, count):
            return new_output("execute_result", data=data, metadata=metadata, execution_count=count)
    raise ValueError(f"no kind here shows {output}")


def converted(animal: Animal, result: Result, count: int = 1) -> str:
    """The page that nbconvert makes of a cell, `count` times."""
    outputs = [as_notebook(output) for output in result.outputs]
    cells = [new_code_cell(animal.code, outputs=outputs) for _ in range(count)]
    html, _ = HTMLExporter().from_notebook_node(new_notebook(cells=cells))
    return str(html)


def standing_alone(name: str, result: Result) -> str:
    """The plainest page that draws a chart."""
    program, draw = DRAWN[name]
    (output,) = result.outputs
    assert isinstance(output, DisplayData | ExecuteResult)
    data = json.dumps(next(value for kind, value in output.data.items() if "/vnd." in kind))
    script = f"const place = document.getElementById('place'), data = {data}; {draw}"
    return (
        '<!doctype html><meta charset="utf-8"><div id="place"></div>'
        f"<script>{static_files.content(program).decode()}</script><script>{script}</script>"
    )


def scene(host: Host, animal: Animal) -> Scene:
    """The page of a host that shows that."""
    return Scene(host.address, animal.selector, animal.framed)


def paint(browser: Browser, session: Session, bare: Scene, folder: Path) -> None:
    columns = f"{'ours':>8} {'floor':>8} {'ratio':>7} {'one file':>10} {'ratio':>7}"
    print(f"{'first paint, milliseconds':28} {columns}")
    for name, key in KINDS.items():
        animal = ANIMALS[key]
        result, panel = run(session, animal)
        with hosted() as host:
            host.show("painted", result.outputs, panel=panel)
            scenes = [scene(host, animal), bare]
            page = folder / f"{key}.html"
            if name in STATIC:
                page.write_text(converted(animal, result), encoding="utf-8")
                scenes.append(Scene(page.as_uri(), STATIC[name]))
            elif name in DRAWN:
                page.write_text(standing_alone(name, result), encoding="utf-8")
                scenes.append(Scene(page.as_uri(), animal.selector))
            ours, floor, *its = seen(browser, *scenes)
        beside = "".join(f" {each:10.0f} {ours / each:6.1f}×" for each in its)
        print(f"{name:28} {ours:8.0f} {floor:8.0f} {ours / floor:6.1f}×{beside}")


def live(browser: Browser, session: Session) -> None:
    """How soon an output is seen in an open page whose block runs: with a frame ready, and without."""
    print(f"{'in an open page, milliseconds':28} {'ready':>8} {'not':>8}")
    for name, source in FORESEEN.items():
        animal = ANIMALS[KINDS[name]]
        result, panel = run(session, animal)
        taken: dict[str, list[float]] = {source: [], "x = 1": []}
        for code in ROUNDS * [*taken]:
            with hosted() as host, tab(browser) as page:
                cell = host.show("live", (), ended=False, source=code, panel=panel)
                with awaited(page, scene(host, animal)) as painted:
                    page.goto(host.address)
                    block_of(page, cell).locator(".cr-code").wait_for()
                    page.wait_for_timeout(1500)
                    began = time.time()
                    host.show("live", result.outputs, source=code, panel=panel)
                taken[code].append(painted[0] - began * 1000)
        ready, cold = map(statistics.median, taken.values())
        print(f"{name:28} {ready:8.0f} {cold:8.0f}")


def texts(browser: Browser, bare: Scene) -> None:
    with hosted() as host:
        for number in range(TEXTS):
            host.show(f"text {number}", [Stream("stdout", f"word {number}\n" * 5)])
        ours, floor = seen(browser, Scene(host.address, f".cr-text >> nth={TEXTS - 1}"), bare)
    print(f"{f'{TEXTS} text outputs, all there':28} {ours:8.0f} {floor:8.0f} {ours / floor:6.1f}×")


def all_shown(host: Host, animal: Animal, page: Page) -> None:
    for cell in host.cells:
        place = frame_of(page, cell) if animal.framed else block_of(page, cell)
        place.locator(animal.selector).first.wait_for()


def memory(browser: Browser, address: str, ready: Callable[[Page], None], *, height: int) -> float:
    """Megabytes of the browser while a page of that height stands, once it is `ready`."""
    with tab(browser, height=height) as page:
        page.goto(address)
        ready(page)
        page.wait_for_timeout(500)
        processes = psutil.Process().children(recursive=True)
        return sum(float(each.memory_full_info().pss) for each in processes if "chrom" in each.name()) / 1e6


def more(browser: Browser, session: Session, folder: Path) -> None:
    def least(address: str, ready: Callable[[Page], None], height: int) -> float:
        return min(memory(browser, address, ready, height=height) for _ in range(3))

    for name, count in MORE.items():
        animal = ANIMALS[KINDS[name]]
        result, panel = run(session, animal)
        # High enough to have all frames open.
        height = 12_000 if animal.framed else 900
        taken, its = [], []
        for at_once in (1, 1 + count):
            with hosted() as host:
                for number in range(at_once):
                    host.show(f"output {number}", result.outputs, panel=panel)
                taken.append(least(host.address, partial(all_shown, host, animal), height))
            if name in STATIC:
                page = folder / f"{at_once}.html"
                page.write_text(converted(animal, result, at_once), encoding="utf-8")
                its.append(least(page.as_uri(), lambda _: None, height))
        beside = f" {its[1] - its[0]:8.1f} MB in one file" if its else ""
        print(
            f"{f'memory of {count} more blocks, each with {name}':56} {taken[1] - taken[0]:8.1f} MB{beside}"
        )


def main() -> None:
    with chromium() as browser, kernel() as session, hosted() as empty, TemporaryDirectory() as folder:
        bare = Scene(empty.address)
        paint(browser, session, bare, Path(folder))
        texts(browser, bare)
        live(browser, session)
        more(browser, session, Path(folder))


if __name__ == "__main__":
    main()
