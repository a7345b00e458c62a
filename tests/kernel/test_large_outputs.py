"""Outputs that are too large to be shown, and the files that they become."""

from pathlib import Path

from coderunner.kernel.sessions.registry import Session
from coderunner.outputs import DisplayData, ExecuteResult, Output, Result
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND

CELL = """
import base64, os
from IPython.display import HTML, display, publish_display_data
MB = 1_000_000
display(HTML("<p>" + "x" * 9 * MB))
publish_display_data({"image/png": "A" * 36 * MB, "text/plain": "a picture"})
shown = display(HTML("small"), display_id=True)
shown.update(HTML("y" * 9 * MB))
HTML("z" * 9 * MB)
"""


def ran(session: Session, source: str) -> Result:
    result = session.begin(source).wait(BOUND)
    assert result is not None
    return result


def texts(outputs: tuple[Output, ...]) -> list[object]:
    return [each.data for each in outputs if isinstance(each, DisplayData | ExecuteResult)]


@behaviour("prelude:files:large")
def test_an_output_that_is_too_large_is_a_file_that_is_named_in_its_place(
    session: Session, tmp_path: Path
) -> None:
    result = ran(session, f"import os; os.chdir({str(tmp_path)!r})\n{CELL}")
    assert texts(result.outputs) == [
        {"text/plain": "[HTML of 9.0 MB, too large to show here: saved as large-output.html]"},
        {
            "text/plain": "a picture\n[PNG image of 27.0 MB, too large to show here: "
            "saved as large-output.png]"
        },
        {"text/plain": "[text/html with 9,000,000 characters is too large to show]"},
        {"text/plain": "[HTML of 9.0 MB, too large to show here: saved as large-output-2.html]"},
    ]
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    html = {"large-output.html": 9_000_003, "large-output-2.html": 9_000_000}
    assert sizes == {**html, "large-output.png": 27_000_000}


@behaviour("prelude:files:large")
def test_where_no_file_can_be_written_only_its_size_is_told(session: Session, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    source = (
        f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\nfrom IPython.display import HTML\n"
    )
    result = ran(session, source + "HTML('x' * 9_000_000)")
    assert texts(result.outputs) == [
        {"text/plain": "[text/html with 9,000,000 characters is too large to show]"}
    ]
    ran(session, f"os.chdir({str(tmp_path)!r})")
