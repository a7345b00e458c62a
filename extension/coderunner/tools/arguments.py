"""Whether a tool's arguments are what its schema says: looked at here, since what calls is hostile."""

from collections.abc import Mapping
from functools import cache

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend, validator_for
from referencing import Registry

from coderunner.tools.tool import Schema

LONGEST = 400
"""Characters of what is said of a wrong argument."""
LEFT_TO_SERVERS = ("pattern", "patternProperties", "uniqueItems", "format")
"""What may take for ever on what somebody chose for that."""


def wrong(schema: Schema, arguments: Mapping[str, object]) -> str:
    """What of the arguments is not as the schema says, as a sentence; empty where all is, or nobody knows.

    Takes time in proportion to them: about 10 µs for each value.
    """
    try:
        usual = validator_for(schema, default=Draft202012Validator)
        error = best_match(_bounded(usual)(schema, registry=Registry()).iter_errors(arguments))
    except RecursionError:
        return "the arguments are nested too deeply"
    except Exception:
        return ""  # no schema that can be read: the server knows what it means
    if error is None:
        return ""
    where = ".".join(map(str, error.absolute_path))
    said = f"{where}: {error.message}" if where else error.message
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"


@cache
def _bounded(usual: type[Draft202012Validator]) -> type[Draft202012Validator]:
    return extend(usual, dict.fromkeys(LEFT_TO_SERVERS, lambda *_: iter(())))  # type: ignore[no-any-return]
