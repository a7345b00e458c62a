"""Names are completed by what the kernel holds, and not by Jedi.

Jedi reads the sources of what was imported: seconds of CPU for the first name after `import pandas`, and
anew in each kernel, whose sandbox keeps nothing of it. A cell that is sent meanwhile waits until it has done.
"""

from IPython.core.getipython import get_ipython

shell = get_ipython()
if shell is not None:
    shell.Completer.use_jedi = False
