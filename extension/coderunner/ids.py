"""Names that are given here: nobody guesses them, and they can stand in an address and on a command line."""

import secrets
import string


def new_id(size: int = 18) -> str:
    """A name of `size` random bytes: letters, digits, `-` and `_`, of which a letter comes first.

    So no program takes it for a flag.
    """
    return secrets.choice(string.ascii_letters) + secrets.token_urlsafe(size)
