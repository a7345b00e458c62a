"""The flags of the command line, made from the descriptions in `coderunner.settings.settings`."""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from coderunner import __version__
from coderunner.settings.descriptions import Description
from coderunner.settings.fields import Topic
from coderunner.settings.settings import CONFIG_VARIABLE, descriptions
from coderunner.settings.sources import default_config

TITLES: dict[Topic, str] = {
    "kernel": "where code runs",
    "sandbox": "the sandbox of kernels on this machine",
    "tools": "tools that code may call",
    "model": "the model",
    "network": "network address",
    "keys": "access",
    "proxy": "the proxy",
    "app": "the chat app",
    "people": "the chat app for several people",
    "kept": "storage",
}


STARTS = "start your server on a JupyterHub if it is stopped; without this, you are asked at a terminal"


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; the chosen one is in `command`."""
    whole = argparse.ArgumentParser(
        prog="coderunner",
        description="Run the Python that a chat model writes, inline, in a Jupyter kernel.",
    )
    whole.add_argument("--version", action="version", version=f"coderunner {__version__}")
    commands = whole.add_subparsers(
        dest="command", title="commands", metavar="COMMAND", parser_class=_CommandParser
    )
    _add(
        commands,
        "app",
        "start the chat app",
        ("kernel", "sandbox", "tools", "model", "network", "app", "people", "kept"),
        also={"login": "--no-token"},
    )
    _add(
        commands,
        "proxy",
        "put a proxy in front of an OpenAI-compatible endpoint and run the code in its replies",
        ("kernel", "sandbox", "tools", "model", "network", "keys", "proxy", "kept"),
        also={"model_url": "--upstream", "model_key_file": "--upstream-key-file"},
    )
    check = _add(
        commands, "check", "check that code can run, and say what to fix if it cannot", ("kernel", "sandbox")
    )
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.add_argument("--start-server", action="store_true", help=STARTS)
    execute = _add(
        commands,
        "exec",
        "run your own program in a kernel, with your permissions unless sandbox is on",
        ("kernel", "sandbox", "tools", "kept"),
    )
    execute.add_argument("file", nargs="?", help="file with the program; - for stdin")
    execute.add_argument(
        "arguments", nargs="*", help="what the program finds in sys.argv; after -- they may begin with -"
    )
    execute.add_argument("-c", dest="code", metavar="CODE", help="the program itself")
    execute.add_argument(
        "--session",
        default="",
        metavar="NAME",
        help="use the kernel with this name on the server, and keep it running",
    )
    execute.add_argument("--start-server", action="store_true", help=STARTS)
    mcp = _add(
        commands,
        "mcp",
        "run an MCP server with tools that run Python",
        ("kernel", "sandbox", "tools", "network", "keys", "kept"),
    )
    mcp.add_argument("--http", action="store_true", help="serve over HTTP instead of stdin and stdout")
    kernels = _add(
        commands, "kernels", "list the running kernels, on this machine or a server", ("kernel", "sandbox")
    )
    kernels.add_argument("--json", action="store_true", help="print the list as JSON")
    export = _add(commands, "export", "save a conversation as a notebook, or list them", ("kept",))
    export.add_argument(
        "conversation",
        nargs="?",
        default="",
        help="its id or title, or the name of its kernel; without it, list all conversations",
    )
    export.add_argument("notebook", nargs="?", default="", help="new file, such as chat.ipynb; - for stdout")
    take_in = _add(commands, "import", "import notebooks as conversations", ("kept",))
    take_in.add_argument("notebook", nargs="+", help="one or more files; - for stdin")
    key = _add(commands, "key", "make a key for a user of the proxy, and the lines for the team file", ())
    key.add_argument("user", nargs="?", default="alice", help="the user's name")
    _add(commands, "settings", "show all settings and where each comes from", tuple(TITLES))
    return whole


class _CommandParser(argparse.ArgumentParser):
    """The parser of one command: what it does not know is told with its own usage, not that of all."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - as typeshed has it
        """Parse, or say what is unknown and exit."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown).replace(_MARK, '')}")
        return found, unknown


_MARK = "\N{INVISIBLE SEPARATOR}"
_ID = re.compile(r"-(?:[\w-]{11}|[\w-]{15}|[\w-]{23})", re.ASCII)
"""An id that begins with `-`, as one of four characters of an earlier version could: of 9, 12 or 18 bytes."""


def taken(whole: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments. An id may begin with `-` and look like a flag."""
    known = {flag for each in descriptions() for flag in (each.flag, each.flag.replace("--", "--no-"))}
    named = [list(arguments[:1]) == ["export"] or before == "--session" for before in ("", *arguments)]
    marked = [
        f"{_MARK}{each}" if names and _ID.fullmatch(each) and each not in known else each
        for names, each in zip(named, arguments, strict=False)
    ]
    chosen = whole.parse_args(marked)
    for name, value in vars(chosen).items():
        if isinstance(value, str):
            setattr(chosen, name, value.removeprefix(_MARK))
    return chosen


def _add(
    commands: "argparse._SubParsersAction[_CommandParser]",
    name: str,
    what: str,
    topics: Sequence[Topic],
    also: Mapping[str, str] = MappingProxyType({}),
) -> argparse.ArgumentParser:
    """Add a command with the settings that it uses; `also` gives some of them a second flag.

    A second flag of a switch turns it off.
    """
    known = [each for each in descriptions() if each.topic in topics]
    secrets = " and ".join(each.variable for each in known if each.secret)
    parser = commands.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog="Flags override the environment variables in brackets, which override the settings file. "
        f"Secrets have no flag, because other users could see it: use {secrets}, or a file.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"TOML settings file [{CONFIG_VARIABLE}; default: {default_config()}]".replace("%", "%%"),
    )
    for topic in topics:
        group = parser.add_argument_group(TITLES[topic])
        for each in known:
            if each.topic == topic and each.flag:
                _add_flag(group, each, *filter(None, [also.get(each.name)]))
    return parser


def _add_flag(group: "argparse._ArgumentGroup", each: Description, *also: str) -> None:
    default = f"; default: {each.default}" if each.default and "default:" not in each.what else ""
    told = f"{each.what} [{each.variable}{default}]".replace("%", "%%")
    if each.switch:
        group.add_argument(each.flag, dest=each.name, action=argparse.BooleanOptionalAction, help=told)
        for flag in also:
            off = f"the same as {each.flag.replace('--', '--no-')}"
            group.add_argument(flag, dest=each.name, action="store_const", const=False, help=off)
    else:
        metavar = "{" + ",".join(each.choices) + "}" if each.choices else each.name.split("_")[-1].upper()
        group.add_argument(*also, each.flag, dest=each.name, metavar=metavar, help=told)
