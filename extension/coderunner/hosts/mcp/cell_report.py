"""The result of a tool call: a cell's outputs in order, its state, and the state as structured content."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from mcp.types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent
from pydantic import BaseModel, Field

from coderunner.ending_sentences import how_it_ended, what_was_refused, with_details
from coderunner.hosts.mcp.background_cell import STARTS, BackgroundCell
from coderunner.hosts.mcp.files.file_uris import file_uri, mime_type
from coderunner.images.image_type import SVG
from coderunner.images.resize import for_models
from coderunner.outputs import MadeFile, Output, Refusal, Remedy, Result, Status
from coderunner.runner import (
    AFTERWARDS_LIMITS,
    DEFAULT_LIMITS,
    Heading,
    Image,
    described,
    for_tool,
    made_files,
    parts,
    plain,
)
from coderunner.text.terminal_text import visible_line

RESOURCE = "coderunner://output/"

LONGEST = 1_568
"""Pixels of an image's longer side: all models scale larger images down."""
LARGEST = 3_500_000
"""Bytes of an image: model APIs accept 5 million characters of base64, and reject longer ones."""

NOT_SHOWN = " (not shown: damaged, or too many pixels)"

RUNNING = (
    "(still running after {seconds:.0f} s; call run_python with the same session and no code to wait for it, "
    "or interrupt)"
)
WAITS = (
    "({waits}, {seconds:.0f} s so far{why}; call run_python with the same session and no code to wait on, "
    "or interrupt)"
)
IN_USE = ": all that this machine has room for are in use"
NOTHING = "(nothing is running in this session, and the call had no code to run)"
ASKS = "(the program is waiting for {what}: {prompt!r}; answer with send_input)"
ASK_USER = "To ask the user to allow it, call request_access."


class ReportedFile(BaseModel):
    """A file that the code made or changed."""

    path: str = Field(description="Its path within the working directory.")
    size: int = Field(description="Bytes.")
    new: bool = Field(description="False: it was there before, and has changed.")
    uri: str = Field(description="The file as a resource.")


class CellReport(BaseModel):
    """The state of a cell."""

    session: str = Field(description="Pass this in the next call to keep the variables.")
    state: Literal["done", "running", "waiting_for_input", "waiting_for_kernel"]
    status: str = Field(
        default="", description="How the code ended: ok, error, timeout, interrupted, died, …"
    )
    prompt: str = Field(default="", description="The prompt of a program that is waiting for input.")
    seconds: float = Field(description="How long the code has run, or has waited for its kernel.")
    files: list[ReportedFile] = Field(
        default_factory=list, description="Files that the code made or changed in its working directory."
    )
    more_files: int = Field(default=0, description="How many more it made or changed.")


async def report(
    session: str,
    work: BackgroundCell | None,
    keep: Callable[[str], str],
    ended: Sequence[BackgroundCell] = (),
    afterwards: Sequence[Result] = (),
    *,
    asks: bool = False,
) -> CallToolResult:
    """The new output of a cell; None: nothing runs, and all of the latest cell was told.

    Above it stand the rest of cells that `ended` untold and the later output of others (`afterwards`).
    `keep` saves a text that is too long, and gives its name. `asks`: the user can be asked to allow more.
    """
    content: list[ContentBlock] = []
    for each in ended:
        content += _under(Heading.LATE, await _told(session, each, keep, asks=asks))
    content += [await _block(piece) for shown in afterwards for piece in _afterwards(shown, asks=asks)]
    if work is not None:
        told = await _told(session, work, keep, asks=asks)
        content += _under(Heading.RESULT, told) if ended else told
    stands = (
        _stands(session, work) if work is not None else CellReport(session=session, state="done", seconds=0)
    )
    # An interrupt is no failure: it was asked for.
    failed = stands.status not in ("", Status.OK, Status.INTERRUPTED)
    return CallToolResult(
        content=content or [TextContent(type="text", text=NOTHING)],
        structured_content=stands.model_dump(),
        is_error=failed,
    )


async def _told(
    session: str, work: BackgroundCell, keep: Callable[[str], str], *, asks: bool
) -> list[ContentBlock]:
    """The new output of a cell, a sentence on its state, and its files."""
    new = work.news()
    content: list[ContentBlock] = [await _block(piece) for piece in for_tool(new, result=work.result)]
    content += _whole(new, keep)
    if words := _words(work, silent=not content, asks=asks):
        content.append(TextContent(type="text", text=words))
    made = work.result or Result()
    return [*content, *(_link(session, file) for file in made.files)]


