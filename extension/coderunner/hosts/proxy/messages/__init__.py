"""Anthropic's Messages API, whose code runs here, before an endpoint that has chat completions."""
