# ruff: noqa: E501 - cells as they are written, one a line
"""Cells whose results are recorded where these libraries are, since the tests do without them.

    pip install ipykernel nbformat ipywidgets pandas jinja2 polars great_tables xarray astropy plotly altair \
        bokeh folium sympy matplotlib tqdm
    python -m ipykernel install --prefix PREFIX --name libraries
    JUPYTER_PATH=PREFIX/share/jupyter python -m tests.chat.record --libraries

Recorded with pandas 3.1, polars, great_tables, plotly 7, altair 6.3, bokeh 3.9, sympy and xarray of 2026.
"""

_CITIES = "pd.DataFrame({'city': ['Bonn', 'Köln'], 'people': [336465, 1087353]})"

CELLS = {
    "lib-styler": f"import numpy as np, pandas as pd\n{_CITIES}.style.format(thousands=',').hide(axis='index')",
    "lib-styler-long": "pd.DataFrame({'n': range(60), 'sq': np.arange(60) ** 2}).style.format('{:d}')",
    "lib-multi-index": (
        "pd.DataFrame({('a', 'x'): [1, 2], ('a', 'y'): [3, 4], ('b', 'x'): [5, 6]},"
        " index=pd.MultiIndex.from_tuples([('p', 1), ('p', 2)], names=['k', 'n']))"
    ),
    "lib-frame-wide": "pd.DataFrame({f'column number {n}': [n, n + 0.5] for n in range(30)})",
    "lib-frame-long": "pd.DataFrame({'n': range(1000), 'sq': np.arange(1000) ** 2})",
    "lib-great-tables": (
        "from great_tables import GT\n"
        f"GT({_CITIES}).tab_header(title='Cities', subtitle='in 2023')"
        ".fmt_integer(columns='people').tab_source_note('from the office')"
    ),
    "lib-polars": "import polars as pl\npl.DataFrame({'n': range(30), 'name': [f'row {n}' for n in range(30)]})",
    "lib-xarray": (
        "import xarray as xr\nxr.Dataset({'t': (('time', 'x'), np.arange(6.0).reshape(2, 3))},"
        " coords={'time': [10, 20], 'x': ['a', 'b', 'c']})"
    ),
    "lib-astropy": "from astropy.table import Table\nTable({'a': [1, 2], 'b': [1.5, 2.5]})",
    "lib-html-only": (
        "class Card:\n    def _repr_html_(self):\n"
        "        return '<h3>Bill</h3><p>Total: <b>12 €</b></p><ul><li>tea<li>cake</ul>'\nCard()"
    ),
    "lib-html-layout": (
        "from IPython.display import HTML, Audio, GeoJSON, IFrame, JSON, Video, display\n"
        "HTML('<table><tr><td colspan=2>head</td></tr><tr><td rowspan=2>a</td><td>b|c</td></tr><tr><td><table>'\n"
        "     '<tr><td>in<td>ner</tr></table></td></tr></table><script>x()</script><style>p{}</style>'\n"
        "     '<div style=\"display:none\">hidden</div><p hidden>hidden<p>seen')"
    ),
    "lib-plotly-bar": "import plotly.express as px\npx.bar(x=['a', 'b'], y=[1, 2], title='Two bars')",
    "lib-plotly-groups": (
        "frame = pd.DataFrame({'w': np.linspace(0, 10, 200), 'h': np.linspace(0, 1, 200) ** 2, 's': ['f', 'm'] * 100})\n"
        "px.scatter(frame, x='w', y='h', color='s', labels={'w': 'weight', 'h': 'height'})"
    ),
    "lib-plotly-surface": (
        "import plotly.graph_objects as go\n"
        "go.Figure(go.Surface(z=np.outer(np.arange(20), np.arange(30)))).update_layout(title='A surface')"
    ),
    "lib-plotly-dates": "px.line(x=pd.date_range('2024-01-01', periods=100), y=np.arange(100.0))",
    "lib-plotly-html": "HTML(px.pie(names=['a', 'b', 'c'], values=[3, 2, 1]).to_html(include_plotlyjs='cdn'))",
    "lib-altair": (
        "import altair as alt\n"
        "chart = alt.Chart(pd.DataFrame({'a': ['A', 'B'], 'b': [28, 55]}), title='Bars')\n"
        "chart.mark_bar().encode(x='a', y=alt.Y('b', title='count'))"
    ),
    "lib-altair-mime": (
        "with alt.renderers.enable('mimetype'):\n"
        "    display(chart.mark_point().encode(x='a:N', y='mean(b):Q', color='a'))"
    ),
    "lib-altair-views": (
        "(chart.mark_line().encode(x='a', y='b') + chart.mark_point().encode(x='a', y='b'))"
        " | chart.mark_bar().encode(x=alt.X('b', bin=True), y='count()')"
    ),
    "lib-bokeh": (
        "from bokeh.plotting import figure, show\nfrom bokeh.io import output_notebook\n"
        "output_notebook(hide_banner=True)\n"
        "plot = figure(title='A line', x_axis_label='t', y_axis_label='v')\n"
        "plot.line(np.array([1.0, 2, 3]), np.array([4.0, 6, 5]), legend_label='speed')\nshow(plot)"
    ),
    "lib-folium": (
        "import folium\nplaces = folium.Map([50, 7], zoom_start=5)\nfolium.Marker([50, 7]).add_to(places)\nplaces"
    ),
    "lib-sympy": (
        "import sympy as sp\nsp.init_printing()\nx = sp.symbols('x')\nsp.Integral(sp.sqrt(1 / x), x)"
    ),
    "lib-sympy-matrix": "sp.init_printing(use_latex='mathjax')\nsp.Matrix([[1, x], [x**2, 3]])",
    "lib-film": "Video(b'\\0\\0\\0\\x20ftypisom' + bytes(300), embed=True, mimetype='video/mp4')",
    "lib-film-file": "Video('https://example.org/film.mp4')",
    "lib-sound": "Audio(np.zeros(4000), rate=8000, normalize=False)",
    "lib-frame": "IFrame('https://example.org/page', 300, 200)",
    "lib-geojson": (
        "GeoJSON({'type': 'FeatureCollection', 'features': [\n"
        "    {'type': 'Feature', 'properties': {'name': 'Bonn'},\n"
        "     'geometry': {'type': 'Point', 'coordinates': [7, 50]}},\n"
        "    {'type': 'Feature', 'properties': {'name': 'square'},\n"
        "     'geometry': {'type': 'Polygon', 'coordinates': [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}]})"
    ),
    "lib-json": "JSON({'items': [{'id': n, 'tags': ['a', 'b']} for n in range(60)], 'total': 60})",
}
