"""The commands that run a program in a kernel, list kernels, and convert notebooks."""

from coderunner.hosts.terminal.exec_command import Program, execute
from coderunner.hosts.terminal.export_import_commands import export, take_in
from coderunner.hosts.terminal.kernels_command import kernels
from coderunner.hosts.terminal.start_server import offer_start

__all__ = ["Program", "execute", "export", "kernels", "offer_start", "take_in"]
