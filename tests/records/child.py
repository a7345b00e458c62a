"""A host of its own process, to be killed: `python -m tests.records.child FOLDER` runs CODE in a reply."""

import sys
from collections.abc import Generator
from pathlib import Path

from coderunner.records.open_records import open_records
from coderunner.records.run_once import RecordedRuns
from coderunner.runner import Generate, Local, RunOptions, Sessions, Shown, Turn, converse_sync

CODE = "import time\nopen('runs', 'a').write('once ')\nprint('begun', flush=True)\ntime.sleep(600)\n"
REPLY = f"```python\n{CODE}```\n"


def generate(step: Generate) -> Generator[str]:
    """Say the reply, and after its result nothing."""
    yield "" if step.result else REPLY


def main(folder: Path) -> None:
    """Run the reply; say so when the cell has begun and that is written down."""
    records = open_records("", folder)
    kernel = Sessions(folder / "kernels").get("chat", Local())
    options = RunOptions(runs=RecordedRuns(records, "chat", "reply"))
    for event in converse_sync(Turn(), generate, kernel, options):
        if isinstance(event, Shown):
            records.settle()
            print("begun", flush=True)  # noqa: T201 - to whoever waits for it


if __name__ == "__main__":
    main(Path(sys.argv[1]))
