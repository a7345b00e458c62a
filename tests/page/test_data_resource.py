"""Tables as data (`application/vnd.dataresource+json`) are shown as tables."""

import pytest

from coderunner.outputs import DisplayData
from coderunner.page.block_state import Block
from coderunner.page.html import output_html
from coderunner.page.html.active_output import ActiveOutput, Boxed
from coderunner.page.html.boxes import data_resource
from tests.behaviours import behaviour

FIELDS = [
    {"name": "index", "type": "integer"},
    {"name": "who", "type": "string"},
    {"name": "n", "type": "number"},
]
RESOURCE = {
    "schema": {"fields": FIELDS, "primaryKey": ["index"], "pandas_version": "1.4.0"},
    "data": [{"index": 0, "who": "<b>Ann</b>", "n": 1.5}, {"index": 1, "who": None, "n": 2}],
}


def drawn(resource: object) -> Boxed | ActiveOutput | str:
    return output_html.draw(DisplayData({data_resource.KIND: resource, "text/plain": "plain"}), Block("x"))


@behaviour("page:tables:data")
def test_a_table_that_comes_as_data_is_drawn_as_a_table() -> None:
    shown = drawn(RESOURCE)
    assert isinstance(shown, Boxed)
    assert shown.html == (
        '<table border="1" class="dataframe"><thead><tr><th>index</th><th>who</th><th>n</th></tr></thead>'
        "<tbody><tr><th>0</th><td>&lt;b&gt;Ann&lt;/b&gt;</td><td>1.5</td></tr>"
        "<tr><th>1</th><td></td><td>2</td></tr></tbody></table>"
    )
    # In a frame, below something that acts, it is the same.
    assert (shown.active.kind, shown.active.plain) == ("text/html", "plain")


@behaviour("page:tables:data")
def test_rows_may_be_lists_and_a_long_table_is_cut() -> None:
    rows = [[at, str(at), 0.5] for at in range(data_resource.ROWS + 1)]
    html = data_resource.table({"schema": {"fields": FIELDS}, "data": rows})
    assert html is not None
    assert html.count("<tr>") == data_resource.ROWS + 1
    assert html.endswith("<p>These are 1,000 of 1,001 rows.</p>")


@behaviour("page:tables:data")
@pytest.mark.parametrize(
    "resource",
    [
        {"schema": {"fields": []}, "data": []},
        {"schema": {"fields": [{"type": "integer"}]}, "data": [[1]]},
        {"schema": {"fields": FIELDS}, "data": [[1]]},
        {"schema": {"fields": FIELDS}, "data": ["row"]},
        {"path": "elsewhere.csv"},
        [1, 2],
    ],
)
def test_what_is_no_table_is_unfolded_as_data(resource: object) -> None:
    shown = drawn(resource)
    assert isinstance(shown, Boxed)
    assert shown.active.kind == "application/json"
