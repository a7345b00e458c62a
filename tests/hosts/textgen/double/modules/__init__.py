"""The double's counterpart of the webui's own package."""
