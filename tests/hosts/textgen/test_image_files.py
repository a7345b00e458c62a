"""Pictures in a reply."""

import re
from pathlib import Path

import pytest
from modules import extensions

from coderunner.hosts.textgen import hooks
from coderunner.hosts.textgen.webui.image_files import keep
from coderunner.hosts.textgen.webui.safe_svg import harmless
from coderunner.outputs import DisplayData, ExecuteResult, Result, Stream
from tests.behaviours import behaviour
from tests.hosts.textgen.webui import Webui
from tests.pictures import drawn, png, text

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
JPEG = text(drawn("JPEG"))
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>'


@behaviour("textgen:pictures:inline")
@pytest.mark.parametrize(
    ("call", "ending"),
    [
        (f"Image(data=__import__('base64').b64decode({PNG!r}))", "png"),
        (f"Image(data=__import__('base64').b64decode({JPEG!r}), format='jpeg')", "jpg"),
        (f"SVG(data={SVG!r})", "svg"),
    ],
    ids=["png", "jpeg", "svg"],
)
def test_a_picture_shows_in_the_reply_and_after_a_reload(webui: Webui, call: str, ending: str) -> None:
    webui.start()
    hooks.extension().store.change(approve="auto")
    webui.says(f"```python\nfrom IPython.display import Image, SVG\n{call}\n```\n", "There it is.")
    reply = webui.send("Draw.")
    found = re.search(rf'src="(file/user_data/cache/coderunner/([0-9a-f]{{32}})\.{ending})"', webui.page)
    assert found, reply
    path = Path(found[1].removeprefix("file/"))
    assert path.stat().st_size
    assert extensions.is_served(path)
    assert f'src="{found[1]}"' in webui.pages[-2]
    assert reply.endswith("There it is.")


@behaviour("textgen:pictures:checked")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/png", text(drawn("TIFF"))),
        ("image/png", text(drawn("BMP", (2_000, 1_500)))),
        ("image/svg+xml", "<html><svg><script>1</script></svg></html>"),
        ("image/svg+xml", '<!DOCTYPE x [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'),
    ],
)
def test_what_no_page_shows_is_not_stored(tmp_path: Path, kind: str, data: str) -> None:
    (words,) = keep(Result((DisplayData({kind: data}),)), tmp_path)
    assert "not shown" in words
    assert not list(tmp_path.rglob("*.*"))


@behaviour("textgen:pictures:checked")
@pytest.mark.parametrize("data", ["bm90IGEgcGljdHVyZQ==", "no base64!", text(png()[:50]), {"a": 1}])
def test_what_is_no_image_is_told_in_the_result_and_not_stored(tmp_path: Path, data: object) -> None:
    assert keep(Result((DisplayData({"image/png": data}),)), tmp_path) == []
    assert not list(tmp_path.rglob("*.*"))


@behaviour("textgen:pictures:checked")
def test_each_picture_is_stored_once_as_what_it_is_under_a_name_that_nobody_can_guess(tmp_path: Path) -> None:
    shown = ExecuteResult({"image/jpeg": PNG}), DisplayData({"image/jpeg": PNG})
    (link,) = keep(Result((Stream("stdout", "x"), *shown)), tmp_path)
    (again,) = keep(Result(shown), tmp_path)
    assert link != again
    assert link.startswith("![PNG image, 1 × 1](file/")
    assert len({path.stem for path in tmp_path.rglob("*.png")}) == 2


@behaviour("textgen:pictures:checked")
@pytest.mark.parametrize(
    "inner",
    [
        "<script>alert(1)</script>",
        '<circle r="4" onload="alert(1)"/>',
        '<a href="javascript:alert(1)"><text>x</text></a>',
        '<a xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="javascript:alert(1)"><text>x</text></a>',
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="alert(1)"/></foreignObject>',
        '<set attributeName="href" to="javascript:alert(1)"/>',
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        '<image href="http://example.org/alert"/>',
        "<style>@import url(http://example.org/alert.css)</style>",
        '<rect style="fill: url(http://example.org/alert)"/>',
        '<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>',
    ],
)
def test_an_svg_loses_what_could_run_or_fetch(inner: str) -> None:
    clean = harmless(SVG.replace("<circle", f"{inner}<circle"))
    assert clean is not None
    assert "alert" not in clean
    assert 'circle r="4"' in clean


@behaviour("textgen:pictures:checked")
def test_a_plot_of_matplotlib_comes_through_as_it_is() -> None:
    import io

    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2, 1])
    file = io.StringIO()
    figure.savefig(file, format="svg")
    clean = harmless(file.getvalue())
    assert clean is not None
    for element in ("<path", "<use", "<defs", "clip-path", "style="):
        assert clean.count(element) == file.getvalue().count(element)
