"""The page's CSS and JavaScript, which the webui takes as text.

It puts the script inside a function of its own, so an error there would also end its own scripts.
"""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[5] / "assets"

CSS = (ASSETS / "textgen.css").read_text(encoding="utf-8")
JS = (ASSETS / "textgen.js").read_text(encoding="utf-8")
