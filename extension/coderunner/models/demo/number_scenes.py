"""Scenes about numbers: sums, lists, and what the kernel keeps of them. Pure."""

import re
from keyword import iskeyword

from coderunner.models.demo.arithmetic import asked_of_list, expression, listed, numbers, sentence
from coderunner.models.demo.conversation_state import ConversationState
from coderunner.models.demo.scene_parts import NUMERIC, Answer, Play, asks, number, once, value

NOTHING_YET = "There is no result to continue from yet. Ask me for a sum first: `What is 10 + 5?`\n"


def primes(now: ConversationState) -> Play | None:
    """Primes below a limit, or the first so many."""
    if not asks(now, r"primes?\b"):
        return None
    limit = number(now, default=50, most=100_000)
    if asks(now, r"first \d+ "):
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
    return once(code, _last("The last of these {count} primes is {last}."))


def fibonacci(now: ConversationState) -> Play | None:
    """Fibonacci numbers."""
    if not asks(now, r"fib"):
        return None
    count = number(now, default=10, most=1000)
    code = (
        "fibonacci = [0, 1]\n"
        f"while len(fibonacci) < {count}:\n"
        "    fibonacci.append(fibonacci[-1] + fibonacci[-2])\n"
        f"print(*fibonacci[:{count}])"
    )
    return once(code, _last("The last of these {count} Fibonacci numbers is {last}."))


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


def change(now: ConversationState) -> Play | None:
    """Change what was computed before: `double it`, `multiply it by 3`."""
    for words, change in CHANGES:
        pattern = words.replace("{number}", r"\d+(?:\.\d+)?")
        found = re.search(rf"\b{pattern}", now.question, re.IGNORECASE)
        if found and not expression(now.question) and not asked_of_list(now.question):
            return _changed(now, change, str(found.groupdict().get("n") or ""))
    return None


def _changed(now: ConversationState, change: str, number: str) -> Play:
    kept = kept_name(now)
    printed = re.search(r"^print\((.+)\)$", now.blocks[-1] if now.blocks else "")
    if kept:
        code, opening = "", f"I continue with `{kept}` from before."
    elif printed and (before := expression(printed[1])):
        kept = "result"
        code, opening = f"result = {before}\n", "This time I store it as `result`."
    else:
        return lambda _: NOTHING_YET
    code += f"{kept} = {change.format(kept=kept, n=number)}\nprint({kept})"
    return once(code, value(f"Now `{kept}` is {{value}}."), opening)


def kept_name(now: ConversationState) -> str:
    """Return the variable that was printed last and set before; "" where there is none."""
    told = "\n".join(now.blocks)
    printed = re.findall(r"^print\((\w+)\)$", told, re.MULTILINE)
    return next((each for each in reversed(printed) if re.search(rf"^{each} = ", told, re.MULTILINE)), "")


def remember(now: ConversationState) -> Play | None:
    """Keep a number under a name: `remember x = 21`."""
    told = expression(now.question) or next(iter(numbers(now.question)), None)
    if told is None or not asks(now, r"remember|keep|store|let\b|set\b|save"):
        return None
    named = re.search(r"\b([a-z_]\w*)\s*(?:=|\bis\b|\bbe\b|\bto\b)", now.question, re.IGNORECASE)
    name = (
        named[1] if named and not iskeyword(named[1]) and named[1] not in ("it", "this", "that") else "result"
    )
    return once(f"{name} = {told}\nprint({name})", value(f"`{name}` is {{value}}, and the kernel keeps it."))


def recall(now: ConversationState) -> Play | None:
    """Say what is kept: `what is x?`."""
    kept = kept_name(now)
    asked = rf"what (?:is|was) (?:it|that|{kept})\b|how much is (?:it|that|{kept})\b"
    if not kept or expression(now.question) or not asks(now, asked):
        return None
    return once(f"print({kept})", value(f"`{kept}` is {{value}}."))


def of_list(now: ConversationState) -> Play | None:
    """What is asked of a list: `the average of 3, 4 and 8`."""
    asked, found = asked_of_list(now.question), numbers(now.question)
    if not asked or not found:
        return None
    code, name = asked
    span = re.search(r"(\d+)\s+(?:to|through|until)\s+(\d+)", now.question)
    row = f"range({span[1]}, {span[2]} + 1)" if span else f"[{', '.join(found)}]"
    told = f"{span[1]} to {span[2]}" if span else listed(found)
    setup = "import statistics\n\n" if code.startswith("statistics") else ""
    return once(
        f"{setup}numbers = {row}\nresult = {code}\nprint(result)",
        value(f"The {name} of {told} is {{value}}."),
    )


def total(now: ConversationState) -> Play | None:
    """A sum: `What is 10 + 5?`."""
    asked = expression(now.question)
    if not asked:
        return None

    def answer(result: str) -> str | None:
        return f"{sentence(asked, result)}\n" if NUMERIC.fullmatch(result) else None

    return once(f"print({asked})", answer)
