"""Doors: one file for each host, named after it."""
