"""The command line: `coderunner`, or `python -m coderunner`.

Everything that its help says of the settings is made from `coderunner.settings`. Exit codes: 0 for success,
1 where a check found something, 2 where we cannot start (one sentence on stderr says why), 130 after Ctrl-C,
141 where nobody reads what we print any more.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import TextIOWrapper
from typing import TYPE_CHECKING

from coderunner.errors import CodeRunnerError, RecordsUnavailable
from coderunner.private_process import forget_variables, hide_memory
from coderunner.settings.command_line import parser, taken
from coderunner.settings.settings import Settings, load

if TYPE_CHECKING:
    from coderunner.runner import Finding

UNREAD = 141
"""What a shell gives for a program that a closed pipe ended."""
GARBAGE = 10_000, 20, 20
"""At how many new objects garbage is collected, and every how many times among older ones (`gc`)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a Windows console may lack a sign of ours
            stream.reconfigure(errors="replace")
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        if sys.stdout is not None:
            sys.stdout.flush()  # here and not at Python's end, where a pipe that is closed is complained of
    except BrokenPipeError:
        # Whoever read what we print has had enough, as `head` has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    return code


def _run(arguments: Sequence[str]) -> int:
    flags = parser()
    chosen = taken(flags, arguments)
    if chosen.command is None:
        flags.print_help()
        return 2
    try:
        return COMMANDS[chosen.command](chosen)
    except BrokenPipeError:
        raise
    except CodeRunnerError as error:
        print(f"coderunner: {_harmless(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


@contextmanager
def _imports() -> Iterator[None]:
    """Import what stays for good: the garbage collector looks at it neither meanwhile nor ever after.

    For the app that is a seventh of the import, and 0.15 s of each full collection, in which nothing streams.
    At the rest it looks less often than Python does by default: with fifty replies at once, collecting took
    up to a tenth of the time, and held all of them up for as long as 0.2 s.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        gc.enable()


def _app(chosen: argparse.Namespace) -> int:
    """Start the chat app and stay until Ctrl-C."""
    settings = _settings(chosen)
    print("Starting CodeRunner …", flush=True)  # before the import of Gradio, which takes seconds
    try:
        with _imports():
            if settings.hub:
                from coderunner.hosts.team import hub as app
            elif settings.user_header:
                from coderunner.hosts import team as app  # type: ignore[no-redef]
            else:
                from coderunner.hosts import app  # type: ignore[no-redef]
    except ModuleNotFoundError as missing:
        raise _not_installed(missing, "hub" if settings.hub else "app") from missing
    app.run(settings)
    return 0


def _proxy(chosen: argparse.Namespace) -> int:
    """Start the proxy and stay until Ctrl-C."""
    try:
        with _imports():
            from coderunner.hosts import proxy
    except ModuleNotFoundError as missing:
        raise _not_installed(missing, "proxy") from missing
    proxy.run(_settings(chosen))
    return 0


def _check(chosen: argparse.Namespace) -> int:
    """Look at the way to a kernel, one step after the other, and at a database that is set for records."""
    from coderunner.hosts.terminal import offer_start
    from coderunner.runner import Finding, KernelSandbox, check, located, marked_yours

    def tell(finding: Finding) -> None:
        sign = "!" if finding.warning else "✓" if finding.ok else "✗"
        print(sign, _harmless(finding.sentence), flush=True)

    settings = _settings(chosen)
    where, sandbox = marked_yours(located(settings)), KernelSandbox.of(settings)
    try:
        offer_start(where, sys.stdin, agreed=chosen.start_server)
    except CodeRunnerError as error:  # what else there is to say, the check says
        print(f"coderunner: {_harmless(str(error))}", file=sys.stderr)
    report = asyncio.run(check(where, on_finding=None if chosen.json else tell, sandbox=sandbox))
    if settings.records_url:
        report = replace(report, findings=(*report.findings, found := _records(settings)))
        if not chosen.json:
            tell(found)
    if chosen.json:
        print(json.dumps(report.to_json(), indent=2))
    return 0 if report.ok else 1


def _records(settings: Settings) -> "Finding":
    """Whether runs can be saved in the database that is set for them."""
    from coderunner.runner import Finding, Step, rehearse

    try:
        told = rehearse(settings.records_url.reveal(), settings.records_pool)
        return Finding(Step.RECORDS, ok=True, sentence=told)
    except RecordsUnavailable as failure:
        return Finding(Step.RECORDS, ok=False, sentence=f"{failure}.")


def _execute(chosen: argparse.Namespace) -> int:
    """Run a program of the person's own."""
    from coderunner.hosts.terminal import Program, execute

    program = Program.of(chosen.code, chosen.file, chosen.arguments)
    return execute(_settings(chosen), program, chosen.session, start_server=chosen.start_server)


def _mcp(chosen: argparse.Namespace) -> int:
    """Serve MCP clients and stay until they or Ctrl-C end it; stdout may be theirs."""
    try:
        with _imports():
            from coderunner.hosts import mcp
    except ModuleNotFoundError as missing:
        raise _not_installed(missing, "mcp") from missing
    mcp.run(_settings(chosen), http=chosen.http)
    return 0


def _kernels(chosen: argparse.Namespace) -> int:
    """List what runs where."""
    from coderunner.hosts.terminal import kernels

    return kernels(_settings(chosen), as_json=chosen.json)


def _export(chosen: argparse.Namespace) -> int:
    """Write a conversation to a notebook."""
    from coderunner.hosts.terminal import export

    return export(_settings(chosen), chosen.conversation, chosen.notebook)


def _import(chosen: argparse.Namespace) -> int:
    """Make a conversation of each notebook."""
    from coderunner.hosts.terminal import take_in

    return take_in(_settings(chosen), chosen.notebook)


def _make_key(chosen: argparse.Namespace) -> int:
    """Make a key for the team file; it is shown once and saved nowhere."""
    from coderunner.access.api_keys import digest_of, new_key

    key = new_key().reveal()
    print(f"Key of {chosen.user}, shown only here: {key}")
    print("Lines for the team file, from which nobody can tell the key:\n")
    print(f"[users.{json.dumps(chosen.user)}]")
    print(f'key_sha256 = "{digest_of(key)}"')
    return 0


def _show_settings(chosen: argparse.Namespace) -> int:
    """Print every setting as it is, with its source."""
    from coderunner.runner import approval_of

    settings = _settings(chosen)
    rows = settings.effective(approve=approval_of(settings))
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
    "kernels": _kernels,
    "export": _export,
    "import": _import,
    "key": _make_key,
    "settings": _show_settings,
}


def _harmless(sentence: str) -> str:
    """A sentence without what a terminal would obey: servers choose some of its words."""
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in sentence)


def _settings(chosen: argparse.Namespace) -> Settings:
    """The settings of a command; from here on our process keeps its secrets to itself."""
    flags = {name: value for name, value in vars(chosen).items() if name in Settings.model_fields}
    settings = load(flags, config=chosen.config)
    forget_variables(settings.secret_variables)
    hide_memory()
    return settings


def _not_installed(missing: ModuleNotFoundError, extra: str) -> Exception:
    """Say how to install the extra that `missing` belongs to; a module of ours that is missing is a bug."""
    if (missing.name or "").startswith("coderunner"):
        return missing
    return CodeRunnerError(
        f"{missing.name} is not installed; in CodeRunner's folder, run: "
        f"{sys.executable} -m pip install --editable '.[{extra}]'"
    )


if __name__ == "__main__":
    sys.exit(main())
