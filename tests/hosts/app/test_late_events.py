"""Events of a page that arrive late, when it has gone to another conversation."""

from pathlib import Path

import gradio as gr
import pytest

from coderunner.hosts.app.page.event_handlers import EventHandlers
from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.behaviours import behaviour

PAGE = gr.Request(session_hash="page")


@behaviour("app:list:late")
@pytest.mark.parametrize("late", ["_settle", "_update_surroundings", "_reopen"])
async def test_what_a_page_asks_late_does_not_take_it_back(late: str, tmp_path: Path) -> None:
    app = App(load({"demo": True, "data_dir": tmp_path}))
    with gr.Blocks():
        handlers = EventHandlers(app.conversations, app.archive, app.writer, app.model_choices)
    before, now = app.conversations.new(), app.conversations.new()
    for number, each in enumerate((before, now)):
        await handlers._go(f"{each.id} {number}", "", PAGE)
    await getattr(handlers, late)(before.id, PAGE)
    app.records.close()
    assert handlers._pages.current("page") == now.id
