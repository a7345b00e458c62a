"""A scene about a file that came with the question: a table is drawn and cleaned. Pure."""

import json
import re
from collections.abc import Sequence

from coderunner.models.demo.conversation_state import ConversationState, Seen
from coderunner.models.demo.scene_parts import Play, asks, block, ended, unexpected

_TABLE = re.compile(r"[^\s\"'`\[\]()<>/\\][^\"'`\[\]()<>/\\\n]*?\.csv\b", re.IGNORECASE)
"""A name as we are told it: in quotes, in brackets, or between blanks."""
_COUNTED = re.compile(r"(\d+) rows, (\d+) complete")


def clean(now: ConversationState) -> Play | None:
    """A chart of a table, and the table without its gaps, as a file."""
    name = _named(now)
    if not name or not asks(now, r"clean|chart|plot|draw|look|analy|summar|tidy"):
        return None
    stem = name[: -len(".csv")]
    code = (
        "import matplotlib.pyplot as plt\nimport pandas as pd\n\n"
        f"table = pd.read_csv({json.dumps(name, ensure_ascii=False)})\n"
        "complete = table.dropna().drop_duplicates()\n"
        f"complete.to_csv({json.dumps(f'{stem}-clean.csv', ensure_ascii=False)}, index=False)\n"
        "complete.set_index(complete.columns[0]).plot.barh(figsize=(6, 3), legend=False)\n"
        "plt.tight_layout()\n"
        f"plt.savefig({json.dumps(f'{stem}.png', ensure_ascii=False)})\n"
        "plt.show()\n"
        'print(len(table), "rows,", len(complete), "complete")'
    )

    def said(results: Sequence[Seen]) -> str:
        if not results:
            return block(code, f"I read {name}, draw it, and keep its complete rows.")
        counted = _COUNTED.search(results[0].text)
        if counted is None:
            return ended(results[0]) or unexpected(results[0])
        kept, drawn = f"{stem}-clean.csv", f"{stem}.png"
        return (
            f"{counted[2]} of {counted[1]} rows are complete. They are in [{kept}](<{kept}>), "
            f"the chart is in [{drawn}](<sandbox:/mnt/data/{drawn}>).\n"
        )

    return said


def _named(now: ConversationState) -> str:
    """The last table that the question names."""
    names = _TABLE.findall(now.question)
    return str(names[-1]) if names else ""
