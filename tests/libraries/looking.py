"""Runs a display in a kernel that has its library, and looks at it in a browser as a person would."""

import io
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Error, Frame, Locator, Page, Request, Route

from coderunner.outputs import DisplayData, ExecuteResult, Output, Result, Stream
from coderunner.page.block_state import Block
from coderunner.page.block_transitions import ended, showed, showed_later
from coderunner.runner import Change, Local, Session, Sessions, WidgetPanel, for_model
from tests.libraries.displays import Display, Outcome
from tests.libraries.environments import environment
from tests.page.host import Host, block_of

PATIENCE = 20.0
"""Seconds until what is to be seen stands there: the largest bring megabytes of JavaScript."""
SOON = 0.1
STARTS = 120.0
"""Seconds for a cell: what it imports may be imported for the first time."""

REFUSED = "chrome-error:"
"""The address of a frame that shows a browser's own words in place of what it was not allowed to load."""

CHAT = "a chat"
"""Of which all blocks of a display are: what one loads, the next ones have."""
SENTENCE = "p[role=note]"
"""Where the page says of an output that it cannot be shown."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was to be seen of a display."""

    outcome: Outcome
    words: str = ""
    """All that could be read."""
    pale: int = 0
    """Pieces of text that cannot be told from their ground."""


@dataclass(frozen=True, slots=True)
class Look:
    """A display as it was looked at."""

    kinds: tuple[str, ...]
    """The MIME types of what its program showed, streams and errors by their names."""
    live: Seen
    reloaded: Seen
    dark: Seen | None
    read: str
    """What the model reads."""
    asked: tuple[str, ...]
    """What the page asked of anybody else."""


@dataclass
class Board:
    """A page with the blocks of one display."""

    host: Host
    session: Session
    page: Page

    def run(self, name: str, source: str) -> tuple[str, Result]:
        """Run a block while the page shows it; gives its id and its result."""
        panel = WidgetPanel()
        cell = self.host.show(name, (), ended=False, source=source, panel=panel, chat=CHAT)

        def change(grown: Callable[[Block, int, Output | None], Block]) -> Callable[[Change], None]:
            return lambda told: self._change(cell, lambda block: grown(block, told.index, told.output))

        running = self.session.begin(
            source, deadline=STARTS, panel=panel, on_output=change(showed), on_later=change(showed_later)
        )
        result = running.wait(STARTS)
        assert result is not None, f"{name} did not end"
        self._change(cell, lambda block: ended(block, result))
        return cell, result

    def _change(self, cell: str, grown: Callable[[Block], Block]) -> None:
        self.host.subscriptions.show([grown(self.host.block(cell))], chat=CHAT)


@contextmanager
def visited(browser: Browser, host: Host, **context: object) -> Iterator[tuple[Page, list[str]]]:
    """The host's page in a browser that reaches nobody else; what it asks of others is noted."""
    fresh = browser.new_context(viewport={"width": 1000, "height": 900}, **context)  # type: ignore[arg-type]
    asked: list[str] = []

    def elsewhere(route: Route, request: Request) -> None:
        asked.append(request.url)
        route.abort()

    fresh.route(lambda url: not url.startswith((host.address, "data:", "blob:", "about:")), elsewhere)
    try:
        yield fresh.new_page(), asked
    finally:
        fresh.close()


def look_at(display: Display, browser: Browser, host: Host, sessions: Sessions) -> Look:
    """Run a display's blocks in a kernel of its own, and look at it live, after a reload, and in the dark."""
    session = sessions.get(display.name, Local(environment(display.environment)))
    with visited(browser, host) as (page, asked):
        for number in range(len(display.blocks)):
            host.show(f"block {number}", (), ended=False, source=display.blocks[number], chat=CHAT)
        page.goto(host.address)
        board = Board(host, session, page)
        ran = [board.run(f"block {number}", source) for number, source in enumerate(display.blocks)]
        cell, result = ran[0 if display.look == "first" else -1]
        live = seen(page, cell, display)
        page.reload()
        reloaded = seen(page, cell, display)
        dark = None
        if display.dark:
            page.emulate_media(color_scheme="dark")
            page.reload()
            page.evaluate("document.body.classList.add('dark')")
            dark = seen(page, cell, display)
    return Look(tuple(kinds(result.outputs)), live, reloaded, dark, for_model(result), tuple(asked))


