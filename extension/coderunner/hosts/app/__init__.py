"""The chat app: a page of our own, with Gradio, where models and kernels meet.

`run` starts it. Importing this package imports Gradio, which takes seconds.
"""

import os

# Read by Gradio while it is imported; it would otherwise report each start to its makers.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from coderunner.hosts.app.server import run

__all__ = ["run"]
