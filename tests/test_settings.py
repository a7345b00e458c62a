"""What a person can set: where it comes from, what it may be, and what never shows."""

import io
import logging
import pickle
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from coderunner.errors import SettingsError
from coderunner.kernel.kernel_location import Server, approval_of, location_of
from coderunner.models.continuation.strategies import STRATEGIES
from coderunner.sandbox.backends import available
from coderunner.secret_value import Secret
from coderunner.settings import sources
from coderunner.settings.descriptions import Effective
from coderunner.settings.settings import Settings, descriptions, load
from tests.behaviours import behaviour

CANARY = "canary-5b1e8c0d"
Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _nobody_has_set_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for each in descriptions():
        monkeypatch.delenv(each.variable, raising=False)
    for name in ("CODERUNNER_CONFIG", "OPENAI_BASE_URL", "OPENAI_API_KEY", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def toml(tmp_path: Path) -> Write:
    """Writes the settings file at its default place."""

    def write(text: str) -> Path:
        path = tmp_path / "coderunner" / "config.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def row(found: Settings, name: str) -> Effective:
    return next(each for each in found.effective() if each.name == name)


@behaviour("settings:sources:order")
def test_a_flag_comes_before_the_environment_and_this_before_the_file(
    monkeypatch: pytest.MonkeyPatch, toml: Write
) -> None:
    path = toml("timeout = 1\nport = 1\nmax_blocks = 1\n")
    monkeypatch.setenv("CODERUNNER_TIMEOUT", "2")
    monkeypatch.setenv("CODERUNNER_PORT", "2")
    found = load({"timeout": "3", "port": None})
    assert [row(found, name) for name in ("timeout", "port", "max_blocks", "host")] == [
        Effective("timeout", "3", "--timeout"),
        Effective("port", "2", "CODERUNNER_PORT"),
        Effective("max_blocks", "1", f"max_blocks in {path}"),
        Effective("host", "127.0.0.1", "default"),
    ]


@behaviour("settings:sources:order")
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, toml: Write) -> None:
    toml('server = "http://jupyter:8888"\n')
    monkeypatch.setenv("CODERUNNER_SERVER", "")
    assert load().server == "http://jupyter:8888"


@behaviour("settings:sources:order")
def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, toml: Write) -> None:
    toml("port = 1\n")
    (tmp_path / "named").write_text("port = 2\n")
    (tmp_path / "flagged").write_text("port = 3\n")
    monkeypatch.setenv("CODERUNNER_CONFIG", str(tmp_path / "named"))
    assert load().port == 2
    assert load(config=tmp_path / "flagged").port == 3


@behaviour("settings:sources:values-only")
def test_settings_made_in_place_do_not_look_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODERUNNER_PORT", "2")
    found = Settings(server="http://127.0.0.1:8888", approve="ask")
    assert [row(found, name) for name in ("port", "approve", "token")] == [
        Effective("port", "7861", "default"),
        Effective("approve", "ask", "given"),
        Effective("token", "", "default"),
    ]


WRONG = [
    ({"port": "x"}, "--port is 'x', but must be a whole number"),
    ({"port": 70_000}, "--port is '70000', but must be at most 65535"),
    ({"timeout": "0"}, "--timeout is '0', but must be more than 0"),
    ({"timeout": "nan"}, "--timeout is 'nan', but must be a number"),
    ({"timeout": "soon"}, "--timeout is 'soon', but must be a number"),
    ({"max_blocks": 0}, "--max-blocks is '0', but must be at least 1"),
    ({"max_seconds": -1}, "--max-seconds is '-1', but must be at least 0"),
    ({"max_tokens": "many"}, "--max-tokens is 'many', but must be a whole number"),
    ({"approve": "no"}, "--approve is 'no', but must be 'default', 'ask', 'auto' or 'off'"),
    (
        {"continuations": "tools"},
        "--continuations is 'tools', but must be pairs like `gpt-*=tools, qwen3=raw`",
    ),
    (
        {"continuations": "gpt-*=magic"},
        (
            "--continuations is 'magic', but must be 'auto', 'flags', 'trailing', 'continue', 'prefix', "
            "'prefix-beta', 'partial', 'raw', 'next-turn' or 'tools'"
        ),
    ),
    ({"demo": "perhaps"}, "--demo is 'perhaps', but must be true or false"),
    ({"kernel_name": ""}, "--kernel-name is '', but must be text of at least 1 character"),
    ({"server": 8}, "--server is '8', but must be text"),
    (
        {"sandbox_read": "data"},
        "--sandbox-read is 'data', but must be complete paths like /srv/data or ~/data, separated by commas",
    ),
    *(
        (
            {"preload": wrong},
            (
                f"--preload is '{wrong}', but must be names of modules like numpy, matplotlib.pyplot, "
                "separated by commas, or off"
            ),
        )
        for wrong in ("numpy, 3d", "pandas, off..", "import os")
    ),
    (
        {"sandbox_network": "https://example.org/a"},
        (
            "--sandbox-network is 'https://example.org/a', but must be domain names like example.org, "
            "*.example.org or example.org:8443, without https:// and path, separated by commas"
        ),
    ),
    (
        {"sandbox_network": "localhost:8888"},
        (
            "--sandbox-network is 'localhost:8888', but must be names of other machines: code in the sandbox "
            "never reaches this one"
        ),
    ),
    (
        {"model_url": "http://localhost:114340/v1"},
        "--model-url is 'http://localhost:114340/v1', but must be an address like http://127.0.0.1:11434/v1",
    ),
    (
        {"model_url": "localhost:11434"},
        "--model-url is 'localhost:11434', but must be an address like http://127.0.0.1:11434/v1",
    ),
]


