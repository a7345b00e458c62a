"""What pip calls the package of a module. Pure.

A table of what is known, and no more: where nothing certain can be said, nothing is.
"""

import re
from collections.abc import Mapping

DISTRIBUTIONS: Mapping[str, str] = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "distutils": "setuptools",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "GitPython",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "google.protobuf": "protobuf",
    "googleapiclient": "google-api-python-client",
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
    "umap": "umap-learn",
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

SHARED = frozenset({"google", "azure", "backports", "jaraco", "ruamel", "zope"})
"""First names that many packages share: nobody knows which of them is meant."""

# Python's two ways to say it: of a package, and of a module in one.
_MISSING = re.compile(r"No module named '?([A-Za-z_][A-Za-z0-9_.]{0,80})'?$")


_MODULE = r"(?P<module>[A-Za-z_][A-Za-z0-9_.]{0,60})"
_PACKAGE = r"(?P<package>[A-Za-z0-9][A-Za-z0-9._-]{0,60}[A-Za-z0-9](?:>=[0-9][0-9.]{0,20})?)"
_PIP = rf"\bpip install (?:-U |--upgrade )?{_PACKAGE}"
_LACKED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"Missing optional dependency '{_MODULE}'",
        rf"`Import {_MODULE}` failed",
        rf"Unable to find a usable engine; tried using: '{_MODULE}'",
        rf"\b[Rr]equires {_PACKAGE} but it is not installed",
        rf"^{_MODULE} not found, please install it",
        rf"(?:not found|not installed|[Rr]equire[sd]?\b)[^<>]{{0,200}}{_PIP}",
        r"^(?P<widgets>IProgress) not found",
    )
)
"""How libraries say what they need for a part of their own: pandas, polars, Plotly, tqdm and their kin."""
LACKING = frozenset({"ImportError", "ModuleNotFoundError", "OSError", "RuntimeError", "ValueError"})
"""The errors by which they do."""


def lacked_package(error: str, message: str) -> str:
    """The package, as pip knows it, that a library says it lacks; empty where it says nothing certain."""
    for pattern in _LACKED if error in LACKING else ():
        if found := pattern.search(message):
            parts = found.groupdict()
            if "widgets" in parts:
                return "ipywidgets"
            return parts.get("package") or package_of(parts["module"])
    return ""


def missing_module(message: str) -> str:
    """The module that the message of a ModuleNotFoundError names; empty where it names none."""
    found = _MISSING.match(message.splitlines()[0] if message else "")
    return found[1] if found else ""


def package_of(module: str) -> str:
    """The package that has a module, by the name that pip knows; empty where that is not certain.

    With a dot, the package is there, unless many share its first name.
    """
    top = module.partition(".")[0]
    if not module or top in OWN or top in OF_THE_SYSTEM or module in SHARED:
        return ""
    return DISTRIBUTIONS.get(module, "" if "." in module else module)
