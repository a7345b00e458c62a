"""The scenes that the demo model can play: real Python, and an answer out of what it really gave. Pure.

Each scene looks at a conversation and gives a `Play`, or None where it is not about it.
"""

import re
from collections.abc import Callable, Sequence
from keyword import iskeyword

from coderunner.models.demo_scene import Scene, error
from coderunner.models.demo_sums import asked_of_list, expression, listed, numbers, sentence

Play = Callable[[Sequence[str]], str]
"""Says what comes after so many results."""

Answer = Callable[[str], str | None]
"""Reads a result; None where it is not what the scene waits for."""

EXAMPLES = (
    "What is 10 + 5?",
    "Now double it",
    "Plot a sine wave",
    "Show a table of the planets",
    "Make a mistake and correct it",
    "Count slowly to 10",
    "Which numbers below 50 are prime?",
    "What is the average of 3, 4 and 8?",
    "Roll 1000 dice",
)
"""What there is a scene for, as a person would ask."""

HELP = "I only have a script. Here is what I can show:\n\n" + "".join(f"- `{each}`\n" for each in EXAMPLES)
NOTHING_YET = "There is nothing to go on with yet. Ask me for a sum first: `What is 10 + 5?`\n"

ENDS = (
    (r"declin|not run|skipp|refus|no kernel", "The block did not run, and I do not guess."),
    (
        r"still run|deadline|time.?out|timed out|in time",
        "The block did not end in time, so I have no answer.",
    ),
    (r"died|killed|restart|replaced", "The kernel ended while the block ran, so I have no answer."),
    (r"interrupt|stopp|cancel", "The block was stopped, so I have no answer."),
    (r"lost|connection|abort", "What became of the block is not known, so I have no answer."),
)
"""Words in a result that tell how a block ended, where it did not end well."""

NUMERIC = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf|nan)|\(?-?[\d.e+-]+j\)?", re.IGNORECASE)


def play(now: Scene) -> Play:
    """Choose the scene for a conversation; there is always one."""
    return next(found for each in SCENES if (found := each(now)))


def unexpected(result: str) -> str:
    """Say the truth about a result that is no answer."""
    if raised := error(result):
        name, text = raised
        hint = " Has the kernel been restarted?" if name == "NameError" else ""
        return f"The block raised {name}{f' ({text})' if text else ''}, so I have no answer.{hint}\n"
    for words, truth in ENDS:
        if re.search(words, result, re.IGNORECASE):
            return f"{truth}\n"
    return "The block gave something that my script does not expect, so I say nothing about it.\n"


def _block(code: str, opening: str = "") -> str:
    fence = f"```python\n{code}\n```\n"
    return f"{opening}\n\n{fence}" if opening else fence


def _once(code: str, answer: Answer, opening: str = "") -> Play:
    """One block, and an answer from its result."""

    def said(results: Sequence[str]) -> str:
        return answer(results[0]) or unexpected(results[0]) if results else _block(code, opening)

    return said


def _value(shape: str) -> Answer:
    """Read one number and say it in `shape`."""
    return lambda result: f"{shape.format(value=result)}\n" if NUMERIC.fullmatch(result) else None


def _asks(now: Scene, words: str) -> bool:
    return bool(re.search(rf"\b(?:{words})", now.question, re.IGNORECASE))


def _number(now: Scene, default: int, most: int) -> int:
    """Give the first whole number of the question."""
    found = re.search(r"\d+", now.question)
    return min(int(found[0]), most) if found and len(found[0]) < 9 else default


# --- scenes -------------------------------------------------------------------------------------------------


def _slowly(now: Scene) -> Play | None:
    if not _asks(now, r"slow|progress|long.running|takes? long|wait|sleep"):
        return None
    last = _number(now, default=10, most=600)
    code = (
        "import time\n\n"
        f"for second in range(1, {last} + 1):\n"
        f'    print(second, "of", {last}, flush=True)\n'
        "    time.sleep(1)"
    )

    def answer(result: str) -> str | None:
        done = re.findall(r"^(\d+) of \d+$", result, re.MULTILINE)
        if done and int(done[-1]) == last and not _ended_badly(result):
            return f"It has counted to {last}, a second for each.\n"
        return f"It came to {done[-1]} of {last}. {unexpected(result)}" if done else None

    return _once(code, answer, "This takes a while; Stop ends it at any time.")


def _ended_badly(result: str) -> bool:
    return bool(error(result)) or any(re.search(words, result, re.IGNORECASE) for words, _ in ENDS)


def _mistake(now: Scene) -> Play | None:
    if not _asks(now, r"mistake|error|exception|wrong|fails?\b|broken|correct"):
        return None
    prices = 'prices = {"apple": 1.2, "pear": 0.9}\n'
    wrong = f'{prices}total = prices["apple"] + prices["plum"]\nprint(total)'
    right = 'total = prices["apple"] + prices.get("plum", 0)\nprint(total)'

    def said(results: Sequence[str]) -> str:
        match results:
            case []:
                return _block(wrong, "What do an apple and a plum cost together?")
            case [first] if (raised := error(first)) and raised[0] == "KeyError":
                return _block(
                    right, f"That was a mistake of mine: {raised[0]}, no price for {raised[1]}. Again:"
                )
            case [_, second, *_] if NUMERIC.fullmatch(second):
                return f"Now it works: the apple alone is {second}, for the plum has no price.\n"
        return unexpected(results[-1])

    return said


