"""The commands that run a program in a kernel, list kernels, and convert notebooks."""

from coderunner.hosts.terminal.exec_command import Program, execute
from coderunner.hosts.terminal.kernels_command import kernels
from coderunner.hosts.terminal.notebook_commands import export, take_in

__all__ = ["Program", "execute", "export", "kernels", "take_in"]
