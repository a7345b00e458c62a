"""A reply as the model is given it again: without what only its reader needs. Pure."""

import re

from coderunner.hosts.proxy.files.album_routes import FILES, LIVE

_INLINE = re.compile(r"!\[([^\]]*)\]\(data:image/[a-z+]+;base64,[^)]*\)")
_LINK = re.compile(rf"https?://[^\s()<>/]+(?:/[^\s()<>/]+){{0,8}}?{FILES}[0-9a-f]{{32}}/")
"""The beginning of a link of ours to a file; what follows is the file's path, encoded."""
_FILES = re.compile(rf"^\(Files: \[`[^\n]*{FILES}[0-9a-f]{{32}}/[^\n]*$", re.MULTILINE)
"""The line of a result that names the files which it made, with links to them."""
_NAMED = re.compile(rf"\[(`[^`\n]*`)\]\({_LINK.pattern}[^\s()]*\)")

_LIVE = re.compile(rf"^\n?\[[A-Z][a-z ]+\]\(https?://[^\s()<>]+{LIVE}[0-9a-f]{{32}}\)(?:\n|\Z)", re.MULTILINE)
"""The link below a result to the page that shows its outputs live."""


def for_the_model(text: str) -> str:
    """The text with its inline images as their descriptions, and links to files as links to their paths.

    What a block made has its name alone, as without links, and nothing leads to its live page. Base64 is long
    and means nothing to a model, and one that repeats a random name repeats it wrongly.
    """
    if "](data:image/" in text:
        text = _INLINE.sub(r"[\1]", text)
    if LIVE in text:
        text = _LIVE.sub("", text)
    if FILES not in text:
        return text
    return _LINK.sub("", _FILES.sub(lambda line: _NAMED.sub(r"\1", line[0]), text))