def _dice(now: Scene) -> Play | None:
    if not _asks(now, r"dice|die\b|roll|histogram"):
        return None
    count = _number(now, default=1000, most=1_000_000)
    code = (
        "import random\nfrom collections import Counter\n\nimport matplotlib.pyplot as plt\n\n"
        f"rolls = Counter(random.randint(1, 6) for _ in range({count}))\n"
        "faces = range(1, 7)\n"
        "plt.figure(figsize=(6, 3))\n"
        "plt.bar(faces, [rolls[face] for face in faces])\n"
        f'plt.title("{count} dice")\n'
        "plt.show()\n"
        'print("most often:", rolls.most_common(1)[0][0])'
    )

    def answer(result: str) -> str | None:
        most = re.search(r"most often: (\d)", result)
        return f"This time {most[1]} came up most often.\n" if most else None

    return _once(code, answer, f"I roll {count} dice.")


CURVES = (
    (r"cos", "np.cos(x)", "cos(x)"),
    (r"tan\b|tangent", "np.clip(np.tan(x), -5, 5)", "tan(x)"),
    (r"parabola|square|quadratic|x\s*(?:\^|\*\*)\s*2|x²", "x ** 2", "x²"),
    (r"cubic|x\s*(?:\^|\*\*)\s*3|x³", "x ** 3", "x³"),
    (r"exp", "np.exp(x)", "exp(x)"),
    (r"root|sqrt", "np.sqrt(np.abs(x))", "√|x|"),
    (r"", "np.sin(x)", "sin(x)"),
)
"""Words for a curve, how numpy says it, and its title; the last one is for any words."""


def _plot(now: Scene) -> Play | None:
    if not _asks(now, r"plot|draw|graph|chart|curve|sine\b|wave"):
        return None
    curve, title = next(
        (y, title) for words, y, title in CURVES if re.search(words, now.question, re.IGNORECASE)
    )
    kept = _kept(now)
    if kept and _asks(now, rf"it\b|{kept}\b"):
        curve, title = f"{kept} * {curve}", f"{kept} · {title}"
    code = (
        "import matplotlib.pyplot as plt\nimport numpy as np\n\n"
        f"x = np.linspace({_span(now)}, 400)\n"
        f"y = {curve}\n"
        "plt.figure(figsize=(6, 3))\n"
        "plt.plot(x, y)\n"
        f'plt.title("{title}")\n'
        "plt.grid(alpha=0.3)\n"
        "plt.show()"
    )

    def answer(result: str) -> str | None:
        drawn = re.search(r"image|!\[|<img|figure", result, re.IGNORECASE) and not error(result)
        return f"There it is: {title}. I cannot see it, being a script; you can.\n" if drawn else None

    return _once(code, answer, f"Here comes {title}.")


def _span(now: Scene) -> str:
    found = re.search(r"from\s+(-?\d+(?:\.\d+)?)\s+to\s+(-?\d+(?:\.\d+)?)", now.question)
    return f"{found[1]}, {found[2]}" if found else "-2 * np.pi, 2 * np.pi"


def _table(now: Scene) -> Play | None:
    if not _asks(now, r"table|data\s?frame|pandas|planet"):
        return None
    code = (
        "import pandas as pd\n\n"
        "planets = pd.DataFrame(\n"
        "    {\n"
        '        "planet": ["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"],\n'
        '        "diameter / km": [4879, 12104, 12756, 6792, 142984, 120536, 51118, 49528],\n'
        '        "year / days": [88, 225, 365, 687, 4331, 10747, 30589, 59800],\n'
        "    }\n"
        ")\n"
        'planets.sort_values("diameter / km", ascending=False)'
    )

    def answer(result: str) -> str | None:
        order = re.findall(r"Mercury|Venus|Earth|Mars|Jupiter|Saturn|Uranus|Neptune", result)
        return (
            f"Sorted by size, {order[0]} is the largest and {order[-1]} the smallest.\n"
            if len(order) > 1
            else None
        )

    return _once(code, answer, "The planets as a table:")


def _primes(now: Scene) -> Play | None:
    if not _asks(now, r"primes?\b"):
        return None
    limit = _number(now, default=50, most=100_000)
    if _asks(now, r"first \d+ "):
        code = (
            "primes = []\nnumber = 2\n"
            f"while len(primes) < {limit}:\n"
            "    if all(number % prime for prime in primes):\n"
            "        primes.append(number)\n"
            "    number += 1\n"
            "print(*primes)"
        )
    else:
        code = (
            f"primes = [n for n in range(2, {limit}) if all(n % d for d in range(2, int(n**0.5) + 1))]\n"
            "print(*primes)"
        )
    return _once(code, _last("The last of these {count} primes is {last}."))


