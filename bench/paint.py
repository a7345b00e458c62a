"""How soon each kind of output stands in a page that is loaded, and what it costs.

Run with `python -m bench.paint`. A real kernel shows each kind; a page is loaded with nothing in the
browser's cache, until that is to be seen. The floor is the same page without a block, loaded in turn with it.
Kinds that need no program of the page are shown by what `jupyter nbconvert --to html` makes of the same cell,
too: all in one file, none of it live. Memory is what all processes of the browser have, pages that they share
divided among them.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    "a table of polars (HTML)": ".jp-OutputArea-output td",
    "a table of a Styler (HTML)": ".jp-OutputArea-output td",
    "Markdown": ".jp-OutputArea-output strong",
    "LaTeX": ".jp-OutputArea-output.jp-RenderedLatex",
    "JSON": ".jp-OutputArea-output pre",
}
"""Those that nbconvert shows without a network, and where: LaTeX as it was written, JSON as its text."""

FORESEEN = {"Vega-Lite": "import altair", "Plotly": "import plotly", "a slider": "import ipywidgets"}
"""Code from which a page knows which frame a block that runs will need."""

Wait = Callable[[Page], object]
"""Waits until a page shows something."""


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


Scene = tuple[str, Wait]
"""A page's address, and what is waited for."""


def seen(browser: Browser, *scenes: Scene) -> list[float]:
    """Milliseconds from the request for each page to what is waited for: medians of rounds through all."""
    taken: list[list[float]] = [[] for _ in scenes]
    for _ in range(ROUNDS):
        for (address, wait), times in zip(scenes, taken, strict=True):
            with tab(browser) as page:
                began = time.perf_counter()
                page.goto(address, wait_until="commit")
                wait(page)
                times.append((time.perf_counter() - began) * 1000)
    return [statistics.median(times) for times in taken]


def shown(cell: str, animal: Animal) -> Wait:
    def wait(page: Page) -> None:
        place = frame_of(page, cell) if animal.framed else block_of(page, cell)
        place.locator(animal.selector).first.wait_for()

    return wait


def standing(selector: str) -> Wait:
    return lambda page: page.locator(selector).first.wait_for()


def as_notebook(output: Output) -> object:
    match output:
        case Stream(name, text):
            return new_output("stream", name=name, text=text)
        case DisplayData(data, metadata):
            return new_output("display_data", data=data, metadata=metadata)
        case ExecuteResult(data, metadata, count):
            return new_output("execute_result", data=data, metadata=metadata, execution_count=count)
    raise ValueError(f"no kind here shows {output}")


def converted(animal: Animal, result: Result) -> str:
    """The page that nbconvert makes of a cell."""
    cell = new_code_cell(animal.code, outputs=[as_notebook(output) for output in result.outputs])
    html, _ = HTMLExporter().from_notebook_node(new_notebook(cells=[cell]))
    return str(html)


def paint(browser: Browser, session: Session, bare: Scene, folder: Path) -> None:
    columns = f"{'ours':>8} {'floor':>8} {'ratio':>7} {'nbconvert':>10} {'ratio':>7}"
    print(f"{'first paint, milliseconds':28} {columns}")
    for name, key in KINDS.items():
        animal = ANIMALS[key]
        result, panel = run(session, animal)
        with hosted() as host:
            scenes = [(host.address, shown(host.show("painted", result.outputs, panel=panel), animal)), bare]
            if name in STATIC:
                page = folder / f"{key}.html"
                page.write_text(converted(animal, result), encoding="utf-8")
                scenes.append((page.as_uri(), standing(STATIC[name])))
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
                page.goto(host.address)
                block_of(page, cell).locator(".cr-code").wait_for()
                page.wait_for_timeout(1500)
                began = time.perf_counter()
                host.show("live", result.outputs, source=code, panel=panel)
                shown(cell, animal)(page)
                taken[code].append((time.perf_counter() - began) * 1000)
        ready, cold = map(statistics.median, taken.values())
        print(f"{name:28} {ready:8.0f} {cold:8.0f}")


MOUNTED = """cells => cells.every(cell =>
    document.querySelector(`#cr-${cell}`).shadowRoot?.querySelector(".cr-text"))"""


def texts(browser: Browser, bare: Scene) -> None:
    with hosted() as host:
        for number in range(TEXTS):
            host.show(f"text {number}", [Stream("stdout", f"word {number}\n" * 5)])
        all_there = (host.address, lambda page: page.wait_for_function(MOUNTED, arg=host.cells))
        ours, floor = seen(browser, all_there, bare)
    print(f"{f'{TEXTS} text outputs, all there':28} {ours:8.0f} {floor:8.0f} {ours / floor:6.1f}×")


def all_shown(host: Host, animal: Animal) -> Wait:
    waits = [shown(cell, animal) for cell in host.cells]
    return lambda page: [wait(page) for wait in waits]


def memory(browser: Browser, host: Host, wait: Wait, *, height: int) -> float:
    """Megabytes of the browser while a page of that height stands."""
    with tab(browser, height=height) as page:
        page.goto(host.address)
        wait(page)
        page.wait_for_timeout(500)
        processes = psutil.Process().children(recursive=True)
        return sum(float(each.memory_full_info().pss) for each in processes if "chrom" in each.name()) / 1e6


def more(browser: Browser, session: Session) -> None:
    for name, count in MORE.items():
        animal = ANIMALS[KINDS[name]]
        result, panel = run(session, animal)
        # High enough to have all frames open.
        height = 12_000 if animal.framed else 900
        taken = []
        for shown_at_once in (1, 1 + count):
            with hosted() as host:
                for number in range(shown_at_once):
                    host.show(f"output {number}", result.outputs, panel=panel)
                taken.append(
                    min(memory(browser, host, all_shown(host, animal), height=height) for _ in range(3))
                )
        print(f"{f'memory of {count} more blocks, each with {name}':56} {taken[1] - taken[0]:8.1f} MB")


def main() -> None:
    with chromium() as browser, kernel() as session, hosted() as empty, TemporaryDirectory() as folder:
        bare = (empty.address, lambda page: page.wait_for_load_state("load"))
        paint(browser, session, bare, Path(folder))
        texts(browser, bare)
        live(browser, session)
        more(browser, session)


if __name__ == "__main__":
    main()
