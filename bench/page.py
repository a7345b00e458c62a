"""How soon an output is in the page: from the moment it is known to the moment in which a browser shows it.

Run with `python -m bench.page`. The floor is a plain message over the same browser's own connection.
"""

import statistics
import time
from collections.abc import Callable

from playwright.sync_api import Page
from tests.hosts.app.browsing import chromium
from tests.page.host import Host, block_of, frame_of, hosted, opened

from coderunner.outputs import DisplayData, Output, Stream

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
        outputs: list[Output] = [DisplayData({"text/html": f"<table><tr><td>{number}</td></tr></table>"})]
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


def main() -> None:
    with chromium() as browser, hosted() as host:
        host.show("text", (), ended=False)
        with opened(browser, host) as page:
            block_of(page, host.cells[0]).locator(".cr-bar").wait_for()
            medians = {name: statistics.median(scene(page, host)) for name, scene in SCENES.items()}
    least = medians["nothing, there and back"]
    for name, median in medians.items():
        print(f"{name:46} {median:8.1f} ms {median / least:8.1f} ×")


if __name__ == "__main__":
    main()
