"""A real kernel of another language, without and in a sandbox: Bash's."""

from collections.abc import AsyncGenerator, Iterator

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Status, Stream
from coderunner.runner import Generate, Turn, converse
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.kernel.foreign import kernel_spec

PROGRAM = """\
from bash_kernel.kernel import BashKernel
from ipykernel.kernelapp import IPKernelApp

IPKernelApp.launch_instance(kernel_class=BashKernel)
"""
pytest.importorskip("bash_kernel")


@pytest.fixture(scope="module", params=["plain", "sandboxed"])
def bash(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One kernel of each kind for the tests of this file."""
    boxed = request.param == "sandboxed"
    if boxed and not available():
        pytest.skip(available().why)
    sessions = Sessions(tmp_path_factory.mktemp("bash"), sandbox=KernelSandbox() if boxed else None)
    with kernel_spec("bash", PROGRAM, language="bash"):
        yield sessions.get("c", Local("bash", sandbox=available()) if boxed else Local("bash"))
        io_thread().call(sessions.close_all(keep=False), BOUND)


@behaviour("foreign:bash")
def test_variables_stay_and_a_command_that_fails_says_its_exit_code(bash: Session) -> None:
    assert run(bash, "x=40").status is Status.OK
    assert run(bash, "echo $((x + 2))").outputs == (Stream("stdout", "42\n"),)
    failed = run(bash, "false")
    assert (failed.status, for_model(failed)) == (Status.ERROR, "Result:\n```output\nexit code 1\n```\n")


@behaviour("foreign:bash")
def test_an_interrupt_keeps_its_variables(bash: Session) -> None:
    run(bash, "y=7")
    assert run(bash, "sleep 60", deadline=0.5).status is Status.TIMEOUT
    assert run(bash, "echo $y").outputs == (Stream("stdout", "7\n"),)


@behaviour("foreign:bash")
async def test_a_reply_runs_its_blocks(bash: Session) -> None:
    turn = Turn(language=await bash.language())
    said = iter(["```sh\necho $((10 + 5))\n```\n", "It is 15."])

    async def generate(_step: Generate) -> AsyncGenerator[str]:
        yield next(said)

    async for _ in converse(turn, generate, bash):
        pass
    assert turn.reply == "```sh\necho $((10 + 5))\n```\nResult: 15\nIt is 15."


@behaviour("foreign:bash")
async def test_the_doctor_greets_in_bash(bash: Session) -> None:
    report = await check(bash.where)
    assert report.ok
    assert report.output.startswith("Hello from Bash ")
