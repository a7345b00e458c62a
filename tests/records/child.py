"""A host of its own process, to be killed: `python -m tests.records.child FOLDER` runs CODE in a reply."""

import sys
from collections.abc import Generator
from pathlib import Path

from coderunner.records.ledger import ReplyLedger
from coderunner.records.opening import open_records
from coderunner.runner import Generate, Local, Manner, Sessions, Shown, Turn, converse_sync

CODE = "import time\nopen('runs', 'a').write('once ')\nprint('begun', flush=True)\ntime.sleep(600)\n"
REPLY = f"```python\n{CODE}```\n"


def generate(step: Generate) -> Generator[str]:
    """Say the reply, and after its result nothing."""
    yield "" if step.result else REPLY


def main(folder: Path) -> None:
    """Run the reply; say so when the cell has begun and that is written down."""
    records = open_records("", folder)
    kernel = Sessions(folder / "kernels").get("chat", Local())
    manner = Manner(ledger=ReplyLedger(records, "chat", "reply"))
    for event in converse_sync(Turn(), generate, kernel, manner):
        if isinstance(event, Shown):
            records.settle()
            print("begun", flush=True)  # noqa: T201 - to whoever waits for it


if __name__ == "__main__":
    main(Path(sys.argv[1]))
