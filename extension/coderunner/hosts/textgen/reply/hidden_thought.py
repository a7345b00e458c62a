"""Keeps the page from hiding what was said already.

The webui takes the first start tag of a thought ANYWHERE in a reply for the beginning of the answer and
drops the text before it; a lone end tag makes all before it a thought. A reasoning model that thinks again
after it has read a result would so take code and result off the page. Hence from the first result on a
thought stands between marks of ours, in place of its tags, and no tag comes through whole.
"""

from collections.abc import Callable, Sequence

from coderunner.runner import Part

BREAK = "\u200b"
"""A zero-width space: it breaks a tag and is not seen."""

Marks = Callable[[], tuple[str, str]]
"""Gives what stands before a thought, and what after it."""


class HiddenThought:
    """Takes what is said and gives what the page may get; joined, a text that only grows."""

    def __init__(self, tags: Sequence[str], *, drawn: bool, marks: Marks | None = None) -> None:
        """Without `marks` what is thought after the first result is left out: nobody could tell it apart."""
        self._tags = sorted(tags, key=len, reverse=True)
        self._drawn = drawn
        """There is something to lose: a result was said, or the reply goes on from an earlier one."""
        self._marks = marks
        self._held = ""
        self._end = ""
        """What closes the thought that is open."""
        self._thinks = False
        self._blank = ""
        """Blanks at the beginning of a thought: one of nothing but blanks is none."""

    def receive(self, text: str, part: Part) -> str:
        """Take a piece; give what may be shown by now. An end that may be half a tag is kept back."""
        self._drawn = self._drawn or part is Part.RESULT
        if not self._drawn:
            return text
        thinks = part is Part.THOUGHT
        if thinks and self._marks is None:
            return ""
        before = self.close() if thinks is not self._thinks else ""
        self._thinks = thinks
        said = self._clean(text)
        return before + (self._thought(said) if thinks else said)

    def close(self) -> str:
        """Give what was kept back: no tag came of it. A thought that is open ends."""
        held, self._held = self._held, ""
        if not self._thinks:
            return held
        said = self._thought(held)
        end, self._end, self._blank, self._thinks = self._end, "", "", False
        return said + end

    def _clean(self, text: str) -> str:
        """The piece with no tag whole; around a thought they are left out."""
        text = self._held + text
        for tag in self._tags if self._thinks else ():
            text = text.replace(tag, "") if tag.startswith("<") else text
        for tag in self._tags:
            text = text.replace(tag, broken(tag))
        keep = self._half(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def _thought(self, text: str) -> str:
        if self._end or self._marks is None:
            return text
        self._blank += text
        if not self._blank.strip():
            return ""
        begin, self._end = self._marks()
        return begin + self._blank.lstrip()

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
