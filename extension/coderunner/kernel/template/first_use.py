"""Does once what libraries do for their first plot or table, and keep for all later ones.

Nothing of it can be seen afterwards: no figure is left, no file open, no setting changed.
"""

import gc
import importlib
import io
from collections.abc import Callable
from typing import Any


def draw() -> None:
    """Draw a plot, without pyplot, which keeps a list of figures and has a backend."""
    fonts: Any = importlib.import_module("matplotlib.font_manager")
    forget = fonts._get_font.cache_clear  # what keeps a file open; of a version without it, nothing is drawn
    figure = importlib.import_module("matplotlib.figure").Figure()
    importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    try:
        figure.subplots().plot([1.0, 2.0, 3.0])
        figure.canvas.print_figure(io.BytesIO(), format="png", bbox_inches="tight")
    finally:
        figure.clear()
        del figure
        forget()
        gc.collect()


def show_table() -> None:
    """Write a table as text and as HTML."""
    pandas: Any = importlib.import_module("pandas")
    table = pandas.DataFrame({"number": [1.0, 2.0], "word": ["a", "b"]})
    repr(table.describe())
    table._repr_html_()


FIRST_USES: "tuple[tuple[str, Callable[[], None]], ...]" = (
    ("matplotlib.pyplot", draw),
    ("pandas", show_table),
)
"""What is done where a module is wanted and loaded."""
