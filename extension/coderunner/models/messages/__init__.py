"""Replies of endpoints that have Anthropic's Messages API themselves."""
