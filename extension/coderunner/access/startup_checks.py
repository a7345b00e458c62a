"""What is asked before a door without a face is opened: whose code may run where, and who has a key."""

import re
from collections.abc import Callable

from coderunner.access import api_keys
from coderunner.access.api_keys import ApiKeys
from coderunner.access.origins import ANY, LOOPBACK
from coderunner.errors import SettingsError
from coderunner.settings.settings import Settings

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to be told apart, not to listen there
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
"""What goes with each answer of a door without pages."""


def allow(settings: Settings, what: str) -> None:
    """Say no to what would let people run code who must not; `what` is the door's name, as in "proxy".

    Raises SettingsError.
    """
    if not settings.server and settings.approve != "off" and not settings.allow_local_kernel:
        message = (
            "clients' code would run on this machine without a sandbox; set a Jupyter server with --server, "
            "or add --allow-local-kernel if clients may do everything that you can do"
        )
        raise SettingsError(message)
    if settings.host.strip("[]") not in LOOPBACK and not settings.api_key:
        message = (
            f"host is {settings.host}, so other machines can reach the {what}; set the keys yourself first, "
            "with --api-key-file"
        )
        raise SettingsError(message)


def load_api_keys(settings: Settings, what: str, say: Callable[[str], None]) -> ApiKeys:
    """The keys that open a door: those of the settings, or our own, which is told when it is made.

    Raises SettingsError.
    """
    several = api_keys.named(settings.api_key)
    if settings.attach and len(several) > 1:
        message = (
            f"attach gives everybody the same kernel, but there are {len(several)} keys for separate users; "
            "keep one key, or remove attach"
        )
        raise SettingsError(message)
    if several:
        return ApiKeys(several)
    path = settings.data_dir / "api-key"
    key, made = api_keys.own(path)
    if made:
        say(f"API key of the {what} (shown only once): {key.reveal()}")
    say(f"API key file: {path}")
    return ApiKeys([key])


def origins(settings: Settings) -> list[str]:
    """The origins beside a door's own whose requests are let in."""
    return re.split(r"[\s,]+", settings.origins.strip()) if settings.origins.strip() else []


def names(settings: Settings) -> list[str]:
    """The names by which a door may be called, beside those of this machine."""
    host = settings.host.strip("[]")
    # Whoever listens everywhere is called by names that he does not know; there the key alone decides.
    return [ANY if host in EVERYWHERE else host]
