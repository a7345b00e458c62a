"""Kernels that are forked: as if each had been started by itself."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.kernel.connections.forking.template import LOADING
from coderunner.kernel.connections.forking.templates import Templates, can_fork
from coderunner.kernel.connections.servers.running_kernels import existing
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.kernel.template import first_use
from coderunner.outputs import Aftermath, Status
from coderunner.sandbox.backends import Availability, available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.kernel.test_local_kernel import holds, printed
from tests.sandbox.backends_here import HERE

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels cannot be forked here")

Fork = Callable[..., Sessions]
TEMPLATES = 3 * LOADING
"""Seconds for a template that leaves out two modules: each time another one loads all that is left."""


@pytest.fixture
def forking(tmp_path: Path) -> Iterator[Fork]:
    """Makes a registry whose template is ready; with a sandbox where one is named."""
    made: list[Sessions] = []

    def make(*preload: str, backend: str = "", ready: bool = True) -> Sessions:
        sandbox = KernelSandbox(way=Availability(backend)) if backend else None  # type: ignore[arg-type]
        sessions = Sessions(tmp_path / f"work{len(made)}", sandbox=sandbox, preload=preload)
        made.append(sessions)
        if ready:
            sessions.prepare(Local())
            assert holds(lambda: templates(sessions).ready, TEMPLATES)
        return sessions

    yield make
    for sessions in made:
        io_thread().call(sessions.close_all(keep=False), BOUND)


def templates(sessions: Sessions) -> Templates:
    """What forks the kernels of a registry."""
    assert sessions._templates is not None
    return sessions._templates


def template_process(sessions: Sessions) -> psutil.Process:
    """The process that kernels are forked of."""
    template = templates(sessions)._template
    assert template is not None
    return psutil.Process(template._process.pid)


def of(sessions: Sessions) -> Session:
    """A conversation of its own."""
    return sessions.get(uuid.uuid4().hex, Local())


def forked(sessions: Sessions, session: Session) -> bool:
    """Whether the kernel of a conversation was forked."""
    return sessions._confined[session.conversation].prepared


async def of_forked(sessions: Sessions) -> Session:
    """A conversation whose kernel was forked: while the machine is busy, one may be started by itself."""
    for _ in range(ATTEMPTS):
        session = of(sessions)
        await session.execute("1")
        if forked(sessions, session):
            return session
        assert await asyncio.to_thread(holds, lambda: templates(sessions).ready, TEMPLATES)
    raise AssertionError("no kernel was forked")


ATTEMPTS = 3
WAYS = ["", *HERE]


FACTS = """import json, os, resource, signal, sys, threading
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
limits = [name for name in dir(resource) if name.startswith('RLIMIT_')]
print(json.dumps({
    'command': [os.path.basename(each) for each in sys.argv],
    'application': [str(each).replace(sys.argv[2], '') for each in (app.argv, app.cli_config, app.config)],
    'connected': app.connection_file == sys.argv[2],
    'path': sys.path,
    'environment': {name: value for name, value in os.environ.items() if name not in OWN},
    'flags': str(sys.flags),
    'main': [sys.modules['__main__'].__dict__ is globals(), sorted(dir())],
    'ours': [name for name in sys.modules if name.startswith('coderunner')],
    'signals': {each.name: str(signal.getsignal(each)) for each in signal.Signals},
    'blocked': str(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    'limits': {name: resource.getrlimit(getattr(resource, name)) for name in limits},
    'threads': sorted(each.name for each in threading.enumerate() if 'Poller' not in type(each).__name__),
    'input': os.read(0, 1).hex(),
    'folder': os.path.basename(os.getcwd()),
    'umask': [os.umask(0o22), os.umask(0o22)],
    'group': os.getpgid(0) == os.getsid(0) and os.getpgid(0) not in (0, FATHER),
    'rights': [line for line in open('/proc/self/status') if line.startswith(('Cap', 'Seccomp', 'NoNew'))],
    'frames': len(__import__('inspect').stack()) > 5,
    'encoding': [sys.stdout.encoding, sys.getfilesystemencoding(), __import__('locale').getlocale()],
}, default=str))
"""
OWN = (
    {"JPY_PARENT_PID", "TMPDIR", "TEMP", "TMP", "HOME", "IPYTHONDIR", "PWD", "PYTHONPATH", "PATH"}
    | {"PIP_TARGET", "OLDPWD", *(f"{each}_PROXY" for each in ("HTTP", "HTTPS", "ALL"))}
    | {f"{each}_proxy" for each in ("http", "https", "all")}
)  # fmt: skip
"""What is each kernel's own by its folders."""


@behaviour("forked:kernel:same")
@pytest.mark.parametrize("backend", WAYS)
def test_a_forked_kernel_is_like_one_that_was_started(forking: Fork, backend: str) -> None:
    sessions = forking("colorsys", backend=backend)
    started = Sessions(sessions.folders.root / "started", sandbox=sessions.sandbox)
    source = FACTS.replace("OWN", repr(OWN)).replace("FATHER", str(os.getpgid(0)))
    try:
        new, plain = sessions.get("c", Local()), started.get("c", Local())
        facts, expected = (json.loads(printed(each, source)) for each in (new, plain))
        folders = [str(each.folder("c")) for each in (sessions, started)]
        for told, folder in zip((facts, expected), folders, strict=True):
            told["path"] = [each.replace(folder, "") for each in told["path"]]
        assert forked(sessions, new)
        assert not forked(started, plain)
        assert facts == expected
    finally:
        io_thread().call(started.close_all(), BOUND)


@behaviour("forked:kernel:loaded")
def test_a_forked_kernel_has_what_was_preloaded(forking: Fork) -> None:
    session = of(forking("colorsys"))
    assert printed(session, "import sys; print('colorsys' in sys.modules)") == "True"
    # So have those that keep a debugger out of the kernel's own modules, though it reads of them elsewhere.
    assert printed(session, OWN_MODULES) == "True True True"


OWN_MODULES = """import colorsys, ipykernel.ipkernel
own = [colorsys.__file__, ipykernel.ipkernel.__file__]
known = getattr(get_ipython().kernel, '_kernel_modules', own)  # ipykernel 6.29 has no such list
print(colorsys.__file__ in known, ipykernel.ipkernel.__file__ in known, ipykernel.ipkernel.sys is sys)"""


SEEDS = """import json, multiprocessing, random, secrets, tempfile, uuid, os
import numpy
print(json.dumps([
    random.random(), float(numpy.random.random()), float(numpy.random.default_rng().random()),
    secrets.token_hex(), str(uuid.uuid4()), multiprocessing.current_process().authkey.hex(),
    os.path.basename(tempfile.mktemp()),
]))"""


@behaviour("forked:chance:own")
def test_two_kernels_of_one_template_share_no_chance_and_no_secret(forking: Fork) -> None:
    sessions = forking("numpy", "numpy.random", "random", "uuid", "secrets", "multiprocessing", "tempfile")
    one, other = (json.loads(printed(of(sessions), SEEDS)) for _ in range(2))
    assert [name for name, here, there in zip(SEEDS, one, other, strict=False) if here == there] == []


@behaviour("forked:threads:own")
def test_numerical_libraries_have_as_many_threads_as_in_a_kernel_that_was_started(forking: Fork) -> None:
    source = "import numpy; numpy.ones((500, 500)) @ numpy.ones((500, 500))"
    count = "import os; print(len(os.listdir('/proc/self/task')), os.environ.get('OPENBLAS_NUM_THREADS'))"
    sessions = forking("numpy", backend=HERE[0] if HERE else "")
    started = Sessions(sessions.folders.root / "started", sandbox=sessions.sandbox)
    try:
        alone = started.get("c", Local())
        run(alone, source)
        session = of(sessions)
        run(session, source)
        assert printed(session, count) == printed(alone, count)
    finally:
        io_thread().call(started.close_all(), BOUND)


@behaviour("forked:conversations:apart")
def test_nothing_of_one_conversation_is_in_the_memory_of_the_next_kernel(
    forking: Fork, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = forking()
    halves = uuid.uuid4().hex[:12], uuid.uuid4().hex[:12]
    first = sessions.get("-".join(halves), Local())
    assert printed(first, "import os; print(os.getcwd())").endswith("-".join(halves))
    assert printed(first, f"kept = {halves[0]!r} + '-' + {halves[1]!r}; print(len(kept))")
    source = f"""import re
sought, found = b'-'.join({tuple(each.encode() for each in halves)!r}), 0
with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
    for line in maps:
        bounds, rights = line.split()[:2]
        if 'r' not in rights or '[v' in line: continue
        start, end = (int(each, 16) for each in bounds.split('-'))
        if end - start > 200_000_000: continue
        try:
            memory.seek(start)
            text = memory.read(end - start)
        except OSError: continue
        found += sum(1 for _ in re.finditer(sought, text))
        del text
print(found)"""
    second = of(sessions)
    assert printed(second, source) == "1"  # what is sought itself
    assert forked(sessions, second)


THREADED = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"


@behaviour("forked:preload:refused")
def test_a_module_that_must_not_be_loaded_before_a_fork_is_left_out_and_that_is_said(
    forking: Fork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "modules"
    place.mkdir()
    (place / "with_thread.py").write_text(THREADED)
    (place / "with_file.py").write_text("import socket\nheld = socket.socket()\n")
    monkeypatch.setenv("PYTHONPATH", str(place))
    with caplog.at_level(logging.WARNING):
        sessions = forking("with_thread", "colorsys", "with_file", "not_there")
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == (
        "kernels are started without with_thread, which cannot be preloaded: "
        "it starts 1 threads, which no forked process has"
    )
    assert said[1].startswith(
        "kernels are started without with_file, which cannot be preloaded: it keeps socket:["
    )
    assert said[2:] == [
        "kernels are started without a module of the setting preload: not_there: No module named 'not_there'"
    ]
    session = of(sessions)
    source = "import sys; print([name for name in {!r} if name in sys.modules])"
    names = ("with_thread", "colorsys", "with_file")
    assert printed(session, source.format(names)) == "['colorsys']"
    assert forked(sessions, session)


@behaviour("forked:template:died")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["died", "hangs"])
def test_a_template_that_is_of_no_use_is_replaced_and_kernels_live_on(
    forking: Fork, number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = forking()
    before = of(sessions)
    run(before, "x = 1")
    lost = template_process(sessions)
    lost.send_signal(number)
    next_one = of(sessions)
    with caplog.at_level(logging.WARNING):
        result = run(next_one, "1")
    assert (result.status, result.detail, result.execution_count) == (Status.OK, "", 1)
    assert not forked(sessions, next_one)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("a kernel is started by itself, as it cannot be forked: ")
    assert printed(before, "print(x)") == "1"
    assert holds(lambda: templates(sessions).ready)
    assert template_process(sessions).pid != lost.pid
    assert holds(lambda: not lost.is_running() or lost.status() == psutil.STATUS_ZOMBIE)
    latest = of(sessions)
    run(latest, "1")
    assert forked(sessions, latest)


@behaviour("forked:template:renewed")
def test_the_template_is_renewed_when_a_package_was_installed_or_the_environment_is_another(
    forking: Fork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "packages"
    place.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(place))
    sessions = forking()
    first = template_process(sessions).pid
    (place / "brand_new.py").write_text("value = 5")
    assert printed(of(sessions), "import brand_new; print(brand_new.value)") == "5"
    assert holds(lambda: templates(sessions).ready)
    second = template_process(sessions).pid
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert printed(of(sessions), "import os; print(os.environ['OMP_NUM_THREADS'])") == "1"
    assert holds(lambda: templates(sessions).ready)
    third = template_process(sessions).pid
    assert len({first, second, third}) == 3
    monkeypatch.setenv("SOMETHING", "that nothing has read")
    session = of(sessions)
    assert printed(session, "import os; print(os.environ['SOMETHING'])") == "that nothing has read"
    assert forked(sessions, session)
    assert template_process(sessions).pid == third


@behaviour("forked:kernel:exit")
@pytest.mark.parametrize("backend", WAYS)
async def test_how_a_forked_kernel_ended_is_known_as_of_one_that_was_started(
    forking: Fork, backend: str
) -> None:
    sessions = forking(backend=backend)
    for source, code in {"os._exit(7)": 7, "os.kill(os.getpid(), 9)": 137}.items():
        session = await of_forked(sessions)
        await session.execute("import os")
        process = sessions._confined[session.conversation]._process
        result = await session.execute(source)
        assert (result.status, result.aftermath) == (Status.DIED, Aftermath.FRESH)
        assert await asyncio.to_thread(process.wait) == code


@behaviour("forked:kernel:listed")
@pytest.mark.parametrize("backend", WAYS)
async def test_a_forked_kernel_is_in_the_list_of_kernels_like_one_that_was_started(
    forking: Fork, backend: str
) -> None:
    sessions = forking(backend=backend)
    for talk in ("one", "two"):
        await sessions.get(talk, Local()).execute("1")
        assert sessions._confined[talk].prepared
    listed = [each.path for each in await existing(Local())]
    for talk in ("one", "two"):
        assert listed.count(str(sessions.folders.root / talk)) == 1


@behaviour("forked:kernel:group")
@pytest.mark.parametrize("backend", WAYS)
async def test_nothing_is_left_of_a_forked_kernel_that_is_closed(forking: Fork, backend: str) -> None:
    sessions = forking(backend=backend)
    session = of(sessions)
    await session.execute("import subprocess; child = subprocess.Popen(['sleep', '600'])")
    process = psutil.Process(sessions._confined[session.conversation]._process.pid)
    family = [process, *process.children(recursive=True)]
    assert len(family) >= 3
    assert process.ppid() == os.getpid()
    await sessions.close(session.conversation)
    gone, alive = await asyncio.to_thread(psutil.wait_procs, family, BOUND)
    assert (len(gone), alive) == (len(family), [])


HOST = """
import os, sys, time
from pathlib import Path
from coderunner.kernel.sessions.registry import Local, Sessions
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
sandbox = KernelSandbox() if sys.argv[2] == "sandboxed" else None
sessions = Sessions(Path(sys.argv[1]), preload=(), sandbox=sandbox)
sessions.prepare(Local())
while not sessions._templates.ready: time.sleep(0.01)
session = sessions.get("c", Local())
result = session.begin("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)").wait(30)
assert sessions._confined["c"].prepared
print("ready", flush=True)
time.sleep(600)
"""


@behaviour("forked:template:ends")
@pytest.mark.parametrize("way", ["alone", "sandboxed"])
def test_the_template_and_its_kernels_end_with_us_also_when_we_are_killed(tmp_path: Path, way: str) -> None:
    if way == "sandboxed" and not available():
        pytest.skip(available().why)
    with subprocess.Popen(
        [sys.executable, "-c", HOST, str(tmp_path), way], stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "ready\n"
        family = psutil.Process(host.pid).children(recursive=True)
        assert len(family) >= 4
        host.kill()
    _, alive = psutil.wait_procs(family, BOUND)
    assert alive == []


@behaviour("forked:kernel:works")
@pytest.mark.parametrize("backend", WAYS)
def test_forks_and_pools_in_a_cell_and_ends_of_a_program_are_as_ever(forking: Fork, backend: str) -> None:
    sessions = forking("multiprocessing", backend=backend)
    session = of(sessions)
    assert (
        printed(
            session, "import os; child = os.fork()\nif not child: os._exit(3)\nprint(os.waitpid(child, 0)[1])"
        )
        == "768"
    )
    pool = (
        "import multiprocessing as mp\nwith mp.get_context('{}').Pool(2) as pool: print(pool.map(abs, [-1]))"
    )
    for way in ("fork", "spawn"):
        assert printed(session, pool.format(way)) == "[1]"
    told = sessions.folders.root / "told"
    folder = Path(printed(session, "print(os.getcwd())"))
    run(session, "import atexit; atexit.register(lambda: open('told', 'w').write('ended'))")
    assert run(session, "exit()").aftermath is Aftermath.FRESH
    told = folder / "told"
    assert holds(lambda: os.path.exists(told) and told.read_text() == "ended")


PLOT = """import pandas
import matplotlib.pyplot as plt
plt.plot(pandas.Series([1, 2, 3]))
import matplotlib
print(matplotlib.get_backend(), matplotlib.get_cachedir())"""


@behaviour("forked:plots:shown")
def test_a_plot_of_a_preloaded_library_is_shown_once_and_keeps_its_files_where_the_kernel_may(
    forking: Fork,
) -> None:
    pytest.importorskip("pandas")
    backend = HERE[0] if HERE else ""
    sessions = forking("numpy", "pandas", "matplotlib.pyplot", backend=backend)
    session = of(sessions)
    result = run(session, PLOT)
    assert forked(sessions, session)
    kinds = [sorted(getattr(each, "data", {})) for each in result.outputs]
    assert sum("image/png" in kind for kind in kinds) == 1
    where = str(result.outputs[0]).split()
    assert "inline" in str(result.outputs[0]), where
    assert printed(session, "import os; print(os.access(matplotlib.get_cachedir(), os.W_OK))") == "True"
    # What is drawn in the template leaves nothing.
    used = (
        f"names = {{'__name__': 'first_use'}}\nexec({Path(first_use.__file__).read_text()!r}, names)\n{USED}"
    )
    assert printed(session, used) == "True []"


USED = """before = dict(matplotlib.rcParams), plt.get_fignums()
for _, use in names['FIRST_USES']:
    use()
files = [os.path.realpath(f'/proc/self/fd/{each}') for each in os.listdir('/proc/self/fd')]
print((dict(matplotlib.rcParams), plt.get_fignums()) == before, [each for each in files if 'ttf' in each])"""
