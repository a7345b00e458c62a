"""The page's fixed pieces of HTML, its head and its theme."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from time import monotonic
from urllib.parse import quote
from zlib import crc32

import gradio as gr

from coderunner.hosts.app.choices.choices import Choices
from coderunner.page.server import page_head
from coderunner.runner import KernelStatus, Server, heard

SANS = ("system-ui", "Segoe UI", "Inter", "Roboto", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

MARK = (
    '<svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">'
    '<rect width="32" height="32" rx="8" fill="#0969da"/>'
    '<g fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">'
    '<path d="M9 10l6 6-6 6"/><path d="M17 22h7"/></g></svg>'
)

ICON = (
    '<link rel="icon" type="image/svg+xml" href="data:image/svg+xml;base64,'
    + b64encode(MARK.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).encode()).decode()
    + '">'
)

BRAND = f'<div class="cr-brand">{MARK}<b>CodeRunner</b></div>'

LOST = '<div class="cr-kernel-status cr-off cr-lost" role="status"></div>'
"""Stands for the kernel's status while the app does not answer; the page's script says so in it."""

WELCOME = (
    '<div class="cr-welcome"><h2>Ask a question that code can answer</h2>'
    "<p>The model writes Python, a Jupyter kernel runs it while the reply is being written, "
    "and the model continues from the result.</p></div>"
)

SHEETS = ("page.css", "prose.css", "panel.css", "files.css", "variables.css", "own.css")
SCRIPTS = (
    "page.js",
    "streams.js",
    "news.js",
    "list.js",
    "drafts.js",
    "edit.js",
    "panel.js",
    "toasts.js",
    "folder.js",
    "upload_chip.js",
    "files_panel.js",
    "attach.js",
    "sent_files.js",
    "thumbnail.js",
    "variables.js",
    "own.js",
)
"""In their order: later ones use what earlier ones have defined."""

PANELS: Mapping[str, str] = {"files": "Files", "variables": "Variables"}
"""The tabs of the panel that the page's own script draws, each by an element `<code-runner-NAME>`, with a
button above the chat: their names and words."""

BAR = (
    '<div class="cr-above">'
    '<button type="button" data-cr="scratch" aria-expanded="false" aria-controls="cr-scratch" '
    'title="A cell for quick tries, which the model does not see">Scratch</button>'
    + "".join(
        f'<button type="button" data-cr-panel="{name}" aria-expanded="false" aria-controls="cr-right">{word}'
        '<span class="cr-count"></span></button>'
        for name, word in PANELS.items()
    )
    + "</div>"
)
"""The buttons above the chat."""

CLIP = (
    '<svg viewBox="0 0 16 16" width="17" height="17" fill="none" stroke="currentColor" stroke-width="1.3" '
    'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    '<path d="M13.2 7.4 8 12.6a3.2 3.2 0 0 1-4.5-4.5l5.4-5.4a2.1 2.1 0 0 1 3 3L6.6 11a1 1 0 0 1-1.5-1.5'
    'l4.8-4.7"/></svg>'
)

ATTACH = (
    '<div class="cr-attach"><ul class="cr-chips" aria-label="Files of this message"></ul>'
    '<p class="cr-attach-said" role="status"></p>'
    f'<button type="button" data-cr="attach" title="Attach files" aria-label="Attach files">{CLIP}</button>'
    '<input type="file" multiple hidden></div>'
)
"""The files of the message that is being written, above the message box, and the button in it."""

EXAMPLES = (
    "What is 10 + 5?",
    "Draw a wave with sliders",
    "Show a table of the planets",
    "Make a mistake and correct it",
    "Roll 1000 dice",
)
"""Examples on an empty page; the demo model has a reply to each of them."""

_STATES = {
    "none": ("off", "Not started"),
    "starting": ("run", "Starting"),
    "idle": ("ok", "Idle"),
    "busy": ("run", "Running"),
    "dead": ("bad", "Stopped"),
}


def first_script() -> str:
    """What runs before anything of Gradio's."""
    return files("coderunner.hosts.app.page").joinpath("frames.js").read_text(encoding="utf-8")