@behaviour("sandbox:settings:grants")
def test_folders_and_domains_are_lists_wherever_they_are_written(toml: Write) -> None:
    toml('sandbox_read = ["~/data", "/srv/maps"]')
    settings = load(
        {"sandbox_write": "/srv/out, ~/plots", "sandbox_network": "Example.org., *.example.net, all"}
    )
    assert settings.sandbox_read == (Path("~/data").expanduser(), Path("/srv/maps"))
    assert settings.sandbox_write == (Path("/srv/out"), Path("~/plots").expanduser())
    assert settings.sandbox_network == ("example.org", "*.example.net", "all")


@behaviour("settings:errors:sentence")
@pytest.mark.parametrize(("flags", "sentence"), WRONG, ids=[str(flags) for flags, _ in WRONG])
def test_a_wrong_value_is_told_with_its_source_and_what_it_may_be(
    flags: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(flags)
    assert str(caught.value) == sentence


@behaviour("settings:errors:sentence")
def test_a_misspelt_name_in_the_file_is_told_with_the_right_one(toml: Write) -> None:
    path = toml("timeot = 3\n")
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value) == f"timeot in {path}: unknown setting; did you mean timeout?"


@behaviour("settings:errors:sentence")
def test_a_file_that_is_no_toml_is_told_with_its_line(toml: Write) -> None:
    toml("port = 1\nhost =\n")
    with pytest.raises(SettingsError, match=r"is not TOML: .*line 2"):
        load()


@behaviour("settings:errors:sentence")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = " + "[" * 60_000, "is nested too deeply"),
        ("port = " + "{a=" * 5_000, "is nested too deeply"),
        (f"port = {'9' * 5_000}", "is not TOML"),
        ("#" * 300_000, "is larger than 256 kB"),
    ],
    ids=["arrays", "tables", "digits", "large"],
)
def test_a_file_that_nobody_wrote_by_hand_is_refused_in_a_sentence(toml: Write, text: str, said: str) -> None:
    toml(text)
    with pytest.raises(SettingsError, match=said):
        load()


@behaviour("settings:errors:sentence")
def test_a_file_may_begin_with_a_byte_order_mark(toml: Write) -> None:
    toml("\ufeffport = 7863\r\n")
    assert load().port == 7863


@behaviour("settings:errors:sentence")
def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        load(config=tmp_path / "nowhere.toml")


@behaviour("settings:secrets:file")
@pytest.mark.parametrize("text", [f"{CANARY}\n", f"# for compose\nJUPYTER_TOKEN={CANARY}\nOTHER=1\n"])
def test_a_token_is_read_from_a_file_or_from_an_env_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    found = load({"token_file": str(tmp_path / "token")})
    assert found.token == Secret(CANARY)
    assert row(found, "token") == Effective("token", "********", "--token-file")


@behaviour("settings:secrets:file")
@pytest.mark.parametrize("text", ["{}\n", "PORT=1\nCODERUNNER_RECORDS_URL={}\nOTHER_KEY=1\n"])
def test_the_url_of_a_database_is_read_from_a_file(tmp_path: Path, text: str) -> None:
    url = f"postgresql://me:{CANARY}@db/runs?sslmode=require"
    (tmp_path / "url").write_text(text.format(url))
    found = load({"records_url_file": str(tmp_path / "url")})
    assert found.records_url == Secret(url)
    assert row(found, "records_url") == Effective("records_url", "********", "--records-url-file")


@behaviour("settings:secrets:file")
def test_a_token_with_signs_of_equality_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("q8Z=TOKEN=x==\n")
    assert load({"token_file": tmp_path / "token"}).token == Secret("q8Z=TOKEN=x==")


