"""The images of results, as links to the proxy or inline in the reply; each is what it claims to be."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from coderunner.access.api_keys import ApiKeys
from coderunner.hosts.proxy.files.album import Album, asking
from coderunner.hosts.proxy.files.album_routes import PICTURES
from coderunner.images.image_type import why_unseen
from coderunner.runner import Image, Result, images

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

HEADERS = {
    # An SVG that is opened by itself is a document, which must not run scripts.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "private, max-age=86400, immutable",
}


@dataclass(frozen=True, slots=True)
class ImageStore:
    """Saves the images of all conversations in a folder."""

    folder: Path
    days: float
    """Days after which an image expires; 0: never."""
    most_bytes: int = MOST_BYTES
    """Bytes of all images."""

    @property
    def album(self) -> Album:
        """The images."""
        return Album(self.folder, self.days, self.most_bytes)

    def keep(self, result: Result, owner: str, address: str) -> list[str]:
        """Save a result's images; gives Markdown for each, with links below `address`."""
        kept = [
            f"![{_words(image)}]({address}{self._store(image, owner)})"
            if not (why := _why_unseen(image))
            else f"[{_words(image)}, {why}]"
            for image in images(result)[:MOST]
        ]
        if kept:
            self.album.drop_oldest()
        return kept

    def find(self, name: str, api_keys: ApiKeys, asking: str | None) -> Path | None:
        """The file of a link if its owner still has a key; None if `asking` is another owner."""
        return self.album.find(name.partition(".")[0], api_keys, asking)

    def _store(self, image: Image, owner: str) -> str:
        ending = ENDINGS[image.mime]
        return f"{PICTURES}{self.album.put(owner, ending, image.content)}.{ending}"


@dataclass(frozen=True, slots=True)
class ImageApp:
    """The ASGI app that serves the images to everybody who has a link."""

    image_store: ImageStore
    api_keys: ApiKeys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asks = asking(scope, self.api_keys)
        path = self.image_store.find(scope["path"].removeprefix(PICTURES), self.api_keys, asks)
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


def _why_unseen(image: Image) -> str:
    return why_unseen(image, ENDINGS, LARGEST)


def _words(image: Image) -> str:
    """A description of an image, without any text of the program."""
    sides = image.dimensions
    return ", ".join([image.mime, *([f"{sides[0]}×{sides[1]}"] if sides else [])])
