"""The text-generation-webui extension: its hooks, under the names that the webui looks for.

This file can be imported with only the standard library. An import error would end the webui: if one of our
requirements is missing, the hooks leave every reply unchanged, and the form says what to install.
"""

from types import ModuleType


def _hooks() -> ModuleType:
    try:
        from coderunner.hosts.textgen import hooks
    except ImportError as failure:
        from coderunner.hosts.textgen import disabled_hooks

        disabled_hooks.reason = str(failure)
        return disabled_hooks
    return hooks


_chosen = _hooks()

setup = _chosen.setup
ui = _chosen.ui
custom_css = _chosen.custom_css
custom_js = _chosen.custom_js
chat_input_modifier = _chosen.chat_input_modifier
custom_generate_chat_prompt = _chosen.custom_generate_chat_prompt
custom_generate_reply = _chosen.custom_generate_reply
output_modifier = _chosen.output_modifier

params = {"display_name": "CodeRunner", "is_tab": False}
"""Where the webui shows us: below the chat. `CodeRunner-is_tab: true` in its settings makes it a tab."""