@behaviour("settings:secrets:file")
def test_a_flag_that_names_a_file_comes_before_a_secret_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("from the file")
    monkeypatch.setenv("CODERUNNER_TOKEN", "from the environment")
    assert load({"token_file": tmp_path / "token"}).token == Secret("from the file")


@behaviour("settings:secrets:file")
def test_a_secret_and_its_file_from_one_source_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODERUNNER_TOKEN", CANARY)
    monkeypatch.setenv("CODERUNNER_TOKEN_FILE", "/run/secrets/token")
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value) == "CODERUNNER_TOKEN and CODERUNNER_TOKEN_FILE are both set; keep one"


@behaviour("settings:secrets:file")
def test_a_file_that_is_not_there_is_told_with_who_named_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--token-file: .*nowhere cannot be read: No such file"):
        load({"token_file": tmp_path / "nowhere"})


@behaviour("settings:secrets:address")
def test_a_token_in_a_pasted_address_is_taken_out_of_it() -> None:
    found = load({"server": f"http://127.0.0.1:8888/lab?token={CANARY}#x"})
    assert (found.server, found.token) == ("http://127.0.0.1:8888/lab", Secret(CANARY))
    assert row(found, "token") == Effective("token", "********", "--server")


@behaviour("settings:secrets:address")
def test_a_token_that_was_set_comes_before_a_pasted_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODERUNNER_TOKEN", CANARY)
    assert load({"server": "http://127.0.0.1:8888/?token=old"}).token == Secret(CANARY)


@behaviour("settings:secrets:address")
@pytest.mark.parametrize("name", ["server", "model_url"])
@pytest.mark.parametrize("address", [f"http://me:{CANARY}@host/v1", f"me:{CANARY}@host", f"//{CANARY}@host"])
def test_an_address_with_a_password_is_refused_without_showing_it(name: str, address: str) -> None:
    with pytest.raises(SettingsError, match="must be an address without user and password") as caught:
        load({name: address})
    assert CANARY not in str(caught.value)


@behaviour("settings:secrets:address")
def test_the_name_of_a_hub_user_may_have_an_at_sign() -> None:
    assert load({"server": "https://hub/user/me@uni.org/lab"}).server == "https://hub/user/me@uni.org/lab"


SPILLS = {
    "a token that is no text": f"token = ['{CANARY}']\n",
    "a key that is no text": f"model_key = {{is = '{CANARY}'}}\n",
    "a token and a wrong port": f"token = '{CANARY}'\nport = 'x'\n",
    "a token in an address that is no text": f"server = ['http://h/?token={CANARY}']\n",
    "a token in an address and a wrong port": f"server = 'http://h/?token={CANARY}'\nport = 'x'\n",
    "a password in an address": f"model_url = 'https://me:{CANARY}@host/v1'\n",
    "a token in a line that is no TOML": f"token = {CANARY} {CANARY}\n",
    "a query in an address of a model": f"model_url = 'ftp://host/v1?key={CANARY}'\n",
}


@behaviour("settings:secrets:never-seen")
@pytest.mark.parametrize("text", SPILLS.values(), ids=SPILLS)
def test_no_message_and_no_traceback_shows_a_secret(text: str, toml: Write) -> None:
    toml(text)
    with pytest.raises(SettingsError) as caught:
        load()
    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in told
    assert caught.value.__cause__ is None


@behaviour("settings:secrets:never-seen")
def test_nothing_that_prints_settings_shows_a_secret(toml: Write) -> None:
    toml(f"token = '{CANARY}'\nmodel_key = '{CANARY}'\nserver = 'http://h/lab?token={CANARY}'\n")
    found = load()
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logger = logging.getLogger("coderunner.tests.settings")
    logger.addHandler(handler)
    logger.warning("%s %r %s", found, found, found.model_dump())
    logger.removeHandler(handler)
    assert CANARY not in log.getvalue() + str(found.effective())
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(found)


@behaviour("settings:secrets:never-seen")
def test_settings_made_in_place_do_not_show_a_secret_either() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(token=[CANARY], port="x")  # type: ignore[arg-type]
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@behaviour("settings:secrets:no-flag")
def test_a_secret_has_no_flag() -> None:
    without = [each.name for each in descriptions() if not each.flag]
    assert without == [
        "proxy_secret",
        "token",
        "model_key",
        "api_key",
        "scoped_key",
        "metrics_key",
        "records_url",
    ]


@behaviour("settings:endpoint:openai")
def test_the_endpoint_of_other_programs_fills_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1/")
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    found = load()
    assert (found.model_url, found.model_key) == ("https://models.example/v1", Secret(CANARY))
    assert row(found, "model_key") == Effective("model_key", "********", "OPENAI_API_KEY")


