"""Tells a browser page what waits or runs in its chat, through a small file that the webui serves.

Asking through gradio would make the page walk all its components each time, for a tenth of a second or
more; the webui's own updates of a reply get lost meanwhile. A file is fetched without any of that. Each
page has its own, whose name only that page learns.
"""

import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes, token_hex

from coderunner.hosts.textgen.webui.image_files import seen_by_the_page

PREFIX = "bar-"
SIZE = 4096
"""Bytes of every notice. The webui looks at a file's length and reads it a moment later; in between it may
have become another file, but never one of another length, which would end its answer with an error."""

LONGEST = 160
"""Characters of a text: even where each takes the twelve bytes of an escape, a notice is below `SIZE`."""

NOTHING: Mapping[str, object] = {"kind": "none"}


class StatusFiles:
    """The files of all pages; may be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = token_bytes(16)
        """Another one for each process: a name of an earlier one means nothing."""

    def clean(self) -> None:
        """Remove what an earlier process left."""
        for path in self._folder.glob(f"{PREFIX}*"):
            with suppress(OSError):
                path.unlink()

    def address(self, page: str) -> str:
        """The address of a page's file, which is there from now on."""
        self.post(page, NOTHING)
        return f"file/{seen_by_the_page(self._path(page))}"

    def post(self, page: str, notice: Mapping[str, object]) -> None:
        """Show `notice` on a page. What cannot be written is not shown: the reply goes on all the same."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._path(page)
            written = path.with_suffix(f".{token_hex(4)}")
            try:
                written.write_bytes(_padded(notice))
                written.replace(path)
            finally:
                written.unlink(missing_ok=True)

    def _path(self, page: str) -> Path:
        return self._folder / f"{PREFIX}{hmac.new(self._key, page.encode(), 'sha256').hexdigest()[:32]}.json"


def _padded(notice: Mapping[str, object]) -> bytes:
    """`notice` as JSON of the one length; a text that is too long loses its end."""
    short = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in notice.items()}
    return json.dumps(short).encode("ascii").ljust(SIZE)
