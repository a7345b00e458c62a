"""The files that a block made or changed, below its outputs, each with a preview and a download. Pure."""

from html import escape

from coderunner.files.file_kinds import FileKind, file_kind
from coderunner.outputs import MadeFile
from coderunner.page.block_state import Block, State
from coderunner.text.file_sizes import in_words
from coderunner.text.terminal_text import visible_line

_ICONS: dict[FileKind, str] = {
    "image": '<rect x="2" y="3" width="12" height="10" rx="1.5"/><path d="m3 12 3.5-4 2.5 2.5L11 9l2.5 3"/>'
    '<circle cx="10.5" cy="6" r="1"/>',
    "table": '<rect x="2" y="3" width="12" height="10" rx="1.5"/><path d="M2 6.5h12M2 9.8h12M6.5 3v10"/>',
    "text": '<path d="M4 1.8h5.5L12.5 5v9.2H4z"/><path d="M6 7h4.5M6 9.3h4.5M6 11.6h3"/>',
    "audio": '<path d="M6 12V3.5l6-1.3v8.3"/><circle cx="4.4" cy="12" r="1.7"/>'
    '<circle cx="10.4" cy="10.5" r="1.7"/>',
    "none": '<path d="M4 1.8h5.5L12.5 5v9.2H4z"/><path d="M9.3 1.8V5h3.2"/>',
}


def html(block: Block) -> str:
    """A chip for each file; the page adds the addresses, and what has become of each since."""
    if block.state is not State.ENDED or block.result is None or not block.result.files:
        return ""
    more = block.result.more_files
    rest = f'<span class="cr-rest">and {more:,} more</span>' if more else ""
    chips = "".join(map(_chip, block.result.files))
    return f'<div class="cr-files" role="group" aria-label="Files">{chips}{rest}</div>'


def _chip(file: MadeFile) -> str:
    name, path = visible_line(file.path), escape(file.path)
    kind, what = file_kind(file.path), in_words(file.size) + ("" if file.new else " · updated")
    return (
        f'<span class="cr-file" data-cr-path="{path}">'
        f'<button type="button" data-cr="preview" data-cr-ticket="{path}" aria-expanded="false" '
        f'title="Preview {escape(name)}"><svg viewBox="0 0 16 16" aria-hidden="true">{_ICONS[kind]}</svg>'
        f"<span>{escape(name, quote=False)}</span><small>{what}</small></button>"
        f'<a download aria-label="Download {escape(name)}" title="Download">'
        '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10"/></svg>'
        "</a></span>"
    )
