"""Settings, and what is wrong with them, in words: no secret is in any."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from coderunner.secret import Secret

SECRETS = ("token", "model_key", "api_key", "records_url")
ADDRESSES = ("server", "model_url", "public_url")

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
"""What a value may be, by pydantic's name for what is wrong with it."""


def sentence(failure: ValidationError, sources: Mapping[str, str], known: Iterable[str]) -> str:
    """Say what is wrong with the first wrong setting, and what it may be; `known` are the names there are."""
    first = failure.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    source = sources.get(name, name)
    if first["type"] == "extra_forbidden":
        close = get_close_matches(name, known, n=1)
        return f"{source}: unknown setting" + (f"; did you mean {close[0]}?" if close else "")
    may_be = MAY_BE.get(first["type"], first["msg"]).format(**first.get("ctx", {}))
    return f"{source} is {shown(name, first['input'])!r}, but must be {may_be}"


def shown(name: str, value: object) -> str:
    """A value in words for a person; secrets and what may hide in an address are masked."""
    match value:
        case None:
            return ""
        case _ if name in SECRETS:
            return str(Secret("set")) if value else ""
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
    return type(value).__name__  # a list or a table, with who knows what in it


def authority(address: str) -> str:
    """What stands before the path of an address, also where the scheme is missing."""
    return re.split(r"[/?#]", re.sub(r"^([\w+.-]*:)?//", "", address), maxsplit=1)[0]


def host(address: str) -> str | None:
    """The host of a whole address; None where the address cannot be right."""
    try:
        parts = urlsplit(address)
        return parts.hostname if parts.port != 0 else None
    except ValueError:  # brackets that do not close, a port that is none
        return None
