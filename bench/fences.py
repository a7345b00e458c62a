"""What reading a reply costs: microseconds per character, and the ratio between long and short replies.

    python bench/fences.py
    python bench/fences.py --search [SECONDS [SEED]]

`--search` looks for the reply that is dearest to read: it makes replies of nasty pieces, keeps what costs
more, changes it and goes on. It tells the worst that it found, and the reply.

A reply arrives in deltas of four characters, about what a token is. Compared with two ways that are common:
parsing the whole reply again with markdown-it at each delta, and searching the growing reply with a regular
expression. Where a way takes too long to wait for, the table has a dash.
"""

import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from markdown_it import MarkdownIt

from coderunner.chat.parsing.fence_parser import FenceParser
from coderunner.chat.turn_state_machine import Turn
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


STARTS = (
    *("", "", "", " ", "   ", "    ", "     ", "\t", " \t", "        "),
    *("> ", ">", ">\t", "- ", "-\t", "* ", "1. ", "2) ", "-   ", "  > ", "> > ", "- - ", "> - ", "- > "),
)
LINES = (
    *("", "x", "x y", "word {n}", "```", "```{n}", "```python", "````", "~~~", "~~~ {n}", "``", "```a`", "`"),
    *("<div>", "</div>", "<pre>", "</pre>", "<!--", "-->", "<?", "?>", "<!A", ">", "<![CDATA[", "]]>", "<b>"),
    *("<b c='d' {n}", "<", "<<", "</", "<i a=b a=b a=b", "<script", "</script>", "<x y", "<a {n}>"),
    *(
        "===",
        "---",
        "- - -",
        "***",
        "# x",
        "#",
        "####### x",
        "_ _ _",
        "-",
        "+",
        "1.",
        "10) x",
        "123456789. x",
    ),
    *(
        "[x]: /u",
        "[x]:",
        "[x",
        "[",
        "]: /u",
        "[x]: /u 't",
        "'t'",
        '"t',
        "t'",
        "(t",
        "[x]: <u",
        "[{n}]: /u{n}",
    ),
    *(
        "<think>",
        "</think>",
        "<thin",
        "[think]",
        "[THIN",
        "<|channel|>analysis",
        "<|end|>",
        "◁think▷",
        "◁",
        "<|",
    ),
    *("| a | b |", "|---|---|", "\\", "[\\", "[x\\]", "\0", "\u2028", "\u00a0```", "  ", "`" * 70, "x" * 70),
    *("{t}", "~{t}", "> {t}x", "{t} x{t}", "{s}```", "{s}x", "- {s}- ```", "<{t}"),
    *("> " * 30, ">" * 60, "- " * 30, "1. " * 20, "<" * 40, "[" * 40, " " * 40, "- > " * 20, "{n} " * 12),
)
ENDS = ("\n", "\n", "\n", "\n", "\r\n", "\r", "", "\n\n")
LENGTH = 4_000
"""Characters of a reply that is tried: long enough for what grows with the length to show."""


Pieces = tuple[str, ...]


def grown(pieces: str, number: int) -> str:
    """The pieces with a number in them, and with runs whose length changes with it."""
    runs = {"{n}": str(number), "{t}": "`" * (3 + number % 60), "{s}": " " * (number % 60)}
    for name, run in runs.items():
        pieces = pieces.replace(name, run)
    return pieces


def made(head: Pieces, body: Pieces, length: int = LENGTH) -> str:
    """A reply that begins with *head* and repeats *body*, each time with another number in it."""
    text, size, number = [grown("".join(head), 0)], 0, 0
    while size < length:
        number += 1
        text.append(grown("".join(body) or "\n", number))
        size += len(text[-1])
    return "".join(text)


def read(text: str, step: int) -> None:
    """A turn reads the reply in pieces of so many characters; its blocks run and give nothing."""
    machine = Turn(max_cells=len(text))
    machine.start()
    for start in range(0, len(text), step):
        machine.receive(text[start : start + step])
        if machine.state == "running":
            machine.receive_result(Result())
    machine.close()


CUTS = (1, 4, 61, sys.maxsize)


def worst_cut(text: str) -> tuple[float, int]:
    """Microseconds per character in the cutting that costs most, of two rounds the better one."""
    return max((least(text, step, 2), step) for step in CUTS)


def least(text: str, step: int, rounds: int) -> float:
    return min(cost(partial(read, step=step), text, 1) for _ in range(rounds))


def additions() -> float:
    """Microseconds that this machine takes for ten additions in a loop, the best of a few."""
    times = []
    for _ in range(5):
        start, total = time.process_time(), 0
        for number in range(20_000):
            total += number
        times.append(time.process_time() - start)
    return min(times) / 2_000 * 1e6


def piece(chance: random.Random) -> str:
    starts = "".join(chance.choice(STARTS) for _ in range(chance.choice((0, 1, 1, 2, 3))))
    return f"{starts}{chance.choice(LINES)}{chance.choice(ENDS)}"


def altered(pieces: Pieces, chance: random.Random, most: int) -> Pieces:
    """The pieces with a few of them replaced, added, doubled, moved or dropped."""
    some = list(pieces)
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(some))
        match chance.randint(0, 4):
            case 0 | 1:
                some.insert(at, piece(chance))
            case 2 if some:
                some[at % len(some)] = piece(chance)
            case 3 if some:
                some.insert(at, chance.choice(some))
            case _ if some:
                some.pop(at % len(some))
    return tuple(some[:most])


def search(seconds: float, seed: int) -> None:
    """Climb from many beginnings, and tell what was found whenever it is worse than all before."""
    chance, end = random.Random(seed), time.monotonic() + seconds
    worst, speed, tried = 0.0, additions(), 0
    while time.monotonic() < end:
        head, body = altered((), chance, 4), altered((), chance, 3)
        height, fails = 0.0, 0
        while fails < 25 and time.monotonic() < end:
            new = altered(head, chance, 6) if chance.random() < 0.4 else head
            other = altered(body, chance, 8) if new is head or chance.random() < 0.3 else body
            here, step = worst_cut(made(new, other))
            tried += 1
            if here > height * 1.02:
                # What another program of the machine has slowed is measured once more.
                here = min(here, least(made(new, other), step, 3))
            if here <= height * 1.02:
                fails += 1
                continue
            height, fails, head, body = here, 0, new, other
            if height > worst:
                worst = height
                cut = "at once" if step == sys.maxsize else f"in deltas of {step}"
                speed = min(speed, additions())
                print(f"{worst:8.2f} {cut:18} {''.join(head)!r} + {''.join(body)!r} * n", flush=True)
    print(f"the worst of {tried} replies: {worst:.2f} microseconds per character,")
    print(f"or {worst / speed:.1f} times what ten additions in a loop take ({speed:.2f} microseconds)")


def main() -> None:
    if "--search" in sys.argv:
        seconds, seed = (*map(int, sys.argv[2:4]), *(60, 1)[len(sys.argv[2:4]) :])
        search(seconds, seed)
        return
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
