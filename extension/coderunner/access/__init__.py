"""Who may speak to a host: API keys, `Host` and `Origin`, and checks before it listens."""
