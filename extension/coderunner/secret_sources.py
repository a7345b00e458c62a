"""Where a secret of a setting is: in a file, or in a variable of ours."""

import os
import re
from pathlib import Path

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
"""How a variable of the environment may be named."""
SHORTEST = 8
"""Characters of a value: a shorter one would be found everywhere in what a server answers."""
LONGEST = 4_096
"""Characters of a value: servers take no longer header."""


def value_at(source: str, name: str) -> str:
    """The value of the secret `name` in a file, or in a variable: `$` and its name.

    Raises ValueError, whose text holds no value.
    """
    if source.startswith("$"):
        value: str = os.environ.get(source[1:], "")
        where = "its variable" if not VARIABLE.fullmatch(source[1:]) else f"the variable {source[1:]}"
    else:
        where = f"the file {source}"
        try:
            value = Path(source).expanduser().read_text(encoding="utf-8")
        except (OSError, ValueError, RuntimeError):
            raise ValueError(f"secrets with values; {where} for {name} cannot be read") from None
    value = value.strip()
    if not (SHORTEST <= len(value) <= LONGEST and value.isascii() and value.isprintable()):
        message = f"secrets of {SHORTEST} to {LONGEST} plain characters; {where} for {name} has others"
        raise ValueError(message)
    return value
