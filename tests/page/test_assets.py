"""What the page loads: as it was built, from what is in `assets/src`, and not too much of it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from coderunner.page.server import static_files
from tests.behaviours import behaviour

REPOSITORY = Path(__file__).parents[2]
SOURCES = REPOSITORY / "assets"
BUILT = REPOSITORY / "extension" / "coderunner" / "page" / "assets"

FIRST = ("host.js", "theme.css", "block.css")
"""What a page with text outputs and tables loads of ours."""


def sums(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def found_in(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if "node_modules" not in path.parts and path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@behaviour("page:assets:whole")
def test_each_file_is_the_one_that_was_built() -> None:
    found = found_in(BUILT)
    del found["sha256.txt"]
    assert sums(BUILT / "sha256.txt") == found
    assert found.keys() | {"sha256.txt"} == static_files.names().keys()


@behaviour("page:assets:whole")
def test_what_others_wrote_stands_there_with_its_licence() -> None:
    licences = (BUILT / "licences.txt").read_text(encoding="utf-8")
    named = re.findall(r"^([\w.@/-]+) [\d.]+ \((.+)\)$", licences, re.MULTILINE)
    shipped = {
        "katex",
        "plotly.js",
        "plotly.js-dist-min",
        "vega",
        "@jupyter-widgets/controls",
        "font-awesome",
    }
    assert shipped <= dict(named).keys()
    each = [part.strip().partition("\n") for part in licences.split("-" * 80 + "\n")]
    assert [head for head, _, text in each if len(text) < 500] == []
    assert {licence for _, licence in named} <= {
        "MIT",
        "BSD-3-Clause",
        "BSD-2-Clause",
        "ISC",
        "Apache-2.0",
        "0BSD",
        "Zlib",
        "(OFL-1.1 AND MIT)",
    }


@behaviour("page:assets:small")
def test_a_page_with_text_outputs_loads_little() -> None:
    assert sum(len(static_files.content(name)) for name in FIRST) < 70_000


@behaviour("page:assets:built")
def test_the_sources_are_those_that_were_built() -> None:
    found = found_in(SOURCES)
    del found["sources.txt"]
    assert sums(SOURCES / "sources.txt") == found, "cd assets && npm ci --ignore-scripts && npm run build"


@behaviour("page:assets:built")
@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(700)
@pytest.mark.skipif(not os.environ.get("CODERUNNER_TEST_ASSETS"), reason="a minute's work: make test-assets")
def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not installed: whether the files are what is built cannot be told")
    copy = tmp_path / "assets"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    installed = subprocess.run(install, cwd=copy, capture_output=True, text=True, timeout=400, check=False)
    if installed.returncode:
        pytest.skip(f"npm cannot install here: {installed.stderr.strip().splitlines()[-1]}")
    subprocess.run([node, "build.mjs", str(tmp_path / "built")], cwd=copy, check=True, timeout=240)
    again = {path.name: path.read_bytes() for path in (tmp_path / "built").iterdir()}
    assert again == {path.name: path.read_bytes() for path in BUILT.iterdir()}


@behaviour("page:assets:built")
def test_each_version_that_is_built_in_is_fixed() -> None:
    package = json.loads((SOURCES / "package.json").read_text())
    assert all(re.fullmatch(r"[\d.]+", version) for version in package["devDependencies"].values())
    lock = json.loads((SOURCES / "package-lock.json").read_text())
    assert all("integrity" in each for name, each in lock["packages"].items() if name)
    assert not any("resolved" in each for each in lock["packages"].values())
