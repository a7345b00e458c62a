"""`coderunner export` and `coderunner import`: convert conversations to notebooks and back."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from coderunner.errors import NotANotebook, SettingsError
from coderunner.hosts.terminal.kernels_command import lines, on_one_line
from coderunner.runner import (
    LARGEST,
    Records,
    find_chat,
    from_notebook,
    installed_for,
    missing_words,
    open_records,
    plain,
    to_notebook,
)
from coderunner.settings.settings import Settings


def export(settings: Settings, conversation: str, file: str) -> int:
    """Write a conversation to a new notebook, `-` for stdout; without one, list them. Gives the exit code.

    Raises NoSuchConversation, RecordsUnavailable, SettingsError.
    """
    if not conversation:
        return _list(settings)
    if not file:
        message = "name the new file as well, such as chat.ipynb, or - for stdout"
        raise SettingsError(message)
    with _records(settings) as records:
        chat = find_chat(records, conversation)
    labels = {run.key.conversation for run in chat.records}
    lock = installed_for(settings.data_dir / "kernels", labels)
    _write(to_notebook(chat, lock), file)
    if words := missing_words(chat):
        sys.stderr.write(f"coderunner: {words}\n")
    return 0


def _list(settings: Settings) -> int:
    """Print all conversations, the newest first."""
    with _records(settings) as records:
        cards = sorted(records.conversations.cards(), key=lambda card: card.changed, reverse=True)
    rows = [(card.id, _day(card.changed), on_one_line(card.title)) for card in cards]
    shown = lines([("id", "changed", "title"), *rows] if rows else [("There are no conversations yet.",)])
    sys.stdout.write("".join(f"{line}\n" for line in shown))
    return 0


def _day(moment: float) -> str:
    """A moment as a date and time of this machine."""
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _write(text: str, file: str) -> None:
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        with Path(file).open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise SettingsError(f"{file} already exists; choose another name") from None
    except OSError as failure:
        raise SettingsError(f"{file} cannot be written: {failure.strerror}") from None


def take_in(settings: Settings, files: Sequence[str]) -> int:
    """Make a conversation of each notebook, `-` for stdin, and print its id; gives the exit code.

    One that cannot be imported is reported on stderr. Raises RecordsUnavailable.
    """
    with _records(settings) as records:
        return max([_taken_in(records, file) for file in files])


def _taken_in(records: Records, file: str) -> int:
    try:
        identity, missing = _conversation(records, file)
    except NotANotebook as failure:
        sys.stderr.write(f"coderunner: {plain(file)}: {plain(str(failure))}\n")
        return 2
    except SettingsError as failure:
        sys.stderr.write(f"coderunner: {plain(str(failure))}\n")
        return 2
    sys.stdout.write(f"{identity}\n")
    sys.stdout.flush()
    sys.stderr.write(f"coderunner: {plain(file)} is the conversation {identity}; coderunner app lists it\n")
    for sentence in missing:
        sys.stderr.write(f"coderunner: {plain(sentence)}\n")
    return 0


def _conversation(records: Records, file: str) -> tuple[str, list[str]]:
    """The id of a notebook's conversation, and sentences on what is left out."""
    try:
        # One byte more than allowed shows that it is too long.
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as notebook:
            content = notebook.read(LARGEST + 1)
    except OSError as failure:
        raise SettingsError(f"{file} cannot be read: {failure.strerror}") from None
    missing: list[str] = []
    return from_notebook(records, content, Path(file).stem, missing.append), missing


@contextmanager
def _records(settings: Settings) -> Generator[Records]:
    where = settings.records_url.reveal(), settings.data_dir
    # Records in memory have nothing to export, and would lose an import at once.
    records = open_records(*where, keep_days=settings.keep_days, fallback="none")
    try:
        yield records
    finally:
        records.close()
