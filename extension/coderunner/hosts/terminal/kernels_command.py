"""`coderunner kernels`: lists the running kernels."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from coderunner.errors import RecordsUnavailable
from coderunner.runner import (
    RunningKernel,
    ago,
    existing,
    kernels_here,
    label_of,
    located,
    open_records,
    plain,
)
from coderunner.settings.settings import Settings

UNKNOWN = "-"
TITLES = ("kernel", "spec", "state", "active", "memory", "for")


def kernels(settings: Settings, *, as_json: bool) -> int:
    """Print the kernels here or on the server, the last used first; gives the exit code.

    Raises KernelError.
    """
    found = asyncio.run(existing(located(settings)) if settings.server else kernels_here())
    titles = _titles(settings) if any(_conversation(each, settings) for each in found) else {}
    if as_json:
        listed = [
            asdict(each)
            | {"conversation": (ours := _conversation(each, settings)), "title": titles.get(ours, "")}
            for each in found
        ]
        sys.stdout.write(json.dumps(listed, indent=2) + "\n")
        return 0
    rows = (
        [TITLES, *(_row(each, settings, titles) for each in found)] if found else [("No kernel is running.",)]
    )
    sys.stdout.write("".join(f"{line}\n" for line in lines(rows)))
    return 0


def lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, whose first row are its titles; without the columns of which nothing is known."""
    columns = [column for column in zip(*rows, strict=True) if {*column[1:]} != {UNKNOWN}]
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]


def _titles(settings: Settings) -> Mapping[str, str]:
    """What the conversations are called whose kernels these may be, by their names there.

    Nothing where no records can be read.
    """
    where = settings.records_url.reveal(), settings.data_dir
    try:
        records = open_records(*where, keep_days=settings.keep_days, fallback="none")
    except RecordsUnavailable:
        return {}
    try:
        return {label_of(card.id): card.title for card in records.conversations.cards()}
    except RecordsUnavailable:
        return {}
    finally:
        records.close()


def _row(each: RunningKernel, settings: Settings, titles: Mapping[str, str]) -> tuple[str, ...]:
    memory = UNKNOWN if each.memory is None else f"{each.memory / 1e6:.0f} MB"
    ours = _conversation(each, settings)
    what = f"conversation {ours}" if ours else each.path
    what = f"{what}: {titles[ours]}" if titles.get(ours) else what
    what = f"{what} at {each.server}" if each.server else what
    short = each.id if each.id.isdigit() else each.id[:8]
    told = short, each.kernel_name, each.state, ago(each.active), memory, what
    return tuple(on_one_line(text) for text in told)


def _conversation(each: RunningKernel, settings: Settings) -> str:
    """The conversation of ours that it is for; empty where it is another's."""
    if Path(each.path).parent == settings.data_dir / "kernels":
        return Path(each.path).name  # the app's: their folders are named after conversations
    return each.conversation


def on_one_line(text: str) -> str:
    """A foreign text on one line, without terminal escapes."""
    return " ".join(plain(text).split()) or UNKNOWN
