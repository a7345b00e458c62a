"""Starts a person's stopped server on a JupyterHub before a command uses it, where the person agrees."""

import asyncio
import sys
from typing import TextIO

from coderunner.runner import KernelLocation, Progress, Server, plain, start_server, stopped_server

QUESTION = "The server at {url} does not run. Start it? [y/N] "
HINT = "coderunner: add --start-server to have the server started\n"
LEFT = "coderunner: no longer waiting; the server may go on starting\n"


def offer_start(where: KernelLocation, answers: TextIO | None, *, agreed: bool) -> None:
    """Start the server at a place, if it is one of a Hub's that is stopped; one that starts is waited for.

    `agreed`: the person wants that. Else they are asked where `answers` is a terminal. What the Hub says of
    the start is shown on stderr. Raises KernelError where it does not start.
    """
    if isinstance(where, Server):
        asyncio.run(_offer_start(where, answers, agreed=agreed))


async def _offer_start(where: Server, answers: TextIO | None, *, agreed: bool) -> None:
    here = await stopped_server(where)
    if here is None or not (agreed or here.startable or here.standing == "starting"):
        return
    if here.standing != "starting" and not (agreed or _agrees(where, answers)):
        return
    try:
        await start_server(where, _show)
    except asyncio.CancelledError:
        sys.stderr.write(LEFT)
        raise


def _agrees(where: Server, answers: TextIO | None) -> bool:
    if answers is None or not answers.isatty() or not sys.stderr.isatty():
        sys.stderr.write(HINT)
        return False
    sys.stderr.write(QUESTION.format(url=plain(where.url)))
    sys.stderr.flush()
    return answers.readline().strip().lower() in ("y", "yes")


def _show(progress: Progress) -> None:
    sys.stderr.write(f"{plain(str(progress))}\n")
    sys.stderr.flush()
