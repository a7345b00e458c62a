"""The entry point of the text-generation-webui extension: it only exports the hooks.

The webui runs this file again whenever its interface restarts, so it keeps no state.
"""

import sys
from pathlib import Path

_SOURCE = str(Path(__file__).resolve().parent / "extension")

# First on the path, and only once. This one replaces a CodeRunner installed with pip or in an older clone.
sys.path[:] = [_SOURCE, *(path for path in sys.path if path != _SOURCE)]
_loaded = getattr(sys.modules.get("coderunner"), "__file__", None)
if "coderunner" in sys.modules and (_loaded is None or not Path(_loaded).is_relative_to(_SOURCE)):
    for _name in [name for name in sys.modules if name.partition(".")[0] == "coderunner"]:
        del sys.modules[_name]

from coderunner.hosts.textgen import (  # noqa: E402 - it is only importable now
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
