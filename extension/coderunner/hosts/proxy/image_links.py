"""The pictures of results, as links on the proxy or within the reply itself.

A page shows a picture without sending a key, so a link is the right to see it: its name cannot be guessed
(128 random bits), what is stored under it is the picture that it claims to be, and it ends with its owner's
key or after `keep_days`. It stays out of the model's context: base64 says nothing to a model, and much.
"""

import re
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from coderunner.access.api_keys import ApiKeys
from coderunner.images.image_type import why_unseen
from coderunner.private_folders import make_private
from coderunner.runner import Image, Result, images

ROUTE = "/coderunner/pictures/"
DAY = 86_400.0

LARGEST = 8_000_000
"""Bytes of one picture: the page loads it at each visit of the chat."""
ROOM = 2 * 1024**3
"""Bytes of all pictures; what is oldest goes first. A program can show more than a disk holds."""
MOST = 12
"""Pictures of one result that are shown; more would bury the answer."""

ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
}
KINDS = {ending: kind for kind, ending in ENDINGS.items()}
NAME = re.compile(r"[0-9a-f]{32}")

HEADERS = {
    # An SVG that is opened by itself is a page, which may do nothing here.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "private, max-age=86400, immutable",
}

INLINE = re.compile(r"!\[([^\]]*)\]\(data:image/[a-z+]+;base64,[^)]*\)")


@dataclass(frozen=True, slots=True)
class ImageStore:
    """Keeps the pictures of all conversations in a folder."""

    folder: Path
    days: float
    """Days after which a picture is forgotten; 0: never."""
    room: int = ROOM
    """Bytes that all pictures may take."""

    def keep(self, result: Result, owner: str, address: str) -> list[str]:
        """Store a result's pictures; gives Markdown for each, with links below `address`."""
        kept = [
            f"![{_words(image)}]({address}{self._store(image, owner)})"
            if not (why := _why_unseen(image))
            else f"[{_words(image)}, {why}]"
            for image in images(result)[:MOST]
        ]
        if kept:
            self._make_room()
        return kept

    def find(self, name: str, api_keys: ApiKeys, asking: str | None) -> Path | None:
        """The file of a link while its owner has a key; None for who is `asking` with another one, too."""
        if not NAME.fullmatch(name.partition(".")[0]):
            return None
        path = next(self.folder.glob(f"{name.partition('.')[0]}.*"), None)
        if path is None or self._over(path):
            return None
        owner = path.name.split(".")[1]
        return path if owner in api_keys and asking in (None, owner) else None

    def sweep(self) -> None:
        """Forget what is over."""
        for path in self.folder.glob("*.*.*"):
            if self._over(path):
                with suppress(OSError):
                    path.unlink()

    def _store(self, image: Image, owner: str) -> str:
        name, ending = token_hex(16), ENDINGS[image.mime]
        make_private(self.folder)
        (self.folder / f"{name}.{owner}.{ending}").write_bytes(image.content)
        return f"{ROUTE}{name}.{ending}"

    def _make_room(self) -> None:
        """Forget the oldest pictures where all together are too large."""
        left = self.room
        with suppress(FileNotFoundError):  # where another process of ours tidies as well
            kept = [(path.stat(), path) for path in self.folder.glob("*.*.*")]
            for facts, path in sorted(kept, key=lambda each: each[0].st_mtime_ns, reverse=True):
                left -= facts.st_size
                if left < 0:
                    path.unlink()

    def _over(self, path: Path) -> bool:
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return True
        return bool(self.days) and age > self.days * DAY


@dataclass(frozen=True, slots=True)
class ImageApp:
    """The ASGI app that shows the pictures; whoever has a link sees one."""

    image_store: ImageStore
    api_keys: ApiKeys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        asking = (self.api_keys.owner(sent[0]) or "nobody") if sent else None
        path = self.image_store.find(scope["path"].removeprefix(ROUTE), self.api_keys, asking)
        answer: Response = Response(
            "This image does not exist or has been dropped.", 404, media_type="text/plain"
        )
        if path is not None and scope["method"] in ("GET", "HEAD"):
            answer = FileResponse(path, media_type=KINDS[path.suffix[1:]], headers=HEADERS)
        await answer(scope, receive, send)


def inline(result: Result) -> Sequence[str]:
    """The pictures of a result as Markdown that holds them whole."""
    return [
        f"![{_words(image)}](data:{image.mime};base64,{b64encode(image.content).decode()})"
        if not (why := _why_unseen(image))
        else f"[{_words(image)}, {why}]"
        for image in images(result)[:MOST]
    ]


def for_the_model(text: str) -> str:
    """A text without the pictures that it holds whole; their words stay."""
    return INLINE.sub(r"[\1]", text) if "](data:image/" in text else text


def _why_unseen(image: Image) -> str:
    return why_unseen(image, ENDINGS, LARGEST)


def _words(image: Image) -> str:
    """What a picture is to somebody who does not see it; what the program calls it is a stranger's text."""
    sides = image.dimensions
    return ", ".join([image.mime, *([f"{sides[0]}×{sides[1]}"] if sides else [])])