@behaviour("settings:endpoint:openai")
@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:11434/v1", "https://api.openai.com.evil.example/v1", "http://api.openai.com/v1"],
)
def test_their_key_goes_to_no_address_of_ours(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1")
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    found = load({"model_url": address})
    assert (found.model_url, found.model_key) == (address, Secret())


@behaviour("settings:endpoint:openai")
def test_their_key_goes_to_their_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    assert load({"model_url": "https://api.openai.com/v1"}).model_key == Secret(CANARY)


@behaviour("settings:endpoint:openai")
def test_their_key_alone_names_no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    assert (load().model_url, load().model_key) == ("", Secret())


@behaviour("settings:endpoint:continuation")
def test_the_ways_to_continue_are_those_of_the_models_room() -> None:
    field = Settings.model_fields["continuation"]
    assert set(get_args(field.annotation)) == {"auto", *STRATEGIES}


@behaviour("settings:endpoint:continuations")
def test_a_table_says_it_for_models_by_name_wherever_it_is_written(
    monkeypatch: pytest.MonkeyPatch, toml: Write
) -> None:
    toml('continuation = "flags"\n[continuations]\n"gpt-*" = "tools"\n"*" = "raw"\n')
    assert [load().continuation_of(model) for model in ("gpt-5", "qwen3:8b")] == ["tools", "raw"]
    monkeypatch.setenv("CODERUNNER_CONTINUATIONS", "gpt-5 = trailing,")
    found = load()
    assert [found.continuation_of(model) for model in ("gpt-5", "gpt-5-mini")] == ["trailing", "flags"]
    assert row(found, "continuations") == Effective(
        "continuations", "gpt-5=trailing", "CODERUNNER_CONTINUATIONS"
    )
    assert load({"continuations": "a=b=raw, c=auto"}).continuation_of("a=b") == "raw"


@behaviour("settings:approve:default")
@pytest.mark.parametrize(
    ("flags", "approval"),
    [
        ({"sandbox": "off"}, "ask"),
        ({}, "auto" if available() else "ask"),
        ({"server": "http://127.0.0.1:8888"}, "auto"),
        ({"approve": "auto"}, "auto"),
        ({"approve": "off", "server": "http://127.0.0.1:8888"}, "off"),
    ],
)
def test_code_runs_unasked_in_a_sandbox_and_on_a_server(flags: dict[str, object], approval: str) -> None:
    found = load(flags)
    assert approval_of(found) == approval


@behaviour("settings:server:folder")
@pytest.mark.parametrize(
    ("given", "folder"),
    [("", ""), (" / ", "/"), ("sales", "sales"), ("data/sales/", "data/sales"), ("表 1/ü", "表 1/ü")],
)
def test_a_folder_within_the_servers_is_taken(given: str, folder: str) -> None:
    settings = load({"server": "http://127.0.0.1:8888", "server_folder": given})
    where = location_of(settings)
    assert (settings.server_folder, isinstance(where, Server) and where.folder) == (folder, folder)


@behaviour("settings:server:folder")
@pytest.mark.parametrize(
    "given", ["/home/ann", "..", "a/../b", "./a", ".", "a//b", "//", "~/a", "C:\\a", "a\nb", "a\0b"]
)
def test_no_other_folder_is_taken(given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"server_folder": given})
    assert str(caught.value) == (
        f"--server-folder is {given!r}, but must be a folder within the server's, such as data/sales, or / "
        "for the server's own"
    )


@behaviour("settings:files:places")
@pytest.mark.parametrize(
    ("system", "config", "data"),
    [
        ("linux", ".config/coderunner/config.toml", ".local/share/coderunner"),
        ("darwin", ".config/coderunner/config.toml", "Library/Application Support/coderunner"),
        ("win32", "AppData/Roaming/coderunner/config.toml", "AppData/Local/coderunner"),
    ],
)
def test_files_lie_where_the_system_wants_them(
    system: str, config: str, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", system)
    assert sources.default_config() == Path.home() / config
    assert sources.default_data() == Path.home() / data


@behaviour("settings:files:places")
def test_a_relative_place_is_ignored_as_the_specification_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "here")
    assert sources.default_data() == Path.home() / ".local/share/coderunner"


@behaviour("settings:files:places")
def test_the_folder_for_data_can_be_below_home() -> None:
    assert load({"data_dir": "~/data"}).data_dir == Path.home() / "data"


@behaviour("settings:descriptions:complete")
def test_every_setting_says_what_it_is() -> None:
    assert [each.name for each in descriptions() if not each.what] == []


@behaviour("settings:descriptions:complete")
def test_a_list_is_shown_as_a_person_writes_it() -> None:
    assert [each.name for each in descriptions() if each.default in ("tuple", "list", "dict")] == []
    assert row(load({"preload": "numpy, pandas"}), "preload").value == "numpy, pandas"
