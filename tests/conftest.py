"""What holds for all tests: they leave the home alone, ask nobody outside, and do not depend on the clock.

Nor on what is installed for the whole machine.
"""

import atexit
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from coderunner.kernel.connections import socket_folders
from coderunner.kernel.connections.forking import templates
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions import run_prelude

# A short path: the socket of a kernel lies below it. What a killed run leaves is removed by a later one.
HOME = socket_folders.make()
atexit.register(socket_folders.remove, HOME)

for name in [name for name in os.environ if name.startswith(("CODERUNNER_", "OPENAI_", "JUPYTER_"))]:
    if not name.startswith("CODERUNNER_TEST_"):
        del os.environ[name]
os.environ |= {
    "XDG_CONFIG_HOME": str(HOME / "config"),
    "XDG_DATA_HOME": str(HOME / "data"),
    "JUPYTER_CONFIG_DIR": str(HOME / "jupyter"),
    "JUPYTER_RUNTIME_DIR": str(HOME / "run"),
    "IPYTHONDIR": str(HOME / "ipython"),
    # What is installed for the whole machine, another language's kernel for example, is none of the tests'.
    "JUPYTER_PLATFORM_DIRS": "1",
    "XDG_DATA_DIRS": str(HOME / "machine"),
    # Nothing of ours leaves this machine, also not through a proxy that is set for everything else.
    "NO_PROXY": "127.0.0.1,localhost,::1",
    "no_proxy": "127.0.0.1,localhost,::1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
}

# No deadline: how long an example takes says something about the machine, not about us.
settings.register_profile(
    "default", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session", autouse=True)
def what_tests_write_is_granted(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Kernels are sandboxed as for everybody; programs in tests say by files what they do, or wait for one.

    Only what this process writes, not what all have written: each start of a kernel looks at all of it.
    """
    os.environ["CODERUNNER_SANDBOX_WRITE"] = str(tmp_path_factory.getbasetemp().resolve())


@pytest.fixture(scope="session", autouse=True)
def hosts_share_the_process_that_their_kernels_are_forked_from() -> Iterator[None]:
    """Each host of a test holds it for itself; between two of them it would end, and start anew."""
    held = templates.hold((), run_prelude.sources())
    yield
    io_thread().call(templates.release(held))


def pytest_collection() -> None:
    """What is imported for the tests stays: until all are collected there is no garbage to look for in it."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is imported by now stays: a collection of garbage need not look at all of it, each time."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than there are cores: most tests wait for a kernel half of the time."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first, so that at the end no worker waits for another."""
    marked = {
        name: {item.path for item in items if item.get_closest_marker(name)}
        for name in ("network", "browser")
    }
    rooms = {Path(__file__).parent / room for room in ("faults", "hosts", "kernel")}

    def rank(item: pytest.Item) -> tuple[bool, bool, bool]:
        slow = "test_runner" in item.path.name or any(room in item.path.parents for room in rooms)
        return item.path not in marked["network"], item.path not in marked["browser"], not slow

    items.sort(key=rank)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests were tried again, which is to be looked at, and print the table of faults."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.section(f"tried again: {report.nodeid}", "_")
        terminalreporter.write_line(report.longreprtext)
    faults(terminalreporter)
    probes(terminalreporter)


@pytest.hookimpl(wrapper=True, tryfirst=True, specname="pytest_terminal_summary")
def pytest_terminal_last_lines(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Why tests were tried again in a line each, beside those of the tests that failed."""
    yield
    for report in terminalreporter.getreports("rerun"):
        reason = getattr(getattr(report.longrepr, "reprcrash", None), "message", report.longreprtext)
        terminalreporter.write_line(f"TRIED AGAIN {report.nodeid} - {' '.join(reason.split()):.300}")


def probes(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what each sandbox refused, and what the program saw of it."""
    seen: dict[str, dict[str, str]] = {}
    for name, backend, said in _reported(terminalreporter, "probe"):
        seen.setdefault(name, {})[backend] = said
    backends = sorted({backend for told in seen.values() for backend in told} - {"none"})
    for backend in backends:
        tried = [told[backend] for told in seen.values() if backend in told]
        hits = sum(said.startswith("reached") for said in tried)
        terminalreporter.section(f"sandbox {backend}: {hits} of {len(tried)} probes reached anything")
        for name, told in sorted(seen.items()):
            if backend in told:
                terminalreporter.write_line(f"{name:<50.50} {told[backend]:.100}")


def _reported(terminalreporter: pytest.TerminalReporter, name: str) -> Iterator[list[Any]]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                yield from (value for key, value in report.user_properties if key == name)  # type: ignore[misc]


def faults(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which faults were survived, and the seconds until that was known."""
    rows = list(_reported(terminalreporter, "fault"))
    if not rows:
        return
    terminalreporter.section(f"faults: {sum(survived for _, survived, _ in rows)} of {len(rows)} survived")
    for name, survived, took in sorted(rows):
        outcome = "survived" if survived else "NOT survived"
        terminalreporter.write_line(f"{name:<60.60} {outcome:<13} {took:6.2f} s to the verdict")
