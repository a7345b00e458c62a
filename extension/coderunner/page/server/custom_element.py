"""What a host puts into its page so that `<code-runner-output>` fills itself."""

from html import escape

from coderunner.page.server import static_files


def style() -> str:
    """The colours of both themes, and the look of blocks, for what the host draws itself."""
    return "".join(static_files.content(name).decode() for name in ("theme.css", "block.css"))


def script(token: str, *, root: str = "") -> str:
    """Elements for the page's head; `token` lets the page use our routes below `root`."""
    return f'<meta name="coderunner-token" content="{escape(token)}">{_program("host.js", root)}'


def formulas(*, root: str = "") -> str:
    """The element for the page's head that draws `<code-runner-formula>`."""
    return _program("formula.js", root)


def _program(name: str, root: str) -> str:
    source = f"{escape(root)}{static_files.PUBLIC}{name}?{static_files.version()}"
    return f'<script type="module" src="{source}"></script>'
