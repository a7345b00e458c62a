"""The index that all tests of packages use."""

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from tests.packages.index import add_source, add_wheel, serving, variables


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An index with a few packages."""
    index = tmp_path_factory.mktemp("index")
    add_wheel(index, "lonely", "1.0")
    add_wheel(index, "lonely", "2.0")
    add_wheel(index, "friendly", needs=("lonely<2",), summary="Needs <b>another</b> one.")
    add_wheel(index, "modern", needs=("lonely>=2",))
    add_wheel(index, "shared_a", files={"shared/a.py": "a = 1\n"})
    add_wheel(index, "shared_b", files={"shared/b.py": "b = 2\n"})
    add_source(index, "unbuilt")
    with serving(index) as found:
        yield found


@pytest.fixture
def with_pip(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip uses that index and no other."""
    use("pip", address, tmp_path, monkeypatch)


@pytest.fixture
def quickly(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same by whichever tool is there and takes less time."""
    use("uv" if which("uv") else "pip", address, tmp_path, monkeypatch)


def use(tool: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a tool, and no other, use an index."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for name, value in variables(tool, address, tmp_path / "cache").items():
        monkeypatch.setenv(name, value)
