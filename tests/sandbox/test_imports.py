"""What a kernel imports from a person's own folders, however packages are installed from there."""

import json
import os
import site
import venv
from pathlib import Path

import pytest

from coderunner.kernel.sessions.registry import Local
from coderunner.sandbox import python_folders
from coderunner.sandbox.backends import Backend
from coderunner.sandbox.python_folders import Folders
from tests.behaviours import behaviour
from tests.sandbox.backends_here import HERE, TRIED, printed, sessions_in

FINDER = """
import importlib.util, sys
MAPPING: dict[str, str] = {mapping!r}
NAMESPACES: dict[str, list[str]] = {{}}
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        for place in (MAPPING.get(name, "") + "/__init__.py", MAPPING.get(name, "") + ".py"):
            try:
                open(place).close()
            except OSError:
                continue
            return importlib.util.spec_from_file_location(name, place)
def install():
    sys.meta_path.append(Finder)
"""
"""As setuptools writes it for packages that do not lie in a folder of their own."""
WRITTEN = {
    "src/source/__init__.py": "",
    "src/source/more.py": "",
    "src/source/.env": "KEY=canary",
    "src/source/.git/config": "canary",
    "src/source/credentials.py": "",
    "src/source/secrets/__init__.py": "",
    "src/source/secrets/server.key": "canary",
    "src/acme/widgets/__init__.py": "",
    "src/acme/notes.txt": "canary",
    "src/module.py": "",
    "src/notes.txt": "canary",
    "flat/mapped/__init__.py": "",
    "flat/single.py": "",
    "flat/data/table.csv": "canary",
    "links/real/linked.py": "",
    "variable/named/__init__.py": "",
    "variable/secret.txt": "canary",
    "packed/archived.zip": "",
}
IMPORTED = (
    *(
        "source",
        "source.more",
        "source.credentials",
        "source.secrets",
        "source.secrets",
        "acme.widgets",
        "module",
        "mapped",
        "single",
        "linked",
    ),
    *("named", "zipped"),
)
KEPT = (
    *(
        "src/source/secrets/server.key",
        "src/source/.env",
        "src/source/.git/config",
        "src/notes.txt",
        "src/acme/notes.txt",
    ),
    *("flat/data/table.csv", "variable/secret.txt"),
)


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of a person's, and the folders that it imports from."""
    work = tmp_path / "work-of-ada"
    for name, text in WRITTEN.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    strict = work / "links" / "build" / "__editable__.linked-1-py3-none-any"
    strict.mkdir(parents=True)
    (strict / "linked.py").symlink_to(work / "links" / "real" / "linked.py")
    pack(work / "packed" / "archived.zip")
    (tmp_path / "by-another-name").symlink_to(work)
    venv.create(tmp_path / "environment", symlinks=True)
    place = next((tmp_path / "environment").glob("lib/python*/site-packages"))
    mapping = {"mapped": f"{work}/flat/mapped", "single": f"{work}/flat/single"}
    (place / "__editable___flat_1_finder.py").write_text(FINDER.format(mapping=mapping))
    (place / "__editable__.flat-1.pth").write_text(
        "import __editable___flat_1_finder; __editable___flat_1_finder.install()\n"
    )
    # The environment of the tests has ipykernel.
    added = (tmp_path / "by-another-name" / "src", strict, *site.getsitepackages())
    (place / "added.pth").write_text("".join(f"{each}\n" for each in added))
    spec = tmp_path / "jupyter" / "kernels" / "theirs"
    spec.mkdir(parents=True)
    command = [f"{tmp_path}/environment/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    about = {"argv": command, "display_name": "theirs", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(about))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("PYTHONPATH", f"{work}/variable{os.pathsep}{work}/packed/archived.zip")
    return work


def pack(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zipped.py", "")


@behaviour("sandbox:imports")
@pytest.mark.parametrize("backend", HERE)
async def test_a_kernel_imports_what_its_environment_does_and_reads_nothing_beside_it(
    backend: Backend, theirs: Path, tmp_path: Path
) -> None:
    sessions = sessions_in(backend, tmp_path / "own")
    source = TRIED + "import importlib\n"
    source += "".join(f"tried({each!r}, lambda: importlib.import_module({each!r}))\n" for each in IMPORTED)
    source += "".join(f"tried({each!r}, lambda: open({str(theirs / each)!r}).read())\n" for each in KEPT)
    source += f"tried('written', lambda: open({str(theirs / 'src/source/new.py')!r}, 'w'))\n"
    try:
        result = await sessions.get("one", Local(kernel_name="theirs")).execute(source)
        assert printed(result).split() == list(IMPORTED), result
    finally:
        await sessions.close_all()


@behaviour("sandbox:imports")
def test_a_folder_of_installed_packages_is_read_whole_whoever_names_it(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "site-packages"
    packages.mkdir(parents=True)
    assert python_folders.importable([str(packages)]) == Folders((packages,))


@behaviour("sandbox:imports")
def test_a_folder_in_folders_is_imported_as_a_package_alone(tmp_path: Path) -> None:
    for name in ("acme/deep/er/__init__.py", "client/scripts/run.py", "a/b/c/d/e/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert python_folders.importable([str(tmp_path)]).imported == (tmp_path / "acme" / "deep" / "er",)
