"""What a person types to allow code more: what it grants, and what is said where it grants nothing."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coderunner.sandbox import offers
from coderunner.sandbox.policy import SYSTEM, Grants, Policy
from coderunner.sandbox.typed.not_grantable import NotGrantable
from coderunner.sandbox.typed.typed_grants import KINDS, Kind, typed_grant
from tests.behaviours import behaviour


class Home:
    """A person's home, and what code of one chat may reach of it."""

    def __init__(self, place: Path) -> None:
        self.path = place / "home" / "ada"
        self.data = self.path / ".local" / "share" / "coderunner"
        chat = self.data / "kernels" / "chat"
        for name in (
            "data",
            "my data",
            "a,b",
            "code/.git",
            "bin",
            ".ssh",
            ".cache",
            "shared",
            "data/.config",
        ):
            (self.path / name).mkdir(parents=True)
        for name in ("data/sales.csv", ".env", "x,y"):
            (self.path / name).touch()
        chat.mkdir(parents=True)
        (self.data.parent / "coderunner-other").mkdir()
        (self.path / "link").symlink_to(self.path / "data")
        (self.path / "to-all").symlink_to("/")
        os.mkfifo(self.path / "pipe")
        self.policy = Policy(
            chat,
            chat,
            chat / "tmp",
            self.path,
            SYSTEM,
            grants=Grants(frozenset({self.path / "shared"}), hosts=frozenset({"example.net", "packages"})),
            guarded=(self.path / "bin",),
            hidden=(self.data,),
        )

    def grants(self, kind: Kind, text: str) -> Grants:
        return typed_grant(kind, text, self.policy, (self.data,))

    def said(self, kind: Kind, text: str) -> str:
        """Why it is none."""
        with pytest.raises(NotGrantable) as why:
            self.grants(kind, text)
        return str(why.value)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with pytest.MonkeyPatch.context() as patch:
        home = Home(Path(os.path.realpath(tmp_path_factory.mktemp("person"))))
        patch.setenv("HOME", str(home.path))
        yield home


@behaviour("sandbox:typed:read")
@pytest.mark.parametrize("kind", ["read", "write"])
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("~/data", "data"),
        ("  ~/data/ ", "data"),
        ("HOME/data", "data"),
        ('"HOME/my data"', "my data"),
        ("'~/data'", "data"),
        ("~/my data", "my data"),
        ("~/a,b", "a,b"),
        ("~/code/../data", "data"),
        ("~//data/.", "data"),
        ("~/link", "data"),
        ("~/data/sales.csv", "data/sales.csv"),
        ("~/x,y", "x,y"),
        ("~/.cache", ".cache"),
    ],
)
def test_a_path_is_granted_by_itself_and_without_links(kind: Kind, text: str, meant: str, home: Home) -> None:
    path = frozenset({home.path / meant})
    expected = Grants(read=path) if kind == "read" else Grants(write=path)
    assert home.grants(kind, text.replace("HOME", str(home.path))) == expected