def _under(heading: Heading, told: list[ContentBlock]) -> list[ContentBlock]:
    """What is told of a cell under a heading."""
    match told:
        case [TextContent(text=text), *more]:
            return [TextContent(type="text", text=f"{heading}:\n{text}"), *more]
    return [TextContent(type="text", text=f"{heading}:"), *told]


def _stands(session: str, work: BackgroundCell) -> CellReport:
    """The state of a cell as data."""
    made = work.result or Result()
    return CellReport(
        session=session,
        state="done" if work.result is not None else work.state,
        status=work.result.status.value if work.result is not None else "",
        prompt=work.question.prompt if work.question is not None else "",
        seconds=round(work.seconds, 3),
        files=[
            ReportedFile(
                path=visible_line(file.path),
                size=file.size,
                new=file.new,
                uri=file_uri(session, file.path),
            )
            for file in made.files
        ],
        more_files=made.more_files,
    )


async def _block(piece: str | Image) -> ContentBlock:
    if isinstance(piece, str):
        return TextContent(type="text", text=piece)
    # In a thread: a large image takes a second.
    seen = await asyncio.to_thread(for_models, piece.content, longest=LONGEST, largest=LARGEST)
    if seen is None:
        # No known model accepts SVG.
        why = "" if piece.mime == SVG else NOT_SHOWN
        return TextContent(type="text", text=f"{described(piece)}{why}")
    return ImageContent(type="image", data=b64encode(seen.content).decode(), mime_type=seen.mime)


def _link(session: str, file: MadeFile) -> ResourceLink:
    """A file that the code made or changed, to be read as a resource."""
    return ResourceLink(
        type="resource_link",
        uri=file_uri(session, file.path),
        name=visible_line(file.path),
        mime_type=mime_type(file.path),
        size=file.size,
    )


def _afterwards(shown: Result, *, asks: bool) -> list[str | Image]:
    """The output of a cell after its end, under a heading."""
    pieces = for_tool(shown.outputs, AFTERWARDS_LIMITS, result=shown)
    text = [pieces.pop(0)] if pieces and isinstance(pieces[0], str) else []
    said = f"{Heading.AFTERWARDS} ({shown.detail}):" if shown.detail else f"{Heading.AFTERWARDS}:"
    refused = _refused(shown.refusals, asks=asks)
    return ["\n".join([said, *map(str, text)]), *pieces, *([f"({refused})"] if refused else [])]


def _whole(outputs: Sequence[Output], keep: Callable[[str], str]) -> list[ContentBlock]:
    """A link to the full text if only an excerpt was given."""
    text = "\n".join(part.removesuffix("\n") for part in parts(outputs) if isinstance(part, str))
    size = DEFAULT_LIMITS.output
    if len(text) <= size.characters and text.count("\n") <= size.lines:
        return []
    whole = plain(text)
    return [
        ResourceLink(
            type="resource_link",
            uri=f"{RESOURCE}{keep(whole)}",
            name="full output",
            mime_type="text/plain",
            size=len(whole.encode()),
        )
    ]


def _words(work: BackgroundCell, *, silent: bool, asks: bool) -> str:
    """A sentence on its state; empty if the outputs say it."""
    if work.question is not None:
        what = "a password" if work.question.password else "input"
        return ASKS.format(what=what, prompt=work.question.prompt)
    if work.result is None:
        if waits := work.waits:
            why = "" if waits == STARTS else IN_USE
            return WAITS.format(waits=waits.lower(), seconds=work.seconds, why=why)
        return RUNNING.format(seconds=work.seconds)
    return _ending(work.result, silent=silent, asks=asks)


def _ending(result: Result, *, silent: bool, asks: bool) -> str:
    said = how_it_ended(result.status, result.aftermath, result.detail)
    if silent and not said:
        said = "no output" if result.status is Status.OK else "the code failed"
    sentence = with_details(said, plain(result.detail))
    told = filter(None, (sentence, _refused(result.refusals, asks=asks), made_files(result)))
    return "\n".join(f"({each})" for each in told)


def _refused(refusals: Sequence[Refusal], *, asks: bool) -> str:
    """What the sandbox refused, and what can be done about it here, where no page has buttons."""
    pages = (Remedy.FORM,) if asks else (Remedy.FORM, Remedy.BUTTON)
    told = [replace(each, remedy=Remedy.SETTING) if each.remedy in pages else each for each in refusals]
    return plain(what_was_refused(told, button=ASK_USER))
