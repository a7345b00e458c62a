"""Files on a Jupyter server, by its Contents API."""