PATHS = {
    "": "Enter the path of a folder or file, such as ~/data.",
    "''": "Enter the path of a folder or file, such as ~/data.",
    "data": "“data” is not a complete path. Begin it with / or ~/.",
    "./data": "“./data” is not a complete path. Begin it with / or ~/.",
    "..": "“..” is not a complete path. Begin it with / or ~/.",
    "~nobody-of-that-name/data": "“~nobody-of-that-name/data” is not a complete path. Begin it with / or ~/.",
    "C:\\data": "“C:\\data” is not a complete path. Begin it with / or ~/.",
    "~/dta": "There is no ~/dta on this computer.",
    "~/data/sales.csv/": "~/data/sales.csv is a file, not a folder.",
    "~/data/sales.csv/x": "There is no ~/data/sales.csv/x on this computer.",
    f"~/{'x' * 300}": f"There is no ~/{'x' * 78}…{'x' * 39} on this computer.",
    f"/{'x' * 5000}": "That path is too long, or has characters that cannot be shown.",
    "~/data\0": "That path is too long, or has characters that cannot be shown.",
    "~/da\nta": "That path is too long, or has characters that cannot be shown.",
    "~/\u202edata": "That path is too long, or has characters that cannot be shown.",
    "~/\ud800": "That path is too long, or has characters that cannot be shown.",
    "~/pipe": "~/pipe is neither a folder nor a file.",
    "~/data, ~/code": "Enter one path at a time.",
    "~/data,~/code": "Enter one path at a time.",
    "/srv /mnt": "Enter one path at a time.",
    "~/data, code": "Enter one path at a time.",
    "~/data,": "Enter one path at a time.",
    "file:///srv/data": "Enter a path such as ~/data, not an address.",
    "https://example.org/data": "Enter a path such as ~/data, not an address.",
    "~": "~ is your whole home folder. Enter a folder in it, such as ~/data.",
    "~/": "~ is your whole home folder. Enter a folder in it, such as ~/data.",
    "~/data/..": "~ is your whole home folder. Enter a folder in it, such as ~/data.",
    "HOME": "~ is your whole home folder. Enter a folder in it, such as ~/data.",
    "HOME/..": "HOME/.. holds your whole home folder. Enter a folder in it, such as ~/data.",
    "/root": "/root is a whole home folder. Enter a folder in it.",
    "/home": "/home holds the homes of people. Enter a folder in one of them.",
    "/": "/ is this whole computer. Enter a folder, such as ~/data.",
    "//": "/ is this whole computer. Enter a folder, such as ~/data.",
    "~/to-all": "/ is this whole computer. Enter a folder, such as ~/data.",
    "/tmp": "/tmp holds ",
    "/var/tmp/": "/var/tmp holds the temporary files of all programs. Enter a folder or file in it.",
    "/var": "/var holds ",
    "/proc": "/proc belongs to the system, and code never gets it.",
    "/proc/self": "/proc/",
    "/dev": "/dev belongs to the system, and code never gets it.",
    "/run": "/run belongs to the system, and code never gets it.",
    "~/.local/share/coderunner": "~/.local/share/coderunner holds CodeRunner's own data, which code",
    "~/.local/share/coderunner/kernels": (
        "~/.local/share/coderunner/kernels holds CodeRunner's own data, which code never gets."
    ),
    "~/.local/share/coderunner/kernels/chat": "Code in this chat uses that folder anyway.",
    "~/.ssh": "Secrets may lie in ~/.ssh, so only the setting SETTING allows it.",
    "~/.env": "Secrets may lie in ~/.env, so only the setting SETTING allows it.",
    "~/data/.config": "Secrets may lie in ~/data/.config, so only the setting SETTING allows it.",
}
"""What is no path to allow, and how the sentence about it begins."""


@behaviour("sandbox:typed:refused")
@pytest.mark.parametrize("kind", ["read", "write"])
@pytest.mark.parametrize("text", PATHS)
def test_of_a_path_that_is_none_one_sentence_says_what_is_wrong(kind: Kind, text: str, home: Home) -> None:
    parent = str(home.path.parent)
    said = PATHS[text].replace("HOME/..", parent).replace("SETTING", f"sandbox_{kind}")
    assert home.said(kind, text.replace("HOME", str(home.path))).startswith(said)


@behaviour("sandbox:typed:refused")
@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_what_its_person_cannot_reach_either_is_not_allowed(home: Home) -> None:
    (home.path / "shut").mkdir(mode=0o500)
    assert home.said("write", "~/shut") == "You cannot write to ~/shut yourself."
    (home.path / "shut").chmod(0)
    assert home.said("read", "~/shut") == "You cannot read ~/shut yourself."
    assert home.said("read", "~/shut/x") == "You cannot read ~/shut/x yourself."


@behaviour("sandbox:typed:written")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("~/code/.git", "Programs outside the sandbox are run from ~/code/.git, so code never writes there."),
        ("~/bin", "Programs outside the sandbox are run from ~/bin, so code never writes there."),
        ("/usr/share", "/usr/share"),
        ("/etc", "/etc"),
    ],
)
def test_what_is_run_outside_the_sandbox_is_allowed_to_be_read_alone(text: str, why: str, home: Home) -> None:
    assert why in home.said("write", text)
    if text.startswith("~"):
        assert home.grants("read", text).read == {home.path / text[2:]}


@behaviour("sandbox:typed:already")
@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("read", "~/shared", "Code in this chat may read ~/shared already."),
        ("read", "/usr/share", "Code in this chat may read /usr/share already."),
        ("network", "example.net", "Code in this chat may reach example.net already."),
        ("network", "EXAMPLE.net.", "Code in this chat may reach example.net already."),
        ("packages", "", "Code in this chat may reach the package indexes of pip already."),
        ("network", "packages", "Code in this chat may reach the package indexes of pip already."),
    ],
)
def test_what_is_allowed_already_is_said_to_be(kind: Kind, text: str, said: str, home: Home) -> None:
    assert home.said(kind, text) == said
    assert home.grants("write", "~/shared").write == {home.path / "shared"}


