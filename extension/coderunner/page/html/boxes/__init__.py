"""Outputs of programs that stand in the page itself, each in a box of its own: nothing in them acts. Pure."""