def kinds(outputs: Sequence[Output]) -> Iterator[str]:
    """What was shown, each kind once."""
    known: dict[str, None] = {}
    for output in outputs:
        match output:
            case DisplayData(data=data) | ExecuteResult(data=data):
                known |= dict.fromkeys(data)
            case Stream(name=name):
                known[name] = None
            case _:
                known["error"] = None
    return iter(known)


def seen(page: Page, cell: str, display: Display) -> Seen:
    """Look at a block until what is expected of it is to be seen, or for a while."""
    block_of(page, cell).scroll_into_view_if_needed()
    end = time.monotonic() + PATIENCE
    while True:
        outcome, words = outcome_of(page, cell, display)
        if outcome == display.expect or time.monotonic() > end:
            return Seen(outcome, words, pale(page, cell))
        page.wait_for_timeout(SOON * 1000)


def outcome_of(page: Page, cell: str, display: Display) -> tuple[Outcome, str]:
    """What is to be seen of a block at this moment, and what is to be read."""
    block = block_of(page, cell)
    notes = block.locator(SENTENCE)
    places: list[Locator | Frame] = [block.locator(".cr-outs"), *frames(page, cell), notes]
    words = "\n".join(filter(None, map(_read, places)))
    # A library's own frame or player stands there, whatever is in it: what is said of it counts.
    if display.expect == "sentence" and notes.count():
        return "sentence", words
    if any(_draws(place, display) for place in places):
        return "shown", words
    if block.locator(".cr-error").count():
        return "error", words
    if notes.count() or (display.says and re.search(display.says, words)):
        return "sentence", words
    return ("text" if words.strip() else "blank"), words


def frames(page: Page, cell: str) -> list[Frame]:
    """The frames in which a block's outputs are drawn, and those within them; not the shells around them."""
    found: list[Frame] = []
    try:
        handles = block_of(page, cell).locator("iframe").element_handles()
        shells = [frame for handle in handles if (frame := handle.content_frame())]
        waiting = [frame for shell in shells for frame in shell.child_frames]
        while waiting:
            found.append(waiting.pop(0))
            waiting.extend(found[-1].child_frames)
    except Error:
        return []  # one of them goes at this moment
    return [frame for frame in found if not frame.url.startswith(REFUSED)]


def _read(place: Locator | Frame) -> str:
    """The words that can be read in a place."""
    try:
        where = place if isinstance(place, Locator) else place.locator("body")
        return str(where.first.inner_text(timeout=1_000)).strip() if where.count() else ""
    except Error:
        return ""


def _draws(place: Locator | Frame, display: Display) -> bool:
    """Whether what is to be seen stands in a place, as it is to be."""
    for selector in display.see.split(" | "):
        try:
            if any(_fits(each, display) for each in islice(place.locator(selector).all(), 20)):
                return True
        except Error:
            continue
    return False


def _fits(node: Locator, display: Display) -> bool:
    box = node.bounding_box(timeout=1_000)
    if box is None or not node.is_visible() or box["height"] < max(display.high, 1):
        return False
    if display.wide and round(box["width"]) != display.wide:
        return False
    if display.text and display.text not in (node.text_content(timeout=1_000) or ""):
        return False
    if display.inner and not node.content_frame.locator(display.inner).first.is_visible():
        return False
    return not display.ink or colours(node) >= display.ink


def colours(node: Locator) -> int:
    """How many colours a drawing has; the shades of an edge count, too."""
    with Image.open(io.BytesIO(node.screenshot(timeout=5_000))) as picture:
        return len(picture.convert("RGB").getcolors(1 << 24) or ())


PALE = (Path(__file__).parent / "pale.js").read_text(encoding="utf-8").partition("\n")[2]


def pale(page: Page, cell: str) -> int:
    """How many pieces of text of a block's outputs nobody could read, in the page and in its frames."""
    count = 0
    places = [
        block_of(page, cell).locator(".cr-outs"),
        *(each.locator("body") for each in frames(page, cell)),
    ]
    for place in places:
        try:
            count += int(place.evaluate(PALE, timeout=1_000)) if place.count() else 0
        except Error:
            continue
    return count
