"""Kernels of several makers and languages, and what a cell that does the same is in each."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.servers.place import PIXEL
from tests.servers.real import Venv

FILE = "{connection_file}"


@dataclass(frozen=True, slots=True)
class Cells:
    """A program of one language."""

    fifteen: str
    """Shows 15."""
    keep: str
    """Sets x to 41."""
    kept: str
    """Shows x + 1."""
    fail: str
    """Ends with an error."""
    forever: str
    """Says "on", and runs until it is stopped."""
    ask: str = ""
    """Asks for a name, and shows it; empty where a cell of this kernel cannot."""
    picture: str = ""
    """Shows a picture; empty where a cell of this kernel cannot without more."""


@dataclass(frozen=True, slots=True)
class KernelRow:
    """A kernel that is tried."""

    venv: str
    """The line of `versions.txt` that installs it; empty: what our own environment has."""
    program: tuple[str, ...]
    """Within the `bin` of its venv."""
    language: str
    cells: Cells
    survives: bool = True
    """It keeps its variables when a cell is interrupted; others end."""

    def spec(self) -> str:
        """The text of its `kernel.json`."""
        name, *others = self.program
        programs = {"": str(Path(sys.executable).parent / name), "node": str(Venv("node").modules / name)}
        program = programs.get(self.venv) or Venv(self.venv) / name
        return json.dumps({"argv": [program, *others], "display_name": name, "language": self.language})


PYTHON = Cells(
    fifteen="print(10 + 5)",
    keep="x = 41",
    kept="print(x + 1)",
    fail="1 / 0",
    forever="import time\nprint('on', flush=True)\nfor _ in range(600): time.sleep(0.1)",
    ask="print('Hello', input('Name? '))",
    picture=f"import base64\nfrom IPython.display import Image, display\n"
    f"display(Image(base64.b64decode({PIXEL!r})))",
)
AWAITS = "import asyncio\nprint('on')\nfor _ in range(600): await asyncio.sleep(0.1)"
BASH = Cells(
    fifteen="echo $((10 + 5))",
    keep="x=41",
    kept="echo $((x + 1))",
    fail="false",
    forever="echo on; while true; do sleep 0.1; done",
)
SCHEME = Cells(
    fifteen="(+ 10 5)",
    keep="(define x 41)",
    kept="(+ x 1)",
    fail="(car 1)",
    forever='(begin (display "on\\n") (define (again) (again)) (again))',
)
DENO = Cells(
    fifteen="console.log(10 + 5)",
    keep="let x = 41",
    kept="console.log(x + 1)",
    fail="throw new Error('no')",
    forever="console.log('on'); await new Promise((done) => setTimeout(done, 60000))",
    ask="console.log('Hello', prompt('Name?'))",
)

KERNELS: Mapping[str, KernelRow] = {
    "ipykernel": KernelRow("", ("python", "-m", "ipykernel_launcher", "-f", FILE), "python", PYTHON),
    "xeus-python": KernelRow(
        "xeus_python", ("python", "-m", "xpython_launcher", "-f", FILE), "python", PYTHON, survives=False
    ),
    "akernel": KernelRow(
        "akernel",
        ("akernel", "launch", "-f", FILE),
        "python",
        # It shows what a cell prints when it gets to run beside the cell.
        replace(PYTHON, forever=AWAITS, ask="", picture=""),
    ),
    "bash_kernel": KernelRow("bash_kernel", ("python", "-m", "bash_kernel", "-f", FILE), "bash", BASH),
    "calysto_scheme": KernelRow(
        "calysto_scheme", ("python", "-m", "calysto_scheme", "-f", FILE), "scheme", SCHEME
    ),
    "deno": KernelRow(
        "node", ("deno", "jupyter", "--kernel", "--conn", FILE), "typescript", DENO, survives=False
    ),
}
