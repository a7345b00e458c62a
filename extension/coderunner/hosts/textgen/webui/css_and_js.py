"""The page's style and script, which the webui takes as text.

It takes the script into the middle of a function of its own, so an error there would end its own scripts,
too.
"""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[5] / "assets"

CSS = (ASSETS / "textgen.css").read_text(encoding="utf-8")
JS = (ASSETS / "textgen.js").read_text(encoding="utf-8")
