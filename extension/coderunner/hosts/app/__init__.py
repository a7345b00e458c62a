"""The chat app: a Gradio page with a chat model and a kernel.

`run` starts it. Importing this package imports Gradio, which takes seconds.
"""

import os

# Gradio reads this while it is imported; otherwise it reports each start to its makers.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from coderunner.hosts.app.gradio_import import import_gradio

import_gradio()

from coderunner.hosts.app.server import App, run  # noqa: E402

__all__ = ["App", "run"]
