"""The app in a Jupyter server: how it is started, found, and who gets in."""
