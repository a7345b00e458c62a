"""Replies of endpoints that have the client's own API: what all such APIs have in common."""
