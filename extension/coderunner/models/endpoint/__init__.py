"""A model's HTTP endpoint: addresses, requests, server-sent events, and errors in words."""
