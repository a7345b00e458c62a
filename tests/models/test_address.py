import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.errors import SettingsError
from coderunner.models.endpoint import address
from coderunner.models.endpoint.client import Endpoint
from tests.behaviours import behaviour


@behaviour("models:address:normal")
@pytest.mark.parametrize(
    ("pasted", "normal"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1"),
        (" http://127.0.0.1:8080/v1/chat/completions ", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/chat/completions", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080//v1//models", "http://127.0.0.1:8080/v1"),
        ("<http://LOCALHOST:1234/v1?x=1#there>", "http://localhost:1234/v1"),
        ("localhost:11434", "http://localhost:11434/v1"),
        ("192.168.1.7:5000", "http://192.168.1.7:5000/v1"),
        ("api.openai.com", "https://api.openai.com/v1"),
        ("http://0.0.0.0:8000", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/", "http://[::1]:8000/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
        ("https://host.example/v1beta/openai/", "https://host.example/v1beta/openai"),
        ("https://host.example/lab/chat/completions", "https://host.example/lab/chat/completions"),
    ],
)
def test_an_address_in_any_usual_form_becomes_the_apis_own(pasted: str, normal: str) -> None:
    assert Endpoint(pasted).url == normal


@behaviour("models:address:idempotent")
@given(
    st.sampled_from(["http://127.0.0.1:8080", "localhost", "https://host.example", "http://[::1]:1"]),
    st.lists(st.sampled_from(["v1", "api", "v1beta", "openai", "beta", "", "v2x"]), max_size=4),
    st.sampled_from(["", "/", "/chat/completions", "/completions", "/models/", "?a=b"]),
)
def test_normalising_twice_changes_nothing(host: str, path: list[str], end: str) -> None:
    once = address.normal("/".join([host, *path]) + end)
    assert address.normal(once) == once


@behaviour("models:address:refused")
@pytest.mark.parametrize(
    "pasted",
    ["", "   ", "ftp://host/v1", "http://", "http://host:port/v1", "http://user:pw@host/v1", "http://[::1"],
)
def test_what_is_no_address_is_refused_without_repeating_it(pasted: str) -> None:
    with pytest.raises(SettingsError, match="address") as refusal:
        Endpoint(pasted)
    assert "pw" not in str(refusal.value)


@behaviour("models:address:routed")
@pytest.mark.parametrize(
    ("url", "path", "routed"),
    [
        ("http://127.0.0.1:8080/v1", "chat/completions", "http://127.0.0.1:8080/v1/chat/completions"),
        ("http://127.0.0.1:8080/v1", "/props", "http://127.0.0.1:8080/props"),
        ("https://host.example/llm/v1", "/props", "https://host.example/llm/props"),
        ("https://v1.example/llm/v1", "/props", "https://v1.example/llm/props"),
        (
            "https://api.deepseek.com/v1",
            "/beta/chat/completions",
            "https://api.deepseek.com/beta/chat/completions",
        ),
        ("https://host.example/lab/chat/completions", "models", "https://host.example/lab/models"),
        ("https://host.example/lab/chat/completions", "/props", "https://host.example/lab/props"),
    ],
)
def test_a_route_belongs_to_the_api_or_to_its_server(url: str, path: str, routed: str) -> None:
    assert address.routed(address.normal(url), path) == routed


@behaviour("models:address:loopback")
@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.8.9.1", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://192.168.1.7", False),
        ("https://localhost.example", False),
    ],
)
def test_this_machines_own_addresses_are_known(url: str, loopback: bool) -> None:
    assert Endpoint(url).loopback is loopback
