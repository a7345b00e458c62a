"""Toasts: sentences shown for a moment. Gradio interprets them as HTML, so they are escaped."""

from html import escape

import gradio as gr


def info(sentence: str, *, seconds: float) -> None:
    """Show an information."""
    gr.Info(escape(sentence, quote=False), duration=seconds)


def warning(sentence: str) -> None:
    """Show what was not done, and why."""
    gr.Warning(escape(sentence, quote=False))
