"""The table in docs/settings.md is made from the code: `python -m tests.readme` writes it."""

import re
from pathlib import Path

from coderunner.settings.settings import descriptions

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
BEGIN = "<!-- settings: made by `python -m tests.readme` -->\n"
END = "<!-- /settings -->\n"


def table() -> str:
    """The settings as Markdown."""
    lines = ["| setting | what | default |", "|---|---|---|"]
    for each in descriptions():
        default = f"`{each.default}`" if each.default and "default:" not in each.what else ""
        choices = f" ({', '.join(f'`{choice}`' for choice in each.choices)})" if each.choices else ""
        lines.append(f"| `{each.name}` | {each.what}{choices} | {default} |")
    return "\n".join(lines) + "\n"


def made() -> str:
    """The page with its table made anew."""
    text = PAGE.read_text(encoding="utf-8")
    return re.sub(f"(?s){re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n{table()}\n{END}", text)


if __name__ == "__main__":
    PAGE.write_text(made(), encoding="utf-8")
