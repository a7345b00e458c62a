"""The files that a cell made or changed, in the words that the model reads. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from coderunner.chat.results.special_tokens import harmless
from coderunner.outputs import MadeFile, Result
from coderunner.text.file_sizes import in_words
from coderunner.text.terminal_text import visible_line

MOST = 10
"""Files whose names a model reads: what it needs to go on, and a hundred tokens."""
LONGEST = 80
"""Characters of a path; its ends say the most."""

NO_LINKS: Mapping[str, str] = MappingProxyType({})


def made_files(
    result: Result,
    *,
    forbidden: Iterable[str] = (),
    quote: str = "`",
    links: Mapping[str, str] = NO_LINKS,
) -> str:
    """The files of a result in one line; empty where there are none.

    Names are a stranger's: each is a code span that it cannot end, has nothing invisible, and holds none of
    the `forbidden` strings. `quote`: what stands around a name where the line is no Markdown. `links`: where
    a host has a file, by its path; then its name is a link, and no file is left out that has one.
    """
    forbidden = tuple(forbidden)
    files = result.files[: max(MOST, len(links))]
    if not files:
        return ""
    words = [_told(file, quote, links.get(file.path, ""), forbidden) for file in files]
    if more := len(result.files) - len(files) + result.more_files:
        words.append(f"and {more:,} more")
    line = f"Files: {', '.join(words)}"
    # An address is the host's own, and of no use where anything in it is replaced.
    return line if links else harmless(line, forbidden=forbidden, before="(", after=")")


def _told(file: MadeFile, quote: str, link: str, forbidden: tuple[str, ...]) -> str:
    name = shortened(visible_line(file.path).replace("`", "'"))
    name = f"{quote}{name}{quote}"
    if link:
        name = f"[{harmless(name, forbidden=forbidden, before='[', after=']')}]({link})"
    return f"{name} ({in_words(file.size)}, {'new' if file.new else 'changed'})"


def shortened(path: str) -> str:
    """A path of bounded length."""
    half = LONGEST // 2
    return path if len(path) <= LONGEST else f"{path[: half - 1]}…{path[-half:]}"
