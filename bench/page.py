"""How soon an output is in the page: from the moment it is known to the moment in which a browser shows it.

Run with `python -m bench.page`. The floor is a plain message over the same browser's own connection. A slider
that is moved is measured beside the same words said to the same kernel without a page.
"""

import statistics
import time
from collections.abc import Callable
from threading import Event

from playwright.sync_api import Browser, Page
from tests.hosts.app.browsing import chromium
from tests.page.host import Host, block_of, frame_of, hosted, opened

from coderunner.kernel.widgets.binary_framing import pack, unpack
from coderunner.outputs import DisplayData, Output, Stream
from coderunner.runner import Local, Sessions, WidgetPanel

ROUNDS = 30

SEEN = """([cell, word]) => { window.seen = new Promise((done) => {
    const root = document.querySelector(`#cr-${cell}`).shadowRoot;
    const look = () => root.textContent.includes(word) && done(performance.timeOrigin + performance.now());
    new MutationObserver(look).observe(root, { childList: true, subtree: true, characterData: true });
}); }"""


def text(page: Page, host: Host) -> list[float]:
    """Milliseconds until each of some texts stands in its block, which is shown already."""
    taken = []
    cell = host.cells[0]
    for number in range(ROUNDS):
        page.evaluate(SEEN, [cell, f"word {number}."])
        began = time.time()
        host.show("text", [Stream("stdout", f"word {number}.\n")], ended=False)
        taken.append(page.evaluate("window.seen") - began * 1000)
    return taken


def floor(page: Page, _host: Host) -> list[float]:
    """Milliseconds of a round trip to the page that does nothing."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        page.evaluate("1")
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def table(page: Page, host: Host) -> list[float]:
    """Milliseconds until a block with a closed frame shows its table, the frame's opening included."""
    taken = []
    for number in range(ROUNDS // 3):
        source = f"<table><tr><td>{number}</td></tr></table><script></script>"
        outputs: list[Output] = [DisplayData({"text/html": source})]
        cell = host.show("table", outputs)
        began = time.perf_counter()
        page.reload()
        block_of(page, cell).scroll_into_view_if_needed()
        frame_of(page, cell).get_by_text(str(number), exact=True).wait_for()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


SCENES: dict[str, Callable[[Page, Host], list[float]]] = {
    "nothing, there and back": floor,
    "text in a block that is shown": text,
    "a page that is loaded, its table in a frame": table,
}


SLIDER = """
import ipywidgets as w
slider, label = w.IntSlider(max=10_000), w.Label('moved 0')
slider.observe(lambda change: setattr(label, 'value', f'moved {change.new}'), 'value')
w.VBox([slider, label])
"""

MOVE = """async (root) => {
    const handle = root.querySelector(".noUi-handle"), label = root.querySelector(".widget-label:last-child");
    const began = performance.now();
    const moved = new Promise((done) => new MutationObserver((_, its) => { its.disconnect(); done(); })
        .observe(label, { childList: true, subtree: true, characterData: true }));
    handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    await moved;
    return performance.now() - began;
}"""


def without_a_page(panel: WidgetPanel) -> list[float]:
    """Milliseconds from what moves the slider to what its program changes by that."""
    models: dict[str, str] = {}
    changed = Event()

    def hear(parcel: bytes) -> None:
        read = unpack(parcel)
        head = read[0] if read else {}
        for model in head.get("models", ()):  # type: ignore[attr-defined]
            models[model["state"]["_model_name"]] = model["id"]
        if head.get("t") == "models" or head.get("id") == models.get("LabelModel"):
            changed.set()

    panel.watch(hear)
    changed.wait()
    taken = []
    for number in range(1, ROUNDS + 1):
        changed.clear()
        data = {"method": "update", "state": {"value": number}, "buffer_paths": []}
        began = time.perf_counter()
        panel.receive(pack({"id": models["IntSliderModel"], "mid": str(number), "data": data}))
        changed.wait()
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(0.05)  # as a hand does
    panel.leave(hear)
    return taken


def in_a_page(browser: Browser, host: Host, cell: str) -> list[float]:
    """Milliseconds from a key in the slider to the label that says it."""
    with opened(browser, host) as page:
        block_of(page, cell).scroll_into_view_if_needed()
        root = frame_of(page, cell).locator("#root")
        root.locator(".noUi-handle").wait_for()
        taken = []
        for _ in range(ROUNDS):
            taken.append(root.evaluate(MOVE))
            page.wait_for_timeout(50)
        return taken


def slider(browser: Browser, host: Host) -> None:
    sessions, panel = Sessions(), WidgetPanel()
    result = sessions.get("bench", Local()).begin(SLIDER, panel=panel).wait()
    cell = host.show("slider", result.outputs if result else (), panel=panel)
    least, median = (
        statistics.median(taken) for taken in (without_a_page(panel), in_a_page(browser, host, cell))
    )
    print(f"{'a slider, its program, without a page':46} {least:8.1f} ms {1:8.1f} ×")
    print(f"{'a slider in a page, its program, the page':46} {median:8.1f} ms {median / least:8.1f} ×")
    sessions.io_thread.call(sessions.close_all())


def main() -> None:
    with chromium() as browser, hosted() as host:
        host.show("text", (), ended=False)
        with opened(browser, host) as page:
            block_of(page, host.cells[0]).locator(".cr-bar").wait_for()
            medians = {name: statistics.median(scene(page, host)) for name, scene in SCENES.items()}
    least = medians["nothing, there and back"]
    for name, median in medians.items():
        print(f"{name:46} {median:8.1f} ms {median / least:8.1f} ×")
    with chromium() as browser, hosted() as host:
        slider(browser, host)


if __name__ == "__main__":
    main()
