"""The command line: `coderunner`, or `python -m coderunner`.

Everything that its help says of the settings is made from `coderunner.settings`. Exit codes: 0 for success, 1
where a check found something, 2 where we cannot start (one sentence on stderr says why), 130 after Ctrl-C.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType

from coderunner import __version__
from coderunner.errors import CodeRunnerError
from coderunner.settings import CONFIG_VARIABLE, Description, Settings, Topic, descriptions, load
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a Windows console may lack a sign of ours
            stream.reconfigure(errors="replace")
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return 2
    try:
        return COMMANDS[chosen.command](chosen)
    except CodeRunnerError as error:
        print(f"coderunner: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _app(chosen: argparse.Namespace) -> int:
    """Start the chat app and stay until Ctrl-C."""
    settings = _settings(chosen)
    print("Starting CodeRunner …", flush=True)  # before the import of Gradio, which takes seconds
    try:
        from coderunner.hosts import app
    except ModuleNotFoundError as missing:
        raise _not_installed(missing, "app") from missing
    app.run(settings)
    return 0


def _proxy(chosen: argparse.Namespace) -> int:
    """Start the proxy and stay until Ctrl-C."""
    try:
        from coderunner.hosts import proxy
    except ModuleNotFoundError as missing:
        raise _not_installed(missing, "proxy") from missing
    proxy.run(_settings(chosen))
    return 0


def _check(chosen: argparse.Namespace) -> int:
    """Look at the way to a kernel, one step after the other."""
    from coderunner.runner import Finding, check, where_of

    def tell(finding: Finding) -> None:
        sign = "!" if finding.warning else "✓" if finding.ok else "✗"
        print(sign, finding.sentence, flush=True)

    report = asyncio.run(check(where_of(_settings(chosen)), on_finding=None if chosen.json else tell))
    if chosen.json:
        print(json.dumps(report.to_json(), indent=2))
    return 0 if report.ok else 1


def _execute(chosen: argparse.Namespace) -> int:
    """Run a program of the person's own."""
    from coderunner.hosts.terminal import Program, execute

    return execute(_settings(chosen), Program.of(chosen.code, chosen.file), chosen.session)


def _mcp(chosen: argparse.Namespace) -> int:
    """Serve MCP clients and stay until they or Ctrl-C end it; stdout may be theirs."""
    try:
        from coderunner.hosts import mcp
    except ModuleNotFoundError as missing:
        raise _not_installed(missing, "mcp") from missing
    mcp.run(_settings(chosen), http=chosen.http)
    return 0


def _show_settings(chosen: argparse.Namespace) -> int:
    """Print every setting as it is, with its source."""
    rows = _settings(chosen).effective()
    names = max(len(row.name) for row in rows)
    for row in rows:
        value = json.dumps(row.value, ensure_ascii=False) if "\n" in row.value else row.value
        print(f"{row.name:{names}}  {value or '-'}  ({row.source})")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "app": _app,
    "proxy": _proxy,
    "check": _check,
    "exec": _execute,
    "mcp": _mcp,
    "settings": _show_settings,
}


def _settings(chosen: argparse.Namespace) -> Settings:
    flags = {name: value for name, value in vars(chosen).items() if name in Settings.model_fields}
    return load(flags, config=chosen.config)


def _not_installed(missing: ModuleNotFoundError, extra: str) -> Exception:
    """Say how to install the extra that `missing` belongs to; a module of ours that is missing is a bug."""
    if (missing.name or "").startswith("coderunner"):
        return missing
    return CodeRunnerError(
        f"{missing.name} is not installed; in CodeRunner's folder, run: "
        f"{sys.executable} -m pip install --editable '.[{extra}]'"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coderunner",
        description="Lets a chat model run the Python it writes, inline, in a Jupyter kernel.",
    )
    parser.add_argument("--version", action="version", version=f"coderunner {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
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
    _add(commands, "settings", "print the settings as they are, with their sources", tuple(TITLES))
    return parser


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


if __name__ == "__main__":
    sys.exit(main())
