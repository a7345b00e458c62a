"""What fills the blocks in the webui's page: our routes in its app, our script in its page."""

import ipaddress
import json
import logging
import socket
from urllib.parse import urlsplit

from coderunner.access.origins import LOOPBACK
from coderunner.hosts.textgen.blocks.block_controller import BlockController
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.hosts.textgen.webui import webui_api, webui_patches
from coderunner.page.server import static_files
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

    Without `--listen` those of this machine alone. With it also addresses in numbers, which no foreign name
    can be made to look like, the machine's own name, and gradio's tunnel where there is one.
    """

    def __init__(self, more: str = "") -> None:
        """`more`: an address under which a proxy of the operator's serves the webui."""
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

    def __init__(self, controller: BlockController, address: str = "") -> None:
        self._routes = Routes(
            controller.store.subscriptions, Rights(Names(address), webui_api.visitor), controller.buttons
        )
        self.placed = False
        """The page has an element where a block of a reply stands."""

    def install(self) -> None:
        """Put the routes into the app that is about to be made, and elements into the messages."""
        webui_patches.mount(self._routes.all())
        self.placed = webui_patches.draw_with(output_placeholders.html)
        if not self.placed:
            log.warning("this webui renders messages in an unsupported way: outputs are shown as text")

    def script(self) -> str:
        """What loads our elements in the page; whoever gets this has passed the webui's own login."""
        source = f"{static_files.PUBLIC.lstrip('/')}host.js?{static_files.version()}"
        return _SCRIPT % tuple(
            map(json.dumps, (self._routes.rights.token, static_files.content("theme.css").decode(), source))
        )
