"""What the process of one person's app is told when it starts, through its stdin."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from coderunner.secret_value import Secret
from coderunner.settings import handed_on
from coderunner.settings.settings import Settings

KEY_HEADER = "X-CodeRunner-Key"
"""The header with the key of one person's app: only the front knows it."""
BUSY = "/coderunner/busy"
"""The path at which an app says whether code runs in it; only the front asks there."""
CACHE = "gradio"
"""The folder of Gradio's copies of files, in the person's own: by default, all processes have one."""
READY = b"ready\n"
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Handover:
    """All that the process needs."""

    settings: Settings
    """Those of this person's app."""
    socket: Path
    """Where it listens."""
    key: Secret
    """What each request has to send."""
    operators: Path
    """The data of all, which no code may see."""

    def written(self) -> bytes:
        """On one line, secrets included: for a pipe that nobody else reads."""
        told = {
            "settings": handed_on.written(self.settings).reveal(),
            "socket": str(self.socket),
            "key": self.key.reveal(),
            "operators": str(self.operators),
        }
        return f"{json.dumps(told)}\n".encode()

    @classmethod
    def read(cls, line: bytes) -> Self:
        """What `written` gave."""
        told = json.loads(line)
        return cls(
            handed_on.read(told["settings"]),
            Path(told["socket"]),
            Secret(told["key"]),
            Path(told["operators"]),
        )
