"""text-generation-webui's door to CodeRunner: hook names, nothing else.

The webui runs this file again at each restart of its interface, so nothing is kept here.
"""

import sys
from pathlib import Path

_SOURCE = str(Path(__file__).resolve().parent / "extension")

# First, and once. Another CodeRunner, installed with pip or in an older clone, gives way to this one.
sys.path[:] = [_SOURCE, *(path for path in sys.path if path != _SOURCE)]
_loaded = getattr(sys.modules.get("coderunner"), "__file__", None)
if "coderunner" in sys.modules and (_loaded is None or not Path(_loaded).is_relative_to(_SOURCE)):
    for _name in [name for name in sys.modules if name.partition(".")[0] == "coderunner"]:
        del sys.modules[_name]

from coderunner.hosts.textgen import (  # noqa: E402 - only now it can be found
    chat_input_modifier,
    custom_css,
    custom_generate_chat_prompt,
    custom_generate_reply,
    custom_js,
    output_modifier,
    params,
    setup,
    ui,
)

__all__ = [
    "chat_input_modifier",
    "custom_css",
    "custom_generate_chat_prompt",
    "custom_generate_reply",
    "custom_js",
    "output_modifier",
    "params",
    "setup",
    "ui",
]
