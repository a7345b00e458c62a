"""What a kernel speaks, and what the blocks of a reply are called."""

import pytest
from pygments.lexers import get_lexer_by_name

from coderunner.languages import PYTHON, TABLE, Language, language_of, named, tool_name
from coderunner.system_prompt import SYSTEM_PROMPT, lesson, taught
from tests.behaviours import behaviour


@behaviour("languages:named")
@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("python", "Python"),
        ("Python3", "Python"),
        ("R", "R"),
        ("julia", "Julia"),
        ("Julia 1.11", "Julia"),
        ("typescript", "TypeScript"),
        ("javascript", "JavaScript"),
        ("C++17", "C++"),
        ("c++", "C++"),
        ("C", "C"),
        ("sh", "Bash"),
        ("bash", "Bash"),
        ("sqlite3", "SQL"),
        ("C#", "C#"),
        ("", "Python"),
    ],
)
def test_a_language_is_known_however_a_kernel_spells_it(said: str, title: str) -> None:
    assert language_of(said).title == title


@behaviour("languages:unknown")
def test_a_language_that_we_do_not_know_is_taken_as_its_kernel_names_it() -> None:
    odd = language_of("Oddish", extension=".odd", lexer="oddish")
    assert (odd.title, odd.fence, odd.extension) == ("Oddish", "oddish", ".odd")
    assert odd.runs("oddish")
    assert odd.runs("Oddish title=x")
    assert not odd.runs("odd")
    assert not odd.runs("python")
    spoken = language_of("Brain `fuzz` {x}")
    assert spoken.runs(spoken.fence)


@behaviour("languages:fences")
@pytest.mark.parametrize(
    ("language", "info"),
    [
        ("r", "r"),
        ("r", "R"),
        ("r", "{r}"),
        ("r", "{r, echo=FALSE}"),
        ("r", "{r plot-1}"),
        ("julia", "julia"),
        ("julia", "jl"),
        ("typescript", "ts"),
        ("typescript", "js"),
        ("javascript", "js"),
        ("bash", "sh"),
        ("bash", "shell title=x"),
        ("c++", "c++"),
        ("c++", "{.cpp .numberLines}"),
        ("sage", "python"),
    ],
)
def test_a_block_is_of_its_language_by_any_name_that_models_use(language: str, info: str) -> None:
    assert language_of(language).runs(info)


@behaviour("languages:fences")
@pytest.mark.parametrize(
    ("language", "info"),
    [
        ("r", "rust"),
        ("r", "rb"),
        ("r", ""),
        ("c", "c++"),
        ("c", "css"),
        ("bash", "console"),
        ("javascript", "ts"),
    ],
)
def test_what_only_begins_alike_is_another_language(language: str, info: str) -> None:
    assert not language_of(language).runs(info)


@behaviour("languages:others")
def test_a_block_of_a_third_language_is_noticed_and_in_python_it_is_for_reading() -> None:
    r = language_of("r")
    assert [r.names(info) for info in ("r", "python", "julia", "json", "", "text")] == [
        *("r", "python", "julia", "", "", "")
    ]
    assert [PYTHON.names(info) for info in ("python", "r", "bash")] == ["python", "", ""]


@behaviour("languages:table")
@pytest.mark.parametrize("language", TABLE, ids=lambda language: language.name)
def test_each_language_of_the_table_is_found_by_its_words_and_coloured(language: Language) -> None:
    assert language_of(language.name) is language
    assert language.runs(language.fence)
    assert named(language.fence) is not None
    assert language.extension.startswith(".")
    assert get_lexer_by_name(language.lexer)
    assert tool_name(language).isascii()
    assert tool_name(language).replace("_", "a").isalnum()


@behaviour("languages:lesson")
def test_the_lesson_teaches_the_kernels_language_and_a_persons_own_prompt_stays() -> None:
    assert lesson(PYTHON) == SYSTEM_PROMPT
    r = taught(SYSTEM_PROMPT, language_of("r"))
    assert "```r\n10 + 5\n```" in r
    assert "speaks R" in r
    assert "```python" not in r
    assert "```oddish" in lesson(language_of("oddish"))
    assert taught("Be brief.", language_of("r")) == "Be brief."
    assert taught("", language_of("r")) == ""
