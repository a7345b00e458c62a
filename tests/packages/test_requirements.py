"""What is asked for, as text that may be forged."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.outputs import Error, Refusal, Remedy, Result, Status, Stream
from coderunner.packages.lock import Lock, Pin, read
from coderunner.packages.offers import Packaging, begins_with_imports, lacking
from coderunner.packages.requirements import ASKED, requirement, requirements, wanted
from coderunner.runner import StoredConversation, to_notebook
from tests.behaviours import behaviour


@behaviour("packages:requirements:forms")
@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("seaborn", "seaborn"),
        ("scikit-learn>=1.2, <2", "scikit-learn>=1.2,<2"),
        ("uvicorn[standard] == 0.30.*", "uvicorn[standard]==0.30.*"),
        ("ruamel.yaml", "ruamel.yaml"),
        ("--index-url=http://example.org", ""),
        ("-r/etc/passwd", ""),
        ("git+https://example.org/x.git", ""),
        ("https://example.org/x.whl", ""),
        ("x @ https://example.org/x.whl", ""),
        ("./own", ""),
        ("/etc", ""),
        ("..", ""),
        ("seaborn; os_name == 'x'", ""),
        ("seaborn\nrequests", ""),
        ("a" * 100, ""),
        ("sеaborn", ""),
    ],
)
def test_a_requirement_is_a_name_with_versions_and_nothing_else(text: str, read_as: str) -> None:
    assert requirement(text) == read_as


@behaviour("packages:requirements:forms")
@given(st.text(max_size=80))
def test_no_text_is_an_option_or_an_address(text: str) -> None:
    found = requirements(text)
    assert all(each[0].isalnum() and not set(each) & set("/\\:@;$`'\" \n") for each in found)
    assert requirements(" ".join(found)) == found


@behaviour("packages:requirements:forms")
def test_where_one_is_none_nothing_is_asked_for() -> None:
    assert requirements("seaborn ./own") == ()
    assert requirements(" ".join(f"p{n}" for n in range(21))) == ()


def error(name: str, message: str) -> Error:
    return Error(name, message, ())


@behaviour("packages:wanted")
@pytest.mark.parametrize(
    ("name", "message", "names"),
    [
        ("ModuleNotFoundError", "No module named 'seaborn'", ("seaborn",)),
        ("ModuleNotFoundError", "No module named 'sklearn'", ("scikit-learn",)),
        ("ModuleNotFoundError", "No module named 'google.cloud.storage'", ("google-cloud-storage",)),
        ("ModuleNotFoundError", "No module named 'google'", ()),
        ("ModuleNotFoundError", "No module named 'sklearn.nothing'", ()),
        ("ModuleNotFoundError", "No module named 'helper'", ()),
        ("ModuleNotFoundError", "No module named 'tkinter'", ()),
        ("ModuleNotFoundError", "something else", ()),
        ("PackagesNotInstalled", f"{ASKED}a b>=2", ("a", "b>=2")),
        ("PackagesNotInstalled", f"{ASKED}a --index-url=x", ()),
        ("PackagesNotInstalled", "CodeRunner keeps the packages of this kernel: pip removes none", ()),
        ("ValueError", "No module named 'seaborn'", ()),
        # As libraries say it of what only a part of them needs.
        (
            "ImportError",
            "Unable to find a usable engine; tried using: 'pyarrow', 'fastparquet'.",
            ("pyarrow",),
        ),
        ("ImportError", "Missing optional dependency 'bs4'. More words.", ("beautifulsoup4",)),
        ("ImportError", "`Import openpyxl` failed. More words.", ("openpyxl",)),
        ("ImportError", "lxml not found, please install it", ("lxml",)),
        ("ImportError", "IProgress not found. Please update jupyter and ipywidgets.", ("ipywidgets",)),
        ("ValueError", "x requires nbformat>=4.2.0 but it is not installed", ("nbformat>=4.2.0",)),
        ("ModuleNotFoundError", "'x' not found.\nUse `pip install fastexcel`.", ("fastexcel",)),
        ("ValueError", "it requires Kaleido:\n\n    $ pip install --upgrade kaleido\n", ("kaleido",)),
        ("ImportError", "cannot import name 'x' from 'numpy'; try pip install --upgrade numpy", ()),
        ("ImportError", "requires a b but it is not installed", ()),
        ("ImportError", "it requires x; pip install --index-url=http://example.org x", ()),
        ("KeyError", "Missing optional dependency 'bs4'.", ()),
    ],
)
def test_what_a_cell_lacked(name: str, message: str, names: tuple[str, ...]) -> None:
    assert wanted([Stream("stdout", "x"), error(name, message)]) == names


@behaviour("packages:kernel:lacking")
def test_what_is_offered_depends_on_who_can_be_asked() -> None:
    result = Result((error("PackagesNotInstalled", f"{ASKED}a b"),), Status.ERROR)
    (offered,) = lacking(result, Packaging("ask", buttons=True))
    assert offered == Refusal("package", "a and b", Remedy.INSTALL, "a b", "a and b")
    assert (offered.sentence, offered.offer) == (
        "This block needs a and b, which are not installed.",
        "Install a and b for this chat?",
    )
    for nobody in (Packaging("ask"), Packaging("off", buttons=True), Packaging("auto")):
        (told,) = lacking(result, nobody)
        assert (told.remedy, told.offer, told.grant) == (Remedy.PACKAGES, "", "")
    assert lacking(Result((), Status.OK), Packaging("ask", buttons=True)) == ()


@behaviour("packages:once-more")
@pytest.mark.parametrize(
    ("source", "at_once"),
    [
        ("import lonely", True),
        ('"""A chart."""\nimport os\nfrom lonely import version\nprint(version)', True),
        ("import os, lonely.inner", True),
        ("print('sent')\nimport lonely", False),
        ("x = 1\nimport lonely", False),
        ("import other\nx = other.load()", False),
        ("if True:\n    import lonely", False),
        ("def (", False),
    ],
)
def test_only_a_cell_that_began_with_its_imports_runs_again(source: str, at_once: bool) -> None:
    result = Result((error("ModuleNotFoundError", "No module named 'lonely'"),), Status.ERROR)
    assert begins_with_imports(source, result) is at_once


@behaviour("packages:once-more")
@pytest.mark.parametrize(
    ("source", "at_once"),
    [
        ("%pip install lonely\nimport lonely", True),
        ("import os\n!pip install -q lonely", True),
        ("x = 1\n%pip install lonely", False),
        ("import os\nos.system('pip install lonely')", False),
    ],
)
def test_so_does_one_that_began_with_pip(source: str, at_once: bool) -> None:
    result = Result((error("PackagesNotInstalled", f"{ASKED}lonely"),), Status.ERROR)
    assert begins_with_imports(source, result) is at_once


@behaviour("packages:lock")
def test_a_lock_is_a_file_of_requirements_and_is_read_again() -> None:
    pins = (Pin("b", "2.0", ("sha256:" + "0" * 64, "sha256:" + "1" * 64)), Pin("a", "1.0"))
    lock = Lock().with_(("b>=1",), pins)
    assert lock.text.splitlines()[1:] == [
        "# Asked for: b>=1",
        "a==1.0",
        "b==2.0 \\",
        f"    --hash=sha256:{'0' * 64} \\",
        f"    --hash=sha256:{'1' * 64}",
    ]
    assert read(lock.text) == lock
    assert read("") == Lock()


@behaviour("packages:lock:exported")
def test_a_notebook_says_what_was_installed_for_it() -> None:
    lock = Lock(("a",), (Pin("a", "1.0"),))
    chat = StoredConversation("c", "Title", "", (), ())
    assert json.loads(to_notebook(chat, lock))["metadata"]["coderunner"] == {"requirements": lock.text}
    assert "coderunner" not in json.loads(to_notebook(chat))["metadata"]


@behaviour("packages:lock")
@given(st.text(max_size=200))
def test_whatever_stands_there_a_lock_is_read(text: str) -> None:
    assert read(read(text).text) == read(text)
