"""How many tokens a continued reply may still use.

The webui gives each call the whole `max_new_tokens`. To the user, a reply that continues after a result is
one reply, so its earlier tokens count; and a model silently refuses a prompt that does not fit.
"""

from collections.abc import Callable
from typing import Any

LEAST = 32
"""Tokens that are worth a continuation: a sentence about the result."""


def go_on(
    state: dict[str, Any], question: str, more: str, tokens: Callable[[str], int]
) -> dict[str, Any] | None:
    """`state` for the call that goes on after `more`, the reply's text since `question`; None: nothing fits.

    At the first call nothing was said, and `state` stays as it is.
    """
    if not more:
        return {**state, "stream": True}
    context = int(state.get("truncation_length") or 0)
    left_in_context = context - tokens(question + more) if context else LEAST
    if left_in_context < LEAST or state.get("auto_max_new_tokens"):
        return {**state, "stream": True} if left_in_context >= LEAST else None
    left = int(state["max_new_tokens"]) - tokens(more)
    left = min(left, left_in_context) if context else left
    return {**state, "stream": True, "max_new_tokens": left} if left >= LEAST else None


def used_up(state: dict[str, Any], prompt: str, text: str, tokens: Callable[[str], int]) -> bool:
    """Whether `text`, which a call with this `state` gave for `prompt`, has used up its tokens."""
    if not text:
        return False
    if not state.get("auto_max_new_tokens"):
        return _fills(int(state.get("max_new_tokens") or 0), text, tokens)
    return _fills(int(state.get("truncation_length") or 0), prompt + text, tokens)


def _fills(limit: int, text: str, tokens: Callable[[str], int]) -> bool:
    # A token has at least one character, so most texts need no count.
    return len(text) >= limit > 0 and tokens(text) >= limit


def at_most(tokens: int, state: dict[str, Any]) -> dict[str, Any]:
    """`state` for a reply of at most that many new tokens; 0: the webui's own limit."""
    if not tokens:
        return state
    own = int(state.get("max_new_tokens") or tokens)
    return {**state, "max_new_tokens": min(own, tokens), "auto_max_new_tokens": False}


def exhausted(state: dict[str, Any]) -> str:
    """Why a reply ends before it is complete, for the user."""
    return (
        f"*The reply ends here: it reached the limit of {state.get('max_new_tokens')} new tokens, or of the "
        f"model's context ({state.get('truncation_length')} tokens).*"
    )
