"""The way out of the sandbox: an HTTP proxy that knows which conversation may reach which host."""
