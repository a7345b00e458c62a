"""CodeRunner lets a chat model run the Python it writes, inline, in a Jupyter kernel."""

__version__ = "0.1.0"
