"""Measures the displays whose names have one of the words given, or all, and writes docs/libraries.md.

The environments have to be there: `make test-libraries` makes them. With CODERUNNER_TEST_LIBRARIES set to
.venv/libraries, `python -m tests.libraries plotly bokeh` measures two, and leaves the other rows as they are.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import tests.conftest  # noqa: F401  the kernels' home, and nothing of the machine's own
from coderunner.runner import Sessions
from tests.hosts.app.browsing import BOUND, chromium
from tests.libraries import table
from tests.libraries.displays import Display, displays
from tests.libraries.looking import Look, look_at
from tests.page.host import hosted

AT_ONCE = 2


def looked(display: Display) -> Look:
    """A display in a browser and a kernel of its own."""
    with TemporaryDirectory() as folder, chromium() as browser, hosted() as host:
        sessions = Sessions(Path(folder))
        try:
            return look_at(display, browser, host, sessions)
        finally:
            sessions.io_thread.call(sessions.close_all(), BOUND)


def measured(chosen: tuple[Display, ...]) -> Iterator[tuple[Display, Look]]:
    """Each of them with what was seen of it, as soon as it is known."""
    with ProcessPoolExecutor(AT_ONCE) as pool:
        yield from zip(chosen, pool.map(looked, chosen), strict=True)


def main(words: list[str]) -> None:
    """Measure, and write the page after each."""
    every = displays()
    chosen = tuple(each for each in every if not words or any(word in each.name for word in words))
    known = {each.name for each in every}
    rows = {
        name: row for name, row in table.read(table.PAGE.read_text(encoding="utf-8")).items() if name in known
    }
    for display, look in measured(chosen):
        rows[display.name] = table.Row(look.kinds, look.live.outcome, look.reloaded.outcome)
        text = table.page(table.PAGE.read_text(encoding="utf-8"), every, rows)
        table.PAGE.write_text(text, encoding="utf-8")
        print(f"{display.name:60} {look.live.outcome:9} {look.reloaded.outcome}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
