"""The command line as a door: a program of a person's own in a kernel, what kernels there are, notebooks."""

from coderunner.hosts.terminal.exec_command import Program, execute
from coderunner.hosts.terminal.kernels_command import kernels
from coderunner.hosts.terminal.notebook_commands import export, take_in

__all__ = ["Program", "execute", "export", "kernels", "take_in"]
