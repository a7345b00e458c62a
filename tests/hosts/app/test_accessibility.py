"""For those who cannot see or point: the page and everything in it, as axe-core finds it, in both themes."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, expect

from coderunner.hosts.app.server import App
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Seat, Visitor, served
from tests.hosts.app.parrot import Parrot
from tests.hosts.app.test_widgets import started
from tests.page.zoo import SPEC

pytestmark = [*MARKS, pytest.mark.timeout(400)]

ASSETS = Path(__file__).parents[3] / "assets"
CHECK = """
place => axe.run(place ?? document, { iframes: false }).then(({ violations }) => violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .flatMap(({ id, nodes }) => nodes.map(({ target, html, any, all, none }) => {
    const [first] = [...any, ...all, ...none];
    return `${id}: ${JSON.stringify(target)} ${html.slice(0, 160)} ${first?.message}`;
  })))
"""
STILL = """
() => { for (const each of document.getAnimations()) try { each.finish(); } catch { each.cancel(); } }
"""
"""What changes its colour with the theme has the new one then, whatever the machine does beside it."""

REPLY = "# Head\n\n| a | b |\n|-|-|\n| 1 | [link](https://example.org) |\n\n`code`, $x^2$\n\n- [x] done\n\n"
MARKDOWN = "# Head\n\n`code`, [link](https://example.org), $x^2$\n\n- [x] done\n\n> quoted"
REFUSED = "<iframe src='https://video.example/x'></iframe><img src='https://pictures.example/a.png'>"
SHOWN = f"""
import sys
import ipywidgets as w, pandas as pd, matplotlib.pyplot as plt
from IPython.display import HTML, JSON, Latex, Markdown, display
print("text", "\\x1b[31mred\\x1b[0m \\x1b[32mgreen\\x1b[0m \\x1b[38;5;28mdark green\\x1b[0m")
print("oh", file=sys.stderr)
plt.plot([1, 3, 2]); plt.show()
display(pd.DataFrame({{"n": [1, 4], "name": ["a", "b"]}}))
display(Markdown({MARKDOWN!r}))
display(Latex("$$x^2$$"), JSON({{"a": [1, {{"b": 2}}]}}))
display({{"application/vnd.vegalite.v6+json": {SPEC!r}}}, raw=True)
display(w.VBox([w.IntSlider(description="k"), w.Button(description="Press"), w.Text(), w.IntRangeSlider(),
                w.Dropdown(options=["a", "b"], description="d"), w.Checkbox(description="c"),
                w.IntProgress(value=3), w.ToggleButtons(options=["x", "y"]),
                w.Tab([w.Label("in")], titles=["first"])]))
display(HTML({REFUSED!r}))
open("table.csv", "w").write("a,b\\n1,2\\n")
"""


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory) -> App:
    return started(parrot, Path(tmp_path_factory.mktemp("accessibility")))


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program that looks; it is not shipped."""
    script = Path("axe-core", "axe.min.js")
    if (there := ASSETS / "node_modules" / script).exists():
        return there.read_text(encoding="utf-8")
    npm, version = shutil.which("npm"), json.loads((ASSETS / "package.json").read_text())["devDependencies"]
    if npm is None:
        pytest.skip("npm is not installed, nor axe-core in assets/node_modules")
    folder = tmp_path_factory.mktemp("axe")
    install = [
        npm,
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        f"axe-core@{version['axe-core']}",
    ]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install here: {done.stderr.strip()[-200:]}")
    return (folder / "node_modules" / script).read_text(encoding="utf-8")


def found(frames: list[Frame], axe: str, where: str, place: str | None) -> list[str]:
    """What is serious or critical in each of them."""
    told = []
    for frame in frames:
        if not frame.evaluate("() => 'axe' in window"):
            frame.evaluate(axe)
        frame.evaluate(STILL)
        told += [
            f"{where} {frame.name or frame.url.rpartition('/')[2]} {each}"
            for each in frame.evaluate(CHECK, place)
        ]
    return told


