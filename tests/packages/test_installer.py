"""Packages are found and installed, by real tools from a real index."""

import subprocess
import sys
import threading
from pathlib import Path
from shutil import which

import pytest

from coderunner.errors import PackagesNotInstalled
from coderunner.packages import places
from coderunner.packages.installer import STOPPED, Installer, Offer, Place
from tests.behaviours import behaviour
from tests.packages.conftest import use

KINDS = ["pip", pytest.param("uv", marks=pytest.mark.skipif(not which("uv"), reason="uv is not installed"))]


@pytest.fixture(params=KINDS)
def _tool(
    request: pytest.FixtureRequest, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(request.param, address, tmp_path, monkeypatch)


class Chat:
    """A conversation's folder, and what installs into it."""

    def __init__(self, root: Path) -> None:
        self.installer = Installer(lambda: root / "kernels")
        self.place = Place("c", root / "kernels" / "c", sys.executable)
        self.folder = self.place.folder / ".packages"

    def install(self, *wanted: str) -> Offer:
        return self.installer.install(self.place, wanted)

    def why_not(self, *wanted: str) -> str:
        with pytest.raises(PackagesNotInstalled) as failure:
            self.install(*wanted)
        return str(failure.value)

    def has(self) -> list[str]:
        """The modules there are."""
        return sorted(each.stem for each in self.folder.glob("*.py"))

    def pins(self) -> list[str]:
        return [str(pin) for pin in self.installer.lock("c").pins]


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    return Chat(tmp_path)


@behaviour("packages:find")
@pytest.mark.usefixtures("_tool")
def test_a_package_is_found_with_what_it_needs(chat: Chat) -> None:
    found = chat.installer.find(chat.place, ["friendly"])
    assert [str(pin) for pin in found.new] == ["friendly 1.0", "lonely 1.0"]
    assert found.size is None or found.size > 500
    assert found.index.startswith("127.0.0.1:")
    assert not chat.folder.exists()


@behaviour("packages:install")
@pytest.mark.usefixtures("_tool")
def test_a_package_is_installed_with_what_it_needs(chat: Chat) -> None:
    told: list[str] = []
    chat.installer.install(chat.place, ["friendly"], tell=told.append)
    assert told[:2] == ["Looking for friendly", "Installing friendly 1.0, lonely 1.0"]
    assert (chat.has(), chat.pins()) == (["friendly", "lonely"], ["friendly 1.0", "lonely 1.0"])
    assert chat.install("friendly").new == ()
    assert not list((chat.place.folder.parent).glob(".installing-*"))


@behaviour("packages:install:kept")
@pytest.mark.usefixtures("_tool")
def test_what_is_there_stays_as_it_is_where_that_goes(chat: Chat) -> None:
    chat.install("lonely==1.0")
    (chat.folder / "by_pip_itself.py").write_text("")
    chat.install("friendly", "shared_a")
    assert chat.pins()[:2] == ["friendly 1.0", "lonely 1.0"]
    chat.install("shared_b")
    assert sorted(each.name for each in (chat.folder / "shared").glob("*.py")) == ["a.py", "b.py"]
    assert chat.has() == ["by_pip_itself", "friendly", "lonely"]


@behaviour("packages:lock")
@pytest.mark.usefixtures("with_pip")
def test_from_a_lock_pip_installs_the_same_again(chat: Chat, tmp_path: Path) -> None:
    chat.install("friendly")
    (tmp_path / "lock.txt").write_text(chat.installer.lock("c").text)
    again = (
        "-m",
        "pip",
        "install",
        "-q",
        "--target",
        str(tmp_path / "again"),
        "-r",
        str(tmp_path / "lock.txt"),
    )
    subprocess.run([sys.executable, *again], check=True, timeout=60)
    assert sorted(each.stem for each in (tmp_path / "again").glob("*.py")) == ["friendly", "lonely"]


@behaviour("packages:install:kept")
@pytest.mark.usefixtures("with_pip")
def test_what_does_not_go_with_it_is_changed(chat: Chat) -> None:
    chat.install("lonely==1.0")
    assert "does not go together" in chat.why_not("modern") or chat.pins() == ["lonely 2.0", "modern 1.0"]


@behaviour("packages:find:sentences")
@pytest.mark.usefixtures("_tool")
def test_what_cannot_be_installed_is_told_in_a_sentence(chat: Chat) -> None:
    assert chat.why_not("nowhere").startswith("there is no package nowhere on 127.0.0.1:")
    assert "has no ready-made file (a wheel) of unbuilt" in chat.why_not("unbuilt")
    assert chat.why_not("friendly", "lonely>=2").startswith("friendly, lonely>=2 ")
    assert chat.why_not("./own") == "no package is named"
    assert not chat.folder.exists()
    assert chat.pins() == []


@behaviour("packages:find:network")
@pytest.mark.parametrize("tool", KINDS)
def test_an_index_that_is_not_reached_is_told(
    chat: Chat, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(tool, "http://127.0.0.1:9/", tmp_path, monkeypatch)
    said = chat.why_not("lonely")
    assert said == "the package index 127.0.0.1:9 cannot be reached; check the network and try again"


@behaviour("packages:install:links")
@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("what", ["folder", "file", "packages"])
def test_no_link_leads_an_installation_elsewhere(chat: Chat, tmp_path: Path, what: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lonely.py").write_text("mine")
    chat.install("friendly")
    if what == "packages":
        chat.folder.rename(tmp_path / "away")
        chat.folder.symlink_to(elsewhere)
    elif what == "folder":
        (chat.folder / "shared").symlink_to(elsewhere)
    else:
        (chat.folder / "lonely.py").unlink()
        (chat.folder / "lonely.py").symlink_to(elsewhere / "lonely.py")
    chat.install("shared_a")
    assert [each.name for each in elsewhere.iterdir()] == ["lonely.py"]
    assert (elsewhere / "lonely.py").read_text() == "mine"
    assert chat.folder.is_dir()
    assert not chat.folder.is_symlink()
    assert (chat.folder / "shared" / "a.py").exists()


@behaviour("packages:install:full")
@pytest.mark.usefixtures("quickly")
def test_what_is_stopped_or_cannot_be_written_leaves_all_as_it_was(chat: Chat) -> None:
    chat.install("lonely==1.0")
    stop = threading.Event()
    stop.set()
    with pytest.raises(PackagesNotInstalled, match=STOPPED):
        chat.installer.install(chat.place, ["friendly"], stop=stop)
    assert (chat.has(), chat.pins()) == (["lonely"], ["lonely 1.0"])
    assert not list(chat.place.folder.parent.glob(".installing-*"))


@behaviour("packages:install:full")
def test_a_folder_that_cannot_be_exchanged_is_put_back(tmp_path: Path) -> None:
    own, folder = tmp_path / "own", tmp_path / "folder"
    own.mkdir()
    (folder / ".packages").mkdir(parents=True)
    (folder / ".packages" / "old.py").write_text("")
    with pytest.raises(FileNotFoundError):
        places.exchange(own, folder, ours=frozenset())
    assert [each.name for each in (folder / ".packages").iterdir()] == ["old.py"]


@behaviour("packages:install:full")
def test_what_crashed_leaves_nothing_for_long(tmp_path: Path) -> None:
    left = tmp_path / ".installing-999999999-abc"
    left.mkdir()
    with places.staging(tmp_path) as own:
        assert [each.name for each in tmp_path.iterdir()] == [own.name]
    assert list(tmp_path.iterdir()) == []
