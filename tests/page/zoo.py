"""Outputs of every kind, each made by a real kernel; and how to see that it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Animal:
    """A cell and what of it is to be seen."""

    code: str
    selector: str = ".cr-out"
    text: str = ""
    framed: bool = False


SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "data": {"values": [{"a": "A", "b": 28}, {"a": "B", "b": 55}]},
    "mark": "bar",
    "encoding": {"x": {"field": "a"}, "y": {"field": "b", "type": "quantitative"}},
}
VEGA = {
    "$schema": "https://vega.github.io/schema/vega/v6.json",
    "width": 100,
    "height": 60,
    "marks": [
        {"type": "rect", "encode": {"enter": {"width": {"signal": "width / 2"}, "height": {"value": 9}}}}
    ],
}
FIGURE = {"data": [{"y": [1, 3, 2], "type": "scatter"}], "layout": {"height": 240}}

_IMPORT = "from IPython.display import *\nimport sys\n"
_RED = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
_GIF = "R0lGODlhAQABAIAAAP8AAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="
_SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'><rect width='20' height='10'/></svg>"

_WIDGETS = "import ipywidgets as w\n"

_POLARS = (
    "<div><style>\n.dataframe > thead > tr,\n.dataframe > tbody > tr {\n  text-align: right;\n"
    "  white-space: pre-wrap;\n}\n</style>\n<small>shape: (2, 1)</small>"
    '<table border="1" class="dataframe"><thead><tr><th>n</th></tr><tr><td>i64</td></tr></thead>'
    "<tbody><tr><td>1</td></tr><tr><td>4</td></tr></tbody></table></div>"
)
"""What polars 1 writes for a table."""


def _raw(kind: str, data: object, more: str = "") -> str:
    return f"{_IMPORT}display({{{kind!r}: {data!r}, 'text/plain': 'plain'}}, raw=True{more})"


ANIMALS: Mapping[str, Animal] = {
    "stdout": Animal("print('fifteen')", ".cr-text", "fifteen"),
    "stderr": Animal("import sys\nprint('oh', file=sys.stderr)", ".cr-stderr", "oh"),
    "colours": Animal("print('\\x1b[31mred\\x1b[0m')", ".cr-ink-red", "red"),
    "progress": Animal("for n in range(3): print(f'\\r{n} of 2', end='')", ".cr-text", "2 of 2"),
    "unicode": Animal("print('Größe → 😀')", ".cr-text", "Größe → 😀"),
    "value": Animal("10 + 5", ".cr-text", "15"),
    "error": Animal("1 / 0", ".cr-error", "ZeroDivisionError: division by zero"),
    "trace": Animal("1 / 0", ".cr-trace summary", "traceback"),
    "updated": Animal(
        f"{_IMPORT}h = display('before', display_id=True)\nh.update('after')", ".cr-text", "'after'"
    ),
    "cleared": Animal(f"{_IMPORT}print('before')\nclear_output()\nprint('after')", ".cr-text", "after"),
    "png": Animal(f"{_IMPORT}import base64\nImage(base64.b64decode('{_RED}'))", "img[src^='data:image/png']"),
    "gif": Animal(_raw("image/gif", _GIF), "img[src^='data:image/gif']"),
    "svg": Animal(f'{_IMPORT}SVG("{_SVG}")', "img[src^='data:image/svg']"),
    "plot": Animal(
        "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()", "img[src^='data:image/png']"
    ),
    "table": Animal("import pandas as pd\npd.DataFrame({'n': [1, 4]})", "table td >> nth=1", "4"),
    "polars": Animal(_raw("text/html", _POLARS), "tbody td >> nth=1", "4"),
    "styler": Animal(
        "import pandas as pd\npd.DataFrame({'n': [1.5]}).style.set_properties(color='red').format('{:.2f}')",
        "td[id^=T_]",
        "1.50",
    ),
    "html": Animal(f"{_IMPORT}HTML('<h2>Head</h2>')", "h2", "Head"),
    "script": Animal(
        f"{_IMPORT}HTML('<p id=p></p><script>p.textContent = 10 + 5</script>')", "#p", "15", framed=True
    ),
    "handler": Animal(
        f"{_IMPORT}HTML('<img src=data: onerror=\"this.outerHTML=`<i id=i>on</i>`\">')",
        "#i",
        "on",
        framed=True,
    ),
    "javascript": Animal(
        f"{_IMPORT}Javascript('element.append(\"js \" + 15)')", ".cr-html", "js 15", framed=True
    ),
    "module": Animal(
        f"{_IMPORT}HTML('<p id=p></p><script type=module>p.textContent = \"module\"</script>')",
        "#p",
        "module",
        framed=True,
    ),
    "markdown": Animal(f"{_IMPORT}Markdown('# Head\\n**bold**')", "strong", "bold"),
    "markdown maths": Animal(f"{_IMPORT}Markdown('so $x^2$ is')", ".katex >> nth=0"),
    "markdown table": Animal(f"{_IMPORT}Markdown('|a|b|\\n|-|-|\\n|1|2|')", "td >> nth=1", "2"),
    "latex": Animal(f"{_IMPORT}Math(r'\\int_0^1 x\\,dx')", ".katex-display"),
    "json": Animal(
        f"{_IMPORT}JSON({{'a': [1, {{'b': 2}}]}}, expanded=True)", ".cr-json summary >> nth=0", "{1}"
    ),
    "vega-lite": Animal(
        _raw("application/vnd.vegalite.v6+json", SPEC), "svg .mark-rect path >> nth=1", framed=True
    ),
    "vega": Animal(_raw("application/vnd.vega.v6+json", VEGA), "svg .mark-rect path", framed=True),
    "plotly": Animal(
        _raw("application/vnd.plotly.v1+json", FIGURE), ".js-plotly-plot .scatterlayer", framed=True
    ),
    "iframe srcdoc": Animal(
        f"{_IMPORT}HTML('<p>around</p><iframe srcdoc=x></iframe>')", "p", "around", framed=True
    ),
    "audio": Animal(f"{_IMPORT}Audio(data=[0.0] * 800, rate=8000)", "audio", framed=True),
    "mixed": Animal(f"{_IMPORT}display(HTML('<b>1</b>'))\nprint('two')", ".cr-text", "two"),
    "unknown": Animal(_raw("application/x-unknown", {"a": 1}), ".cr-text", "plain"),
    "numbers": Animal(_raw("application/json", [1.5], ""), ".cr-json .cr-n", "1.5"),
    "infinite": Animal(
        _raw("application/json", "INF").replace("'INF'", "[float('inf')]"), ".cr-json .cr-n", "null"
    ),
    "widget slider": Animal(f"{_WIDGETS}w.IntSlider(value=7)", ".noUi-handle", framed=True),
    "widget tabs": Animal(
        f"{_WIDGETS}w.Tab([w.Label('inside')], titles=['first'])", ".widget-tab", "first", framed=True
    ),
    "widget output": Animal(
        f"{_WIDGETS}out = w.Output()\nwith out: print('within')\nout", ".widget-output", "within", framed=True
    ),
    "widget picture": Animal(
        f"{_WIDGETS}import base64\nw.Image(value=base64.b64decode('{_RED}'))", "img[src^=blob]", framed=True
    ),
    "interact": Animal(
        f"{_WIDGETS}@w.interact(k=(1, 8))\ndef f(k=3): print('k is', k)",
        ".widget-output",
        "k is 3",
        framed=True,
    ),
    "tqdm": Animal(
        "from tqdm.notebook import tqdm\nfor _ in tqdm(range(5)): pass", ".widget-hbox", "5/5", framed=True
    ),
    "anywidget": Animal(
        "import anywidget\nclass A(anywidget.AnyWidget):\n"
        "    _esm = 'export default { render({ el }) { el.innerHTML = `<i id=any>any</i>`; } }'\nA()",
        "#any",
        "any",
        framed=True,
    ),
}
