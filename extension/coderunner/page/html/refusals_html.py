"""What the sandbox refused to a block, below its outputs, with the buttons that allow it. Pure."""

from collections.abc import Container, Mapping
from html import escape

from coderunner.ending_sentences import advice
from coderunner.outputs import Refusal, Remedy
from coderunner.packages.offers import Card
from coderunner.page.block_state import Block, State
from coderunner.page.html import packages_html

ALLOW = "allow"
"""The verb of the buttons."""
NO_CARDS: Mapping[Refusal, Card] = {}


def html(block: Block, granted: Container[Refusal] = (), cards: Mapping[Refusal, Card] = NO_CARDS) -> str:
    """Each refusal as a sentence, with what a button of it grants or what else a person can do.

    `granted`: those whose access was allowed meanwhile, in another way; `cards`: what is known of packages. A
    block that was run again has none.
    """
    refusals = block.refusals if block.state is State.ENDED else ()
    rows = [
        _granted(refusal, block)
        if refusal in granted
        else packages_html.html(refusal, block.allowing(refusal), cards.get(refusal))
        if refusal.remedy is Remedy.INSTALL
        else _row(refusal, block.allowing(refusal))
        for refusal in refusals
    ]
    rows += [_note(refusal.others) for refusal in refusals if refusal.others]
    return "".join(rows)


def _row(refusal: Refusal, ticket: str) -> str:
    words, button = f"<b>{escape(refusal.sentence, quote=False)}</b>", ""
    if told := advice((refusal,), refusal.remedy):
        words += f" {escape(told, quote=False)}"
    if refusal.offer and ticket:
        words += f" {escape(refusal.offer, quote=False)}"
        button = (
            f'<button type="button" class="cr-main" data-cr="{ALLOW}" data-cr-ticket="{escape(ticket)}" '
            'title="Allows exactly this, and runs the block again">'
            "Allow for this chat</button>"
        )
    return _note(words, button)


def _granted(refusal: Refusal, block: Block) -> str:
    words = f"<b>{escape(refusal.past, quote=False)}</b> {escape(refusal.granted, quote=False)}"
    ticket = escape(block.of or block.ticket)
    button = (
        f'<button type="button" class="cr-main" data-cr="again" data-cr-ticket="{ticket}">Run again</button>'
    )
    return _note(words, button if ticket else "")


def _note(words: str, button: str = "") -> str:
    return f'<div class="cr-question" role="note"><p>{words}</p>{button}</div>'
