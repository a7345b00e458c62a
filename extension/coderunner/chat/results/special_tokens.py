"""Text of a program, made harmless for whoever reads it next: the model's template, the host, the page.

A zero-width space after the first character takes a token its power and leaves it readable.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from coderunner.chat.parsing.reasoning import TAGS

ZERO_WIDTH_SPACE = "\u200b"

# What models and hosts give a meaning to, whoever wrote it.
_TOKENS = (
    r"<\|[^\s|<>]{1,60}(?:\|>|>)",  # <|im_end|>, <|eot_id|>, <|channel>
    r"<[a-z_]{1,30}\|>",  # <channel|>
    r"<｜[^\s｜<>]{1,60}｜>",  # DeepSeek
    r"</?s>",
    r"<(?:bos|eos|pad|unk)>",
    r"</?(?:start|end)_of_[a-z]{1,20}>",  # Gemma
    r"<</?SYS>>",
    r"\[/?(?:INST|THINK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_[A-Z]{1,20}|ARGS|CALL_ID)\]",  # Llama 2, Mistral
    r"</?(?:tool|function)(?:s|_[a-z]{1,20})?(?=[\s>=/:])",
    r"</?(?:invoke|parameter|arg_key|arg_value|observation)(?=[\s>=/:])",
    r"</?[a-z_]{1,20}:tool_call",
    r"\\(?:begin|end)\{code\}",  # text-generation-webui makes fences of these
    *map(re.escape, TAGS),
)
_FENCE = re.compile(r"`{3,}")


def harmless(text: str, *, forbidden: Iterable[str] = (), before: str = "\n", after: str = "\n") -> str:
    """The text without anything that could end a turn, open a thought, call a tool or begin or end a fence.

    `forbidden` strings occur neither in it nor where it meets the text before and after. Doing it twice is
    doing it once. The text has no zero-width spaces of its own (see `terminal_text.visible`).
    """
    # A longer fence around the text would be enough for CommonMark, but not for hosts that toggle code at
    # each line which begins with three backticks. So none may stand in the text.
    text = _FENCE.sub(_split, text)
    strings = frozenset(string for string in forbidden if string and ZERO_WIDTH_SPACE not in string)
    for character in sorted(string for string in strings if len(string) == 1 and string != "\n"):
        text = text.replace(character, _escape(character))
    whole = f"{before}{text}{after}"
    start, end = len(before), len(before) + len(text)
    cuts = {
        max(found.start() + 1, start)
        for found in _pattern(strings).finditer(whole, 0, len(whole))
        if found.start() < end and found.end(1) > start
    }
    return _cut(text, sorted(cut - start for cut in cuts))


@lru_cache(maxsize=16)
def _pattern(strings: frozenset[str]) -> re.Pattern[str]:
    """Finds every place where a token begins, also inside of another one."""
    # The longest first: a match that ends before the text begins must not hide a longer one.
    own = sorted((re.escape(string) for string in strings if len(string) > 1), key=len, reverse=True)
    return re.compile(f"(?=({'|'.join([*own, *_TOKENS])}))", re.IGNORECASE)


def _split(found: re.Match[str]) -> str:
    run = found[0]
    return ZERO_WIDTH_SPACE.join(run[start : start + 2] for start in range(0, len(run), 2))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cut(text: str, places: list[int]) -> str:
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    return ZERO_WIDTH_SPACE.join(pieces)
