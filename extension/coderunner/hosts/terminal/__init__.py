"""The command line as a door: a program of a person's own in a kernel, conversations as notebooks."""

from .notebooks import export, take_in
from .program import Program, execute

__all__ = ["Program", "execute", "export", "take_in"]
