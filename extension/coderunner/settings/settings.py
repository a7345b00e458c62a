"""All settings, validated once.

Flags come before `CODERUNNER_*` environment variables, these before one TOML file, this before the defaults;
`OPENAI_BASE_URL` and `OPENAI_API_KEY` are used if no endpoint is set. Every value
knows its source. Secrets have no flag (every user of the machine can see a flag) and appear in no message.
"""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from coderunner.errors import SettingsError
from coderunner.secret_value import Secret
from coderunner.settings.descriptions import PREFIX, Description, Effective
from coderunner.settings.fields import (
    BasePath,
    Continuation,
    Continuations,
    Sealed,
    ServerFolder,
    setting,
)
from coderunner.settings.messages import FOREIGN_SECRETS, SECRETS, authority, host, sentence, shown
from coderunner.settings.sandbox_settings import SandboxSettings
from coderunner.settings.sources import (
    Gathered,
    default_config,
    default_data,
    fall_back_to_openai,
    read_toml,
)

CONFIG_VARIABLE = f"{PREFIX}CONFIG"
DEFAULT = "default"
"""The source of a value that is not set."""
GIVEN = "given"
"""The source of a value passed to the constructor."""


class Settings(SandboxSettings):
    """All settings of one start. They never change; `load` gives them."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_ignore_empty=True,
        protected_namespaces=(),  # a setting is named `model`
    )

    server: str = setting("", "address of a Jupyter server; empty: run a kernel on this machine", "kernel")
    token: Sealed = setting(Secret(), "the Jupyter server's token", "kernel")
    token_file: Path | None = setting(
        None, "file with the token, alone or as a JUPYTER_TOKEN line as in an .env file", "kernel"
    )
    ca_file: Path | None = setting(
        None, "PEM file with the certificates to trust, for a server with its own certificate", "kernel"
    )
    kernel_name: str = setting(
        "python3",
        "kernel spec to start, or path of an environment or of a folder with a .venv",
        "kernel",
        min_length=1,
    )
    server_folder: ServerFolder = setting(
        "",
        "folder within the Jupyter server's, such as data/sales, in which the kernels of all chats start; "
        "/: the server's own; empty: each chat has a folder of its own",
        "kernel",
    )
    attach: str = setting(
        "",
        "running kernel on the server to use, with its variables: its id, or the path or name of its "
        "notebook; empty: start new kernels",
        "kernel",
    )
    timeout: float = setting(
        30.0, "seconds that a reply waits for a cell", "kernel", gt=0, le=86_400, allow_inf_nan=False
    )
    on_timeout: Literal["detach", "interrupt"] = setting(
        "detach",
        "what happens after that: the cell keeps running and its result follows (detach), or it is stopped",
        "kernel",
    )
    hard_timeout: float = setting(
        600.0,
        "seconds after which a cell that kept running is stopped",
        "kernel",
        gt=0,
        le=864_000,
        allow_inf_nan=False,
    )
    approve: Literal["default", "ask", "auto", "off"] = setting(
        "default",
        "ask before each cell, run cells without asking (auto), or run nothing (off); default: auto on a "
        "Jupyter server and in a sandbox, ask on this machine without a sandbox",
        "kernel",
    )
    max_blocks: int = setting(8, "cells that one reply may run", "kernel", ge=1, le=1000)
    max_seconds: float = setting(
        900.0,
        "seconds that one reply may take, not counting the time it waits for approval; 0: no limit",
        "model",
        ge=0,
        le=86_400,
        allow_inf_nan=False,
    )
    max_tokens: int = setting(0, "tokens that one reply may have; 0: no limit", "model", ge=0)
    model_url: str = setting("", "base URL of an OpenAI-compatible endpoint, up to /v1", "model")
    model_key: Sealed = setting(Secret(), "API key of the endpoint", "model")
    model_key_file: Path | None = setting(None, "file with the API key", "model")
    model: str = setting("", "name of the model; empty: the first that the endpoint lists", "model")
    continuation: Continuation = setting(
        "auto", "how the endpoint continues a reply; auto: detect and remember", "model"
    )
    continuations: Continuations = setting(
        {}, "the same per model, such as `gpt-*=tools, qwen3=raw`; the first match counts", "model"
    )
    vision: Literal["auto", "on", "off"] = setting(
        "auto",
        "send images in results to the model; auto: if its name says that it is a vision model",
        "model",
    )
    variables_for_model: Literal["off", "on"] = setting(
        "off",
        "tell the model after each cell which variables it made or changed; in the proxy, a model named with "
        "+python+variables asks for that itself",
        "model",
    )
    demo: bool = setting(default=False, what="use the scripted demo model", topic="model")
    system_prompt: str = setting("", "system prompt for the model; empty: the built-in examples", "model")
    system_prompt_file: Path | None = setting(None, "file with the system prompt", "model")
    host: str = setting("127.0.0.1", "address to listen on", "network", min_length=1)
    port: int = setting(
        7861,
        "port to listen on; 0: any free port; if unset, the app takes the next free port, the proxy uses "
        "7862 and the MCP server 7863",
        "network",
        ge=0,
        le=65_535,
    )
    api_key: Sealed = setting(
        Secret(),
        "key that clients must send, or several keys, one per user with separate kernels; empty: a key is "
        "created at the first start",
        "keys",
    )
    api_key_file: Path | None = setting(None, "file with the keys, one per line", "keys")
    scoped_key: Sealed = setting(
        Secret(),
        "further keys of the MCP server that may do less, each as USER:KEY:SCOPES with the scopes read, run "
        "and attach; keys of one user share that user's sessions",
        "keys",
    )
    scoped_key_file: Path | None = setting(None, "file with these keys, one per line", "keys")
    oauth_issuer: str = setting(
        "",
        "address of the OAuth issuer whose tokens the MCP server accepts over HTTP, in place of keys",
        "keys",
    )
    origins: str = setting(
        "",
        "other origins to accept with a key, such as tauri://localhost for a desktop program",
        "keys",
    )
    allow_local_kernel: bool = setting(
        default=False,
        what="run clients' code on this machine without a sandbox, with your permissions",
        topic="keys",
    )
    run_for: Literal["marked", "all"] = setting(
        "marked",
        "run code only for models requested with +python after their name, or for all",
        "proxy",
    )
    upstream_api: Literal["auto", "chat", "native"] = setting(
        "auto",
        "API in which the endpoint is asked for replies of /v1/messages and /v1/responses: that one "
        "(native), chat completions (chat), or that one if the endpoint has it (auto)",
        "proxy",
    )
    pictures: Literal["links", "inline"] = setting(
        "links", "how images get into a reply: as links to the proxy, or inline", "proxy"
    )
    public_url: str = setting(
        "",
        "address at which browsers reach the app of several people, or the proxy for links to images; empty: "
        "the proxy uses the address that the client uses",
        "network",
    )
    team_file: Path | None = setting(
        None, "TOML file with the users of the proxy: their keys, limits and Jupyter servers", "proxy"
    )
    metrics_key: Sealed = setting(
        Secret(), "key with which Prometheus may read /metrics of the proxy; empty: nobody may", "proxy"
    )
    metrics_key_file: Path | None = setting(None, "file with that key", "proxy")
    log_format: Literal["text", "json"] = setting(
        "text",
        "what the proxy logs: warnings (text), or each request and block too, a line of JSON each",
        "proxy",
    )
    drain_timeout: float = setting(
        20.0,
        "seconds that replies in progress have to end when the proxy is stopped with SIGTERM",
        "proxy",
        ge=0,
        le=86_400,
        allow_inf_nan=False,
    )
    base_path: BasePath = setting(
        "", "path at which a reverse proxy serves the app, such as /coderunner; it keeps paths whole", "app"
    )
    open_browser: Literal["auto", "yes", "no"] = setting(
        "auto", "open the page in a browser; auto: if there is a display", "app"
    )
    login: bool = setting(
        default=True,
        what="let in only browsers that opened a link from the terminal; without it, every user and every "
        "program of this machine can use the app",
        topic="app",
    )
    titles: Literal["on", "off"] = setting(
        "on",
        "title of a conversation: by the model, with a short request after the first reply (on), or the "
        "first words (off)",
        "app",
    )
    output_scripts: bool = setting(
        default=True, what="allow scripts in outputs, in their sandboxed frame", topic="app"
    )
    data_dir: Path = Field(
        default_factory=default_data,
        description="folder for CodeRunner's data, such as records of runs and kernels' working folders",
        json_schema_extra={"topic": "kept"},
    )
    records_url: Sealed = setting(
        Secret(),
        "SQLAlchemy URL of the database for records; empty: a file in data_dir",
        "kept",
    )
    records_url_file: Path | None = setting(None, "file with that URL", "kept")
    records_pool: int = setting(
        5, "connections that each process opens at most to a database on a server", "kept", ge=1, le=100
    )
    keep_days: float = setting(
        90.0,
        "days to keep a conversation, or a run outside one; 0: forever",
        "kept",
        ge=0,
        le=36_500,
        allow_inf_nan=False,
    )

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use only the constructor's arguments: `load` has gathered everything else already."""
        return (init_settings,)

    @model_validator(mode="before")
    @classmethod
    def _take_the_token_out_of_the_address(cls, values: dict[str, Any]) -> dict[str, Any]:
        address = values.get("server")
        if not isinstance(address, str):
            return values
        address, _, query = address.strip().partition("?")
        token = parse_qs(query.partition("#")[0]).get("token", [""])[0]
        pasted = {"token": token} if token else {}
        return {**pasted, **values, "server": address}

    @field_validator("server", "model_url", "public_url", "oauth_issuer")
    @classmethod
    def _names_no_password(cls, address: str) -> str:
        if "@" in authority(address):
            message = "an address without user and password"
            raise ValueError(message)
        return address

    @field_validator("model_url", "public_url")
    @classmethod
    def _is_a_base_url(cls, address: str) -> str:
        if address and not (address.startswith(("http://", "https://")) and host(address)):
            message = "an address like http://127.0.0.1:11434/v1"
            raise ValueError(message)
        return address.rstrip("/")

    @field_validator("data_dir")
    @classmethod
    def _lies_in_one_place(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @property
    def secret_variables(self) -> tuple[str, ...]:
        """The environment variables with secrets: nothing of ours needs them once settings are loaded."""
        # The address of a server may be pasted with its token.
        ours = (PREFIX + name.upper() for name in (*SECRETS, "server"))
        codes = (each.variable for each in self.sandbox_secrets if each.variable)
        return (*ours, *FOREIGN_SECRETS, *codes, *(name for each in self.tools for name in each.variables))

    @property
    def limit(self) -> float:
        """Seconds that a cell may run on after its deadline; 0: it is stopped at the deadline."""
        return self.hard_timeout if self.on_timeout == "detach" else 0.0

    def continuation_of(self, model: str) -> str:
        """How replies of a model are continued."""
        fit = (way for pattern, way in self.continuations.items() if fnmatchcase(model, pattern))
        return next(fit, self.continuation)

    def source(self, name: str) -> str:
        """The source of the setting `name`, as text; `DEFAULT` if it is not set."""
        return self._sources.get(name, GIVEN if name in self.model_fields_set else DEFAULT)

    def effective(self, **decided: str) -> list[Effective]:
        """Every setting with its effective value and its source; secrets are masked.

        `decided`: what a default means here, by setting.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields} | decided
        return [Effective(name, shown(name, value), self.source(name)) for name, value in values.items()]


def descriptions() -> list[Description]:
    """All settings, the most important first."""
    return [_described(name) for name in Settings.model_fields]


def _described(name: str) -> Description:
    field = Settings.model_fields[name]
    extra: Any = field.json_schema_extra
    choices = getattr(field.annotation, "__args__", ()) if field.annotation is not None else ()
    return Description(
        name=name,
        topic=extra["topic"],
        what=field.description or "",
        default="" if field.default_factory else shown(name, field.default),
        choices=tuple(choice for choice in choices if isinstance(choice, str)),
        secret=name in SECRETS,
        switch=field.annotation is bool,
    )


def load(flags: Mapping[str, object] | None = None, *, config: Path | None = None) -> Settings:
    """Gather the settings from all sources and validate them.

    `flags` are values by setting, None if a flag was not given; `config` is the TOML file, which must then
    exist. Raises SettingsError with one sentence that names the setting, its source and what it may be.
    """
    named = config or os.environ.get(CONFIG_VARIABLE)
    toml = Path(named).expanduser() if named else default_config()
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    gathered = Gathered()
    gathered.add(read_toml(toml, required=bool(named)), lambda name: f"{name} in {toml}")
    gathered.add(EnvSettingsSource(Settings)(), lambda name: PREFIX + name.upper())
    gathered.add(given, lambda name: "--" + name.replace("_", "-"))
    fall_back_to_openai(gathered)
    for name in (*SECRETS, "system_prompt"):
        gathered.read_file_of(name)
    try:
        settings = Settings(**gathered.values)
    except ValidationError as failure:
        # Without `from`: the original error holds the values, secrets among them.
        raise SettingsError(sentence(failure, gathered.sources, Settings.model_fields)) from None
    if settings.token and "token" not in gathered.sources:
        gathered.sources["token"] = gathered.sources["server"]
    settings._sources.update(gathered.sources)
    return settings
