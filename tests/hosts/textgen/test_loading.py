"""How the webui loads the extension: from two folders, again and again, with and without what it needs."""

import io
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import indent

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.hosts.textgen import hooks
from tests.behaviours import behaviour
from tests.hosts.textgen.webui import DOUBLE, REPOSITORY, Folder, Webui, until

CODE = "```python\nn = globals().get('n', 0) + 1\nn\n```\n"


@pytest.fixture
def imported(webui: Webui, monkeypatch: pytest.MonkeyPatch) -> None:
    """The webui imports from its own folder, as it does."""
    monkeypatch.syspath_prepend(str(webui.root))


@behaviour("textgen:load:both-folders")
@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("folder", ["user_data/extensions", "extensions"])
def test_it_works_from_either_folder(webui: Webui, folder: Folder) -> None:
    webui.start(folder=folder)
    hooks.extension().store.change(approve="auto")
    webui.says(CODE, "One.")
    assert webui.send("Count.") == f"{CODE}Result: 1\nOne."


@behaviour("textgen:load:restart")
@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("folder", ["user_data/extensions", "extensions"])
def test_restarts_leave_nothing_behind_and_chats_keep_their_kernels(webui: Webui, folder: Folder) -> None:
    webui.start(folder=folder)
    hooks.extension().store.change(approve="auto")
    webui.says(CODE, "One.")
    webui.send("Count.")
    extension, threads = hooks.extension(), threading.active_count()
    for _ in range(3):
        webui.restart()
    webui.says(CODE, "Two.")
    assert webui.send("Count.") == f"{CODE}Result: 2\nTwo."
    assert hooks.extension() is extension
    assert threading.active_count() <= threads
    assert sum(session.live for session in extension.sessions.all()) == 1


@behaviour("textgen:load:half-started")
def test_a_kernel_that_is_just_being_started_leaves_no_process(webui: Webui) -> None:
    webui.start()
    extension, before = hooks.extension(), kernels()
    extension.kernel("one").warm()
    until(lambda: kernels() > before)
    extension.sessions.io_thread.call(extension.sessions.close_all(keep=False), 30)
    assert kernels() == before


def kernels() -> int:
    """How many processes are children of this one."""
    return len(psutil.Process().children())


LOAD = """
import os, sys
sys.path[:0] = [{double!r}, {root!r}]
import llama
from modules import extensions, shared, chat
from tests_state import state
shared.args.extensions = ["CodeRunner"]
shared.model, shared.model_name = llama.LlamaServer(["```python\\nprint(1)\\n```\\nI guess."]), "scripted"
shared.generation_lock = shared.StrictLock()
status = 0
for which in {which!r}:
    if child := os.fork():
        status |= os.waitpid(child, 0)[1]
        continue
    sys.stdout = open(which, "w")
    for each in [each for each in sys.modules if each.split(".")[0] in ("coderunner", which)]:
        del sys.modules[each]
    {before}
    extensions.load_extensions()
    extension = extensions.state["CodeRunner"][1]
    {after}
    sys.stdout.close()
    os._exit(0)
sys.exit(status != 0)
"""

LACKING = """
class Lacks:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == which:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Lacks())
"""

PASSES = """
from coderunner.hosts.textgen import disabled_hooks
*_, (page, history) = chat.generate_chat_reply_wrapper("?", state)
assert history["internal"][-1][1] == "```python\\nprint(1)\\n```\\nI guess.", history
print(disabled_hooks.sentence())
"""


def load(root: Path, *which: str, before: str, after: str) -> dict[str, str]:
    """Load the extension in processes of their own, `which` of them; gives what each printed.

    They are begun where the webui has loaded all but its extensions, which takes it seconds.
    """
    place = root / "user_data" / "extensions" / "CodeRunner"
    place.parent.mkdir(parents=True)
    place.symlink_to(REPOSITORY)
    state = f"from tests.hosts.textgen.webui import DEFAULTS\nstate = DEFAULTS | {{'history': {EMPTY}}}\n"
    (root / "tests_state.py").write_text(f"import sys\nsys.path.append({str(REPOSITORY)!r})\n{state}")
    before, after = (indent(part, "    ").strip() for part in (before, after))
    program = LOAD.format(double=str(DOUBLE), root=str(root), which=which, before=before, after=after)
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=os.environ, capture_output=True, text=True, timeout=110
    )
    assert ended.returncode == 0, ended.stderr
    return {each: (root / each).read_text() for each in which}


EMPTY: dict[str, object] = {"internal": [], "visible": [], "metadata": {}}


REQUIREMENTS = ("markdown_it", "jupyter_client", "tornado", "pydantic_settings")


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a webui says that lacks one of them."""
    return load(tmp_path_factory.mktemp("webui"), *REQUIREMENTS, before=LACKING, after=PASSES)


@behaviour("textgen:load:requirements")
@pytest.mark.parametrize("name", REQUIREMENTS)
def test_without_a_requirement_the_webui_starts_and_replies_pass(without: dict[str, str], name: str) -> None:
    assert name in without[name]
    assert "pip install -r" in without[name]
    assert "requirements.txt" in without[name]


@behaviour("textgen:load:older")
def test_an_older_coderunner_gives_way(tmp_path: Path) -> None:
    older = tmp_path / "site" / "coderunner"
    older.mkdir(parents=True)
    (older / "__init__.py").write_text("OLD = True\n")
    before = f"sys.path.insert(0, {str(older.parent)!r})\nimport coderunner\nassert coderunner.OLD\n"
    after = (
        "import coderunner\nprint(hasattr(coderunner, 'OLD'), sys.path.count(coderunner.__path__[0][:-11]))\n"
    )
    assert load(tmp_path, "older", before=before, after=after)["older"].split() == ["False", "1"]


@behaviour("textgen:load:log")
def test_what_we_log_stands_in_the_webuis_log(webui: Webui) -> None:
    theirs, ours = logging.getLogger("textgen"), logging.getLogger("coderunner")
    before, lines = (list(theirs.handlers), list(ours.handlers)), io.StringIO()
    theirs.handlers = [logging.StreamHandler(lines)]
    try:
        webui.start()
        logging.getLogger("coderunner.hosts.textgen").warning("a word of ours")
    finally:
        theirs.handlers, ours.handlers = before
    assert lines.getvalue() == "a word of ours\n"
