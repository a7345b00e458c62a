"""A secret stays one, whatever is done to it."""

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pprint import pformat

import pytest

from coderunner.secret_value import Secret
from tests.behaviours import behaviour

CANARY = "canary-93c1f0aa"


@dataclass(frozen=True, slots=True)
class Holder:
    token: Secret


WAYS: dict[str, Callable[[Secret], str]] = {
    "str": str,
    "repr": repr,
    "format": lambda secret: f"{secret} {secret!r}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - logging formats like this
    "in a list": lambda secret: f"{[secret]}",
    "in a dataclass": lambda secret: f"{Holder(secret)}",
    "asdict": lambda secret: f"{asdict(Holder(secret))}",
    "pprint": lambda secret: pformat(Holder(secret)),
    "in an exception": lambda secret: repr(ValueError(secret)),
    "in JSON, by its text": lambda secret: json.dumps({"token": secret}, default=str),
    "of a copy": lambda secret: f"{copy.copy(secret)} {copy.deepcopy(Holder(secret))}",
}


@behaviour("secret:printing:masked")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_secret_is_masked_in_print(way: Callable[[Secret], str]) -> None:
    shown = way(Secret(CANARY))
    assert CANARY not in shown
    assert "********" in shown


@behaviour("secret:printing:masked")
def test_nothing_is_no_secret_and_says_so() -> None:
    assert (str(Secret()), repr(Secret()), bool(Secret())) == ("", "''", False)


@behaviour("secret:value:revealed")
def test_a_secret_reveals_itself_when_asked() -> None:
    assert Secret(CANARY).reveal() == CANARY


@behaviour("secret:value:equal")
def test_secrets_are_equal_when_their_values_are() -> None:
    assert {Secret(CANARY), Secret(CANARY)} == {Secret(CANARY)}
    assert Secret(CANARY) != Secret("other")
    assert Secret(CANARY) != CANARY


@behaviour("secret:keeping:refused")
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="a secret is not to be pickled"):
        pickle.dumps(Holder(Secret(CANARY)), protocol)


@behaviour("secret:keeping:refused")
def test_a_secret_is_no_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(Secret(CANARY))


@behaviour("secret:keeping:refused")
def test_a_secret_has_no_attributes_to_list() -> None:
    with pytest.raises(TypeError):
        vars(Secret(CANARY))
