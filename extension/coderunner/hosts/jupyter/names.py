"""What the Jupyter server and the app tell each other. Pure."""

HEADER = "X-CodeRunner-Way-In"
"""Put into each request by jupyter-server-proxy, which has let the person in."""

VARIABLE = "CODERUNNER_WAY_IN"
"""Tells the app what that header has to have."""

NAME = "coderunner"
"""The entry point's name, and with it the last part of the app's address."""
