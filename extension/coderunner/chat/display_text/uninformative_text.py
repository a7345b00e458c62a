"""Sentences that libraries write for somebody who does not see what they show: no facts of the program."""

import re

_OPAQUE = re.compile(
    r"<[^<>\n]{1,200}? at 0x[0-9a-fA-F]+>"  # Python's own repr
    r"|<IPython\.(?:core|lib)\.display\.\w+ object>"
    r"|<[\w.]{1,80} object>"
    r"|alt\.\w{1,40}\(\.\.\.\)"
)

_SENTENCES = re.compile(
    r"(?:Your|This|The) browser (?:does not|doesn't|may not)(?: yet)? support\b[^.\n]{0,120}(?:\.|$)"
    r"|Cannot show (?:ipywidgets|widget) in text\.?"
    r"|(?:Loading )?BokehJS \d[\w.]{0,20} successfully loaded\.?|Loading BokehJS(?: ?\.{3}| ?…)?"
    r"|Make this Notebook Trusted to load map: File -> Trust Notebook"
    r"|<Vega(?:Lite)? \d+ object>"
    r"|If you see this message, it means the renderer has not been properly enabled\s+"
    r"for the frontend that you are using\.[^\n]*(?:\n\s*https?://\S+)?"
    r"|In a Jupyter environment, please rerun this cell to show the HTML representation "
    r"or trust the notebook\."
    r"|On GitHub, the HTML representation is unable to render, "
    r"please try loading this page with nbviewer\.org\."
    r"|You appear to be running in JupyterLab \(or JavaScript failed to load for some other reason\)\."
    r"|You need to install the (?:3dmol )?extension:|jupyter labextension install \S+"
    r"|3Dmol\.js failed to load for some reason\."
    r"(?: *Please check your browser console for error messages\.)?"
    r"|Visualization omitted, Javascript library not loaded!"
    r"|Have you run `initjs\(\)` in this notebook\?[^\n]*"
    r"|If you are in JupyterLab, this error is because[^\n]*"
    r"|(?:Please )?[Ee]nable JavaScript[^.\n]{0,80}\.?|JavaScript is (?:required|disabled)[^.\n]{0,80}\.?"
    r"|Loading ITables v[\w.]+[^\n]*|Loading widget\.{3}|A Jupyter Widget\b",
    re.MULTILINE,
)

_GAP = "\x1f"
_AROUND = re.compile(rf"^[ \t]*{_GAP}[ \t]*|[ \t]*{_GAP}[ \t]*$", re.MULTILINE)
"""Blanks around a sentence that was a line, or an end of one."""


def opaque(plain: str) -> bool:
    """A `text/plain` that says nothing about what is shown: an address, a type's name, a fallback."""
    # Only a short one is nothing more than that.
    return (len(plain) < 2_000 and not without(plain)) or bool(_OPAQUE.fullmatch(plain.strip()[:400]))


def without(text: str) -> str:
    """The text without such sentences, and without the lines that they leave empty."""
    if not _SENTENCES.search(text):
        return text if text.strip() else ""
    text = _AROUND.sub("", _SENTENCES.sub(_GAP, text)).replace(_GAP, "")
    kept = (line.rstrip() for line in text.split("\n"))
    return "\n".join(line for line in kept if line.strip())