def both(page: Page, axe: str, where: str, frames: list[Frame], place: str | None = None) -> list[str]:
    """The same in both themes; only in `place`, if one is named."""
    told = []
    for dark in (False, True):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        for frame in frames[1:]:
            frame.wait_for_function(
                f"() => document.documentElement.classList.contains('dark') === {json.dumps(dark)}"
            )
        told += found(frames, axe, f"{where} {'dark' if dark else 'light'}", place)
    page.evaluate("document.body.classList.remove('dark')")
    return told


NAMES: list[tuple[Any, str]] = [
    ("figure", "Chart: bar of a, b"),
    ("table", "Table, 2 rows, 3 columns"),
    ("slider", "k"),
    ("checkbox", "Task"),
    ("combobox", "d"),
]


def reach_and_leave(page: Page, somebody: Visitor) -> None:
    """Tab leads from the code into the frame, through what is in it, and out of it again."""
    somebody.blocks.first.locator(".cr-code").first.focus()
    block = somebody.page.locator("code-runner-output").first
    where = lambda: block.evaluate("node => node.shadowRoot.activeElement?.localName ?? ''")  # noqa: E731
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(where())
        if "iframe" in seen and seen[-1] != "iframe":
            break
    assert "iframe" in seen
    assert seen[-1] != "iframe"


@pytest.fixture
def somebody(seat: Seat) -> Iterator[Visitor]:
    with seat.taken() as somebody:
        yield somebody


@behaviour("app:accessibility:axe")
def test_nothing_serious_is_found_in_the_page_and_in_what_it_shows(somebody: Visitor, axe: str) -> None:
    page = somebody.page
    page.set_viewport_size({"width": 1280, "height": 3000})
    told = both(page, axe, "empty", [page.main_frame])
    somebody.ask(f"{REPLY}```python{SHOWN}```\n")
    somebody.run("import nowhere_to_be_found")
    somebody.run("for n in range(80): print(n)\n1 / 0")
    inside = page.frame_locator("code-runner-output iframe").frame_locator("iframe")
    expect(inside.locator(".noUi-handle").first).to_be_visible()
    expect(inside.locator(".mark-rect").first).to_be_visible()
    expect(somebody.blocks.first.get_by_role("note").first).to_be_visible()
    for more in somebody.blocks.all():
        for summary in more.locator("summary:visible").all():
            summary.click()
    for role, name in NAMES:
        expect(inside.get_by_role(role, name=name)).to_have_count(1)
    expect(somebody.blocks.first.get_by_role("img", name="Figure size")).to_have_count(1)
    reach_and_leave(page, somebody)
    drawn = "() => document.getElementById('root') !== null && location.protocol !== 'about:'"
    frames = [page.main_frame, *(each for each in page.frames[1:] if each.evaluate(drawn))]
    assert len(frames) > 1
    told += both(page, axe, "chat", frames)
    somebody.blocks.first.locator(".cr-file button").first.click()
    expect(somebody.blocks.first.locator(".cr-preview")).to_be_visible()
    for panel in ("variables", "files"):
        page.locator(f"[data-cr-panel={panel}]").click()
        told += both(page, axe, panel, [page.main_frame], "#cr-right")
    page.keyboard.press("Escape")
    page.locator("#cr-settings").click()
    for tab in page.get_by_role("tab").all():
        tab.click()
        told += both(page, axe, f"settings {tab.inner_text()}", [page.main_frame], "#cr-right")
    # The console says what was refused, and the browser what it would have asked.
    somebody.complaints.clear()
    assert {re.sub(r"^https://(\w+)\.example/.*", r"\1", url) for url in somebody.elsewhere} <= {
        "video",
        "pictures",
    }
    somebody.elsewhere.clear()
    assert sorted(set(told)) == []
