"""The layout of the page: two sidebars, and a column for the chat."""

import gradio as gr

from coderunner.hosts.app.choices.available_models import AvailableModels
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.forms.grants_form import GrantsForm
from coderunner.hosts.app.forms.kernel_form import KernelForm
from coderunner.hosts.app.forms.model_form import ModelForm
from coderunner.hosts.app.page import html_fragments


class Layout:
    """The components of the page by name; created within a `gr.Blocks`."""

    def __init__(self, writer: ReplyWriter, model_choices: AvailableModels) -> None:
        # In the browser's storage, so that the bare URL opens the last conversation.
        self.identity = gr.BrowserState("", storage_key="coderunner", secret="coderunner")  # noqa: S106 - no secret
        # What the page's script asks for when there is something new.
        self.look = gr.Textbox("", visible="hidden", elem_id="cr-look")
        # Counts how often this page has to load its conversation again.
        self.refresh = gr.Number(0, visible="hidden", elem_id="cr-refresh")
        # The mark of the list that the page shows.
        self.listed = gr.Textbox("", visible="hidden")
        # The time zone of the browser.
        self.zone = gr.Textbox("", visible="hidden")
        # What the list asks for: the conversation to show, and an action on one.
        self.goto = gr.Textbox("", visible="hidden", elem_id="cr-goto")
        self.list_action = gr.Textbox("", visible="hidden", elem_id="cr-list-action")
        # How many blocks from a file the person has agreed to run.
        self.agreed = gr.Number(0, visible="hidden")
        # The kernel of the person's own that they have agreed to restart.
        self.borrowed = gr.Textbox("", visible="hidden")
        # The text of an edited message, and which message it is.
        self.edited = gr.Textbox("", visible="hidden", elem_id="cr-edited")
        # The files that go with a message, and those that were taken.
        self.attached = gr.Textbox("", visible="hidden", elem_id="cr-attached")
        self._left()
        self._middle()
        self._right(writer, model_choices)

    def _left(self) -> None:
        with gr.Sidebar(position="left", width=264, elem_id="cr-left"):
            _html(html_fragments.BRAND)
            self.new = gr.Button("New chat", elem_id="cr-new")
            self.search = gr.Textbox(
                elem_id="cr-search",
                label="Search conversations",
                show_label=False,
                container=False,
                placeholder="Search",
                max_lines=1,
            )
            self.list = _html("", "cr-list")
            _html('<h4 class="cr-h4">Kernel</h4>')
            self.status = _html("", "cr-kernel")
            # In the place of both where the app does not answer; the page's script says so.
            _html(f"{html_fragments.LOST}<code-runner-usage></code-runner-usage>")
            with gr.Row(elem_classes="cr-pair"):
                self.interrupt = gr.Button("Interrupt", size="sm", elem_id="cr-interrupt", min_width=40)
                self.restart = gr.Button("Restart", size="sm", elem_id="cr-restart", min_width=40)
            self.rerun = gr.Button("Restart and run all", size="sm", elem_id="cr-rerun")
            with gr.Row(elem_classes="cr-pair"):
                gr.Button("Settings", size="sm", elem_id="cr-settings", min_width=40)
                self.theme = gr.Button("Light / dark", size="sm", elem_id="cr-shade", min_width=40)

    def _middle(self) -> None:
        with gr.Column(elem_id="cr-main"):
            _html(html_fragments.BAR, "cr-bar")
            # What depends on choices comes when a page is opened: this is built before they are known.
            self.banner = _html("", "cr-top")
            self.chat = gr.Chatbot(
                elem_id="cr-chat",
                show_label=False,
                container=False,
                height="100%",
                scale=1,
                layout="bubble",
                # It shows only HTML made by the app; Gradio must not interpret any of it.
                buttons=[],
                # The page's own script follows the end, and knows when a person has scrolled away from it.
                autoscroll=False,
                render_markdown=False,
                sanitize_html=True,
                allow_tags=False,
                feedback_options=None,
                latex_delimiters=[],
                placeholder=html_fragments.WELCOME,
                examples=[{"text": text} for text in html_fragments.EXAMPLES],
            )
            self.unsaved = _html("", "cr-kept")
            _html("<code-runner-scratch></code-runner-scratch>", "cr-scratch")
            _html(html_fragments.ATTACH, "cr-attach")
            self.box = gr.Textbox(
                elem_id="cr-box",
                label="Message",
                show_label=False,
                container=False,
                placeholder="Ask a question that code can answer",
                lines=1,
                max_lines=10,
                autofocus=True,
                submit_btn=True,
                stop_btn=False,
            )
            self.footnote = _html(html_fragments.NO_FOOTNOTE, "cr-bottom")

    def _right(self, writer: ReplyWriter, model_choices: AvailableModels) -> None:
        with (
            gr.Sidebar(position="right", width=380, open=False, elem_id="cr-right"),
            gr.Tabs(elem_id="cr-tabs"),
        ):
            for name, word in html_fragments.PANELS.items():
                # There before somebody looks at it: it counts what it has for its button.
                with gr.Tab(word, elem_id=f"cr-tab-{name}", render_children=True):
                    _html(f"<code-runner-{name}></code-runner-{name}>")
            with gr.Tab("Model", elem_id="cr-tab-model"):
                self.model_form = ModelForm(writer.choices, model_choices)
            with gr.Tab("Kernel", elem_id="cr-tab-kernel"):
                self.kernel_form = KernelForm(writer.choices, writer)
                self.grants_form = GrantsForm(writer)


def _html(html: str, name: str | None = None) -> gr.HTML:
    return gr.HTML(
        html,
        elem_id=name,
        elem_classes="cr-html",
        apply_default_css=False,
        padding=False,
        js_on_load=None,
    )
