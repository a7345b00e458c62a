"""What a host puts into its page so that `<code-runner-output>` fills itself."""

from html import escape

from coderunner.page import files


def style() -> str:
    """The colours of both themes, and the look of blocks, for what the host draws itself."""
    return "".join(files.content(name).decode() for name in ("theme.css", "block.css"))


def script(token: str, *, root: str = "") -> str:
    """Elements for the page's head; `token` lets the page use our routes below `root`."""
    return (
        f'<meta name="coderunner-token" content="{escape(token)}">'
        f'<script type="module" src="{escape(root)}{files.PUBLIC}host.js?{files.version()}"></script>'
    )
