"""Keeps the webui's page from hiding what was already said.

The webui takes the first thinking tag ANYWHERE in a reply for its beginning and drops the text before it; an
end tag alone makes everything before it a thought. If a reasoning model thinks again after a result, code and
result would disappear from the page. So from the first result on, markers of ours replace the tags of a
thought, and no complete tag is passed on.
"""

from collections.abc import Callable, Sequence

from coderunner.runner import Part

BREAK = "\u200b"
"""A zero-width space: it breaks a tag and is invisible."""

Markers = Callable[[], tuple[str, str]]
"""Gives the markers before and after a thought."""


class ThoughtTagMasking:
    """Takes the text of a reply in pieces and gives what the page may get of it."""

    def __init__(self, tags: Sequence[str], *, drawn: bool, markers: Markers | None = None) -> None:
        """Without `markers`, thoughts after the first result are left out: they would look like text."""
        self._tags = sorted(tags, key=len, reverse=True)
        self._drawn = drawn
        """There is something to hide: a result was said, or the reply continues an earlier one."""
        self._markers = markers
        self._held = ""
        self._end = ""
        """The end marker of the open thought."""
        self._thinks = False
        self._blank = ""
        """White space at the beginning of a thought; with nothing else it is no thought."""

    def receive(self, text: str, part: Part) -> str:
        """Take a piece; give what may be shown now. An end that may begin a tag is held back."""
        self._drawn = self._drawn or part is Part.RESULT
        if not self._drawn:
            return text
        thinks = part is Part.THOUGHT
        if thinks and self._markers is None:
            return ""
        before = self.close() if thinks is not self._thinks else ""
        self._thinks = thinks
        said = self._clean(text)
        return before + (self._thought(said) if thinks else said)

    def close(self) -> str:
        """Give what was held back, since it is no tag. An open thought ends."""
        held, self._held = self._held, ""
        if not self._thinks:
            return held
        said = self._thought(held)
        end, self._end, self._blank, self._thinks = self._end, "", "", False
        return said + end

    def _clean(self, text: str) -> str:
        """The piece without complete tags; those around a thought are removed."""
        text = self._held + text
        for tag in self._tags if self._thinks else ():
            text = text.replace(tag, "") if tag.startswith("<") else text
        for tag in self._tags:
            text = text.replace(tag, broken(tag))
        keep = self._half(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def _thought(self, text: str) -> str:
        if self._end or self._markers is None:
            return text
        self._blank += text
        if not self._blank.strip():
            return ""
        begin, self._end = self._markers()
        return begin + self._blank.lstrip()

    def _half(self, text: str) -> int:
        """The number of characters at the end of `text` that may begin a tag."""
        longest = max((len(tag) for tag in self._tags), default=1) - 1
        for length in range(min(longest, len(text)), 0, -1):
            end = text[-length:]
            if any(tag.startswith(end) for tag in self._tags):
                return length
        return 0


def broken(tag: str) -> str:
    """`tag` as the reader sees it, but broken."""
    return tag[0] + BREAK + tag[1:]
