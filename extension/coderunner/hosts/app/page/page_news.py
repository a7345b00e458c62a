"""What is new for each page, and the route that says whether anything is."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.forms.grants_form import GrantsForm
from coderunner.hosts.app.page import html_fragments
from coderunner.hosts.app.page.component_values import ComponentValues
from coderunner.hosts.app.page.html_fragments import has_mark
from coderunner.hosts.app.page.list_updates import ListUpdates
from coderunner.hosts.app.page.open_pages import OpenPages
from coderunner.page.server.routes import Rights, own_json
from coderunner.page.server.static_files import PREFIX


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page says that it shows; each but the first three is a mark of what stands in its place."""

    conversation: str
    page: str
    """Its Gradio session."""
    search: str
    status: str
    list: str
    unsaved: str
    grants: str | None
    """None: nothing of them is drawn there yet."""

    @classmethod
    def read(cls, asked: object) -> "Shown | None":
        """What a page has sent; None if that is something else."""
        match asked:
            case {
                "c": str(conversation),
                "page": str(page),
                "search": str(search),
                "status": str(status),
                "list": str(listed),
                "unsaved": str(unsaved),
                "grants": str() | None as grants,
            }:
                return cls(conversation, page, search, status, listed, unsaved, grants)
        return None


@dataclass(frozen=True, slots=True)
class PageNews:
    """What changes without an event of the page: by its kernel, by other tabs, by what could not be saved."""

    conversations: Conversations
    archive: Archive
    values: ComponentValues
    pages: OpenPages
    lists: ListUpdates
    grants: GrantsForm

    async def all(
        self, identity: str, refresh: float, search: str | None, listed: str, grants: str, request: gr.Request
    ) -> list[Any]:
        """For the status, the count of reloads, the list, the warning of what is not saved, the grants."""
        page = str(request.session_hash)
        # The page may be on its way to another conversation, and not know it yet.
        which = self.pages.current(page) or identity
        if (conversation := await self.conversations.find(which)) is None:
            # The page is still being opened, or another one has deleted it.
            return [gr.skip(), refresh + 1 if identity else gr.skip(), *[gr.skip()] * 7]
        outdated = self.pages.outdated(page, conversation)
        rows = await self.lists.update(identity, search, page, listed)
        unsaved = html_fragments.unsaved(self.archive.trouble(conversation.id))
        reach = await self.grants.news(page, conversation.id, grants)
        if self.pages.current(page) not in (None, which):  # the list is for all of them
            return [gr.skip(), gr.skip(), rows, *[gr.skip()] * 6]
        status = self.values.status(conversation)
        return [status, refresh + 1 if outdated else gr.skip(), rows, unsaved, *reach]

    async def is_any(self, shown: Shown) -> bool:
        """Whether `all` would change anything on a page; nothing is noted of what it shows."""
        conversation = await self.conversations.find(self.pages.current(shown.page) or shown.conversation)
        return (
            conversation is None
            or conversation.id != shown.conversation
            or self.pages.behind(shown.page, conversation)
            or not has_mark(self.values.status(conversation), shown.status)
            or not has_mark(html_fragments.unsaved(self.archive.trouble(conversation.id)), shown.unsaved)
            or await self.lists.is_new(conversation.id, shown.search, shown.page, shown.list)
            or await self.grants.is_new(shown.page, conversation.id, shown.grants)
        )

    def route(self, rights: Rights) -> Route:
        """Says to a page by 200 that there is something new for it, by 204 that there is nothing."""

        async def answer(request: Request) -> Response:
            asked = await own_json(request, rights)
            if isinstance(asked, Response):
                return asked
            if (shown := Shown.read(asked)) is None:
                return JSONResponse({"error": "Say what the page shows."}, 400)
            return JSONResponse({}) if await self.is_any(shown) else Response(status_code=204)

        return Route(f"{PREFIX}/news", answer, methods=["POST"])
