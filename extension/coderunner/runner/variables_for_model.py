"""What a model is told of a kernel's variables, unasked: after a block, and with a message that names one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from coderunner.chat.results.special_tokens import harmless
from coderunner.errors import NotAnswered
from coderunner.kernel.variables import words
from coderunner.kernel.variables.asked import Asked, Rows, rows_in, variables_in, variables_named
from coderunner.kernel.variables.variable_list import Variable, VariableList
from coderunner.outputs import Result

PATIENCE = 1.0
"""Seconds for an answer, which takes milliseconds: the reply waits for it."""


class VariableDigest:
    """What the blocks of one reply have changed in a kernel. Its methods block; not for event loops."""

    def __init__(self, kernel: Asked) -> None:
        self._kernel = kernel
        self._known: VariableList | None = None

    def begin(self) -> None:
        """A block is about to run: see what there is, unless the block before it has told."""
        if self._known is None:
            self._known = self._look() or VariableList()

    def after(self, result: Result) -> Result:
        """The result of a block, with what it has changed."""
        now = self._look()
        before, self._known = self._known, now
        if now is None or before is None:
            return result
        return replace(result, variables=words.changed(before, now))

    def _look(self) -> VariableList | None:
        try:
            return asyncio.run(variables_in(self._kernel, patience=PATIENCE))
        except NotAnswered:
            return None


async def mention_words(kernel: Asked, text: str, *, forbidden: Sequence[str] = ()) -> str:
    """What the variables are that a person's message names (`@frame`), for the model to read before it.

    Names that no variable has are left alone; empty where there is nothing to tell. Starts no kernel.
    """
    names = words.mentioned(text)
    if not names:
        return ""
    try:
        found = await variables_named(kernel, names, patience=PATIENCE)
    except NotAnswered:
        return ""
    told = [await _told(kernel, each) for each in found.variables]
    return harmless("".join(f"{each}\n" for each in told), forbidden=forbidden)


async def _told(kernel: Asked, variable: Variable) -> str:
    said = f"Variable {words.about(variable)}"
    if not variable.table:
        return said
    try:
        page = await rows_in(kernel, Rows(variable.name, limit=words.ROWS), patience=PATIENCE)
    except NotAnswered:
        return said
    return f"{said}\nIts first rows:\n{words.rows(page)}"
