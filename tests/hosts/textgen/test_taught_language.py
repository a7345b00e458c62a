"""The instructions of a prompt follow the language of the chat's kernel."""

import pytest
import yaml

from coderunner.hosts.textgen import hooks
from coderunner.hosts.textgen.form import character_preset
from coderunner.hosts.textgen.form.taught_language import in_language, teach
from coderunner.languages import PYTHON, language_of
from tests.behaviours import behaviour
from tests.hosts.textgen.webui import Webui
from tests.kernel.foreign import ODD, kernel_spec

CONTEXT = str(yaml.safe_load(character_preset.PRESET.read_text(encoding="utf-8"))["context"])


@behaviour("textgen:preset:language")
@pytest.mark.parametrize(
    "lesson",
    [
        character_preset.system_message(),
        CONTEXT,
        CONTEXT.replace("{{char}}", "CodeRunner").replace("{{user}}", "You"),
    ],
    ids=["system message", "character", "with its names"],
)
def test_the_lesson_for_python_becomes_that_for_the_kernels_language(lesson: str) -> None:
    before, after = "Speak like a pirate: ```python is fine.\n\n", "\n\nBe short. Python, {{char}}!"
    taught = in_language(f"{before}{lesson.strip()}{after}", language_of("R"))
    assert taught.startswith(before)
    assert taught.endswith(after)
    taught = taught[len(before) : -len(after)]
    assert "answers with the help of R." in taught or "answer with the help of R." in taught
    assert "begins with ```r and ends with ```" in taught
    assert "```r\n10 + 5\n```\nResult: 15\nIf you add 10 and 5, the result is 15." in taught
    assert "Blocks in other languages, Python too, are not run." in taught
    assert taught.count("Python") == 1
    assert "python" not in taught
    assert "plt" not in taught


@behaviour("textgen:preset:language")
def test_what_a_person_wrote_and_what_is_for_python_stays_as_it_is() -> None:
    mine = "You write ```python blocks."
    assert in_language(mine, language_of("R")) == mine
    state: dict[str, object] = {"custom_system_message": character_preset.system_message(), "context": None}
    before = dict(state)
    teach(state, PYTHON)
    assert state == before


@behaviour("textgen:preset:language")
def test_a_chat_with_another_kernel_teaches_what_that_runs(webui: Webui) -> None:
    webui.start()
    with kernel_spec("odd", ODD, language="oddish"):
        hooks.extension().store.change(approve="auto", kernel_name="odd")
        webui.says("```oddish\nsay fine\n```\n", "So it is.")
        reply = webui.send("Say it.", context=CONTEXT)
    assert "with the help of oddish" in webui.prompts[0]
    assert "```oddish and ends" in webui.prompts[0]
    assert "Result: fine" in reply
