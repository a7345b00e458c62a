"""Out of what people paste, the address of a server; the token split off first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.errors import SettingsError
from coderunner.kernel.server_address import is_loopback, lasting, normalise, parents, split_token
from coderunner.kernel.sessions.registry import Server
from coderunner.secret_value import Secret
from tests.behaviours import behaviour


@behaviour("address:pasted:base")
@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        ("http://127.0.0.1:8888", "http://127.0.0.1:8888"),
        ("http://127.0.0.1:8888/", "http://127.0.0.1:8888"),
        ("  http://127.0.0.1:8888/lab?token=abc \n", "http://127.0.0.1:8888"),
        ("http://127.0.0.1:8888/lab/tree/work/a.ipynb?token=abc", "http://127.0.0.1:8888"),
        ("http://127.0.0.1:8888/tree#running", "http://127.0.0.1:8888"),
        ("http://127.0.0.1:8888/notebooks/Untitled.ipynb", "http://127.0.0.1:8888"),
        ("http://127.0.0.1:8888/api/kernels", "http://127.0.0.1:8888"),
        ("localhost:8888", "http://localhost:8888"),
        ("example.org/jupyter/lab", "http://example.org/jupyter"),
        ("HTTPS://Example.org/jupyter//tree/", "https://example.org/jupyter"),
        ("::1", "http://[::1]"),
        ("http://[::1]:8888/lab", "http://[::1]:8888"),
        ("https://hub.example.org/user/me/lab", "https://hub.example.org/user/me"),
        ("https://hub.example.org/user/lab/lab/tree/x", "https://hub.example.org/user/lab"),
        ("https://hub.example.org/user/me/work/lab", "https://hub.example.org/user/me/work"),
        ("https://hub.example.org/base/user/me@x.org/tree", "https://hub.example.org/base/user/me@x.org"),
        ("https://hub.example.org/hub/user/me/lab", "https://hub.example.org/user/me"),
        ("http://h:1/lab/workspaces/auto-1/tree/a.ipynb", "http://h:1"),
        ("http://h:1/nbclassic/notebooks/a.ipynb", "http://h:1"),
        ("http://h:1/edit/Makefile", "http://h:1"),
        ("http://h:1/login?next=%2Flab", "http://h:1"),
    ],
)
def test_a_pasted_address_gives_the_base_address(pasted: str, base: str) -> None:
    assert normalise(pasted) == base


@behaviour("address:pasted:own-base")
@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        ("http://h:1/lab/lab/tree/a.ipynb", "http://h:1/lab"),
        ("http://h:1/lab/login?next=%2Flab%2F", "http://h:1/lab"),
        ("https://h/notebooks/lab", "https://h/notebooks"),
        ("https://h/notebooks/lab/tree/a.ipynb", "https://h/notebooks"),
        ("https://h/doc/jupyter/lab", "https://h/doc/jupyter"),
        ("https://h/view", "https://h/view"),
        (
            "https://h/api/v1/namespaces/a/services/j:8888/proxy/lab",
            "https://h/api/v1/namespaces/a/services/j:8888/proxy",
        ),
        ("https://h/user/me/lab/lab", "https://h/user/me/lab"),
    ],
)
def test_a_base_path_that_is_called_like_a_page_is_not_cut(pasted: str, base: str) -> None:
    assert normalise(pasted) == base
    assert normalise(lasting(base)) == base


@behaviour("address:pasted:once")
@given(
    st.lists(
        st.sampled_from(
            ["lab", "tree", "api", "v1", "edit", "notebooks", "user", "me", "hub", "a.ipynb", "doc"]
        ),
        max_size=6,
    )
)
def test_what_a_server_has_for_an_address_leads_to_the_same_base_again(parts: list[str]) -> None:
    pasted = "/".join(["http://h:1", *parts])
    where = Server(f"{pasted}?token=canary")
    assert normalise(where.url) == normalise(pasted)
    assert Server(where.url).url == where.url


@behaviour("address:pasted:shown")
@pytest.mark.parametrize("page", ["", "/", "/lab", "/lab/tree/a.ipynb", "/tree", "/notebooks/a.ipynb"])
@pytest.mark.parametrize(
    "base", ["http://h:1", "https://h/jupyter", "https://hub/user/me", "https://hub/user/me/work"]
)
def test_a_server_shows_its_base_address_whatever_page_of_it_was_pasted(base: str, page: str) -> None:
    assert Server(f"{base}{page}").url == base
    assert Server(f"{base}{page}").place == f"It runs on the Jupyter server {base}."


@behaviour("address:pasted:wrong")
@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "the address of the Jupyter server is empty; enter one like http://127.0.0.1:8888"),
        ("ftp://x", "the address starts with ftp://; it must start with http:// or https://"),
        ("http://", "the address has no host name; enter one like http://127.0.0.1:8888"),
        ("http://x:99999", "the address is not valid (Port out of range 0-65535); enter one like"),
        ("http://[::1", "the address is not valid (Invalid IPv6 URL); enter one like"),
        (
            "http://me:pass@x",
            "the address contains a user name or password; enter the token in its own field",
        ),
    ],
)
def test_what_is_no_address_is_refused_with_the_way_out(pasted: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match="address") as refused:
        normalise(pasted)
    assert str(refused.value).startswith(sentence)


@behaviour("address:token:split")
@pytest.mark.parametrize(
    ("pasted", "address", "token"),
    [
        ("http://h/lab?token=abc", "http://h/lab", "abc"),
        ("http://h/lab?a=1&token=a%2Bb&c=#x", "http://h/lab?a=1&c=#x", "a+b"),
        ("http://h/?TOKEN=abc", "http://h/", "abc"),
        ("http://h/lab", "http://h/lab", ""),
    ],
)
def test_a_pasted_token_is_split_off(pasted: str, address: str, token: str) -> None:
    assert split_token(pasted) == (address, token)


@behaviour("address:token:split")
def test_a_server_never_shows_the_token_that_was_pasted_into_its_address() -> None:
    where = Server("http://h:1/lab?token=canary")
    assert where.token.reveal() == "canary"
    assert "canary" not in f"{where} {where!r} {where.url}"
    assert Server("http://h:1/lab?token=pasted", Secret("given")).token.reveal() == "given"


@behaviour("address:pasted:never-raises-else")
@given(st.text(max_size=60) | st.from_regex(r"https?://[^ ]{0,40}\?token=[a-z0-9]{8}", fullmatch=True))
def test_any_text_is_an_address_or_refused_and_the_token_is_gone(pasted: str) -> None:
    _, token = split_token(pasted)
    try:
        base = normalise(pasted)
    except SettingsError as error:
        base = str(error)
    assert len(token) < 8 or token not in base


@behaviour("address:loopback:known")
def test_addresses_of_this_machine_are_known() -> None:
    inside = [
        "http://127.0.0.1:1",
        "http://127.9.9.9",
        "http://[::1]:1",
        "http://localhost",
        "http://a.localhost",
    ]
    outside = ["http://10.0.0.1", "http://example.org", "http://0.0.0.0", "http://localhost.example.org"]
    assert [is_loopback(url) for url in inside + outside] == [True] * 5 + [False] * 4


@behaviour("address:parents:nearest-first")
def test_the_addresses_above_one_are_listed_from_the_nearest() -> None:
    assert parents("http://h:1/a/b") == ["http://h:1/a", "http://h:1"]
    assert parents("http://h:1") == []
