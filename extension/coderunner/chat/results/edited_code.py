"""What a model reads of code that a person has changed: which lines, and what came of them."""

from collections.abc import Iterable

from coderunner.chat.results.excerpt import Size, excerpt
from coderunner.chat.results.result_text import MOST_OF_A_LINE, for_model
from coderunner.chat.results.special_tokens import harmless
from coderunner.outputs import Result
from coderunner.text.line_diff import Gap, differ, folded, line_diff
from coderunner.text.terminal_text import visible

LIMIT = Size(lines=80, characters=4_000)
"""As much as of an output."""
AROUND = 1
"""Lines shown before and after each change."""

BEFORE = "The user changed this block before it ran:"

_OPENING = "```diff\n"
_SIGNS = {"same": " ", "old": "-", "new": "+"}


def changes(before: str, after: str, *, forbidden: Iterable[str] = ()) -> str:
    """The changed lines as a fence with info string `diff`, which nothing in it ends."""
    lines = (
        f"[{each.lines} unchanged lines]" if isinstance(each, Gap) else f"{_SIGNS[each.kind]}{each.text}"
        for each in folded(line_diff(before, after), AROUND)
    )
    text = excerpt(visible("\n".join(lines)), LIMIT).rstrip("\n")
    return f"{_OPENING}{harmless(text, forbidden=forbidden, before=_OPENING)}\n```"


def edited_before_it_ran(before: str, after: str, *, forbidden: Iterable[str] = ()) -> str:
    """What stands above the result of a block that a person changed before it ran."""
    return f"{BEFORE}\n{changes(before, after, forbidden=forbidden)}\n"


def was_edited(read: str, written: str, ran: str) -> bool:
    """Whether a person has changed code before it ran, by what the model `read` of it.

    A program may print that sentence, too: what was `written` is other code than what `ran` then.
    """
    return f"{BEFORE}\n" in read and differ(written, ran)


def ran_own(source: str, result: Result, *, seen: bool, forbidden: Iterable[str] = ()) -> str:
    """What the model reads of code of a person's own that they ran; `seen`: it stands in their message."""
    forbidden = tuple(forbidden)
    first = next((line.strip() for line in source.splitlines() if line.strip()), "")
    begins = harmless(first[:MOST_OF_A_LINE], forbidden=forbidden)
    code = harmless(excerpt(visible(source), LIMIT).rstrip("\n"), forbidden=forbidden, before="```code\n")
    which = (
        f"The user ran the code of their message that starts with: {begins}"
        if seen
        else f"The user ran code of their own:\n```code\n{code}\n```"
    )
    return f"{which}\n{for_model(result, forbidden=forbidden, code=source)}"


def ran_edited(source: str, edited: str, result: Result, *, forbidden: Iterable[str] = ()) -> str:
    """What the model reads of a block that a person changed and had run: which, the changes, the outcome."""
    forbidden = tuple(forbidden)
    first = next((line.strip() for line in source.splitlines() if line.strip()), "")
    begins = harmless(first[:MOST_OF_A_LINE], forbidden=forbidden)
    which = f"The user changed the block of this conversation that starts with: {begins}"
    told = for_model(result, forbidden=forbidden, code=edited)
    return f"{which}\n{changes(source, edited, forbidden=forbidden)}\nand ran it. {told}"
