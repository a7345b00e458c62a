"""What reading a reply costs: microseconds per character, and the ratio between long and short replies.

    python bench/fences.py

A reply arrives in deltas of four characters, about what a token is. Compared with two ways that are common:
parsing the whole reply again with markdown-it at each delta, and searching the growing reply with a regular
expression. Where a way takes too long to wait for, the table has a dash.
"""

import re
import statistics
import time
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt

from coderunner.chat.fences import FenceParser
from coderunner.chat.turn import Turn
from coderunner.outputs import Result

STEP = 4
SIZES = (2_000, 20_000, 200_000)
ROUNDS = 5

PROSE = (
    "Let us look at the data first. The table has two columns, `name` and `size`, and we want the mean\n"
    "of the second for each value of the first; then a plot.\n\n"
    "1. Read the file, because it is the slow part.\n2. Group by *name*.\n\n"
)
CODE = (
    "```python\nimport pandas as pd\n\nframe = pd.read_csv('data.csv')\nprint(frame.groupby('name').mean())\n"
    "```\n\n"
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)


def reply(size: int) -> str:
    """Prose and code in turn, about half of each."""
    return ((PROSE + CODE) * (size // len(PROSE + CODE) + 1))[:size]


def deltas(text: str) -> Iterator[str]:
    for start in range(0, len(text), STEP):
        yield text[start : start + STEP]


def ours(text: str) -> None:
    parser = FenceParser()
    for delta in deltas(text):
        parser.receive(delta)
    parser.close()


def turn(text: str) -> None:
    """The whole turn; its blocks run and give nothing."""
    machine = Turn(max_cells=len(text))
    machine.start()
    for delta in deltas(text):
        machine.receive(delta)
        if machine.state == "running":
            machine.receive_result(Result())
    machine.close()


def parsed_again(text: str) -> None:
    markdown, so_far = MarkdownIt("commonmark"), ""
    for delta in deltas(text):
        so_far += delta
        markdown.parse(so_far)


def searched_again(text: str) -> None:
    so_far = ""
    for delta in deltas(text):
        so_far += delta
        BLOCK.findall(so_far)


def cost(way: Callable[[str], None], text: str, rounds: int = ROUNDS) -> float:
    """Microseconds of processor time per character: the median of so many rounds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        way(text)
        times.append(time.process_time() - start)
    return statistics.median(times) / len(text) * 1e6


WAYS: tuple[tuple[str, Callable[[str], None], int], ...] = (
    ("FenceParser", ours, 200_000),
    ("Turn", turn, 200_000),
    ("markdown-it at each delta", parsed_again, 2_000),
    ("regular expression at each delta", searched_again, 20_000),
)

HOSTILE = {
    "50 000 fences": "```text\nx\n```\n" * 50_000,
    "2 000-deep list": "- " * 2_000 + "```python\nx\n```\n",
    "a list with 5 000 fences": "".join(
        f"{n}. Step\n\n   ```text\n   x = {n}\n   ```\n\n" for n in range(5_000)
    ),
    "one fence, 20 000 lines that nearly close it": "````text\n" + "```\n  ```` x\n" * 10_000 + "````\n",
    "an HTML block with 20 000 lines that look like fences": "<pre>\n" + "```python\n" * 20_000 + "</pre>\n",
    "a paragraph with 20 000 lines that look like fences": "x\n" + "    ```python\n" * 20_000,
    "a link definition that goes on for 10 000 lines": "[x\n" + "    ```python\n" * 10_000,
    "a block quote that goes on for 10 000 lines": "> x\n" + "    ```python\n" * 10_000,
    "one line of 200 000 backticks": "`" * 200_000,
    "one line of 200 000 blanks": " " * 200_000,
    "one line of 100 000 list markers": "- " * 100_000,
    "one line of 200 000 characters": "x" * 200_000,
    "200 000 line ends": "\n" * 200_000,
}


def main() -> None:
    print("microseconds of processor time per character, deltas of 4 characters\n")
    print(f"{'':36}{'2 000':>9}{'20 000':>9}{'200 000':>9}{'ratio':>9}")
    for name, way, most in WAYS:
        costs = [
            cost(way, reply(size), 3 if size > 100_000 else ROUNDS) if size <= most else None
            for size in SIZES
        ]
        ratio = f"{costs[2] / costs[1]:9.2f}" if costs[2] and costs[1] else f"{'-':>9}"
        print(f"{name:36}" + "".join(f"{c:9.3f}" if c else f"{'-':>9}" for c in costs) + ratio)
    print("\nhostile replies, FenceParser\n")
    for name, text in HOSTILE.items():
        print(f"{name:56}{len(text):>9} characters{cost(ours, text, 1):9.3f}")


if __name__ == "__main__":
    main()
