"""CodeRunner lets a chat model run the Python it writes, inline, in a Jupyter kernel."""

import os
import sys

# Python looks for every module in the current folder first with `-m`, where code may have left files: not for
# those that we import. While a package is found by `-m`, that is all there is on its command line, and the
# current folder is the first place.
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and sys.path[:1] != [os.path.dirname(__path__[0])]:  # noqa: PTH120
    del sys.path[:1]

__version__ = "0.1.0"
