"""Tools that code calls."""
