"""ipykernel's application, made and told its command line before a kernel is forked.

To read a command line it makes an argument of each setting there is: a fifth of a kernel's start, and 4 MB.
All but the connection file is the same for all kernels.
"""

import importlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

FILE = "/no/connection/file"
"""Stands for the connection file of a kernel."""
ARGUMENTS = ("-f", FILE, "--HistoryManager.enabled=False")
"""The command line of our kernels."""


class PreparedApp:
    """The only one of a process. Where it cannot be prepared, it is as if it had not been tried."""

    def __init__(self) -> None:
        self._class: Any = importlib.import_module("ipykernel.kernelapp").IPKernelApp
        self._places: list[tuple[str, str]] = []
        """The section and the name of what is the connection file."""
        try:
            app = self._class.instance()
            app.parse_command_line(list(ARGUMENTS))
            said = app.cli_config
            self._places = [(part, name) for part in said for name in said[part] if said[part][name] == FILE]
            # To log a text asks all subclasses of Mapping whether it is one, once in a process.
            app.log.debug("a kernel can be made of this with %s", FILE)
        except (Exception, SystemExit):
            with suppress(Exception):
                self._class.clear_instance()

    def initialize(self, arguments: Sequence[str]) -> Any:
        """Return the application, as a process that was started with these arguments has it."""
        app = self._class.instance()
        if not (self._places and _kind(arguments) == ARGUMENTS):
            app.initialize()
            return app

        def take_prepared(_arguments: object = None) -> None:
            app.argv = list(arguments)
            for part, name in self._places:
                app.cli_config[part][name] = arguments[1]
            app.update_config(app.cli_config)

        app.parse_command_line = take_prepared
        try:
            app.initialize()
        finally:
            del app.parse_command_line
        return app


def _kind(arguments: Sequence[str]) -> tuple[str, ...]:
    return (*arguments[:1], FILE, *arguments[2:])
