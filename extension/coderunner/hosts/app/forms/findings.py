"""What a form says of what it was asked to do, a line each."""

from html import escape


def finding(sentence: str, *, ok: bool, warning: bool = False) -> str:
    """One line of a form's report."""
    look = "wait" if warning and ok else "ok" if ok else "bad"
    return f'<p class="cr-finding cr-{look}"><span class="cr-dot"></span><span>{escape(sentence)}</span></p>'


def working(words: str) -> str:
    """The line of a form while it works."""
    return f'<p class="cr-finding cr-run"><span class="cr-dot"></span><span>{escape(words)} …</span></p>'
