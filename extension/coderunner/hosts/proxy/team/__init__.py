"""The users of the proxy: their keys, their limits, and the Jupyter servers of their own."""