def head(token: str, *, root: str = "") -> str:
    """The styles and scripts of the page's head; `token` lets the page use the routes of its blocks.

    `root`: the path below which the app is served.
    """
    # In the head and not as Gradio's `css`: Gradio would put a selector of its own before each of ours.
    here = files("coderunner.hosts.app.page")
    sheets, scripts = (
        [here.joinpath(name).read_text(encoding="utf-8") for name in names] for names in (SHEETS, SCRIPTS)
    )
    styles = "".join((page_head.style(), *sheets))
    programs = page_head.script(token, root=root) + page_head.formulas(root=root)
    return f"{ICON}<style>{styles}</style>{''.join(map('<script>{}</script>'.format, scripts))}{programs}"


def theme() -> gr.themes.Base:
    """Plain surfaces and the fonts of the system: nothing is loaded from other sites."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.zinc,
        font=SANS,
        font_mono=MONO,
        radius_size=gr.themes.sizes.radius_md,
    ).set(
        body_background_fill="#ffffff",
        body_background_fill_dark="#1c1d20",
        body_text_color="#1f2328",
        body_text_color_dark="#e6e6e8",
        checkbox_label_text_color_dark="#e6e6e8",
        checkbox_label_text_color_selected_dark="#e6e6e8",
        block_info_text_color="#59626b",
        block_info_text_color_dark="#9aa0a8",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1c1d20",
        background_fill_secondary="#f6f8fa",
        background_fill_secondary_dark="#17181b",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1c1d20",
        border_color_primary="#d9dee3",
        border_color_primary_dark="#34373d",
        input_background_fill="#ffffff",
        input_background_fill_dark="#202226",
        button_primary_background_fill="#0969da",
        button_primary_background_fill_hover="#0860ca",
        button_primary_background_fill_dark="#58a6ff",
        button_primary_background_fill_hover_dark="#79b8ff",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#0d1117",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#f3f5f7",
        button_secondary_background_fill_dark="#26282c",
        button_secondary_background_fill_hover_dark="#2e3136",
        button_secondary_border_color="#d9dee3",
        button_secondary_border_color_dark="#34373d",
    )


NOTHING_RUNS = "Nothing is running"
NO_KERNEL = "No kernel is running; the next block starts one"


def _idle(now: KernelStatus, choices: Choices) -> tuple[str, str]:
    """Why *Interrupt* and *Restart* can do nothing; empty where they can."""
    live = now.state in ("starting", "idle", "busy")
    # On a server a kernel may be there to which nobody has a connection.
    there = live or (now.ran and isinstance(choices.where, Server))
    return "" if now.state in ("starting", "busy") else NOTHING_RUNS, "" if there else NO_KERNEL


def status(
    now: KernelStatus, choices: Choices, conversation: str, *, from_file: int = 0, packages: int = 0
) -> str:
    """The status of a conversation's kernel, with the time since it changed.

    The page's scripts read the conversation's id from it. `from_file`: the blocks of the conversation that a
    restart would run though they came from a file; `packages`: how many were installed for it. A kernel of a
    person's own is named: a restart would lose its variables. Packages are those of this machine's kernels.
    """
    look, label = _STATES[now.state]
    interrupt, restart = _idle(now, choices)
    packages = 0 if isinstance(choices.where, Server) else packages
    since = max(0.0, monotonic() - now.since)
    clock = (
        f' · <span data-cr-clock="kernel-{now.since:.3f}" data-cr-elapsed="{since:.1f}">{int(since)} s</span>'
        if now.state in ("starting", "busy")
        else ""
    )
    place = choices.where.url if isinstance(choices.where, Server) else "This computer"
    name = escape(now.kernel or choices.where.kernel_name)
    sentence = f'<p class="cr-soft">{escape(now.sentence)}</p>' if now.sentence else ""
    # The seconds by themselves are nothing new: the page counts them.
    attached = escape(choices.where.attach)
    marked = mark(
        f"{now.since} {label} {place} {name} {sentence} {packages} {from_file} {conversation} {attached}"
        f" {interrupt} {restart}"
    )
    return (
        f'<div class="cr-kernel-status cr-{look}" role="status" data-cr-from-file="{from_file}" '
        f'data-cr-conversation="{escape(conversation)}" data-cr-attached="{attached}" '
        f'data-cr-interrupt="{interrupt}" data-cr-restart="{restart}" data-cr-mark="{marked}">'
        '<span class="cr-dot"></span>'
        f"<span><b>{label}</b>{clock}<br>"
        f'<span class="cr-soft">{name} ·&nbsp;{escape(place)}{_installed(packages, conversation)}</span>'
        "</span>"
        f"</div>{sentence}"
    )


def _installed(packages: int, conversation: str) -> str:
    """How many packages were installed, as a link to the file from which pip installs them again."""
    if not packages:
        return ""
    word = "package" if packages == 1 else "packages"
    address = f"coderunner/requirements?c={quote(conversation)}"
    # On a line of its own: beside the place there is no room for it.
    return f'<br><a href="{address}" download title="requirements.txt">{packages} {word} added</a>'


_CONNECT = '<button type="button" data-cr="settings">Connect a model</button>'


MISSING = "That conversation no longer exists. Here is a new one."
UNREAD = "That conversation cannot be loaded right now. Here is a new one."


def banner(choices: Choices, missing: str = "") -> str:
    """The banner above the chat: what is known of the model, or why a conversation is `missing`."""
    if missing:
        return f'<div class="cr-banner" role="status">{missing}</div>'
    if choices.choice is None:
        return f'<div class="cr-banner"><b>No model selected.</b> {_CONNECT}</div>'
    if choices.choice.demo:
        return (
            '<div class="cr-banner"><b>Demo model.</b> It is a script, not an AI, and shows how replies '
            f"run code. {_CONNECT}</div>"
        )
    if choices.choice.trouble:
        return f'<div class="cr-banner" role="status">{escape(choices.choice.trouble)} {_CONNECT}</div>'
    return ""


def unsaved(trouble: str) -> str:
    """The warning above the message box about what is not saved; empty if all is."""
    if not trouble:
        return ""
    return (
        f'<div class="cr-banner cr-unsaved" role="status" data-cr-mark="{mark(trouble)}">'
        f"{escape(trouble, quote=False)}</div>"
    )


def mark(shown: str) -> str:
    """What tells one thing that the page shows from another one in its place, where it is `data-cr-mark`."""
    return f"{crc32(shown.encode(errors='replace')):08x}"


def has_mark(html: str, marked: str) -> bool:
    """Whether a page that shows something with this mark shows `html`; no mark: it shows nothing."""
    return f' data-cr-mark="{marked}"' in html if marked else not html


NO_FOOTNOTE = '<div class="cr-footnote">&nbsp;</div>'
"""Stands in its place until it is known, as high as it is."""


def footnote(choices: Choices, *, always: bool = False) -> str:
    """The line below the message box: where code runs, and who approves it.

    `always`: the person approves all code of this conversation.
    """
    consent = {
        "ask": "allowed in this chat" if always else "asks before each block",
        "auto": "runs automatically",
        "off": "running code is turned off",
    }[choices.approval]
    if isinstance(choices.where, Server):
        there = "on a Jupyter server of this computer, no sandbox"
        place = there if choices.where.yours else "on the Jupyter server"
    else:
        place = "in a sandbox" if choices.where.isolated else "on this computer, no sandbox"
    known = heard(choices.where)
    language = escape(known.title) if known else "Code"
    model = escape(choices.choice.label) if choices.choice else "no model"
    return (
        f'<div class="cr-footnote"><span class="cr-model">{model} · </span>'
        f"<span>{language} {place} · {consent}</span></div>"
    )