def _fibonacci(now: Scene) -> Play | None:
    if not _asks(now, r"fib"):
        return None
    count = _number(now, default=10, most=1000)
    code = (
        "fibonacci = [0, 1]\n"
        f"while len(fibonacci) < {count}:\n"
        "    fibonacci.append(fibonacci[-1] + fibonacci[-2])\n"
        f"print(*fibonacci[:{count}])"
    )
    return _once(code, _last("The last of these {count} Fibonacci numbers is {last}."))


def _last(shape: str) -> Answer:
    """Read a row of numbers and say how many they are and which is the last; a cut row is not counted."""

    def answer(result: str) -> str | None:
        row = result.split()
        return (
            f"{shape.format(count=len(row), last=row[-1])}\n" if all(map(str.isdigit, row)) and row else None
        )

    return answer


CHANGES = (
    (r"double|twice", "{kept} * 2"),
    (r"triple", "{kept} * 3"),
    (r"halve|half of (?:it|that)", "{kept} / 2"),
    (r"square (?:it|that)\b", "{kept} ** 2"),
    (r"(?:multiply|times)\D*(?P<n>{number})", "{kept} * {n}"),
    (r"(?:divide)\D*(?P<n>{number})", "{kept} / {n}"),
    (r"(?:add|plus)\D*(?P<n>{number})", "{kept} + {n}"),
    (r"(?:subtract|minus|take away)\D*(?P<n>{number})", "{kept} - {n}"),
)
"""Words that change what was computed before, and how Python says it."""


def _change(now: Scene) -> Play | None:
    for words, change in CHANGES:
        pattern = words.replace("{number}", r"\d+(?:\.\d+)?")
        found = re.search(rf"\b{pattern}", now.question, re.IGNORECASE)
        if found and not expression(now.question) and not asked_of_list(now.question):
            return _changed(now, change, str(found.groupdict().get("n") or ""))
    return None


def _changed(now: Scene, change: str, number: str) -> Play:
    kept = _kept(now)
    printed = re.search(r"print\((.+)\)", now.code)
    if kept:
        code, opening = "", f"I go on with `{kept}` from before."
    elif printed and (before := expression(printed[1])):
        kept = "result"
        code, opening = f"result = {before}\n", "This time I keep it, as `result`."
    else:
        return lambda _: NOTHING_YET
    code += f"{kept} = {change.format(kept=kept, n=number)}\nprint({kept})"
    return _once(code, _value(f"Now `{kept}` is {{value}}."), opening)


def _kept(now: Scene) -> str:
    """Give the variable that the last block set and printed."""
    printed = re.findall(r"^print\((\w+)\)$", now.code, re.MULTILINE)
    return printed[-1] if printed and re.search(rf"^{printed[-1]} = ", now.code, re.MULTILINE) else ""


def _remember(now: Scene) -> Play | None:
    told = expression(now.question) or next(iter(numbers(now.question)), None)
    if told is None or not _asks(now, r"remember|keep|store|let\b|set\b|save"):
        return None
    named = re.search(r"\b([a-z_]\w*)\s*(?:=|\bis\b|\bbe\b|\bto\b)", now.question, re.IGNORECASE)
    name = (
        named[1] if named and not iskeyword(named[1]) and named[1] not in ("it", "this", "that") else "result"
    )
    return _once(
        f"{name} = {told}\nprint({name})", _value(f"`{name}` is {{value}}, and the kernel keeps it.")
    )


def _recall(now: Scene) -> Play | None:
    kept = _kept(now)
    asked = rf"what (?:is|was) (?:it|that|{kept})\b|how much is (?:it|that|{kept})\b"
    if not kept or expression(now.question) or not _asks(now, asked):
        return None
    return _once(f"print({kept})", _value(f"`{kept}` is {{value}}."))


def _of_list(now: Scene) -> Play | None:
    asked, found = asked_of_list(now.question), numbers(now.question)
    if not asked or not found:
        return None
    code, name = asked
    span = re.search(r"(\d+)\s+(?:to|through|until)\s+(\d+)", now.question)
    row = f"range({span[1]}, {span[2]} + 1)" if span else f"[{', '.join(found)}]"
    told = f"{span[1]} to {span[2]}" if span else listed(found)
    setup = "import statistics\n\n" if code.startswith("statistics") else ""
    return _once(
        f"{setup}numbers = {row}\nresult = {code}\nprint(result)",
        _value(f"The {name} of {told} is {{value}}."),
    )


def _sum(now: Scene) -> Play | None:
    asked = expression(now.question)
    if not asked:
        return None

    def answer(result: str) -> str | None:
        return f"{sentence(asked, result)}\n" if NUMERIC.fullmatch(result) else None

    return _once(f"print({asked})", answer)


def _help(_: Scene) -> Play:
    return lambda _: HELP


SCENES: tuple[Callable[[Scene], Play | None], ...] = (
    _mistake,
    _slowly,
    _dice,
    _plot,
    _table,
    _primes,
    _fibonacci,
    _remember,
    _of_list,
    _sum,
    _change,
    _recall,
    _help,
)
"""The first that is about the question plays."""
