"""A model of two megabytes that a real engine runs, and that says what we want: weights written by hand.

Each token leads to the next one by the output matrix alone. Three heads of the one attention layer look for
a token in all of the prompt, and what they find decides how a reply begins: with a block, with a call of a
tool, with the answer, or with words that never end.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

START = "assistant\n"
"""The end of every prompt that begins a reply."""
END = "<|im_end|>"
LINE = "Ċ"
"""The byte that ends a line."""
RESULT = "Result: 42"

SCRIPTS = (
    # What stands after the block is a guess, as models write it that nobody stops.
    (
        *(START, "Let me ", "compute ", "that.\n\n", "```python\n", "print(", "6*7", ")\n", "```", "\n\n\n"),
        *("I guess ", "it is ", "41.", END),
    ),
    (RESULT, "\nSo ", "the answer ", "is 42.", END),
    (LINE, "So ", "the answer ", "is 42.", END),
    (
        *(
            START,
            "<tool_call>",
            '\n{"name": ',
            '"run_python", ',
            '"arguments": ',
            '{"code": ',
            '"print(6*7)"',
        ),
        *("}}\n", "</tool_call>", END),
    ),
    (START, "tick ", "tock ", "tick "),
)
"""What is said, token by token; the first one is never said."""

MARKS = {"\nSo ": RESULT, "<tool_call>": "<tools>", "tick ": "forever"}
"""A token with which a reply begins where another one stands anywhere before."""

NEXT, LIKELY = 16.0, 12.0
"""How much the next token of a script is wanted, and the other beginnings of a reply without their mark."""
WANTED = {"\nSo ": 10.0, "<tool_call>": 6.0, "tick ": 8.0}
"""How much more they are with it: enough to begin a reply (more than 4), never to break into one (less than
16); whoever has its result does not call again."""

TEMPLATE = """\
{%- if tools %}<|im_start|>system
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
Call one: <tool_call>
{"name": "its name", "arguments": {"its": "arguments"}}
</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == "tool" %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content or "" }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""ChatML, with tools as the Hermes models have them."""

HEAD = 32
CONTEXT = 8192

Matrix = NDArray[np.float32]


def build(path: Path) -> Path:
    """Write the model to `path`."""
    bytes_, controls = list(_letters()), ["<|endoftext|>", "<|im_start|>", END]
    said = {token for script in SCRIPTS for token in script} | set(MARKS.values())
    words = sorted(said - {*bytes_, *controls})
    tokens = [*bytes_, *controls, *words]
    at = {token: place for place, token in enumerate(tokens)}
    size = -(-(len(tokens) + len(MARKS)) // HEAD) * HEAD
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, tokens, (len(bytes_), len(controls), len(words)), size)
    for name, matrix in _weights(at, size).items():
        writer.add_tensor(f"{name}.weight", matrix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _describe(writer: gguf.GGUFWriter, tokens: Sequence[str], kinds: tuple[int, int, int], size: int) -> None:
    kind = (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL, gguf.TokenType.USER_DEFINED)
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(size)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HEAD)
    writer.add_head_count(size // HEAD)
    writer.add_head_count_kv(size // HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(1e10)  # so that the last dimensions of a head do not turn with the position
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(tokens))
    writer.add_token_types([each for each, count in zip(kind, kinds, strict=True) for _ in range(count)])
    writer.add_token_merges(["a b"])  # none that matters, but an empty list is refused
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def _weights(at: dict[str, int], size: int) -> dict[str, Matrix]:
    count = len(at)
    embedding = np.eye(count, size, dtype=np.float32)
    zeros = {name: np.zeros((size, size), np.float32) for name in ("q", "k", "v", "output")}
    output = np.zeros((count, size), np.float32)
    led = {at[before] for script in SCRIPTS for before in script[:-1]}
    output[at[END], [place for place in range(count) if place not in led]] = NEXT
    for script in SCRIPTS:
        for before, after in pairwise(script):
            begins = before == START and after in MARKS
            output[at[after], at[before]] = LIKELY if begins else NEXT
    output[at["\nSo "], at[START]] = LIKELY
    # The norm makes sqrt(size) of the one that a token's vector has.
    norm = float(np.sqrt(size))
    for head, (beginning, mark) in enumerate(MARKS.items()):
        last = head * HEAD + HEAD - 2
        zeros["q"][last, :count] = 1.0
        zeros["k"][last, at[mark]] = 1.0
        zeros["v"][head * HEAD, at[mark]] = 1.0 / norm
        zeros["output"][count + head, head * HEAD] = 1.0
        output[at[beginning], count + head] = WANTED[beginning]
    ones, flat = np.ones(size, np.float32), np.zeros((HEAD, size), np.float32)
    return {
        "token_embd": embedding,
        "output_norm": ones,
        "output": output,
        "blk.0.attn_norm": ones,
        "blk.0.ffn_norm": ones,
        **{f"blk.0.attn_{name}": matrix for name, matrix in zeros.items()},
        "blk.0.ffn_gate": flat,
        "blk.0.ffn_up": flat,
        "blk.0.ffn_down": flat.T.copy(),
    }


def _letters() -> Iterator[str]:
    """A letter for each byte, as GPT-2 writes them: those that are seen as they are, the rest from 256 on."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    unseen = 256
    for byte in range(256):
        yield chr(byte if byte in seen else unseen)
        unseen += byte not in seen
