"""How soon a long conversation stands in the app's page, and what keeps the page from answering meanwhile.

Run with `python -m bench.conversation`. Conversations are made of notebooks and opened at their end by an
empty browser, in turn with one of a single output: until all blocks in view are drawn, and until every block
is. Then what one more message costs the page, in computing of its main thread, as a conversation grows.
"""

import base64
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, CDPSession
from tests.hosts.app.browsing import Visitor, chromium, served, visitor
from tests.hosts.app.parrot import Parrot

from coderunner.hosts.app.server import App
from coderunner.runner import from_notebook
from coderunner.settings.settings import load

ROUNDS = 5
TURNS = 62

Cell = dict[str, Any]
Maker = Callable[[int], Cell]


def _display(data: dict[str, object]) -> dict[str, object]:
    return {"output_type": "display_data", "data": data, "metadata": {}}


def text(number: int) -> Cell:
    """What a program prints."""
    printed = "".join(f"step {number}.{line}: {line * 0.37:.2f}\n" for line in range(12))
    return {"output_type": "stream", "name": "stdout", "text": printed}


def table(number: int) -> Cell:
    """A table as pandas writes it."""
    rows = "".join(
        f"<tr><th>{row}</th><td>{number}</td><td>{row * 1.5}</td><td>name {row}</td></tr>"
        for row in range(20)
    )
    head = "<tr><th></th><th>n</th><th>x</th><th>name</th></tr>"
    html = (
        f'<div><table border="1" class="dataframe"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
    )
    return _display({"text/html": html, "text/plain": f"20 rows of {number}"})


def image(number: int) -> Cell:
    """A picture of a chart's size."""
    drawn, file = Image.new("RGB", (640, 400), "white"), BytesIO()
    pen, random = ImageDraw.Draw(drawn), Random(number)
    for colour in ("navy", "crimson", "green"):
        pen.line([(x, random.randrange(20, 380)) for x in range(20, 620, 4)], fill=colour, width=2)
    drawn.save(file, "PNG")
    return _display({"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": "<Figure>"})


def plotly(number: int) -> Cell:
    """A line chart of three series."""
    series = [{"y": [(x * k + number) % 17 for x in range(60)], "type": "scatter"} for k in (1, 2, 3)]
    figure = {"data": series, "layout": {"height": 320, "title": {"text": f"Chart {number}"}}}
    return _display({"application/vnd.plotly.v1+json": figure, "text/plain": "Figure"})


def widget(number: int) -> Cell:
    """A slider, with its state in the notebook."""
    view = {"model_id": f"slider{number}", "version_major": 2, "version_minor": 0}
    return _display({"application/vnd.jupyter.widget-view+json": view, "text/plain": "IntSlider(value=7)"})


def widget_states(count: int) -> dict[str, object]:
    """The states of all sliders."""
    states: dict[str, object] = {}
    for number in range(count):
        names = {"LayoutModel": "layout", "SliderStyleModel": "style"}
        for model, part in names.items():
            module = "base" if part == "layout" else "controls"
            states[f"{part}{number}"] = {
                "model_name": model,
                "model_module": f"@jupyter-widgets/{module}",
                "model_module_version": "2.0.0",
                "state": {},
            }
        states[f"slider{number}"] = {
            "model_name": "IntSliderModel",
            "model_module": "@jupyter-widgets/controls",
            "model_module_version": "2.0.0",
            "state": {
                "value": 7,
                "description": f"of {number}",
                "layout": f"IPY_MODEL_layout{number}",
                "style": f"IPY_MODEL_style{number}",
            },
        }
    return {"version_major": 2, "version_minor": 0, "state": states}


MIXED: Sequence[Maker] = (text, table, text, image, text, plotly, text, table, image, widget)
"""Ten outputs of which a hundred are made."""


def code_cell(number: int, output: Cell) -> Cell:
    lines = "".join(f"value_{line} = compute({number}, scale={line})  # step {line}\n" for line in range(8))
    return {
        "cell_type": "code",
        "source": f"{lines}show(value_{number % 8})",
        "outputs": [output],
        "execution_count": number + 1,
        "metadata": {},
    }


def said(number: int) -> Cell:
    return {
        "cell_type": "markdown",
        "source": f"Question {number}: what comes next, and why?",
        "metadata": {},
    }


def answered(number: int) -> Cell:
    prose = f"Here is step **{number}**. " + "It says some words about what the code is to do. " * 6
    return {"cell_type": "markdown", "source": prose, "metadata": {"coderunner": {"role": "assistant"}}}


