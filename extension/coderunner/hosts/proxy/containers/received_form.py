"""A form with a file, as clients of both APIs upload one: written to the disk while it comes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

LARGEST = 512 * 1024 * 1024
"""Bytes of a form: OpenAI's own limit for a file."""
PIECE = 1024 * 1024
FIELDS = 20
TOO_LARGE = f"The upload is larger than the limit of {LARGEST // 1024**2} MB."
NO_FILE = "The request has no file: send it as the field `file` of a form (multipart/form-data)."


@dataclass(frozen=True, slots=True)
class Form:
    """What a form has brought."""

    file: UploadFile
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name, as the client has it."""
        return self.file.filename or "file"

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its content."""
        await self.file.seek(0)
        while piece := await self.file.read(PIECE):
            yield piece


@asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[Form]:
    """Read a form; raises HTTPException where it has no file. Its file is gone afterwards."""
    limited = Request(request.scope, _limited(request.receive))
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400, NO_FILE)
    # Starlette turns what is no form into such an exception as well.
    async with limited.form(max_files=1, max_fields=FIELDS) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(400, NO_FILE)
        yield Form(file, {name: value for name, value in form.items() if isinstance(value, str)})


def _limited(receive: Receive) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LARGEST:
            raise HTTPException(413, TOO_LARGE)
        return message

    return limited
