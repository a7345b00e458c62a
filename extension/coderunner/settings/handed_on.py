"""Settings as text, for a process of ours that gets them through a pipe: nobody else can read that.

The text holds the secrets themselves: it goes into no file, no variable and no command line.
"""

import json
from dataclasses import fields
from pathlib import Path

from coderunner.secret_value import Secret
from coderunner.settings.code_secrets import CodeSecret
from coderunner.settings.settings import Settings
from coderunner.tools.tool_servers import ToolServer, as_plain, from_plain


def written(settings: Settings) -> Secret:
    """All that was set, on one line."""
    values = {name: _plain(getattr(settings, name)) for name in sorted(settings.model_fields_set)}
    secrets = [{**_fields(each), "value": each.value.reveal()} for each in settings.sandbox_secrets]
    tools = list(map(as_plain, settings.tools))
    return Secret(json.dumps({"values": {**values, "sandbox_secrets": secrets, "tools": tools}}))


def read(line: str) -> Settings:
    """The settings that `written` gave; what was not set there has its default."""
    values = json.loads(line)["values"]
    secrets = tuple(
        CodeSecret(**{**each, "value": Secret(each["value"])}) for each in values["sandbox_secrets"]
    )
    tools = tuple(map(from_plain, values["tools"]))
    return Settings(**{**values, "sandbox_secrets": secrets, "tools": tools})


def _fields(secret: CodeSecret) -> dict[str, object]:
    return {each.name: getattr(secret, each.name) for each in fields(secret)}


def _plain(value: object) -> object:
    match value:
        case Secret():
            return value.reveal()
        case Path():
            return str(value)
        case tuple():
            return [_plain(each) for each in value if not isinstance(each, CodeSecret | ToolServer)]
    return value
