"""Our routes in the webui's app, and our script in its page: they show the outputs of blocks."""

import ipaddress
import json
import logging
import socket
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from coderunner.access.origins import LOOPBACK, Scope
from coderunner.files.chat_folder import ChatFolder
from coderunner.hosts.textgen.blocks.block_controller import BlockController
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.hosts.textgen.webui import webui_api, webui_patches
from coderunner.page.server import static_files
from coderunner.page.server.files.made_file_routes import MadeFileRoutes
from coderunner.page.server.routes import Rights, Routes

log = logging.getLogger(__name__)

_SCRIPT = """{
  const ours = "coderunner-token";
  if (!document.querySelector(`meta[name="${ours}"]`)) {
    const add = (name, what) => document.head.append(Object.assign(document.createElement(name), what));
    add("meta", { name: ours, content: %s });
    add("style", { textContent: %s });
    add("script", { type: "module", src: new URL(%s, document.baseURI).href });
  }
}
"""


class Names:
    """The names in a Host header that are this webui's.

    Without `--listen` only the loopback names. With it also IP addresses, which no foreign name can imitate,
    the machine's own name, and gradio's tunnel if there is one.
    """

    def __init__(self, more: str = "") -> None:
        """`more`: the public address of a reverse proxy before the webui."""
        own = socket.gethostname().casefold()
        self._own = {own, f"{own}.local", socket.getfqdn().casefold()}
        self._more = _name(more)

    def __contains__(self, name: object) -> bool:
        if name in LOOPBACK or (name == self._more != ""):
            return True
        if name == _name(webui_api.shared_at()) != "":
            return True
        return webui_api.serves_others() and (name in self._own or _is_number(name))


def _name(address: str) -> str:
    return (urlsplit(address).hostname or "").casefold()


def _is_number(name: object) -> bool:
    try:
        ipaddress.ip_address(str(name))
    except ValueError:
        return False
    return True


class OutputRoutes:
    """One for the process: a restart of the interface makes another app with the same routes."""

    def __init__(
        self, controller: BlockController, folder: Callable[[str], ChatFolder], address: str = ""
    ) -> None:
        """`folder` gives the files of a conversation."""
        self._note = controller.store.note
        shown, rights = controller.store.subscriptions, Rights(Names(address), webui_api.visitor)
        self._routes = Routes(shown, rights, controller.buttons, controller.look_up)

        async def folder_of(conversation: str) -> ChatFolder | None:
            return folder(conversation) if conversation else None

        self._files = MadeFileRoutes(rights, shown, folder_of, controller.first_rows)
        self.placed = False
        """The page shows the blocks of a reply as elements."""

    def install(self) -> None:
        """Add the routes to the next app, and the elements to its messages."""
        webui_patches.mount([*self._routes.all(), *self._files.all()])
        self.placed = webui_patches.draw_with(partial(output_placeholders.html, note=self._note))
        if not self.placed:
            log.warning("this webui renders messages in an unsupported way: outputs are shown as text")

    def admits(self, scope: Scope | None, token: str) -> bool:
        """Tell whether a request comes from our page in this webui, as the buttons of blocks have to."""
        return scope is not None and self._routes.rights.admit(scope, token) is not None

    def script(self) -> str:
        """The script that loads our elements; only pages behind the webui's own login get it."""
        source = f"{static_files.PUBLIC.lstrip('/')}host.js?{static_files.version()}"
        return _SCRIPT % tuple(
            map(json.dumps, (self._routes.rights.token, static_files.content("theme.css").decode(), source))
        )
