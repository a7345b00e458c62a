"""How many tokens a continued reply may still take.

The webui gives each call the whole of `max_new_tokens`. A reply that goes on after a result is one reply to
the person, so what it has taken already counts; and a prompt that does not fit is refused by the model
without a word.
"""

from collections.abc import Callable
from typing import Any

LEAST = 32
"""Tokens that make it worth to go on: a sentence about the result."""


def go_on(
    state: dict[str, Any], question: str, more: str, tokens: Callable[[str], int]
) -> dict[str, Any] | None:
    """`state` for the call that goes on after `more`, the reply's text since `question`; None: nothing fits.

    At the first call nothing was said, and `state` stays as it is.
    """
    if not more:
        return {**state, "stream": True}
    context = int(state.get("truncation_length") or 0)
    room = context - tokens(question + more) if context else LEAST
    if room < LEAST or state.get("auto_max_new_tokens"):
        return {**state, "stream": True} if room >= LEAST else None
    left = int(state["max_new_tokens"]) - tokens(more)
    left = min(left, room) if context else left
    return {**state, "stream": True, "max_new_tokens": left} if left >= LEAST else None


def used_up(state: dict[str, Any], prompt: str, text: str, tokens: Callable[[str], int]) -> bool:
    """Whether `text`, which a call with this `state` gave after `prompt`, has all tokens that it may have."""
    if not text:
        return False
    if not state.get("auto_max_new_tokens"):
        return _fills(int(state.get("max_new_tokens") or 0), text, tokens)
    return _fills(int(state.get("truncation_length") or 0), prompt + text, tokens)


def _fills(room: int, text: str, tokens: Callable[[str], int]) -> bool:
    # A token is a character or more: most texts are not counted at all.
    return len(text) >= room > 0 and tokens(text) >= room


def at_most(tokens: int, state: dict[str, Any]) -> dict[str, Any]:
    """`state` for a reply that may have no more than so many new tokens; 0: as many as the webui gives it."""
    if not tokens:
        return state
    own = int(state.get("max_new_tokens") or tokens)
    return {**state, "max_new_tokens": min(own, tokens), "auto_max_new_tokens": False}


def exhausted(state: dict[str, Any]) -> str:
    """Why a reply ends where it might have gone on, for the person."""
    return (
        f"*The reply ends here: it reached the limit of {state.get('max_new_tokens')} new tokens, or of the "
        f"model's context ({state.get('truncation_length')} tokens).*"
    )
