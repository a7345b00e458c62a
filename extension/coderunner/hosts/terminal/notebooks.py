"""`coderunner export` and `coderunner import`: conversations as notebooks, and back."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from coderunner.errors import SettingsError
from coderunner.runner import Records, find_chat, from_notebook, open_records, to_notebook
from coderunner.settings import Settings


def export(settings: Settings, conversation: str, file: str) -> int:
    """Write a conversation to a new notebook, `-` for stdout; gives the exit code.

    Raises NoSuchConversation, RecordsUnavailable, SettingsError.
    """
    with _records(settings) as records:
        text = to_notebook(find_chat(records, conversation))
    if file == "-":
        sys.stdout.write(text)
        return 0
    try:
        with Path(file).open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise SettingsError(f"{file} is there already; choose another name") from None
    except OSError as failure:
        raise SettingsError(f"{file} cannot be written: {failure.strerror}") from None
    return 0


def take_in(settings: Settings, file: str) -> int:
    """Make a conversation of a notebook, `-` for stdin, and print its id; gives the exit code.

    Raises NotANotebook, RecordsUnavailable, SettingsError.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        reason = getattr(failure, "strerror", None) or "it is no text in UTF-8"
        raise SettingsError(f"{file} cannot be read: {reason}") from None
    with _records(settings) as records:
        identity = from_notebook(records, text, Path(file).stem)
    sys.stdout.write(f"{identity}\n")
    return 0


@contextmanager
def _records(settings: Settings) -> Generator[Records]:
    records = open_records(settings.records_url.reveal(), settings.data_dir, keep_days=settings.keep_days)
    try:
        yield records
    finally:
        records.close()
