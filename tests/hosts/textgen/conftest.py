"""A started double for each test, with real kernels behind our extension."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio.routes import App

from tests.hosts.textgen.webui import Webui, fresh_program

SHOP = Path(__file__).parents[2] / "tools" / "mcp_server.py"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """An MCP server whose tools code may call."""
    monkeypatch.setenv("CODERUNNER_TOOLS", f"shop={sys.executable} {SHOP}")


@pytest.fixture
def webui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webui]:
    """The program, not yet started, in a folder of its own."""
    from coderunner.hosts.textgen import hooks

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(App, "create_app", staticmethod(App.create_app))
    from modules import chat, html_generator

    for module, name in (
        (html_generator, "convert_to_markdown_wrapped"),
        (chat, "rename_history"),
        (chat, "delete_history"),
        (chat, "generate_chat_reply_wrapper"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    hooks.extension.cache_clear()
    with fresh_program(tmp_path) as program:
        yield program
    extension = hooks.extension()
    extension.sessions.io_thread.call(extension.sessions.close_all(keep=False), 30)
    extension.records.close()
    hooks.extension.cache_clear()
