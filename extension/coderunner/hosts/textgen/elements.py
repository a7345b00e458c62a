"""What fills the blocks in the webui's page: our routes in its app, our script in its page."""

import ipaddress
import json
import logging
import socket
from urllib.parse import urlsplit

from coderunner.gate import LOOPBACK
from coderunner.hosts.textgen import places, webui
from coderunner.hosts.textgen.stage import Stage
from coderunner.page import files
from coderunner.page.routes import Rights, Routes

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
        if name == _name(webui.shared_at()) != "":
            return True
        return webui.serves_others() and (name in self._own or _is_number(name))


def _name(address: str) -> str:
    return (urlsplit(address).hostname or "").casefold()


def _is_number(name: object) -> bool:
    try:
        ipaddress.ip_address(str(name))
    except ValueError:
        return False
    return True


class Elements:
    """One for the process: a restart of the interface makes another app with the same routes."""

    def __init__(self, stage: Stage, address: str = "") -> None:
        self._routes = Routes(stage.board, Rights(Names(address), webui.visitor), stage)
        self.placed = False
        """The page has an element where a block of a reply stands."""

    def install(self) -> None:
        """Put the routes into the app that is about to be made, and elements into the messages."""
        webui.mount(self._routes.all())
        self.placed = webui.draw_with(places.html)
        if not self.placed:
            log.warning("this webui renders messages in an unsupported way: outputs are shown as text")

    def script(self) -> str:
        """What loads our elements in the page; whoever gets this has passed the webui's own login."""
        source = f"{files.PUBLIC.lstrip('/')}host.js?{files.version()}"
        return _SCRIPT % tuple(
            map(json.dumps, (self._routes.rights.token, files.content("theme.css").decode(), source))
        )
