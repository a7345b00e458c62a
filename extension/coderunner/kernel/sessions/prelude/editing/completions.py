"""Names are completed by what the kernel holds, and not by Jedi.

Jedi reads the sources of what was imported: seconds of CPU for the first name after `import pandas`, and
anew in each kernel, whose sandbox keeps nothing of it. A cell that is sent meanwhile waits until it has done.
What a name is, which IPython says by Jedi alone, is seen by the type of its value: no code of it runs.
"""

import builtins
import keyword
import types
from collections.abc import Iterator
from typing import Any

from IPython.core.getipython import get_ipython

KINDS = (
    (types.ModuleType, "module"),
    (type, "class"),
    ((types.FunctionType, types.BuiltinFunctionType, types.MethodType), "function"),
    (object, "instance"),
)
"""What values of such types are, in Jedi's words."""

shell: Any = get_ipython()


def kind_of(name: str) -> str:
    """What a name is; empty where that is not known, such as of an attribute."""
    if keyword.iskeyword(name):
        return "keyword"
    for names in (shell.user_ns, vars(builtins)):
        if name in names:
            return next(kind for types_, kind in KINDS if issubclass(type(names[name]), types_))
    return ""


if shell is not None:
    shell.Completer.use_jedi = False
    # That of the class: where this runs once more in a kernel, it is not put around itself.
    found = type(shell.Completer).completions

    def completions(*asked: Any, **more: Any) -> Iterator[Any]:
        """All completions of a code at a place, each with its kind where that is known."""
        for each in found(shell.Completer, *asked, **more):
            each.type = kind_of(each.text) or each.type
            yield each

    shell.Completer.completions = completions
