"""A result as text for the model, which the reader sees in the same words.

What a program printed is untrusted. It stands in a fence that it cannot end, and nothing in it ends the
model's turn, opens a thought, calls a tool, starts a block that runs, or vanishes from the page.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby

from coderunner.chat import display_text
from coderunner.chat.results import error_hints, exception_text
from coderunner.chat.results.excerpt import Size, excerpt
from coderunner.chat.results.made_files import NO_LINKS, made_files
from coderunner.chat.results.special_tokens import harmless
from coderunner.ending_sentences import how_it_ended, what_was_refused, with_details
from coderunner.images.image_type import Image
from coderunner.outputs import (
    DisplayData,
    Error,
    ExecuteResult,
    Omission,
    Output,
    Result,
    Status,
    Stream,
    is_tool_call,
)
from coderunner.packages.offers import tells
from coderunner.text.terminal_text import plain, visible, visible_line

__all__ = [
    "AFTERWARDS_LIMITS",
    "DEFAULT_LIMITS",
    "Heading",
    "Image",
    "Limits",
    "described",
    "for_model",
    "for_tool",
    "images",
    "parts",
    "pictures",
    "plain",
    "ran_again",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a model is given of one result. It is paid again with each block that follows."""

    output: Size = field(default=Size(lines=80, characters=4_000))
    """About a thousand tokens: eight blocks stay within a context of 16k."""
    error: Size = field(default=Size(lines=40, characters=2_000))
    """Apart from the output, so that a long output never hides why the program failed."""
    line: int = 400
    """A longer single line is easier to read in a fence."""
    images: int = 8
    """More are counted, not described."""


DEFAULT_LIMITS = Limits()
AFTERWARDS_LIMITS = Limits(Size(lines=20, characters=1_000), Size(lines=20, characters=1_000), images=2)
"""What came after the end of a block is rarely what was asked for, and may come of several blocks at once."""

# The name of the file that a cell is to Python: different in each process, and long.
_CELL_FILE = re.compile(r"(?<![^\s\"'(])[^\s\"'(]*[/\\]ipykernel_\d+[/\\]\d+\.py")

# What a page could take for Markdown, HTML or mathematics: such a line needs a fence to be seen as it is.
_PIECE = 20_000
"""Characters of a message that are looked for."""
_MARKUP = re.compile(r"[`*<&\\$~|]|\b_|_\b|__|\]\(|!\[|\]\[|Result:|^\s|\s$")

OFTEN = 3
"""Lines in a row that are the same and are all told."""
MOST_OF_A_LINE = 80
"""Characters by which a block is told from others."""


class Heading(StrEnum):
    """How a result begins, before its colon."""

    RESULT = "Result"
    LATE = "Result of the block that was still running"
    """Of a block that ended after its deadline: other text stands between the two."""
    AFTERWARDS = "Later output of an earlier block"
    """Of a block whose result was told: its threads and tasks go on."""


def for_model(
    result: Result,
    limits: Limits = DEFAULT_LIMITS,
    *,
    forbidden: Iterable[str] = (),
    pictures: Sequence[str] = (),
    links: Mapping[str, str] = NO_LINKS,
    heading: Heading = Heading.RESULT,
    code: str = "",
) -> str:
    """The result in the words that are added to the reply: `Result: 15`, or `Result:` and a fence.

    The text begins with the `heading` and a colon; it ends with a newline, and says the same without it. It
    holds none of the `forbidden` strings, the host's stop strings, in anything that a program wrote.
    `pictures` is Markdown of the host for `images(result)`, in their order; each stands below the text in
    place of the line that describes it, and a blank line below one that ends with a line end. `links` are the
    host's addresses for files, by their paths: their names lead there, and a blank line follows. The cell's
    own `code` may say why it does not end. Costs time in proportion to the result, and little of that for
    what is left out.
    """
    forbidden = tuple(forbidden)
    name = heading.value
    limits = AFTERWARDS_LIMITS if heading is Heading.AFTERWARDS else limits
    placed = [picture.strip() + ("\n" if picture.endswith("\n") else "") for picture in pictures]
    output = excerpt(_body(result.outputs, limits, len(placed)), limits.output, _missing(result.outputs))
    output = _CELL_FILE.sub("<cell>", output)
    text = "\n".join(
        part
        for part in (output.rstrip("\n"), _errors(result, limits, hints=not tells(result)))
        if part.strip("\n")
    )
    sentence = _sentence(result, code, silent=not text and not placed)
    if not text:
        lines = [f"{name}: ({harmless(sentence, forbidden=forbidden)})" if sentence else f"{name}:"]
    elif _on_one_line(text, result, limits):
        lines = [f"{name}: {harmless(text, forbidden=forbidden, before=f'{name}: ')}"]
    else:
        lines = [
            f"{name}:",
            "```output",
            harmless(text, forbidden=forbidden, before=f"{name}:\n```output\n"),
            "```",
        ]
        lines += [f"({harmless(sentence, forbidden=forbidden)})"] if sentence else []
    if refused := visible_line(what_was_refused(result.refusals)):
        lines.append(f"({harmless(refused, forbidden=forbidden)})")
    files = made_files(result, forbidden=forbidden, links=links)
    if files:
        lines.append(f"({files})")
    if result.variables:
        lines.append(f"({harmless(f'Variables: {result.variables}', forbidden=forbidden)})")
    if files and links:
        lines.append("")
    return "\n".join([*lines, *placed, ""])


