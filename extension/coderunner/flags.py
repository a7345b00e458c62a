"""The flags of the command line, made from what `coderunner.settings` says of each setting."""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from coderunner import __version__
from coderunner.settings import CONFIG_VARIABLE, Description, Topic, descriptions
from coderunner.sources import default_config

TITLES: dict[Topic, str] = {
    "kernel": "where cells run",
    "model": "who writes them",
    "door": "where it answers",
    "keys": "who may use it without being asked",
    "proxy": "the proxy",
    "app": "the chat app",
    "kept": "what is kept",
}


def parser() -> argparse.ArgumentParser:
    """Give the parser of all commands; the one that is chosen stands under `command`."""
    whole = argparse.ArgumentParser(
        prog="coderunner",
        description="Lets a chat model run the Python it writes, inline, in a Jupyter kernel.",
    )
    whole.add_argument("--version", action="version", version=f"coderunner {__version__}")
    commands = whole.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    _add(commands, "app", "start the chat app", ("kernel", "model", "door", "app", "kept"))
    _add(
        commands,
        "proxy",
        "stand before an OpenAI-compatible endpoint and run the code of its replies",
        ("kernel", "model", "door", "keys", "proxy", "kept"),
        also={"model_url": "--upstream", "model_key_file": "--upstream-key-file"},
    )
    check = _add(commands, "check", "find out whether cells can run, and what to mend if not", ("kernel",))
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    execute = _add(commands, "exec", "run a program of your own in a kernel", ("kernel", "kept"))
    execute.add_argument("file", nargs="?", help="file that holds the program; - for stdin")
    execute.add_argument("-c", dest="code", metavar="CODE", help="the program itself")
    execute.add_argument(
        "--session", default="", metavar="NAME", help="kernel of that conversation on the server; it stays"
    )
    mcp = _add(commands, "mcp", "serve MCP clients, as tools", ("kernel", "door", "keys", "kept"))
    mcp.add_argument("--http", action="store_true", help="at an address, not on stdin and stdout")
    kernels = _add(commands, "kernels", "list the kernels that run, here or on a server", ("kernel",))
    kernels.add_argument("--json", action="store_true", help="as JSON")
    export = _add(commands, "export", "write a conversation to a notebook", ("kept",))
    export.add_argument("conversation", help="its id or title, or what its kernel is called")
    export.add_argument("notebook", help="new file, as in talk.ipynb; - for stdout")
    take_in = _add(commands, "import", "make a conversation of each notebook", ("kept",))
    take_in.add_argument("notebook", nargs="+", help="the file, or several; - for stdin")
    _add(commands, "settings", "print the settings as they are, with their sources", tuple(TITLES))
    return whole


_MARK = "\N{INVISIBLE SEPARATOR}"
_ID = re.compile(r"-(?:[\w-]{11}|[\w-]{15}|[\w-]{23})", re.ASCII)
"""An id that begins with `-`, as one of four characters of an earlier version could: of 9, 12 or 18 bytes."""


def taken(whole: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """What the arguments say. An id is one also where it begins with `-` and looks like a flag."""
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
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    what: str,
    topics: Sequence[Topic],
    also: Mapping[str, str] = MappingProxyType({}),
) -> argparse.ArgumentParser:
    """Add a command with the settings that concern it; `also` has a second flag for some of them."""
    known = [each for each in descriptions() if each.topic in topics]
    secrets = " and ".join(each.variable for each in known if each.secret)
    parser = commands.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog="Flags come before the variables in brackets, these before the file. Secrets have no flag, "
        f"since every user of the machine can see one: use {secrets}, or a file.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"TOML file of settings [{CONFIG_VARIABLE}; default: {default_config()}]".replace("%", "%%"),
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
    else:
        metavar = "{" + ",".join(each.choices) + "}" if each.choices else each.name.split("_")[-1].upper()
        group.add_argument(*also, each.flag, dest=each.name, metavar=metavar, help=told)
