"""The card of packages that a block lacks: what they are, and the button that installs them. Pure."""

from html import escape

from coderunner.outputs import Refusal
from coderunner.packages.offers import Card

INSTALL, LATER = "allow", "later"
"""The verbs of the buttons: the first is that of all that a person allows; the second only hides the card."""


def html(refusal: Refusal, ticket: str, card: Card | None) -> str:
    """The card of a refusal with that remedy; `ticket` is the button's."""
    rows = [f"<p><b>{escape(refusal.sentence, quote=False)}</b></p>"]
    if card is not None and card.looking:
        rows.append('<p class="cr-soft">Looking it up …</p>')
    elif card is not None:
        rows += [f"<p>{escape(each, quote=False)}</p>" for each in card.found]
        rows += [
            f'<p class="cr-soft">{escape(each, quote=False)}</p>'
            for each in (card.more, card.trouble)
            if each
        ]
    word = "Try again" if card is not None and card.trouble else "Install"
    buttons = (
        f'<button type="button" data-cr="{LATER}">Not now</button>'
        f'<button type="button" class="cr-main" data-cr="{INSTALL}" data-cr-ticket="{escape(ticket)}" '
        f'title="Installs it for this chat, and runs the block again">{word}</button>'
    )
    return (
        '<div class="cr-question cr-packages" role="group" aria-label="Missing packages">'
        f"<div>{''.join(rows)}</div><span>{buttons if ticket else ''}</span></div>"
    )
