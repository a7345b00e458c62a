"""Packages in real kernels: what is missing is told and installed, and pip in a cell installs nothing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Error, Remedy, Result, Status, Stream
from coderunner.packages.offers import Packaging
from coderunner.packages.requirements import wanted
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.kernel.lent import LentKernel


def said(result: Result) -> str:
    """What a program has printed, or how it failed."""
    texts = [each.text if isinstance(each, Stream) else str(each) for each in result.outputs]
    return "".join(texts).strip()


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LentKernel]:
    """A kernel without a sandbox, whose environment is that of the tests."""
    sessions = Sessions(tmp_path_factory.mktemp("kernels"))
    yield LentKernel(sessions, Local())
    io_thread().call(sessions.close_all(keep=False), BOUND)


@pytest.fixture
def session(lent: LentKernel) -> Iterator[Session]:
    """The same for one test."""
    with lent.lent() as session:
        yield session


FORMS = [
    "%pip install not-there-1",
    "!pip install -q not-there-1",
    "!pip3 install not-there-1 > /dev/null 2>&1",
    "!python -m pip install --upgrade not-there-1",
    "import sys\n!{sys.executable} -m pip install not-there-1",
    "name = 'not-there-1'\n!pip install $name",
    "x = !pip install not-there-1",
    "!echo begin && pip install not-there-1; echo end",
    "!uv pip install --system not-there-1",
    "%%bash\necho begin\npip install not-there-1",
    "import os\nos.system('pip install not-there-1')",
    "import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', 'not-there-1'])",
    "import subprocess\nsubprocess.run('pip install not-there-1', shell=True)",
    "from pathlib import Path\nPath('r.txt').write_text('# all\\nnot-there-1\\n')\n%pip install -r r.txt",
    "import not_there_1",
]


@behaviour("packages:kernel:pip")
@pytest.mark.parametrize("source", FORMS)
def test_pip_in_a_cell_installs_nothing_and_says_what_it_would(session: Session, source: str) -> None:
    result = run(session, source)
    assert result.status is Status.ERROR
    assert [name.replace("_", "-") for name in wanted(result.outputs)] == ["not-there-1"], said(result)
    (lacking,) = result.refusals
    assert lacking.remedy is Remedy.PACKAGES
    # Nothing that a model reads of it sends it to pip.
    read = for_model(result)
    assert (
        "not installed. Neither CodeRunner nor pip installs what is missing unless packages = auto is set."
        in read
    )
    assert "Hint" not in read


@behaviour("packages:kernel:pip")
def test_what_is_there_is_said_and_nothing_is_removed(session: Session) -> None:
    there = run(session, "%pip install -U ipykernel 'packaging>=1'\nprint(6 * 7)")
    first, second, *_note, answer = said(there).splitlines()
    assert first.startswith("Requirement already satisfied: ipykernel (")
    assert second.startswith("Requirement already satisfied: packaging>=1 (")
    assert answer == "42"
    again = run(session, "import subprocess\nsubprocess.run(['pip', 'install', 'ipykernel']).returncode")
    assert "'0'" in said(again)
    removed = run(session, "!pip uninstall -y ipykernel")
    (error,) = (each for each in removed.outputs if isinstance(each, Error))
    assert error.evalue == "CodeRunner keeps the packages of this kernel: pip removes none of them"
    assert (wanted(removed.outputs), removed.refusals) == ((), ())


@behaviour("packages:kernel:pip:others")
@pytest.mark.parametrize(
    ("source", "shows"),
    [
        ("!echo pip install x", "pip install x"),
        ("def f():\n    inner = 'pipe'\n    !echo {inner} $inner\nf()", "pipe pipe"),
        ("x = !echo 'pipeline it'\nprint(x)", "['pipeline it']"),
        (
            "import subprocess\nprint(subprocess.check_output(['echo', 'pip install x']).decode())",
            "pip install x",
        ),
        ("!pip --version", "pip "),
        ("%%bash\necho pip\necho install", "pip\ninstall"),
        ("import os\nos.system('exit 3') >> 8", "'3'"),
    ],
)
def test_what_is_no_plain_install_runs_as_ever(session: Session, source: str, shows: str) -> None:
    assert shows in said(run(session, source)).replace("\r", "")


def ran(session: Session, source: str) -> Result:
    """Run a cell for which something may have to be installed."""
    result = session.begin(source).wait(3 * BOUND)
    assert result is not None
    return result


PLACES = [
    "plain",
    pytest.param("sandboxed", marks=pytest.mark.skipif(not available(), reason=available().why)),
]


@behaviour("packages:kernel:auto")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.usefixtures("quickly")
def test_what_is_missing_is_installed_and_stays(tmp_path: Path, place: str) -> None:
    def sessions() -> Sessions:
        sandbox = KernelSandbox() if place == "sandboxed" else None
        return Sessions(tmp_path / "kernels", sandbox=sandbox, packaging=Packaging("auto"))

    first = sessions()
    try:
        chat = first.get("c", Local())
        result = ran(chat, "import friendly, lonely\nprint(lonely.__file__)")
        assert said(result) == str(tmp_path / "kernels" / "c" / ".packages" / "lonely.py")
        assert result.detail == "friendly 1.0 and lonely 1.0 were installed for this chat first"
        late = ran(chat, "print('once')\nimport unbuilt")
        assert (late.status, late.outputs[0]) == (Status.ERROR, Stream("stdout", "once\n"))
        assert "could not be installed: " in late.detail
        assert "lonely" not in {path.stem for path in Path(sys.prefix).rglob("lonely.py")}
        other = first.get("e", Local())
        assert said(ran(other, "%pip install lonely==1.0\nimport lonely; print(lonely.version)")).endswith(
            "1.0"
        )
        anew = ran(other, "%pip install lonely==2.0")
        assert anew.detail.endswith("restart the kernel to use it: lonely was imported before")
        assert anew.refusals == ()
        assert "ModuleNotFoundError" in said(
            ran(first.get("d", Local()), "x = 1\nimport lonely\nprint(lonely)")
        )
    finally:
        io_thread().call(first.close_all(), BOUND)
    second = sessions()
    try:
        assert said(run(second.get("c", Local()), "import friendly\nprint(friendly.version)")) == "1.0"
        assert [str(pin) for pin in second.packages.lock("c").pins] == ["friendly 1.0", "lonely 1.0"]
    finally:
        io_thread().call(second.close_all(), BOUND)
