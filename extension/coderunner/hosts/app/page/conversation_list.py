"""The list of conversations at the side. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import groupby

from coderunner.hosts.app.conversation.conversation import Activity
from coderunner.runner import ConversationList, ConversationSummary

LONGEST = 200
"""The most rows; a search finds older ones."""

_ACTIVITIES = {"writing": ("run", "Writing a reply"), "asking": ("wait", "Waiting for you")}


def listing(
    known: ConversationList,
    activities: Mapping[str, Activity],
    now: datetime,
    *,
    found: Sequence[ConversationSummary] | None = None,
) -> str:
    """The list by dates, with the row of the page's own conversation marked.

    The URL of the page follows `data-cr-current`. `now`: in the time zone of the page. `found`: what a search
    found, one more than the list shows where there are more.
    """
    here, cards = known.here, known.first if found is None else found
    sections = "".join(
        f'<h4 class="cr-when">{label}</h4><ul aria-label="{label}">'
        + "".join(_row(each, activities.get(each.id, ""), now, here=each == here) for each in some)
        + "</ul>"
        for label, some in groupby(cards[:LONGEST], lambda each: section(each, now))
    )
    identity, title = (escape(here.id), escape(here.title)) if here else ("", "")
    return (
        f'<nav aria-label="Conversations" data-cr-current="{identity}" data-cr-title="{title}">'
        f"{sections}{_below(known, found)}</nav>"
    )


def section(summary: ConversationSummary, now: datetime) -> str:
    """The heading under which a conversation stands: by when something was last said in it."""
    if summary.pinned:
        return "Pinned"
    day = datetime.fromtimestamp(summary.changed, now.tzinfo).date()
    days = (now.date() - day).days
    if days < len(_DAYS):
        return _DAYS[max(days, 0)]
    return f"{day:%B}" if day.year == now.year else f"{day:%B %Y}"


_DAYS = ("Today", "Yesterday", *["Previous 7 days"] * 6)
"""The headings of the latest days, today's first."""


def trouble(sentence: str) -> str:
    """The message in place of the list when it cannot be loaded."""
    return f'<p class="cr-soft">{escape(sentence, quote=False)}</p>'


def _below(known: ConversationList, found: Sequence[ConversationSummary] | None) -> str:
    if found is not None and not found:
        return '<p class="cr-soft" role="status">No conversations found.</p>'
    more = (len(found) if found is not None else known.count) - LONGEST
    if more <= 0:
        return ""
    words = f"{more:,} older conversations: use search to find them."
    if found is not None:
        words = f"More than {LONGEST} found, the latest are listed: add a word to find others."
    return f'<p class="cr-soft">{words}</p>'


def _row(summary: ConversationSummary, activity: Activity, now: datetime, *, here: bool) -> str:
    identity, title = escape(summary.id), escape(summary.title or "Untitled")
    last = datetime.fromtimestamp(summary.changed, now.tzinfo)
    moment = f"{last:%A}, {last.day} {last:%B %Y, %H:%M}"
    look, says = _ACTIVITIES.get(activity, ("", ""))
    dot = f'<span class="cr-dot" role="img" aria-label="{says}" title="{says}"></span>' if look else ""
    classes = " ".join(filter(None, ("cr-here" if here else "", look and f"cr-{look}")))
    return (
        f'<li class="{classes}" data-cr-chat="{identity}" data-cr-name="{title}"'
        f"{' data-cr-pinned' if summary.pinned else ''}>"
        f'<a href="?c={identity}" title="{title}&#10;{moment}"{" aria-current=page" if here else ""}>'
        f"{dot}<span>{title}</span></a>"
        f"{_button('pin', 'Unpin' if summary.pinned else 'Pin', title, PIN)}"
        f"{_button('save', 'Download as a notebook:', title, ARROW)}"
        f"{_button('rename', 'Rename', title, PENCIL)}{_button('delete', 'Delete', title, BIN)}</li>"
    )


def _button(action: str, label: str, title: str, icon: str) -> str:
    names = f'title="{label.rstrip(":")}" aria-label="{label} {title}"'
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
PIN = _icon("M6 2.5h4l-.5 4 2.5 2v1.5H4V8.5l2.5-2zM8 10v3.5")
ARROW = _icon("M8 2.5v7.5M5 7l3 3 3-3M3 13h10")
BIN = _icon("M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M6.7 7v3.5M9.3 7v3.5")
