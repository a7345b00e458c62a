"""Keeps the page from hiding what was said already.

The webui takes the first start tag of a thought ANYWHERE in a reply for the beginning of the answer and
drops the text before it; a lone end tag makes all before it a thought. A reasoning model that thinks again
after it has read a result would so take code and result off the page. Hence from the first result on
thoughts are not passed on, and no tag comes through whole.
"""

from collections.abc import Sequence

from coderunner.runner import Part

BREAK = "\u200b"
"""A zero-width space: it breaks a tag and is not seen."""


class Veil:
    """Takes what is said and gives what the page may get; joined, a text that only grows."""

    def __init__(self, tags: Sequence[str], *, drawn: bool) -> None:
        self._tags = sorted(tags, key=len, reverse=True)
        self._drawn = drawn
        """There is something to lose: a result was said, or the reply goes on from an earlier one."""
        self._held = ""

    def receive(self, text: str, part: Part) -> str:
        """Take a piece; give what may be shown by now. An end that may be half a tag is kept back."""
        self._drawn = self._drawn or part is Part.RESULT
        if not self._drawn:
            return text
        if part is Part.THOUGHT:
            return ""
        text = self._held + text
        for tag in self._tags:
            text = text.replace(tag, broken(tag))
        keep = self._half(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def close(self) -> str:
        """Give what was kept back: no tag came of it."""
        held, self._held = self._held, ""
        return held

    def _half(self, text: str) -> int:
        """How many characters at the end of `text` begin a tag."""
        longest = max((len(tag) for tag in self._tags), default=1) - 1
        for length in range(min(longest, len(text)), 0, -1):
            end = text[-length:]
            if any(tag.startswith(end) for tag in self._tags):
                return length
        return 0


def broken(tag: str) -> str:
    """`tag` as the reader sees it, but no tag any more."""
    return tag[0] + BREAK + tag[1:]
