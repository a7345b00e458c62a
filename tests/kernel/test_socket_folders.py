"""Folders of sockets: those of the living stay, those of the dead go, and nothing else is touched."""

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kernels have no such sockets there")

MAKES = """
from coderunner.kernel.connections import socket_folders
print(socket_folders.make(), flush=True)
input()
"""