def ran_again(source: str, result: Result, *, forbidden: Iterable[str] = ()) -> str:
    """What the model reads of a block that a person had run once more: which it is, and its outcome."""
    forbidden = tuple(forbidden)
    first = next((line.strip() for line in source.splitlines() if line.strip()), "")
    begins = harmless(first[:MOST_OF_A_LINE], forbidden=forbidden)
    which = f"The user reran the block of this conversation that starts with: {begins}"
    return f"{which}\n{for_model(result, forbidden=forbidden, code=source)}"


def for_tool(
    outputs: Iterable[Output],
    limits: Limits = DEFAULT_LIMITS,
    *,
    result: Result | None = None,
) -> list[str | Image]:
    """Outputs for a model that gets them apart from its own words, as a tool's: texts and images in order.

    Each text is an excerpt within the limits of a whole output, and as harmless as in `for_model`. Errors
    come last; with hints, where the `result` is given that they are of. Images beyond `limits.images` are
    described.
    """
    outputs = tuple(outputs)
    pictures = [image for image in images(Result(outputs)) if not image.told][: limits.images]
    told: list[str | Image] = []
    group: list[Output] = []
    for output in outputs:
        image = _image(output) if isinstance(output, DisplayData | ExecuteResult) else None
        if image not in pictures:
            group.append(output)
        elif isinstance(output, DisplayData | ExecuteResult) and output.widget is not None:
            seen = [image] if image and image not in told else []
            told += [*_text([*group, replace(output, data={})], limits), *seen]
            group = []
        elif image not in told:
            told += [*_text(group, limits), *([image] if image else [])]
            group = []
    told += _text(group, limits)
    known = result or Result()
    hints = result is not None and not tells(result)
    errors = _errors(replace(known, outputs=outputs), limits, hints=hints)
    return [*told, *([harmless(errors)] if errors else [])]


def _text(outputs: Sequence[Output], limits: Limits) -> list[str]:
    """Everything but the errors as one harmless text, if there is any."""
    text = excerpt(_body(outputs, limits, 0), limits.output, _missing(outputs)).rstrip("\n")
    return [harmless(_CELL_FILE.sub("<cell>", text))] if text.strip() else []


def images(result: Result) -> tuple[Image, ...]:
    """The images of a result in their order, each once.

    A figure that is both shown and the value of the cell comes twice from the kernel.
    """
    return tuple(dict.fromkeys(part for part in parts(result.outputs) if isinstance(part, Image)))


def pictures(result: Result) -> tuple[bytes, ...]:
    """The images of a result as files, without those of which a text says as much."""
    return tuple(image.content for image in images(result) if not image.told)


def described(image: Image) -> str:
    """An image in one harmless line, for a model that is not shown it."""
    return harmless(visible(str(image)))


