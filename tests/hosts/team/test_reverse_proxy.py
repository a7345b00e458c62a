"""Who a request's person is: what a header may hold, and who is believed."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.hosts.team.reverse_proxy import LONGEST, SECRET_HEADER, NotAdmittedError, Person, ReverseProxy
from coderunner.secret_value import Secret
from tests.behaviours import behaviour

HEADER = "X-Forwarded-User"
SECRET = "a secret of the proxy"
PROXY = ReverseProxy(HEADER, Secret(SECRET))


def request(*headers: tuple[str, str | bytes]) -> dict[str, object]:
    raw = [(name.lower().encode(), v if isinstance(v, bytes) else v.encode()) for name, v in headers]
    return {"type": "http", "headers": raw}


def named(*names: str | bytes) -> dict[str, object]:
    return request((SECRET_HEADER, SECRET), *((HEADER, name) for name in names))


@behaviour("team:proxy:proves-itself")
@pytest.mark.parametrize("sent", [[], [""], [SECRET[:-1]], [SECRET + "x"], [SECRET, SECRET], [SECRET, ""]])
def test_a_name_is_not_believed_without_the_secret_once(sent: list[str]) -> None:
    with pytest.raises(NotAdmittedError, match="does not come from there"):
        PROXY.person(request((HEADER, "ada"), *((SECRET_HEADER, each) for each in sent)))


@behaviour("team:proxy:proves-itself")
def test_a_name_is_believed_with_the_secret_and_on_the_proxys_own_socket() -> None:
    assert PROXY.person(named("ada")) == Person("ada")
    assert ReverseProxy(HEADER, Secret()).person(request((HEADER, "ada"))) == Person("ada")


@behaviour("team:proxy:no-name")
@pytest.mark.parametrize("sent", [[], [""], ["  "], ["ada", "bob"], ["ada", "ada"], ["", "ada"]])
def test_a_request_has_one_name(sent: list[str]) -> None:
    with pytest.raises(NotAdmittedError) as refused:
        PROXY.person(named(*sent))
    assert str(refused.value) == (
        "The reverse proxy did not say who you are: each request must have the header X-Forwarded-User once."
    )


@behaviour("team:proxy:hostile-names")
@pytest.mark.parametrize(
    "sent",
    [
        b"a\x00b",
        b"ada\x7f",
        b"ada\tlovelace",
        b"ada\r\nX-Other: 1",
        b"\xff\xfe",
        b"ada\xc0\xaf",
        "ada\u202egro",
        "ada\u200b",
        "ada\u2028",
        "\ufeffada",
        "\ud800".encode("utf-8", "surrogatepass"),
        "a" * (LONGEST + 1),
        b"a" * 100_000,
    ],
)
def test_what_is_no_name_is_refused(sent: str | bytes) -> None:
    with pytest.raises(NotAdmittedError, match="a name that is none"):
        PROXY.person(named(sent))


@behaviour("team:proxy:hostile-names")
@pytest.mark.parametrize(
    "sent",
    ["ada", "Ada Lovelace", "ada@example.org", "Zoë", "李", "CN=Ada,O=A/B", "../../etc", "a" * LONGEST],
)
def test_what_directories_call_people_is_a_name(sent: str) -> None:
    assert PROXY.person(named(sent)) == Person(sent)


@behaviour("team:proxy:folders")
@given(st.text(min_size=1).filter(lambda text: text.isprintable()), st.text(min_size=1))
def test_two_names_have_two_folders_of_plain_characters(one: str, other: str) -> None:
    folder = Person(one).folder
    assert len(folder) == 64
    assert set(folder) <= set(string.hexdigits.lower())
    assert (folder == Person(other.encode("utf-8", "replace").decode()).folder) == (
        one == other.encode("utf-8", "replace").decode()
    )


@behaviour("team:proxy:folders")
def test_names_that_look_alike_are_not_the_same() -> None:
    alike = ["ada", "Ada", "ada ", "a/da", "a_da", "a-da", "Zoë", "Zoe\u0308", "..", ".", "аda"]
    assert len({Person(name).folder for name in alike}) == len(alike)
