"""The home folder of a kernel that sees the machine's own file system."""

from pathlib import Path

from coderunner.sandbox import private_home
from tests.behaviours import behaviour


@behaviour("sandbox:landlock:home")
def test_what_is_granted_in_home_is_in_the_kernels_home_too_and_nothing_else(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    for path in (home / "data" / "deep", home / "private", home / "a" / "b", temporary):
        path.mkdir(parents=True)
    (home / "a" / "b" / "file").write_text("granted")
    shown = (home / "data", home / "data" / "deep", home / "a" / "b" / "file", home, tmp_path / "elsewhere")
    environment = private_home.make(temporary, home, shown)
    own = Path(environment["HOME"])
    assert own.is_relative_to(temporary)
    assert sorted(path.relative_to(own).as_posix() for path in own.rglob("*")) == [
        "a",
        "a/b",
        "a/b/file",
        "data",
    ]
    assert (own / "a" / "b" / "file").read_text() == "granted"
    assert (own / "data").resolve() == home / "data"
    assert private_home.make(temporary, home, shown) == environment
