"""Checks before a host without a page starts: whose code may run where, and who has a key."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from coderunner.access import api_keys
from coderunner.access.api_keys import ApiKeys
from coderunner.access.origins import ANY, LOOPBACK
from coderunner.errors import SettingsError
from coderunner.sandbox.kernel_sandbox import in_force
from coderunner.settings.settings import Settings

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to compare with, not to listen on
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
"""The headers of each response of a host without a page."""


def allow(settings: Settings, what: str, *, local: bool | None = None, keys: bool = False) -> None:
    """Refuse settings that would let the wrong people run code; `what` names the host, as in "proxy".

    `local`: whether somebody's code runs on this machine, if the settings alone do not say it; `keys`: a
    person has set keys elsewhere. Raises SettingsError.
    """
    here = (not settings.server if local is None else local) and settings.approve != "off"
    if here and not settings.allow_local_kernel and not (way := in_force(settings)):
        message = (
            f"clients' code would run on this machine without a sandbox ({way.why[:1].lower()}"
            f"{way.why[1:].rstrip('.')}); set a Jupyter server with --server, or add --allow-local-kernel if "
            "clients may do everything that you can do"
        )
        raise SettingsError(message)
    if settings.host.strip("[]") not in LOOPBACK and not (settings.api_key or keys):
        message = (
            f"host is {settings.host}, so other machines can reach the {what}; set the keys yourself first, "
            "with --api-key-file"
        )
        raise SettingsError(message)


def load_api_keys(settings: Settings, what: str, say: Callable[[str], None]) -> ApiKeys:
    """The keys that a host accepts: those of the settings, or one of its own, which is shown when it is made.

    Raises SettingsError.
    """
    several = api_keys.named(settings.api_key)
    keep_apart(settings, 0 if settings.server else len(several))
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


def key_wanted(settings: Settings, what: str) -> str:
    """What is said to somebody who sends no key, and where to find one."""
    whose = "your" if _keys_are_given(settings) else f"the {what}'s"
    return f"Send {whose} key as `Authorization: Bearer …` or `x-api-key`; {_where(settings, what)}."


def key_unknown(settings: Settings, what: str) -> str:
    """What is said to somebody who sends another key, and where to find the right one."""
    return f"This key is not one of the {what}'s; {_where(settings, what)}."


def _where(settings: Settings, what: str) -> str:
    if _keys_are_given(settings):
        return f"whoever runs the {what} can give you one"
    return f"the {what}'s terminal shows the file of its key"


def _keys_are_given(settings: Settings) -> bool:
    return bool(settings.api_key or settings.scoped_key) or settings.team_file is not None


def keep_apart(settings: Settings, keys: int) -> None:
    """Refuse several users whose kernels on this machine could reach each other: so many have them here.

    Raises SettingsError.
    """
    if keys < 2 or settings.approve == "off":
        return
    if not (sandbox := in_force(settings)):
        message = (
            f"there are {keys} keys for separate users, but their kernels would run on this machine without "
            f"a sandbox, so each user's code could read the others' keys and files. {sandbox.why} Keep one "
            "key, or set a Jupyter server with --server"
        )
        raise SettingsError(message)


def keep_people_apart(settings: Settings, *, sandbox: bool = True) -> None:
    """Refuse several people whose kernels could reach each other; raises SettingsError.

    Without `sandbox` a missing one is no reason: no kernel starts on this machine then.
    """
    if settings.attach:
        raise SettingsError(
            f"{settings.source('attach')} gives everybody the same kernel, but the app is for several "
            "people; remove attach"
        )
    if settings.server and not settings.shared_server:
        raise SettingsError(
            f"the code of all people would run on one Jupyter server, {settings.server}, where each one's "
            "code can reach the kernels of all; remove server, so that it runs in sandboxes on this machine, "
            "or add --shared-server if they trust each other or the server keeps its kernels apart"
        )
    if settings.server or settings.approve == "off" or not sandbox:
        return
    if not (way := in_force(settings)):
        raise SettingsError(
            "the app is for several people, but their kernels would run on this machine without a sandbox, "
            f"so each one's code could read the others' files and conversations. {way.why} Run it where "
            "there is a sandbox, or set a Jupyter server with --server"
        )


def origins(settings: Settings) -> list[str]:
    """The origins that are allowed besides the host's own."""
    return re.split(r"[\s,]+", settings.origins.strip()) if settings.origins.strip() else []


def names(settings: Settings) -> list[str]:
    """The names that the host answers to besides the loopback ones."""
    host = settings.host.strip("[]")
    # A host that listens on all addresses cannot know its own names; there the key alone decides.
    public = urlsplit(settings.public_url).hostname
    return [ANY if host in EVERYWHERE else host, *([public] if public else [])]
