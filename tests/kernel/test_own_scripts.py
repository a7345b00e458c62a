"""Scripts that outputs would load from the web, taken from the libraries of the kernel itself."""

from base64 import b64encode
from pathlib import Path

from coderunner.kernel.sessions.registry import Session
from coderunner.outputs import DisplayData, ExecuteResult
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND

SCRIPT = b"window.Bokeh = {}"
BOKEH = "https://cdn.bokeh.org/bokeh/release/bokeh-gl-3.9.2.min.js"
PANEL = "https://cdn.holoviz.org/panel/1.9.4/dist/bundled/x@^1.0/dist/x.min.js"
STYLE = "https://cdn.holoviz.org/panel/1.9.4/dist/css/x.css"
OTHERS = (
    "https://cdn.bokeh.org/bokeh/release/bokeh-none-3.9.2.min.js",
    "https://cdn.holoviz.org/panel/1.9.4/dist/../../secret.js",
    "https://elsewhere.example/bokeh-gl-3.9.2.min.js",
)

CELL = """
import sys, pathlib
from IPython.display import HTML, display, publish_display_data
sys.path.insert(0, {folder!r})
import bokeh, panel
display(HTML({html!r}))
load = {html!r}
publish_display_data({{"application/javascript": load, "application/vnd.holoviews_load.v0+json": load}})
HTML({html!r})
"""


@behaviour("prelude:scripts:own")
def test_what_a_library_would_load_from_the_web_comes_from_its_own_files(
    session: Session, tmp_path: Path
) -> None:
    for each in (
        "bokeh/server/static/js/bokeh-gl.min.js",
        "panel/dist/bundled/x@^1.0/dist/x.min.js",
        "panel/dist/css/x.css",
        "secret.js",
    ):
        path = tmp_path / "libraries" / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SCRIPT)
    for each in ("bokeh", "panel"):
        (tmp_path / "libraries" / each / "__init__.py").write_text("")
    html = "".join(f"<script src='{each}'></script>" for each in (BOKEH, PANEL, STYLE, *OTHERS))
    own = f"data:text/javascript;base64,{b64encode(SCRIPT).decode()}"
    changed = html.replace(BOKEH, own).replace(PANEL, own)
    changed = changed.replace(STYLE, own.replace("javascript", "css"))
    result = session.begin(CELL.format(folder=str(tmp_path / "libraries"), html=html)).wait(BOUND)
    assert result is not None
    first, load, last = result.outputs
    assert isinstance(first, DisplayData)
    assert isinstance(load, DisplayData)
    assert isinstance(last, ExecuteResult)
    assert first.data["text/html"] == last.data["text/html"] == changed
    assert load.data == {"application/javascript": html, "application/vnd.holoviews_load.v0+json": changed}
