"""The proxy: an OpenAI-compatible endpoint before another one, whose replies run their own Python.

`run` starts it. Any client of such endpoints can be pointed at it; what is no reply to a person passes as it
is.
"""

from coderunner.hosts.proxy.server import run

__all__ = ["run"]
