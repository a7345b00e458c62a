"""Errors as kernels report them: in a message of their own, in the reply, as text, or in several of these.

Pure. ipykernel sends a message; the family of metakernel writes the traceback to stderr and has the error in
the reply alone; tslab has it nowhere but as text; xeus-python names the class as Python's `repr` does.
ipykernel sends one also where the program raised nothing, but one format of an object could not be made.
"""

import re
from collections.abc import Mapping

from coderunner.kernel.protocol.message_content import text_of
from coderunner.kernel.protocol.output_limits import BoundedText, shorten, traceback_of
from coderunner.outputs import DisplayData, Error, ExecuteResult, Output
from coderunner.text.terminal_text import plain

NAME = 4096
"""Characters of an error's name and message."""
LONGEST_ECHO = 64 * 1024
"""Characters of a text that may be an error's: of more, nobody looks whether it is."""
INTERRUPT = "KeyboardInterrupt"
UNMADE = "One format of this output could not be made: {said}\n"
CLASS = re.compile(r"<class '(?:[\w.]+\.)?(\w+)'>", re.ASCII)
"""How Python shows a class."""


def error_of(content: Mapping[str, object]) -> Error:
    """Return the error of a message or a reply; what is missing is empty."""
    named, said = (shorten(text_of(content.get(key)), NAME) for key in ("ename", "evalue"))
    shown = CLASS.fullmatch(named)
    return Error(shown[1] if shown else named, said, traceback_of(content.get("traceback")))


def says_nothing(error: Error) -> bool:
    """Whether a reply only tells that there was an error."""
    return raised_nothing(error) or not (error.ename or error.evalue or error.traceback)


def raised_nothing(error: Error | None) -> bool:
    """Whether it is what ipykernel 7 replies where a format of the last value could not be made."""
    return error is not None and (error.ename, error.evalue) == ("NoneType", "None")


def set_aside(shown: list[Output | BoundedText]) -> set[int]:
    """Make a line of text of each error before an output that is shown all the same, and tell where they are.

    It is one of a format, where the program itself raised nothing: pygal's PNG needs a package, its SVG none.
    """
    aside: set[int] = set()
    drawn = False
    for index in reversed(range(len(shown))):
        output = shown[index]
        if isinstance(output, DisplayData | ExecuteResult):
            drawn = any(kind != "text/plain" and value for kind, value in output.data.items())
        elif isinstance(output, Error) and drawn:
            said = f"{output.ename}: {output.evalue}" if output.evalue else output.ename
            shown[index] = BoundedText("stderr", UNMADE.format(said=said))
            aside.add(index)
    return aside


def in_place_of(text: BoundedText, error: Error) -> BoundedText | Error | None:
    """Return what to show in place of the text before an error, where that text ends with the same error.

    It is what comes before it there, or the error itself where nothing does. None where the text is another.
    """
    if text.name != "stderr" or text.size > LONGEST_ECHO:
        return None
    shown = plain(text.value().text).rstrip()
    told = f"{error.ename}: {error.evalue}" if error.ename else ""
    # What IPython writes where a second interrupt comes while it makes the traceback of the first.
    again = INTERRUPT if error.ename == INTERRUPT else ""
    for said in ("".join(error.traceback), told, again):
        echo = plain(said).strip()
        if echo and (shown == echo or shown.endswith(f"\n{echo}")):
            rest = shown.removesuffix(echo).rstrip()
            return BoundedText("stderr", f"{rest}\n") if rest else error
    return None
