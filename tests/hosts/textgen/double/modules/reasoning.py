# ruff: noqa: ANN001, ANN201, ANN202
# It stands for a program without annotations, and has its names.
"""How the webui takes the thought out of a reply. The traps are the real program's.

It looks for a start tag ANYWHERE and drops the text before it; a lone end tag makes all that stands before
it a thought.
"""

import html

THINKING_FORMATS = [
    ("<think>", "</think>", None),
    ("<|channel|>analysis<|message|>", "<|end|>", "<|channel|>final<|message|>"),
    ("<|channel|>commentary<|message|>", "<|end|>", "<|channel|>final<|message|>"),
    ("<seed:think>", "</seed:think>", None),
    ("<|channel>thought", "<channel|>", None),
    ("thought\n", "<channel|>", None),
    ("<|think|>", "<|end|>", "<|content|>"),
    (None, "</think>", None),
]


def extract_reasoning(text, html_escaped=False):
    for start, end, content in THINKING_FORMATS:
        spelled = [tag and (html.escape(tag) if html_escaped else tag) for tag in (start, end, content)]
        found = _split(text, *spelled)
        if found is not None:
            return found
    return None, text


def _split(text, start, end, content):
    if start is None:
        thought, tag, rest = text.partition(end)
        return (thought, rest.lstrip()) if tag else None
    _before, tag, after = text.partition(start)
    if not tag:
        begun = text.strip()
        return ("", "") if begun and start.startswith(begun) else None
    thought, tag, rest = after.partition(end)
    if content and content in (rest if tag else after):
        thought = thought if tag else after.partition(content)[0]
        return thought, (rest if tag else after).partition(content)[2].lstrip()
    return thought, rest.lstrip()
