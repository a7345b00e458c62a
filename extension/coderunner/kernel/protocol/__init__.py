"""Jupyter's messages, and what is kept of them. Nothing here sends any."""
