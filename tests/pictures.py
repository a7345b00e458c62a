"""Image files for tests, whole and otherwise."""

import base64
import io
import zlib

from PIL import Image


def png(width: int = 640, height: int = 480) -> bytes:
    """A whole PNG of that size, by its header; its pixels are few, so that it is small."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    pixels = zlib.compress(bytes(9))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def drawn(kind: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: object) -> bytes:
    """A real one, as Pillow writes it."""
    kept = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(kept, kind, **options)
    return kept.getvalue()


def text(content: bytes) -> str:
    """As a MIME bundle has it."""
    return base64.b64encode(content).decode()
