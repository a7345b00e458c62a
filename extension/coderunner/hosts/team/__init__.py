"""The chat app for several people: a reverse proxy names them, and each has an app in a process of its own.

`run` starts it. What one of them has (conversations, records, kernels, files, tokens, settings) is in that
process and its folder only, so nothing here has to keep people apart within a database or a page.
"""

from coderunner.hosts.team.server import run

__all__ = ["run"]
