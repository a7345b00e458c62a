"""A package index on this machine, with small packages that are made here."""

import base64
import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


def add_wheel(
    index: Path,
    name: str,
    version: str = "1.0",
    *,
    files: Mapping[str, str] | None = None,
    needs: tuple[str, ...] = (),
    summary: str = "Made for a test.",
) -> None:
    """Put a package into an index: a module of its name, or other files."""
    kept = dict(files) if files is not None else {f"{name}.py": f"version = {version!r}\n"}
    about = f"{name}-{version}.dist-info"
    requires = "".join(f"Requires-Dist: {each}\n" for each in needs)
    kept[f"{about}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n{requires}"
    )
    kept[f"{about}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    kept[f"{about}/RECORD"] = "".join(f"{path},{_digest(text)},{len(text)}\n" for path, text in kept.items())
    folder = index / name.replace("_", "-")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        for path, text in kept.items():
            wheel.writestr(path, text)
    # Beside it, as PEP 658 has it.
    file.with_name(f"{file.name}.metadata").write_text(kept[f"{about}/METADATA"])


def add_source(index: Path, name: str) -> None:
    """Put a package into an index that has to be built."""
    (index / name).mkdir(parents=True, exist_ok=True)
    (index / name / f"{name}-1.0.tar.gz").write_bytes(b"nobody opens it")


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving(index: Path) -> Iterator[str]:
    """Serve an index; gives its address. A folder's listing is what the simple index is (PEP 503)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(index)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def variables(tool: str, address: str, cache: Path) -> dict[str, str]:
    """What has a tool, and no other, use an index."""
    if tool == "uv":
        return {
            "PIP_CONFIG_FILE": "/dev/null",
            "UV_DEFAULT_INDEX": address,
            "UV_CACHE_DIR": str(cache),
            "UV_NO_CONFIG": "1",
        }
    return {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": address, "PIP_NO_CACHE_DIR": "1"}
