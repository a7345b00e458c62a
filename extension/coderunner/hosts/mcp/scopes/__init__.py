"""What each client may do: scopes of keys, and of tokens of an OAuth issuer."""
