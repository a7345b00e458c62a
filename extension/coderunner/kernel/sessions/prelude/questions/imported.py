"""Which modules are imported already, or were looked for: what is installed is used only after a restart."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.control import question


LOOKED_FOR = {"nbformat": "plotly"}
"""What a library looks for once, when it is imported itself."""


@question("imported")
def imported(names: list[str]) -> dict[str, list[str]]:
    """Those of the names that are modules with a file, and not only folders that several packages share."""
    its = {name: sys.modules.get(name, sys.modules.get(LOOKED_FOR.get(name, ""))) for name in names}
    return {"imported": [name for name, module in its.items() if getattr(module, "__file__", None)]}