def notebook(makers: Sequence[Maker], turns: int) -> str:
    """A notebook of some turns; the last of its outputs are made by the last makers."""
    cells: list[Cell] = []
    before = 0
    for turn in range(turns):
        after = (turn + 1) * len(makers) // turns
        cells += [said(turn), answered(turn)]
        cells += [code_cell(number, makers[number](number)) for number in range(before, after)]
        before = after
    states = {"application/vnd.jupyter.widget-state+json": widget_states(len(makers))}
    return json.dumps({"cells": cells, "metadata": {"widgets": states}, "nbformat": 4, "nbformat_minor": 5})


DRAWN = """(all) => {
    const at = document.querySelector("#cr-chat .bubble-wrap");
    if (!at || !document.querySelector("#cr-chat .message-row")) return false;
    const view = at.getBoundingClientRect();
    const blocks = [...document.querySelectorAll("#cr-chat code-runner-output")];
    const seen = blocks.filter((each) => {
        const its = each.getBoundingClientRect();
        return all || (its.bottom > view.top && its.top < view.bottom);
    });
    return seen.length > 0 && at.scrollHeight - at.scrollTop - at.clientHeight < 4
        && seen.every((each) => each.shadowRoot?.querySelector(".cr-outs, .cr-at-frame iframe"));
}"""


def opened(somebody: Visitor, identity: str) -> tuple[float, float]:
    """Milliseconds until all in view is drawn when a conversation is opened, and until every block is."""
    page = somebody.page
    began = time.perf_counter()
    page.goto(f"{somebody.address}/?c={identity}", wait_until="commit")
    page.wait_for_function(DRAWN, arg=False)
    first = time.perf_counter()
    page.wait_for_function(DRAWN, arg=True)
    return (first - began) * 1000, (time.perf_counter() - began) * 1000


@contextmanager
def app() -> Iterator[tuple[App, str]]:
    """The app without a model, and its address."""
    with TemporaryDirectory() as home:
        one = App(load({"approve": "auto", "data_dir": home}))
        with served(one.asgi) as address:
            yield one, address


def conversations() -> dict[str, str]:
    """What is opened, as notebooks."""
    mixed = [MIXED[number % 10] for number in range(99)] + [text]
    return {
        "one text output": notebook([text], 1),
        "10 text outputs, 10 turns": notebook([text] * 10, 10),
        "40 text outputs, 40 turns": notebook([text] * 40, 40),
        f"100 mixed outputs, {TURNS} turns": notebook(mixed, TURNS),
    }


def opening(browser: Browser) -> None:
    with app() as (one, address):
        made = {name: from_notebook(one.records, content, name) for name, content in conversations().items()}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in made}
        for turn in range(ROUNDS + 1):
            for name, identity in made.items():
                with visitor(browser, "about:blank") as somebody:
                    somebody.come_in(address)
                    times = opened(somebody, identity)
                    somebody.complaints.clear()
                if turn:  # the first round loads the app itself
                    taken[name].append(times)
    print(f"{'opened at its end, milliseconds':34} {'first screen':>13} {'ratio':>7} {'all':>8} {'ratio':>7}")
    medians = {
        name: [statistics.median(each[at] for each in times) for at in (0, 1)]
        for name, times in taken.items()
    }
    least = medians["one text output"]
    for name, (first, every) in medians.items():
        print(f"{name:34} {first:13.0f} {first / least[0]:6.2f}× {every:8.0f} {every / least[1]:6.2f}×")


LENGTHS = (1, 10, 30, 100)
"""Messages that a conversation has when it is asked some more."""
ASKED = 5
"""How many more."""
QUESTION = "Why?\n\n" + "Some words of a question. " * 30


def asking(browser: Browser) -> None:
    """What a message with a short reply costs the page's main thread in CPU, for each length."""
    with served(Parrot) as model, TemporaryDirectory() as home:
        one = App(load({"model_url": f"{model}/v1", "model": "parrot", "data_dir": home}))
        with served(one.asgi) as address, visitor(browser, address) as somebody:
            clock = somebody.context.new_cdp_session(somebody.page)
            clock.send("Performance.enable", {"timeDomain": "threadTicks"})
            costs, length = [], 0
            for until in LENGTHS:
                for _ in range(until - length):
                    somebody.ask(QUESTION)
                before = _computed(clock)
                for _ in range(ASKED):
                    somebody.ask("And now?")
                costs.append((_computed(clock) - before) / ASKED * 1000)
                length = until + ASKED
    print(f"{'one more message after so many':34} {'CPU ms':>13} {'ratio':>7}")
    for until, cost in zip(LENGTHS, costs, strict=True):
        print(f"{until:<34} {cost:13.0f} {cost / costs[0]:6.2f}×")


def _computed(clock: CDPSession) -> float:
    """Seconds of CPU that the main thread of a page has taken."""
    told = clock.send("Performance.getMetrics")["metrics"]
    return next(float(each["value"]) for each in told if each["name"] == "TaskDuration")


def main() -> None:
    with chromium() as browser:
        asking(browser)
        opening(browser)


if __name__ == "__main__":
    main()
