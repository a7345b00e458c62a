"""What a policy lets a kernel reach."""

from pathlib import Path

import pytest

from coderunner.sandbox.policy import Grants, Policy
from tests.behaviours import behaviour

POLICY = Policy(
    folder=Path("/home/ada/.local/share/coderunner/kernels/chat"),
    sockets=Path("/tmp/cr-1"),
    temporary=Path("/tmp/cr-1/tmp"),
    home=Path("/home/ada"),
    system=(Path("/usr"),),
    grants=Grants(read=frozenset({Path("/home/ada/data")}), write=frozenset({Path("/home/ada/out")})),
)


@behaviour("sandbox:policy:reach")
@pytest.mark.parametrize(
    ("path", "read", "write"),
    [
        ("/usr/lib/libc.so", True, False),
        ("/home/ada/data/sales.csv", True, False),
        ("/home/ada/database", False, False),
        ("/home/ada/out/new.csv", True, True),
        ("/home/ada/.local/share/coderunner/kernels/chat/a.png", True, True),
        ("/home/ada/.local/share/coderunner/kernels/other/a.png", False, False),
        ("/home/ada", False, False),
        ("/", False, False),
    ],
)
def test_a_policy_says_of_each_path_what_may_be_done_with_it(path: str, read: bool, write: bool) -> None:
    assert (POLICY.may_read(Path(path)), POLICY.may_write(Path(path))) == (read, write)


@behaviour("sandbox:policy:reach")
def test_the_launcher_gets_the_policy_as_plain_json() -> None:
    assert POLICY.described()["read"] == ["/home/ada/data"]


@behaviour("sandbox:policy:reach")
def test_grants_add_up() -> None:
    both = Grants(hosts=frozenset({"example.org"})) | POLICY.grants
    assert both.read == POLICY.grants.read
    assert both.hosts == {"example.org"}
    assert not Grants()
