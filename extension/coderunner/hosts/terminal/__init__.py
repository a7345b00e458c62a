"""The command line as a door: a program of a person's own in a kernel."""

from .program import Program, execute

__all__ = ["Program", "execute"]
