"""What a host adds to its page so that `<code-runner-output>` works."""

from html import escape

from coderunner.page.server import static_files


def style() -> str:
    """The styles of both themes and of blocks, for what the host renders itself."""
    return "".join(static_files.content(name).decode() for name in ("theme.css", "block.css"))


def script(token: str, *, root: str = "") -> str:
    """Elements for the page's head; `token` lets the page use our routes below `root`."""
    return f'<meta name="coderunner-token" content="{escape(token)}">{_program("host.js", root)}'


def formulas(*, root: str = "") -> str:
    """The script for the page's head that renders `<code-runner-formula>`."""
    return _program("formula.js", root)


def _program(name: str, root: str) -> str:
    source = f"{escape(root)}{static_files.PUBLIC}{name}?{static_files.version()}"
    return f'<script type="module" src="{source}"></script>'
