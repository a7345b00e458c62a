"""What ordinary programs do, and have to be able to do in a sandbox too; each with the last line printed."""

from dataclasses import dataclass

POOL = """
import multiprocessing
with multiprocessing.get_context("{kind}").Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
"""


@dataclass(frozen=True, slots=True)
class Program:
    """One program."""

    name: str
    source: str
    says: str
    needs: str = ""
    """A library that it imports."""


PROGRAMS = (
    Program("a shell", "!echo $((6 * 7))", "42"),
    Program("a shell's listing", "open('listed', 'w').close()\n!ls listed", "listed"),
    Program(
        "a program that it starts",
        """
import subprocess, sys
print(subprocess.check_output([sys.executable, "-c", "print(6 * 7)"], text=True))
""",
        "42",
    ),
    Program(
        "a program that it starts and waits for asynchronously",
        """
import asyncio
it = await asyncio.create_subprocess_exec("echo", "heard", stdout=-1)
print((await it.communicate())[0].decode())
""",
        "heard",
    ),
    Program(
        "threads",
        """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(20) as pool:
    print(sum(pool.map(abs, range(100))))
""",
        "4950",
    ),
    *(
        Program(f"a pool of processes by {kind}", POOL.format(kind=kind), "[1, 2]")
        for kind in ("fork", "spawn", "forkserver")
    ),
    Program(
        "a pool of processes and its futures",
        """
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(2) as pool:
    print(list(pool.map(abs, [-1, -2])))
""",
        "[1, 2]",
    ),
    Program(
        "locks, queues and managers of processes",
        """
import multiprocessing
with multiprocessing.Manager() as manager:
    shared, queue, lock = manager.dict(), multiprocessing.Queue(), multiprocessing.Lock()
    def work():
        with lock:
            shared["x"] = 6
            queue.put(7)
    one = multiprocessing.get_context("fork").Process(target=work)
    one.start(); one.join()
    print(shared["x"] * queue.get(timeout=10))
""",
        "42",
    ),
    Program(
        "what a forked process prints",
        """
import multiprocessing, threading
seen, thread = threading.Event(), get_ipython().kernel.iopub_thread
def receive(parts):
    thread._handle_pipe_msg(parts); seen.set()
thread.io_loop.add_callback(lambda: thread._pipe_in.on_recv(receive))
def work():
    print(42, flush=True)
one = multiprocessing.get_context("fork").Process(target=work)
one.start(); one.join(); seen.wait(20)
""",
        "42",
    ),
    Program(
        "shared memory",
        """
from multiprocessing.shared_memory import SharedMemory
one = SharedMemory(create=True, size=9)
other = SharedMemory(one.name)
one.buf[0] = 42
print(other.buf[0])
other.close(); one.close(); one.unlink()
""",
        "42",
    ),
    Program(
        "temporary files and folders",
        """
import tempfile
with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w+", dir=folder) as file:
    file.write("42"); file.seek(0)
    print(open(file.name).read())
with tempfile.TemporaryFile() as file:
    file.write(b"x")
""",
        "42",
    ),
    Program(
        "a database",
        """
import sqlite3
with sqlite3.connect("a.db") as base:
    base.execute("pragma journal_mode = wal")
    base.execute("create table if not exists t (x)")
    print(base.execute("select 6 * 7").fetchone()[0])
""",
        "42",
    ),
    Program(
        "copying, moving and changing files",
        """
import os, shutil
shutil.rmtree("tree", ignore_errors=True); shutil.rmtree("copied", ignore_errors=True)
os.makedirs("tree/deep"); open("tree/deep/a", "w").write("42")
os.chmod("tree/deep/a", 0o640); os.utime("tree/deep/a", (5, 7))
os.symlink("a", "tree/deep/link")
shutil.copytree("tree", "copied", symlinks=True)
shutil.move("copied/deep/a", "copied/b"); os.rename("copied/b", "copied/c"); os.replace("copied/c", "d")
it = os.stat("d")
print(open("d").read(), oct(it.st_mode), it.st_mtime)
""",
        "42 0o100640 7.0",
    ),
    Program(
        "an archive with modes and times",
        """
import os, tarfile, zipfile
open("packed", "w").write("42"); os.chmod("packed", 0o750)
with tarfile.open("a.tar", "w") as archive: archive.add("packed")
how = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
with tarfile.open("a.tar") as archive: archive.extractall("unpacked", **how)
with zipfile.ZipFile("a.zip", "w") as archive: archive.write("packed")
print(oct(os.stat("unpacked/packed").st_mode), zipfile.ZipFile("a.zip").read("packed").decode())
""",
        "0o100750 42",
    ),
    Program(
        "a mapped file",
        """
import mmap
with open("mapped", "wb+") as file:
    file.truncate(4096)
    with mmap.mmap(file.fileno(), 4096) as memory:
        memory[:2] = b"42"
print(open("mapped").read(2))
""",
        "42",
    ),
    Program(
        "a file in its home, where libraries keep what they know",
        """
import os
folder = os.path.expanduser("~/.cache/somelibrary")
os.makedirs(folder, exist_ok=True)
open(os.path.join(folder, "x"), "w").write("42")
print(open(os.path.join(folder, "x")).read())
""",
        "42",
    ),
    Program(
        "a server on a Unix socket",
        """
import asyncio
async def answer(reader, writer):
    writer.write(b"42"); await writer.drain(); writer.close()
server = await asyncio.start_unix_server(answer, "served")
reader, writer = await asyncio.open_unix_connection("served")
print((await reader.read()).decode())
writer.close(); server.close()
""",
        "42",
    ),
    Program(
        "sockets of ZeroMQ",
        """
import zmq
with zmq.Context() as context:
    for address in ("inproc://one", "ipc://two"):
        one, other = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        one.bind(address); other.connect(address); other.send(b"42")
        print(one.recv().decode())
        one.close(0); other.close(0)
""",
        "42",
        "zmq",
    ),
    Program(
        "what it is itself",
        """
import os, psutil, pwd, socket, time
me = psutil.Process()
print(me.memory_info().rss > 0, me.cpu_times().user > 0, me.num_threads() > 0, me.cmdline()[0] != "",
      os.cpu_count() > 0, psutil.virtual_memory().total > 0, psutil.cpu_percent() >= 0,
      psutil.disk_usage(".").total > 0,
      pwd.getpwuid(os.getuid()).pw_name != "", socket.gethostname() != "", len(psutil.pids()) > 0)
""",
        " ".join(["True"] * 11),
        "psutil",
    ),
    Program(
        "a terminal",
        """
import os, pty
pid, handle = pty.fork()
if not pid:
    os._exit(0 if os.isatty(0) else 1)
print(os.waitpid(pid, 0)[1])
os.close(handle)
""",
        "0",
    ),
    Program("time zones", "import zoneinfo\nprint(zoneinfo.ZoneInfo('Europe/Berlin'))", "Europe/Berlin"),
    Program("a locale", "import locale\nprint(locale.setlocale(locale.LC_ALL, 'C.UTF-8'))", "C.UTF-8"),
    Program(
        "signals and limits of its own",
        """
import resource, signal
heard = []
signal.signal(signal.SIGALRM, lambda *_: heard.append(42))
signal.setitimer(signal.ITIMER_REAL, 0.01); signal.sigtimedwait([], 5) if not heard else None
import time
until = time.monotonic() + 5
while not heard and time.monotonic() < until: pass
resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
print(heard[0])
""",
        "42",
    ),
    Program(
        "random numbers of the system",
        "import os, secrets\nprint(len(os.urandom(9)) + len(open('/dev/urandom', 'rb').read(9)))",
        "18",
    ),
    Program(
        "tables",
        """
import pandas
pandas.DataFrame({"x": [6, 7]}).to_csv("t.csv", index=False)
print(pandas.read_csv("t.csv").x.prod())
""",
        "42",
        "pandas",
    ),
    Program(
        "arrays", "import numpy\nprint(int(numpy.linalg.det(numpy.diag([6.0, 7.0])).round()))", "42", "numpy"
    ),
    Program(
        "a plot",
        """
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.savefig("plot.png"); plt.close()
print(open("plot.png", "rb").read(4)[1:].decode())
""",
        "PNG",
        "matplotlib",
    ),
    Program(
        "workers of joblib",
        "import joblib\nprint(joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(each) for each in (-1, -2)))",
        "[1, 2]",
        "joblib",
    ),
)
