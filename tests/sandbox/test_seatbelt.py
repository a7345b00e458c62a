"""The profile for macOS, as text: nothing here has seen a Mac."""

import re
from pathlib import Path

from coderunner.sandbox import seatbelt
from coderunner.sandbox.policy import Grants, Policy
from tests.behaviours import behaviour

GOLDEN = Path(__file__).parent / "seatbelt.sb"
POLICY = Policy(
    folder=Path("/Users/ada/chats/one"),
    sockets=Path("/private/tmp/cr-1"),
    temporary=Path("/private/tmp/cr-1/tmp"),
    home=Path("/Users/ada"),
    system=(Path("/Users/ada/venv"),),
    grants=Grants(frozenset({Path('/Users/ada/my "data"')}), frozenset({Path("/Users/ada/out")})),
    guarded=(Path("/Users/ada/out/project/.venv"), Path("/Users/ada/elsewhere")),
)
DESCRIBED = POLICY.described() | {"port": 61128, "hidden": ["/Users/ada/out/coderunner"]}


@behaviour("sandbox:seatbelt:profile")
def test_nothing_is_allowed_without_saying_of_what() -> None:
    head = len(seatbelt.HEAD)
    nothing: dict[str, list[str]] = {"read": [], "write": [], "system": [], "imports": [], "listed": []}
    for policy in (DESCRIBED, DESCRIBED | nothing, DESCRIBED | {"listed": ["/src"], "imports": ["/src/own"]}):
        assert not re.search(r"\((?:allow|deny) [a-z* -]+\)$", seatbelt.profile(policy)[head:], re.MULTILINE)


@behaviour("sandbox:seatbelt:profile")
def test_the_profile_of_a_policy_is_the_one_that_was_read() -> None:
    assert seatbelt.profile(DESCRIBED) == GOLDEN.read_text()


@behaviour("sandbox:seatbelt:profile")
def test_the_command_ends_before_the_kernels_own() -> None:
    assert seatbelt.command(DESCRIBED) == ["/usr/bin/sandbox-exec", "-p", seatbelt.profile(DESCRIBED)]


@behaviour("sandbox:seatbelt:profile")
def test_no_path_says_anything_but_a_path() -> None:
    for name in ('a"b', "a\\", 'a\\"b', 'x") (allow default) ("', "a\nb", "ä 🙂"):
        inner = seatbelt.profile(DESCRIBED | {"read": [f"/{name}"]})
        assert strings(inner).count(f"/{name}") == 1
        assert without_strings(inner) == without_strings(seatbelt.profile(DESCRIBED | {"read": ["/plain"]}))


@behaviour("sandbox:seatbelt:profile")
def test_without_a_port_there_is_no_way_to_the_network() -> None:
    assert "tcp" not in seatbelt.profile(DESCRIBED | {"port": 0})


def strings(profile: str) -> list[str]:
    """The strings of a profile, as Scheme reads them."""
    return _read(profile)[1]


def without_strings(profile: str) -> str:
    return _read(profile)[0]


def _read(profile: str) -> tuple[str, list[str]]:
    rest, found, at = "", [], 0
    while at < len(profile):
        if profile[at] != '"':
            rest, at = rest + profile[at], at + 1
            continue
        text, at = "", at + 1
        while profile[at] != '"':
            at += profile[at] == "\\"
            text, at = text + profile[at], at + 1
        found.append(text)
        at += 1
    return rest, found
