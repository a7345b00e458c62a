"""What Landlock, the filter and the broker do together, on a program of its own."""

import socket
import sys
import tempfile
from pathlib import Path

import pytest

from tests.behaviours import behaviour

if sys.platform != "linux":
    pytest.skip("Landlock is Linux's", allow_module_level=True)

from coderunner.sandbox.launcher import landlock
from tests.sandbox.landlocked import run

pytestmark = pytest.mark.skipif(
    not landlock.sufficient(), reason="this kernel has no Landlock, or one that is too old"
)


@behaviour("sandbox:landlock:files")
@pytest.mark.parametrize("container", [False, True], ids=["free", "in a container"])
def test_what_may_be_written_has_its_modes_and_times_set_and_nothing_else_has(
    tmp_path: Path, container: bool
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    before = outside.stat()
    said = run(
        tmp_path,
        f"""
import os
open("own", "w").close()
os.chmod("own", 0o640)
os.utime("own", (5, 7))
print(oct(os.stat("own").st_mode), os.stat("own").st_mtime)
os.symlink({str(outside)!r}, "link")
for act in (os.chmod, os.utime, os.chown):
    for path in ({str(outside)!r}, "link", "../outside", "/proc/self/cwd/../outside"):
        try:
            act(path, *{{os.chmod: (0o777,), os.chown: (-1, -1)}}.get(act, ()))
            print("done", act, path)
        except PermissionError:
            pass
with open("own", "w") as file:
    os.fchmod(file.fileno(), 0o600)
print(oct(os.stat("own").st_mode))
""",
        container=container,
    )
    assert said == "0o100640 7.0\n0o100600\n"
    after = outside.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_mode,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )


@behaviour("sandbox:landlock:sockets")
@pytest.mark.parametrize("container", [False, True], ids=["free", "in a container"])
def test_a_program_reaches_unix_sockets_of_its_own_and_no_others(tmp_path: Path, container: bool) -> None:
    # A path of a socket is short.
    with tempfile.TemporaryDirectory(dir="/tmp") as place, socket.socket(socket.AF_UNIX) as other:
        other.bind(f"{place}/other")
        other.listen()
        said = run(
            Path(place),
            f"""
import os, socket
own, one, two = (socket.socket(socket.AF_UNIX) for _ in range(3))
own.bind("own"); own.listen(); one.connect("own"); own.accept()[0].send(b"heard")
print(one.recv(5))
os.symlink("{place}/other", "link")
for path in ("{place}/other", "../other", "link"):
    try:
        two.connect(path)
        print("connected", path)
    except PermissionError:
        pass
try:
    socket.socket().listen()
    print("listens")
except PermissionError:
    pass
""",
            container=container,
        )
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()
    assert said == "b'heard'\n"


@behaviour("sandbox:landlock:shared-memory")
def test_shared_memory_is_the_programs_own_and_gone_afterwards(tmp_path: Path) -> None:
    there = Path("/dev/shm/coderunner-test")
    there.write_text("of others")
    try:
        said = run(
            tmp_path,
            """
import multiprocessing, os
from multiprocessing import shared_memory
multiprocessing.Lock()
one = shared_memory.SharedMemory("coderunner-test", create=True, size=5)
one.buf[:3] = b"own"
same = shared_memory.SharedMemory("coderunner-test")
print(bytes(same.buf[:3]))
same.close()
for act in (os.listdir, open, os.remove):
    try:
        print(act("/dev/shm/coderunner-test" if act is not os.listdir else "/dev/shm"))
    except (PermissionError, FileNotFoundError) as error:
        print(type(error).__name__)
    if act is open:
        one.close()
        one.unlink()
""",
        )
        assert there.read_text() == "of others"
        assert list(there.parent.glob("coderunner-*/coderunner-test")) == []
    finally:
        there.unlink()
    assert said == "b'own'\nPermissionError\nPermissionError\nFileNotFoundError\n"


@behaviour("sandbox:landlock:shared-memory")
def test_shared_memory_of_a_keeper_that_was_killed_is_removed(tmp_path: Path) -> None:
    left = Path("/dev/shm/coderunner-999999999-left")
    left.mkdir()
    (left / "file").touch()
    run(tmp_path, "pass")
    assert not left.exists()


@behaviour("sandbox:landlock:hidden")
def test_what_is_hidden_stays_so_in_a_folder_that_was_granted(tmp_path: Path) -> None:
    granted = tmp_path / "granted"
    (granted / "ours").mkdir(parents=True)
    (granted / "ours" / "secret").write_text("s")
    (granted / "data").write_text("d")
    said = run(
        tmp_path,
        f"""
print(open({str(granted / "data")!r}).read())
try:
    print(open({str(granted / "ours" / "secret")!r}).read())
except PermissionError:
    print("refused")
""",
        read=[str(granted)],
        hidden=[str(granted / "ours")],
    )
    assert said == "d\nrefused\n"


@behaviour("sandbox:landlock:no-leftovers")
def test_what_a_program_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        """
import os, subprocess, sys
wait = "import time; print(1, flush=True); time.sleep(600)"
left = subprocess.Popen([sys.executable, "-c", wait], start_new_session=True, stdout=-1)
left.stdout.readline()
print(left.pid)
sys.stdout.flush()
os._exit(0)
""",
    )
    assert not Path(f"/proc/{int(said)}").exists()
