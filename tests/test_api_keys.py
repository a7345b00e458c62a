"""The keys to a door that has no face."""

import stat
import sys
from pathlib import Path

import pytest

from coderunner.access import api_keys
from coderunner.access.api_keys import ApiKeys
from coderunner.errors import SettingsError
from coderunner.secret_value import Secret
from tests.behaviours import behaviour

ALICE, BOB = Secret("alice-7f3a9c51e2d4"), Secret("bob-51e2d47f3a9c00")


@behaviour("keys:owner:told-apart")
def test_each_key_is_somebody_and_no_other_key_is_anybody() -> None:
    ring = ApiKeys([ALICE, BOB])
    alice, bob = ring.owner(f"Bearer {ALICE.reveal()}"), ring.owner(f"bearer  {BOB.reveal()} ")
    assert alice != bob
    assert (alice in ring, bob in ring, "nobody" in ring) == (True, True, False)
    assert alice is not None
    assert ALICE.reveal() not in alice
    for wrong in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {ALICE.reveal()}",
        ALICE.reveal(),
        f"Bearer {ALICE.reveal()}x",
        "Bearer ü",
    ):
        assert ring.owner(wrong) is None


@behaviour("keys:named:several")
def test_several_keys_stand_in_one_setting() -> None:
    assert api_keys.named(Secret(f"{ALICE.reveal()},\n{BOB.reveal()}\n")) == [ALICE, BOB]
    assert api_keys.named(Secret()) == []


@behaviour("keys:named:short")
def test_a_key_that_can_be_guessed_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError, match="fewer than 16 characters") as refused:
        api_keys.named(Secret(f"{ALICE.reveal()} canary-7"))
    assert "canary" not in str(refused.value)


@behaviour("keys:own:made-once")
def test_the_own_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "api-key"
    key, made = api_keys.own(path)
    assert made
    assert len(key.reveal()) >= 32
    assert api_keys.own(path) == (key, False)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@behaviour("keys:own:empty")
@pytest.mark.parametrize("kept", ["", "\n", "canary-7"])
def test_a_file_without_a_key_that_cannot_be_guessed_opens_nothing(tmp_path: Path, kept: str) -> None:
    (tmp_path / "api-key").write_text(kept)
    with pytest.raises(SettingsError, match="fewer than 16 characters; delete the file") as refused:
        api_keys.own(tmp_path / "api-key")
    assert "canary" not in str(refused.value)


@behaviour("keys:own:made-once")
def test_a_place_without_room_for_a_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be read or created"):
        api_keys.own(tmp_path / "file" / "api-key")