@behaviour("sandbox:typed:hosts")
@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("example.org", "example.org"),
        (" Example.ORG. ", "example.org"),
        ("*.example.org", "*.example.org"),
        ("example.org:8443", "example.org:8443"),
        ("müller.example", "xn--mller-kva.example"),
        ("10.1.2.3", "10.1.2.3"),
        ("fd12::1", "[fd12::1]"),
        ("intranet", "intranet"),
        ("ALL", "all"),
    ],
)
def test_a_domain_is_granted_in_its_one_spelling_as_a_setting_would(text: str, host: str, home: Home) -> None:
    assert home.grants("network", text) == Grants(hosts=frozenset({host}))


NOT_ONE = "is not a domain. Enter one like example.org, *.example.org or example.org:8443."
PORT = "A port is a number from 1 to 65535, as in example.org:8443."
HERE = "Code in the sandbox never reaches this computer itself."
HOSTS = {
    "": "Enter a domain, such as example.org.",
    "https://example.org/data?x=1": "Enter the domain alone: example.org",
    "http://Example.org:8080/": "Enter the domain alone: example.org:8080",
    "example.org/data": "Enter the domain alone: example.org",
    "https://": "Enter a domain alone, such as example.org.",
    "http://localhost:8888/tree": "Enter a domain alone, such as example.org.",
    "~/data": "Enter a domain alone, such as example.org.",
    "/srv/data": "Enter a domain alone, such as example.org.",
    "https://ada:word@example.org/": "Enter the domain alone: example.org",
    "10.0.0.0/8": "Enter one address, not a range of them.",
    "example.org, example.net": "Enter one domain at a time, without spaces.",
    "example.org,example.net": "Enter one domain at a time, without spaces.",
    "example.org example.net": "Enter one domain at a time, without spaces.",
    "example.org;": "Enter one domain at a time, without spaces.",
    "exam ple.org": "Enter one domain at a time, without spaces.",
    "example.org:0": PORT,
    "example.org:70000": PORT,
    "example.org:http": PORT,
    "example.org:": PORT,
    "localhost": HERE,
    "LOCALHOST:8888": HERE,
    "app.localhost": HERE,
    "127.0.0.1": HERE,
    "127.9.9.9:80": HERE,
    "::1": HERE,
    "0.0.0.0": HERE,
    "169.254.1.1": "Code in the sandbox never reaches 169.254.1.1.",
    "*": f"“*” {NOT_ONE}",
    "*.10.0.0.1": f"“*.10.0.0.1” {NOT_ONE}",
    "-example.org": f"“-example.org” {NOT_ONE}",
    "example..org": f"“example..org” {NOT_ONE}",
    "ada@example.org": f"“ada@example.org” {NOT_ONE}",
    "0x7f.1": f"“0x7f.1” {NOT_ONE}",
    "1.2.3": f"“1.2.3” {NOT_ONE}",
    "\u202eexample.org": f"“?example.org” {NOT_ONE}",
    f"{'x' * 300}.org": f"“{'x' * 80}…{'x' * 35}.org” {NOT_ONE}",
}
"""What is no domain to allow, and the sentence about it."""


@behaviour("sandbox:typed:refused")
@pytest.mark.parametrize("text", HOSTS)
def test_of_a_domain_that_is_none_one_sentence_says_what_is_wrong(text: str, home: Home) -> None:
    assert home.said("network", text) == HOSTS[text]


@behaviour("sandbox:typed:refused")
@pytest.mark.parametrize("spelling", ["{}", "{}:8080", "{}.", "{}.local"])
def test_this_machine_is_refused_by_its_own_name_too(spelling: str, home: Home) -> None:
    own = socket.gethostname().partition(".")[0]
    assert home.said("network", spelling.format(own)) == HERE
    assert home.said("network", spelling.format(own.upper())) == HERE


@behaviour("sandbox:typed:any")
@given(st.sampled_from(KINDS), st.text() | st.text("/~.,: *ab1").map(lambda text: f"/{text}"))
@example("read", "~/data")
@example("network", "[::ffff:127.0.0.1]")
def test_whatever_is_typed_is_a_grant_that_the_sandbox_keeps_or_a_sentence(
    home: Home, kind: Kind, text: str
) -> None:
    try:
        grants = home.grants(kind, text)
    except NotGrantable as why:
        said = str(why)
    else:
        said = "It is granted."
        after = replace(home.policy, grants=home.policy.grants | grants)
        assert all(after.may_read(path) and not offers.bears_secret(path) for path in grants.read)
        assert all(after.may_write(path) for path in grants.write)
        assert len(grants.read) + len(grants.write) + len(grants.hosts) == 1
    assert said.isprintable()
    assert len(said) < 300
