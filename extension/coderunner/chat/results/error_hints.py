"""Hints: one line below an error that models make because they know scripts better than notebooks.

A table of what is known, and no more: where nothing certain can be said, nothing is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

# A message has what matters in its first line or two.
_LONGEST = 2_000

DISTRIBUTIONS: Mapping[str, str] = {
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "distutils": "setuptools",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "GitPython",
    "google.protobuf": "protobuf",
    "igraph": "python-igraph",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "Levenshtein": "python-Levenshtein",
    "magic": "python-magic",
    "mpl_toolkits": "matplotlib",
    "mpl_toolkits.basemap": "basemap",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "osgeo": "GDAL",
    "PIL": "pillow",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pylab": "matplotlib",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "telegram": "python-telegram-bot",
    "usb": "pyusb",
    "wx": "wxPython",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""What pip calls a module of another name."""

OWN = frozenset({"app", "config", "data", "helper", "helpers", "main", "model", "models", "my_module"}) | {
    *("module", "settings", "solution", "test", "tests", "util", "utils"),
}
"""Files of a project rather than packages: what bears such a name in an index is somebody else's."""

OF_THE_SYSTEM = frozenset({"_bz2", "_ctypes", "_lzma", "_sqlite3", "_tkinter", "tkinter", "turtle", "winreg"})
"""Parts of Python that this one was built without, or that another system has."""

# Python's two ways to say it: of a package, and of a module in one.
_MISSING = re.compile(r"No module named '?([A-Za-z_][A-Za-z0-9_.]{0,80})'?$")
_DEBUGGER = re.compile(r"[/\\](?:pdb|bdb|debugger)\.py\b")
_SHELL = re.compile(r"^[ \t]*(?:[\w, \t]+=[ \t]*)?!|^%%(?:bash|sh|script|cmd|powershell|!)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Row:
    """One mistake: the name of its error, words of its message, and what to do about it."""

    name: str
    words: str
    advice: str | Callable[[str, Sequence[str]], str]


def _install(message: str, _traceback: Sequence[str]) -> str:
    found = _MISSING.match(message.splitlines()[0] if message else "")
    module = found[1] if found else ""
    top = module.partition(".")[0]
    if top in OWN:
        return f"there is no file {top}.py here; put its content into the code."
    if top in OF_THE_SYSTEM or not module:
        return ""
    # With a dot, the package is there, unless many share its first name.
    name = DISTRIBUTIONS.get(module, "" if "." in module else module)
    return f"if it is needed, run `%pip install {name}` in a separate block." if name else ""


def _ask(_message: str, traceback: Sequence[str]) -> str:
    if any(_DEBUGGER.search(line) for line in traceback):
        return "a debugger cannot be used here; print what you want to know."
    return "nobody can answer input() here; put the values into the code."


_AWAIT = "an event loop is already running; use top-level `await`."

_TABLE = (
    _Row("RuntimeError", "asyncio.run() cannot be called", _AWAIT),
    _Row("RuntimeError", "event loop is already running", _AWAIT),
    _Row("RuntimeError", "while another loop is running", _AWAIT),
    _Row("SystemExit", "2", "there is no command line here; give argparse an explicit list of arguments."),
    _Row("StdinNotImplementedError", "", _ask),
    _Row("ModuleNotFoundError", "", _install),
    _Row("NameError", "name '__file__' is not defined", "a block is not a file; use Path.cwd()."),
)


def hint(name: str, message: str, traceback: Sequence[str] = ()) -> str:
    """One line about an error, without a line end; empty where there is nothing to say.

    `traceback` is what IPython wrote, as lines without colours.
    """
    message = message[:_LONGEST]
    for row in _TABLE:
        if row.name == name and row.words in message:
            advice = row.advice if isinstance(row.advice, str) else row.advice(message, traceback)
            return f"Hint: {advice}" if advice else ""
    return ""


def waits(code: str) -> str:
    """What to say of a cell that does not end, from its code; empty where that shows nothing."""
    return "a shell command that asks for input waits forever" if _SHELL.search(code) else ""
