"""Makes a Jupyter Server behave as the gateways do: loaded by it as an extension.

It answers what Kernel Gateway 3.0.1 and Enterprise Gateway 3.3.0 do; `test_contract.py` runs on all of them.
"""

import json
import os
from typing import Any

from jupyter_server.base.handlers import APIHandler, APIVersionHandler
from jupyter_server.services.kernels.handlers import MainKernelHandler
from jupyter_server.services.kernelspecs.handlers import MainKernelSpecHandler
from jupyter_server.services.sessions.handlers import SessionRootHandler
from jupyter_server.services.sessions.sessionmanager import SessionManager

LISTS = "CODERUNNER_TEST_GATEWAY_LISTS"
"""Set where lists are allowed."""
ENTERPRISE = "CODERUNNER_TEST_GATEWAY_ENTERPRISE"
"""Set for an Enterprise Gateway."""
ROOT = "CODERUNNER_TEST_GATEWAY_ROOT"
"""Set where it runs as root, for whom it starts no kernel."""
REFUSED = (
    "User 'root' is not authorized to start kernel 'Python 3 (ipykernel)'. Ensure KERNEL_USERNAME is set to "
    "an appropriate value and retry the request."
)


class Says:
    """Gives errors as the gateways do."""

    def say(self: Any, status: int, reason: str, message: str = "") -> None:
        self.set_status(status)
        self.finish(json.dumps({"reason": reason, "message": message}))


class Specs(Says, MainKernelSpecHandler):
    """A bad token is 401."""

    async def get(self) -> None:
        if self.current_user is None:
            self.say(401, "Unauthorized")
        else:
            await super().get()  # type: ignore[misc]


class Kernels(Says, MainKernelHandler):
    """Starts kernels, and lists none unless that is allowed."""

    async def get(self) -> None:
        if os.environ.get(LISTS):
            await super().get()  # type: ignore[misc]
        else:
            self.say(403, "Forbidden", "Forbidden")

    async def post(self) -> None:
        user = ((self.get_json_body() or {}).get("env") or {}).get("KERNEL_USERNAME", "root")
        if os.environ.get(ROOT) and user == "root":
            self.say(403, REFUSED)
        else:
            await super().post()  # type: ignore[misc]


class SessionRows(SessionManager):
    """Rows without a path of their own."""

    async def row_to_model(self, *arguments: Any, **options: Any) -> dict[str, Any] | None:
        row = await super().row_to_model(*arguments, **options)
        return row and {"id": row["id"], "notebook": {"path": row["path"]}, "kernel": row["kernel"]}


class SessionList(Says, SessionRootHandler):
    """Creates sessions, and lists none unless that is allowed."""

    async def get(self) -> None:
        if os.environ.get(LISTS):
            await super().get()  # type: ignore[misc]
        else:
            self.say(403, "Forbidden", "Forbidden")

    async def post(self) -> None:
        if os.environ.get(ROOT):
            self.say(500, "Internal Server Error", f"HTTP 403: {REFUSED}")
        else:
            await super().post()  # type: ignore[misc]


class Version(Says, APIVersionHandler):
    """Is told only to who is let in; an Enterprise Gateway says that it is one."""

    def get(self) -> None:
        if self.current_user is None:
            self.say(401, "Unauthorized")
        elif os.environ.get(ENTERPRISE):
            self.finish(json.dumps({"version": "1.24.0", "gateway_version": "3.3.0"}))
        else:
            super().get()


class Nothing(Says, APIHandler):
    """What gateways do not have."""

    async def prepare(self, *_: Any, **__: Any) -> None:
        self.say(404, "Not Found")


def _load_jupyter_server_extension(server: Any) -> None:
    base = server.base_url.rstrip("/")
    ours = [
        (f"{base}/api", Version),
        (f"{base}/api/kernelspecs", Specs),
        (f"{base}/api/kernels", Kernels),
        (f"{base}/api/sessions", SessionList),
        (f"{base}/api/(?:me|status)", Nothing),
        (f"{base}/(?:api/contents|files).*", Nothing),
    ]
    server.web_app.add_handlers(".*$", ours)
