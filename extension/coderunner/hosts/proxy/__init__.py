"""The proxy: an OpenAI-compatible endpoint in front of another one, which runs the Python in its replies.

`run` starts it. It works with any client of such endpoints; all requests but chat replies are passed through
unchanged.
"""

from coderunner.hosts.proxy.server import run

__all__ = ["run"]
