"""What the kernel room promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "messages:wire:round-trip": Behaviour(
        "A message comes back as it went, on every wire.", "Jupyter protocol"
    ),
    "messages:wire:jupyter": Behaviour(
        "Jupyter's own libraries read our messages, and we theirs.", "Jupyter protocol; Jupyter Server"
    ),
    "messages:garbage:ignored": Behaviour("What is no message is none, and never raises.", "O6; T6"),
    "messages:garbage:signature": Behaviour("A message with a wrong signature is none.", "Jupyter protocol"),
    "messages:garbage:not-json-numbers": Behaviour(
        "NaN and Infinity, which are no JSON, become null.", "kernel facts: output"
    ),
    "messages:execute:unattended": Behaviour(
        "A cell may not ask on stdin, and its failure flushes nobody's queue.", "kernel facts: ending a cell"
    ),
    "execution:complete:both": Behaviour(
        "A cell is complete when reply and idle came, in either order.", "kernel facts: ending a cell; O7"
    ),
    "execution:complete:own": Behaviour(
        "What belongs to another request never ends or changes ours.", "M1, M2"
    ),
    "execution:complete:first-counts": Behaviour(
        "The first reply and the first idle status count.", "kernel facts: fork"
    ),
    "execution:stream:merged": Behaviour(
        "Consecutive text of one stream is one output.", "kernel facts: output"
    ),
    "execution:display:update": Behaviour(
        "An update takes the place of the displays with its id.", "Jupyter protocol"
    ),
    "execution:clear:at-once": Behaviour("`clear_output()` removes what was shown.", "Jupyter protocol; D2"),
    "execution:clear:wait": Behaviour(
        "`clear_output(wait=True)` clears when the next output comes.", "kernel facts: output"
    ),
    "execution:error:in-reply": Behaviour(
        "An error that stands only in the reply is shown, once.", "kernel facts: ending a cell"
    ),
    "execution:reply:payload": Behaviour(
        "Of the payloads only a page becomes an output.", "kernel facts: ending a cell"
    ),
    "execution:reply:exit": Behaviour(
        "A program that asks for the end of its kernel is noticed.", "kernel facts: exit"
    ),
    "execution:result:count": Behaviour("The value of a cell carries its execution count.", "D1"),
    "execution:display:twice": Behaviour(
        "A figure that is displayed and also the last value is shown once.", "kernel facts: output; O24"
    ),
    "execution:untrusted:types": Behaviour(
        "What has the wrong type is left out.", "kernel facts: forged messages; T3"
    ),
    "execution:untrusted:never-raises": Behaviour("No message makes the folding raise.", "T6"),
    "execution:untrusted:surrogates": Behaviour("Text that cannot be written as UTF-8 is made so.", "R26"),
    "execution:changes:coalesced": Behaviour(
        "Many small changes to one output are told as one.", "kernel facts: output"
    ),
    "execution:changes:cleared": Behaviour(
        "A clearing is told before what comes after it.", "Jupyter protocol"
    ),
    "execution:bounds:text": Behaviour(
        "Of a very long text head and tail are kept, with a count of what is not.", "performance: floods"
    ),
    "execution:bounds:displays": Behaviour(
        "A program that displays in a loop is cut off, with a count.", "safety 3.3"
    ),
    "execution:bounds:mime": Behaviour(
        "What is too large for its MIME type is shortened or left out.", "safety 3.3"
    ),
    "execution:bounds:whole": Behaviour(
        "All displays of a cell together are bounded, and what is left out is named.", "safety 3.3"
    ),
    "execution:bounds:traceback": Behaviour(
        "Of a very long traceback the first and the last frames are kept.", "kernel facts: output"
    ),
}