def parts(outputs: Iterable[Output]) -> Iterator[str | Image]:
    """The texts and images that were shown, in order. Consecutive pieces of one stream are one text."""
    read = (output for output in outputs if not is_tool_call(output))
    for kind, group in groupby(read, key=lambda output: output.name if isinstance(output, Stream) else ""):
        if kind:
            text = "".join(str(output.text) for output in group if isinstance(output, Stream))
            yield _said_once(text) if kind == "stderr" else text
            continue
        for output in group:
            if isinstance(output, DisplayData | ExecuteResult):
                yield from _bundle(output)


def _said_once(text: str) -> str:
    """A log with each line that it says again and again in a row once, and how often."""
    lines: list[str] = []
    for line, group in groupby(text.split("\n")):
        count = sum(1 for _ in group)
        again = [line] * (count - 1)
        if line.strip() and count > OFTEN:
            again = [f"[… the same line {count - 1:,} more times …]"]
        lines += [line, *again]
    return "\n".join(lines)


def _image(output: DisplayData | ExecuteResult) -> Image | None:
    """The image of an output; what a widget is says its words, and not its constructor."""
    image = display_text.image(output.data)
    return image if image is None or output.widget is None else replace(image, caption="")


def _bundle(output: DisplayData | ExecuteResult) -> Iterator[str | Image]:
    image = _image(output)
    if output.widget is not None:
        yield output.widget
        if image is not None and output.widget:
            yield image
        return
    if image is None or image.told:
        yield display_text.text(output.data)
    if image is not None:
        yield image


def _body(outputs: Iterable[Output], limits: Limits, pictured: int) -> str:
    """Everything but the errors as one text; the first images are left to the host's pictures."""
    seen: dict[Image, None] = {}
    untold = 0
    texts: list[str] = []
    for part in parts(outputs):
        if isinstance(part, str):
            texts.append(part)
        elif part not in seen:
            seen[part] = None
            if len(seen) > pictured and not part.told:
                untold += 1
                texts += [str(part)] if untold <= limits.images else []
    if (more := untold - limits.images) > 0:
        texts.append(f"[{more} more images]")
    return "\n".join(text.removesuffix("\n") for text in texts if text)


def _missing(outputs: Iterable[Output]) -> Omission:
    omitted = [output.omitted for output in outputs if isinstance(output, Stream)]
    return Omission(
        lines=sum(each.lines for each in omitted), characters=sum(each.characters for each in omitted)
    )


def _errors(result: Result, limits: Limits, *, hints: bool) -> str:
    errors = [output for output in result.outputs if isinstance(output, Error)]
    told = (_error(error, result, limits, hints=hints) for error in errors)
    return "\n".join(part for both in told for part in both if part)


def _error(error: Error, result: Result, limits: Limits, *, hints: bool) -> tuple[str, str]:
    """The error, and what there is to say about it: in excerpts neither takes space from the other."""
    before = result.outputs[: result.outputs.index(error)]
    # What Python warns of while it compiles comes before as well.
    began = any(not (isinstance(output, Stream) and output.name == "stderr") for output in before)
    # What is told of a package that is missing says more than a hint could.
    advice = exception_text.advice(error) if hints else ""
    if _said_already(error, before):
        return "", advice
    text = exception_text.describe(error, cell=result.execution_count, began=began)
    return excerpt(text, limits.error).rstrip("\n"), advice


def _said_already(error: Error, before: Sequence[Output]) -> bool:
    """Whether Python itself has written the traceback, as it does of an ExceptionGroup."""
    said = f"{error.ename}: {error.evalue[:_PIECE]}"
    return not error.traceback and any(
        isinstance(output, Stream)
        and output.name == "stderr"
        and "Traceback (most" in output.text
        and said in output.text
        for output in before
    )


def _sentence(result: Result, code: str, *, silent: bool) -> str:
    """What is said of the way it ended. A program that raised has said it; one that ended well need not."""
    said = how_it_ended(result.status, result.aftermath, result.detail)
    if result.status is Status.ERROR and silent:
        said = "the code failed"
    if not said and silent:
        said = "no output"
    detail = " ".join(visible(result.detail).split()).rstrip(".")
    waits = error_hints.waits(code) if result.status is Status.TIMEOUT else ""
    return with_details(said, detail, waits)


def _on_one_line(text: str, result: Result, limits: Limits) -> bool:
    plain_end = result.status is Status.OK and not (result.detail or result.refusals or result.files)
    return plain_end and "\n" not in text and len(text) <= limits.line and not _MARKUP.search(text)
