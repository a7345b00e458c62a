"""Replies of endpoints that have OpenAI's Responses API themselves."""
