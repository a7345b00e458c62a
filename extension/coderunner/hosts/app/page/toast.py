"""Sentences that stand on the page for a moment. The page's framework takes them for HTML: they are text."""

from html import escape

import gradio as gr


def info(sentence: str, *, seconds: float) -> None:
    """Say it."""
    gr.Info(escape(sentence, quote=False), duration=seconds)


def warning(sentence: str) -> None:
    """Say what was not done, and why."""
    gr.Warning(escape(sentence, quote=False))
