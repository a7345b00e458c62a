"""Scenes with something to see: plots, a table, a mistake, a block that takes its time. Pure."""

import re
from collections.abc import Sequence

from coderunner.models.demo.conversation_state import ConversationState, Seen, error
from coderunner.models.demo.number_scenes import kept_name
from coderunner.models.demo.scene_parts import NUMERIC, Play, asks, block, number, once, unexpected


def slowly(now: ConversationState) -> Play | None:
    """Something that takes its time, to try Stop with."""
    if not asks(now, r"slow|progress|long.running|takes? long|wait|sleep"):
        return None
    last = number(now, default=10, most=600)
    code = (
        "import time\n\n"
        f"for second in range(1, {last} + 1):\n"
        f'    print(second, "of", {last}, flush=True)\n'
        "    time.sleep(1)"
    )

    def said(results: Sequence[Seen]) -> str:
        if not results:
            return block(code, "This takes a while; you can press Stop at any time.")
        done = re.findall(r"^(\d+) of \d+$", results[0].text, re.MULTILINE)
        if done and int(done[-1]) == last:
            return f"It counted to {last}, one number per second.\n"
        begun = f"It reached {done[-1]} of {last}. " if done else ""
        return begun + unexpected(results[0])

    return said


def mistake(now: ConversationState) -> Play | None:
    """An error, and its correction."""
    if not asks(now, r"mistake|error|exception|wrong|fails?\b|broken|correct"):
        return None
    prices = 'prices = {"apple": 1.2, "pear": 0.9}\n'
    wrong = f'{prices}total = prices["apple"] + prices["plum"]\nprint(total)'
    right = 'total = prices["apple"] + prices.get("plum", 0)\nprint(total)'

    def said(results: Sequence[Seen]) -> str:
        match results:
            case []:
                return block(wrong, "What do an apple and a plum cost together?")
            case [first] if (raised := error(first)) and raised[0] == "KeyError":
                return block(
                    right,
                    f"That was my mistake: {raised[0]}, there is no price for {raised[1]}. I try again:",
                )
            case [_, second, *_] if NUMERIC.fullmatch(second.text):
                return f"Now it works: the total is {second.text}, because the plum has no price.\n"
        return unexpected(results[-1])

    return said


def dice(now: ConversationState) -> Play | None:
    """Many dice, counted and drawn."""
    if not asks(now, r"dice|die\b|roll|histogram"):
        return None
    count = number(now, default=1000, most=1_000_000)
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

    return once(code, answer, f"I roll {count} dice.")


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


def plot(now: ConversationState) -> Play | None:
    """A curve."""
    if not asks(now, r"plot|draw|graph|chart|curve|sine\b|wave"):
        return None
    curve, title = next(
        (y, title) for words, y, title in CURVES if re.search(words, now.question, re.IGNORECASE)
    )
    kept = kept_name(now)
    if kept and asks(now, rf"it\b|{kept}\b"):
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
        drawn = re.search(r"image/|!\[|<img|Figure", result) and not error(Seen(result))
        return f"Here it is: {title}. As a script, I cannot see it, but you can.\n" if drawn else None

    return once(code, answer, f"Plotting {title}.")


def sliders(now: ConversationState) -> Play | None:
    """A curve with sliders."""
    if not asks(now, r"sliders?\b|interact|widget"):
        return None
    code = (
        "import ipywidgets\nimport matplotlib.pyplot as plt\nimport numpy as np\n\n"
        "x = np.linspace(0, 10, 400)\n\n"
        "@ipywidgets.interact(frequency=(0.5, 5), phase=(0, 6.3))\n"
        "def wave(frequency=1.0, phase=0.0):\n"
        "    plt.figure(figsize=(6, 2.5))\n"
        "    plt.plot(x, np.sin(frequency * x + phase))\n"
        "    plt.ylim(-1.1, 1.1)\n"
        "    plt.grid(alpha=0.3)\n"
        "    plt.show()"
    )

    def answer(result: str) -> str | None:
        # A slider by itself where its state is known, else in the repr of what holds it.
        if not re.search(r"\bFloatSlider\b", result) or error(Seen(result)):
            return None
        return "Move the sliders: the kernel redraws the wave each time.\n"

    return once(code, answer, "A wave with two sliders:")


def _span(now: ConversationState) -> str:
    found = re.search(r"from\s+(-?\d+(?:\.\d+)?)\s+to\s+(-?\d+(?:\.\d+)?)", now.question)
    return f"{found[1]}, {found[2]}" if found else "-2 * np.pi, 2 * np.pi"


def table(now: ConversationState) -> Play | None:
    """A table, as the last expression of the block."""
    if not asks(now, r"table|data\s?frame|pandas|planet"):
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

    return once(code, answer, "The planets as a table:")
