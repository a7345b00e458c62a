"""The smallest host there can be: a page with elements in it, our routes, and nothing else."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, FrameLocator, Locator, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from coderunner.outputs import Output, Result, Status
from coderunner.page.block_state import Block, BlockPanel, State
from coderunner.page.html import block_html
from coderunner.page.html.block_html import Setting
from coderunner.page.server import page_head
from coderunner.page.server.routes import Rights, Routes
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.secret_value import Secret
from tests.hosts.app.browsing import STILL, served


class Host:
    """Shows the blocks of its board; takes note of each request, and of what its buttons say."""

    def __init__(self) -> None:
        self.setting = Setting()
        self.subscriptions = Subscriptions(lambda: self.setting)
        self.rights = Rights()
        self.cells: list[str] = []
        self.asked: list[str] = []
        """The paths of all requests but the page's own."""
        self.acts: list[tuple[str, str]] = []
        self.address = ""
        self.above = 0
        """Pixels of the page above its blocks."""

    def act(self, ticket: str, verb: str) -> bool:
        self.acts.append((ticket, verb))
        return True

    def run_edited(self, ticket: str, verb: str, source: str) -> bool:
        return self.act(ticket, f"{verb} {source}")

    def answer(self, ticket: str, text: Secret) -> bool:
        return self.act(ticket, text.reveal())

    def asgi(self) -> Starlette:
        routes = Routes(self.subscriptions, self.rights, self).all()
        anything = Route("/{path:path}", self._anything, methods=["GET", "POST", "PUT", "OPTIONS"])
        return Starlette(routes=[Route("/", self._page), *routes, anything])

    def show(
        self,
        name: str,
        outputs: Sequence[Output],
        *,
        ended: bool = True,
        source: str = "x = 1",
        panel: BlockPanel | None = None,
        chat: str = "",
    ) -> str:
        """Show a block with `outputs`, and the widgets of `panel`; gives its id."""
        cell = f"{name}-block-of-a-test".replace(" ", "-")
        result = Result(tuple(outputs), Status.OK, duration=0.4) if ended else None
        state = State.ENDED if ended else State.RUNNING
        shown = Block(source=source, state=state, outputs=tuple(outputs), result=result, id=cell, panel=panel)
        self.subscriptions.show([shown], chat=chat)
        if cell not in self.cells:
            self.cells.append(cell)
        return cell

    def change(self, cell: str, grown: Callable[[Block], Block]) -> None:
        """Show what becomes of a block; never from two threads at once."""
        self.subscriptions.show([grown(self.block(cell))])

    def block(self, cell: str) -> Block:
        """A block as it is shown."""
        return self.subscriptions._blocks[cell].block

    async def _page(self, _request: Request) -> Response:
        above = f'<div style="height: {self.above}px"></div>' if self.above else ""
        body = above + "".join(map(block_html.placeholder, self.cells))
        icon = '<link rel="icon" href="data:,">'
        style, script = page_head.style(), page_head.script(self.rights.token)
        head = f'{icon}<meta charset="utf-8"><style>{style}</style>{script}'
        return HTMLResponse(
            f'<!doctype html><html lang="en"><head>{head}<title>Host</title></head><body>{body}</body></html>'
        )

    async def _anything(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return HTMLResponse("hit", headers={"Access-Control-Allow-Origin": "*"})


@contextmanager
def hosted() -> Iterator[Host]:
    """A host that is served."""
    host = Host()
    with served(host.asgi) as host.address:
        host.asked.clear()
        yield host


@contextmanager
def opened(browser: Browser, host: Host, *, complains: bool = False, **context: object) -> Iterator[Page]:
    """The host's page in an empty browser; it never complains, unless its outputs are to."""
    fresh = browser.new_context(**{**STILL, **context})
    complaints: list[str] = []
    page = fresh.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(host.address)
    try:
        yield page
    finally:
        fresh.close()
    assert complains or complaints == []


def block_of(page: Page, cell: str) -> Locator:
    """A block in the page."""
    return page.locator(f"#cr-{cell}")


def frame_of(page: Page, cell: str) -> FrameLocator:
    """The inside of a block's closed frame."""
    return block_of(page, cell).frame_locator("iframe").frame_locator("iframe")
