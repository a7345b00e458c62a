"""The exception for what cannot be granted, and how it repeats what was typed."""

SHOWN = 120
"""Characters of what was typed that a sentence repeats."""


class NotGrantable(ValueError):
    """What was typed cannot be granted; the text says why, and what can be typed instead."""


def cut(text: str) -> str:
    """What was typed, short and harmless enough for a sentence."""
    text = "".join(each if each.isprintable() else "?" for each in text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 40]}…{text[-39:]}"
