# ruff: noqa: ANN001, ANN201, ANN202
# It stands for a program without annotations, and has its names.
"""From the visible text, which is escaped, to what stands in the page. Small, with the real one's traps."""

import functools
import html
import re

from modules.reasoning import extract_reasoning

CODE = re.compile(r"<code>(.*?)</code>", re.DOTALL)
IMAGE = re.compile(r"!\[([^\]\n]*)\]\(([^)\n]*)\)")


@functools.cache
def convert_to_markdown(string, message_id=None):
    parts = []
    while string.strip():
        thought, rest = extract_reasoning(string, html_escaped=True)
        if thought is None:
            break
        parts.append(f"<details><summary>Thought</summary>{_blocks(thought)}</details>")
        string = rest
    return "".join([*parts, _blocks(string)])


def convert_to_markdown_wrapped(string, message_id=None, use_cache=True):
    return (convert_to_markdown if use_cache else convert_to_markdown.__wrapped__)(
        string, message_id=message_id
    )


def _blocks(text):
    text = re.sub(r"&quot;(.*?)&quot;", r"<q>&quot;\1&quot;</q>", text)
    text = re.sub(r"(.)```", r"\1\n```", text)
    page, code = [], None
    for line in text.split("\n"):
        if line.strip().startswith("```"):
            if code is not None:
                page.append(f"<pre><code>{code}</code></pre>")
            code = "" if code is None else None
        elif code is not None:
            code += line + "\n"
        else:
            page.append(IMAGE.sub(r'<img alt="\1" src="\2">', line))
    if code is not None:
        page.append(f"<pre><code>{code}</code></pre>")
    return CODE.sub(lambda found: html.unescape(found.group()), "\n".join(page))
