"""Error messages about settings; they never contain a secret."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from coderunner.secret_value import Secret

SECRETS = ("token", "model_key", "api_key", "scoped_key", "metrics_key", "proxy_secret", "records_url")
FOREIGN_SECRETS = ("OPENAI_API_KEY", "JUPYTER_TOKEN")
"""Environment variables of other programs that hold secrets which are ours too."""
ADDRESSES = ("server", "model_url", "public_url", "oauth_issuer")

MAY_BE = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "path_type": "the path of a file",
    "is_instance_of": "text",
    "string_too_short": "text of at least {min_length} character",
    "literal_error": "{expected}",
    "finite_number": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "value_error": "{error}",
}
"""What a value may be, by the name of pydantic's error."""


def sentence(failure: ValidationError, sources: Mapping[str, str], known: Iterable[str]) -> str:
    """Say what is wrong with the first invalid setting and what it may be; `known` are all names."""
    first = failure.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    source = sources.get(name, name)
    if first["type"] == "extra_forbidden":
        close = get_close_matches(name, known, n=1)
        return f"{source}: unknown setting" + (f"; did you mean {close[0]}?" if close else "")
    may_be = MAY_BE.get(first["type"], first["msg"]).format(**first.get("ctx", {}))
    return f"{source} is {shown(name, first['input'])!r}, but must be {may_be}"


def shown(name: str, value: object) -> str:
    """A value as text for a person; secrets, also those in an address, are masked."""
    match value:
        case None:
            return ""
        case _ if name in SECRETS:
            return str(Secret("set")) if value else ""
        case _ if name in ("sandbox_secrets", "tools"):
            # Somebody may have written a value where its file belongs.
            return ", ".join(map(str, value)) if isinstance(value, tuple) else str(Secret("set"))
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case str() if name in ADDRESSES:
            return value.partition("?")[0].replace(authority(value), authority(value).rpartition("@")[2])
        case str() | int() | Path():
            return str(value)
        case dict() if name == "continuations":
            return ", ".join(f"{model}={way}" for model, way in value.items())
        case list() | tuple() if name.startswith("sandbox_") or name == "preload":
            return ", ".join(map(str, value))
    return type(value).__name__  # a list or a table, which may hold a secret


def authority(address: str) -> str:
    """The part of an address before its path, even if the scheme is missing."""
    return re.split(r"[/?#]", re.sub(r"^([\w+.-]*:)?//", "", address), maxsplit=1)[0]


def host(address: str) -> str | None:
    """The host of a complete address; None if the address is invalid."""
    try:
        parts = urlsplit(address)
        return parts.hostname if parts.port != 0 else None
    except ValueError:  # unclosed brackets, an invalid port
        return None
