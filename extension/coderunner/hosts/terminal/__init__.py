"""The command line as a door: a program of a person's own in a kernel, what kernels there are, notebooks."""

from .kernels import kernels
from .notebooks import export, take_in
from .program import Program, execute

__all__ = ["Program", "execute", "export", "kernels", "take_in"]
