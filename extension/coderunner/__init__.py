"""CodeRunner lets a chat model run the Python it writes, inline, in a Jupyter kernel."""

import os
import sys

# Python looks for every module in the current folder first with `-m`, where code may have left files: not for
# those that we import. While a package is found by `-m`, that is all there is on its command line.
_FOLDER = "" if sys.flags.safe_path or sys.argv[:1] != ["-m"] else os.getcwd()  # noqa: PTH109
if _FOLDER and sys.path[:1] == [_FOLDER] != [os.path.dirname(__path__[0])]:  # noqa: PTH120
    del sys.path[0]

__version__ = "0.1.0"
