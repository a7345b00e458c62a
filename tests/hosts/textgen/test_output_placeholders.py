"""Where outputs have their place in a reply's text, and what the page makes of it."""

import re

from modules.html_generator import convert_to_markdown_wrapped

from coderunner.hosts.textgen.reply import output_placeholders
from tests.behaviours import behaviour

ONE, TWO = output_placeholders.identity("0" * 32, 0), output_placeholders.identity("0" * 32, 1)
FENCE = "```python\nprint(10 + 5)\n```\n"
RESULT = "Result: 15\n"


def marked(identity: str, result: str = RESULT, fence: str = FENCE) -> str:
    return (
        f"{fence}{output_placeholders.opening(identity)}\n{result}{output_placeholders.closing(identity)}\n"
    )


def page(text: str) -> str:
    def convert(text: str, *, finished: bool = False) -> str:
        return str(convert_to_markdown_wrapped(text, use_cache=finished))

    return output_placeholders.html(text, convert)


def around(text: str) -> tuple[list[str], str]:
    """The ids of the elements in the page of `text`, and what stands around them."""
    found = page(text)
    rest = re.sub(r"<code-runner-output.*?</code-runner-output>", "", found, flags=re.DOTALL)
    return re.findall(r'data-cr="([^"]+)"', found), " ".join(re.sub(r"<[^>]+>", " ", rest).split())


@behaviour("textgen:places:instead")
def test_the_element_stands_in_the_stead_of_code_and_result_which_are_within_it() -> None:
    text = f"Let me see.\n{marked(ONE)}It is 15."
    assert around(text) == ([ONE], "Let me see. It is 15.")
    assert re.search(r"<code-runner-output [^>]*><pre>.*print\(10 \+ 5\).*Result: 15", page(text), re.DOTALL)


@behaviour("textgen:places:instead")
def test_every_step_of_a_growing_reply_has_the_same_element_and_no_loose_result() -> None:
    text = f"Let me see.\n{marked(ONE)}It is 15."
    begins = text.index(output_placeholders.opening(ONE)) + len(output_placeholders.opening(ONE)) + 1
    last = text.index(output_placeholders.closing(ONE)) + len(output_placeholders.closing(ONE))
    for end in (begins, begins + len(RESULT), *range(last, len(text))):
        ids, rest = around(text[:end])
        assert ids == [ONE]
        assert "Result" not in rest
        assert "print" not in rest


@behaviour("textgen:places:instead")
def test_several_blocks_have_an_element_each_in_any_kind_of_fence() -> None:
    tildes = "1. ~~~~python\n   x = '```'\n   ~~~~\n"
    fenced = "Result:\n```output\n1\n2\n```\n"
    text = f"First\n{marked(ONE)}then\n{marked(TWO, fenced, tildes)}the end."
    assert around(text) == ([ONE, TWO], "First then the end.")


@behaviour("textgen:places:forged")
def test_what_a_model_writes_in_a_fence_or_in_a_line_is_no_place() -> None:
    assert around(f"```\n{output_placeholders.opening(ONE)}\n```\n")[0] == []
    assert around(f"See {output_placeholders.opening(ONE)} there")[0] == []
    assert around("[output](coderunner:0-0)\n")[0] == []


@behaviour("textgen:places:forged")
def test_a_forged_place_hides_nothing() -> None:
    text = f"```text\nnot run\n```\n{output_placeholders.opening(ONE)}\nWhat I say."
    assert "not run" in page(text)
    assert around(text)[1] == "What I say."


@behaviour("textgen:places:prompt")
def test_a_model_reads_the_reply_as_if_there_were_no_marks() -> None:
    for fence in (FENCE, FENCE.rstrip("\n")):
        result = RESULT if fence.endswith("\n") else f"\n{RESULT}"
        before = (
            output_placeholders.opening(ONE) + "\n"
            if fence.endswith("\n")
            else f"\n{output_placeholders.opening(ONE)}"
        )
        text = f"{fence}{before}{result}{output_placeholders.closing(ONE)}\nIt is 15."
        assert output_placeholders.without(text) == f"{fence}{result}It is 15."
