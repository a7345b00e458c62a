"""Tells a page what is waiting or running in its chat, through a small file that the webui serves.

A request through gradio would make the page go through all its components, for a tenth of a second or more,
and lose updates of the reply meanwhile. A file has no such cost. Each page has its own file, with a name that
only that page knows.
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
"""Bytes of every file. The webui reads a file's length first and its content later; a file that changed its
length in between would make the response fail."""

LONGEST = 160
"""Characters of a text: even if each takes the twelve bytes of an escape, the file is below `SIZE`."""

NOTHING: Mapping[str, object] = {"kind": "none"}


class BarStateFiles:
    """The status files of all pages; may be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = token_bytes(16)
        """New in each process: names of an earlier one are not valid."""

    def clean(self) -> None:
        """Remove the files of an earlier process."""
        for path in self._folder.glob(f"{PREFIX}*"):
            with suppress(OSError):
                path.unlink()

    def address(self, page: str) -> str:
        """The URL of a page's file, which exists from now on."""
        self.post(page, NOTHING)
        return f"file/{seen_by_the_page(self._path(page))}"

    def post(self, page: str, notice: Mapping[str, object]) -> None:
        """Show `notice` on a page. A failed write only means that it is not shown."""
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
    """`notice` as JSON of the fixed length; long texts are cut off."""
    short = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in notice.items()}
    return json.dumps(short).encode("ascii").ljust(SIZE)
