"""The images of results, as links to the proxy or inline in the reply.

A page loads an image without a key, so its link is the permission to see it: it has a random name (128 bits),
its content is checked to be of its type, and it expires with its owner's key or after `keep_days`. Inline
images are removed before the model reads the reply: base64 is long and means nothing to it.
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
"""Bytes of one image: the page loads it whenever the chat is opened."""
MOST_BYTES = 2 * 1024**3
"""Bytes of all images; the oldest are deleted first. A program could otherwise fill the disk."""
MOST = 12
"""Images of one result that are shown; more would hide the answer."""

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
    # An SVG that is opened by itself is a document, which must not run scripts.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "private, max-age=86400, immutable",
}

INLINE = re.compile(r"!\[([^\]]*)\]\(data:image/[a-z+]+;base64,[^)]*\)")


@dataclass(frozen=True, slots=True)
class ImageStore:
    """Saves the images of all conversations in a folder."""

    folder: Path
    days: float
    """Days after which an image expires; 0: never."""
    most_bytes: int = MOST_BYTES
    """Bytes of all images."""

    def keep(self, result: Result, owner: str, address: str) -> list[str]:
        """Save a result's images; gives Markdown for each, with links below `address`."""
        kept = [
            f"![{_words(image)}]({address}{self._store(image, owner)})"
            if not (why := _why_unseen(image))
            else f"[{_words(image)}, {why}]"
            for image in images(result)[:MOST]
        ]
        if kept:
            self._drop_oldest()
        return kept

    def find(self, name: str, api_keys: ApiKeys, asking: str | None) -> Path | None:
        """The file of a link if its owner still has a key; None if `asking` is another owner."""
        if not NAME.fullmatch(name.partition(".")[0]):
            return None
        path = next(self.folder.glob(f"{name.partition('.')[0]}.*"), None)
        if path is None or self._expired(path):
            return None
        owner = path.name.split(".")[1]
        return path if owner in api_keys and asking in (None, owner) else None

    def sweep(self) -> None:
        """Delete expired images."""
        for path in self.folder.glob("*.*.*"):
            if self._expired(path):
                with suppress(OSError):
                    path.unlink()

    def _store(self, image: Image, owner: str) -> str:
        name, ending = token_hex(16), ENDINGS[image.mime]
        make_private(self.folder)
        (self.folder / f"{name}.{owner}.{ending}").write_bytes(image.content)
        return f"{ROUTE}{name}.{ending}"

    def _drop_oldest(self) -> None:
        """Forget the oldest pictures where all together are too large."""
        left = self.most_bytes
        with suppress(FileNotFoundError):  # where another process of ours tidies as well
            kept = [(path.stat(), path) for path in self.folder.glob("*.*.*")]
            for facts, path in sorted(kept, key=lambda each: each[0].st_mtime_ns, reverse=True):
                left -= facts.st_size
                if left < 0:
                    path.unlink()

    def _expired(self, path: Path) -> bool:
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return True
        return bool(self.days) and age > self.days * DAY


@dataclass(frozen=True, slots=True)
class ImageApp:
    """The ASGI app that serves the images to everybody who has a link."""

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
    """The images of a result as Markdown with data URLs."""
    return [
        f"![{_words(image)}](data:{image.mime};base64,{b64encode(image.content).decode()})"
        if not (why := _why_unseen(image))
        else f"[{_words(image)}, {why}]"
        for image in images(result)[:MOST]
    ]


def for_the_model(text: str) -> str:
    """A text with its inline images replaced by their descriptions."""
    return INLINE.sub(r"[\1]", text) if "](data:image/" in text else text


def _why_unseen(image: Image) -> str:
    return why_unseen(image, ENDINGS, LARGEST)


def _words(image: Image) -> str:
    """A description of an image, without any text of the program."""
    sides = image.dimensions
    return ", ".join([image.mime, *([f"{sides[0]}×{sides[1]}"] if sides else [])])
