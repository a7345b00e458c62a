"""Packages, from an index of the tests' own."""
