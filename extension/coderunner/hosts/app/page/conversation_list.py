"""The list of conversations at the side. Pure."""

from collections.abc import Mapping, Sequence
from html import escape

from coderunner.hosts.app.conversation.conversation import Activity
from coderunner.runner import ConversationSummary

LONGEST = 200
"""The most rows; a search finds older ones."""

_ACTIVITIES = {"writing": ("run", "Writing a reply"), "asking": ("wait", "Waiting for you")}


def listing(
    cards: Sequence[ConversationSummary],
    here: ConversationSummary | None,
    activities: Mapping[str, Activity],
    *,
    searched: bool = False,
) -> str:
    """The list, with the row of the page's own conversation marked.

    The URL of the page follows `data-cr-current`.
    """
    rows = "".join(
        _row(summary, activities.get(summary.id, ""), here=summary == here) for summary in cards[:LONGEST]
    )
    identity, title = (escape(here.id), escape(here.title)) if here else ("", "")
    return (
        f'<nav aria-label="Conversations" data-cr-current="{identity}" data-cr-title="{title}">'
        f"<ul>{rows}</ul>{_below(cards, searched=searched)}</nav>"
    )


def trouble(sentence: str) -> str:
    """The message in place of the list when it cannot be loaded."""
    return f'<p class="cr-soft">{escape(sentence, quote=False)}</p>'


def _below(cards: Sequence[ConversationSummary], *, searched: bool) -> str:
    if searched and not cards:
        return '<p class="cr-soft" role="status">No conversations found.</p>'
    more = len(cards) - LONGEST
    return (
        f'<p class="cr-soft">{more:,} older conversations: use search to find them.</p>' if more > 0 else ""
    )


def _row(summary: ConversationSummary, activity: Activity, *, here: bool) -> str:
    identity, title = escape(summary.id), escape(summary.title or "Untitled")
    look, says = _ACTIVITIES.get(activity, ("", ""))
    dot = f'<span class="cr-dot" role="img" aria-label="{says}" title="{says}"></span>' if look else ""
    classes = " ".join(filter(None, ("cr-here" if here else "", look and f"cr-{look}")))
    return (
        f'<li class="{classes}" data-cr-chat="{identity}">'
        f'<a href="?c={identity}" title="{title}"{" aria-current=page" if here else ""}>'
        f"{dot}<span>{title}</span></a>"
        f"{_button('save', 'Download as a notebook:', title, ARROW)}"
        f"{_button('rename', 'Rename', title, PENCIL)}{_button('delete', 'Delete', title, BIN)}</li>"
    )


def _button(action: str, label: str, title: str, icon: str) -> str:
    names = f'title="{label}" aria-label="{label} {title}"'
    return f'<button type="button" data-cr-do="{action}" {names}>{icon}</button>'


def _icon(path: str) -> str:
    return (
        '<svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" '
        'stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
        f'<path d="{path}"/></svg>'
    )


PENCIL = _icon(
    "M3 13l.7-2.8L10.6 3.3a1.2 1.2 0 0 1 1.7 0l.4.4a1.2 1.2 0 0 1 0 1.7L5.8 12.3 3 13zM9.4 4.5l2.1 2.1"
)
ARROW = _icon("M8 2.5v7.5M5 7l3 3 3-3M3 13h10")
BIN = _icon("M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M6.7 7v3.5M9.3 7v3.5")
