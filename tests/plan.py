"""The import plan: which package may import which package and which libraries, and what must stay pure.

This table is the plan. A change of it and of the code goes into one commit, which says why.
"""

from dataclasses import dataclass

VALUES = "errors outputs ending_sentences languages secret_value ids text images.image_type"
"""Values that everything understands; `settings` is one too, but reads files: pure packages do without."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a package may import beside the standard library; names are separated by blanks.

    A pure package has no effects: no clock, chance, socket, thread or file; and it imports pure ones only.
    """

    packages: str = ""
    libraries: str = ""
    pure: bool = False


PLAN = {
    # The package itself: where it finds its modules, and nothing of them.
    "": Layer(),
    "errors": Layer(pure=True),
    "outputs": Layer("text.surrogates", pure=True),
    "languages": Layer(pure=True),
    "ending_sentences": Layer("outputs", pure=True),
    "secret_value": Layer(pure=True),
    "ids": Layer(),
    "private_folders": Layer(),
    "private_process": Layer(),
    "system_prompt": Layer("languages", pure=True),
    "text": Layer("errors text", "markdown_it", pure=True),
    "images": Layer("text.file_sizes", pure=True),
    # Images as models take them; every host that shows them to one asks here.
    "images.resize": Layer("images.image_type", "PIL"),
    "secret_sources": Layer(),
    "settings": Layer(
        "errors secret_sources secret_value settings tools.tool_servers", "pydantic pydantic_settings"
    ),
    # MCP's client and what its schemas are checked with come where somebody has configured tools.
    "tools": Layer("errors secret_value text tools"),
    "tools.tool_servers": Layer("secret_sources secret_value"),
    "tools.tool": Layer("text tools", pure=True),
    "tools.prompt": Layer("tools.tool", pure=True),
    "tools.answer": Layer(pure=True),
    "tools.arguments": Layer("tools.tool", "jsonschema referencing"),
    "tools.tool_result": Layer("tools tools.sdk.session", pure=True),
    "tools.connection": Layer("errors tools", "anyio mcp"),
    "tools.sdk": Layer("tools.sdk", "mcp"),
    "tools.sdk.session": Layer(pure=True),
    "tools.sdk.first": Layer("tools.sdk", "httpx mcp"),
    "tools.sdk.second": Layer("tools.sdk", "httpx2 mcp"),
    # Kernels are started with it; it knows no kernel. What `launcher` holds runs in a process of its own.
    "sandbox": Layer("errors secret_value outputs private_folders settings sandbox"),
    "sandbox.policy": Layer(),
    # What is said is read without looking anywhere; whether it is so is asked elsewhere.
    "sandbox.clues": Layer("outputs text sandbox.clues", pure=True),
    "sandbox.machine": Layer(),
    # Runs in the kernel's process before the kernel does.
    "sandbox.launcher": Layer("sandbox.launcher"),
    "sandbox.launcher.call_filter": Layer("sandbox.launcher.call_filter"),
    "sandbox.egress": Layer(
        "secret_value settings.code_secrets settings.domains settings.package_indexes sandbox.egress "
        "sandbox.launcher.way_out"
    ),
    # What every host with an address needs; it knows no host.
    "access": Layer(pure=True),
    "access.origins": Layer(pure=True),
    "access.base_path": Layer("access.origins", pure=True),
    "access.api_keys": Layer("errors private_folders secret_value"),
    "access.listening": Layer("errors access.origins", "uvicorn"),
    "access.login": Layer("access"),
    "access.login_cookies": Layer("access.origins secret_value"),
    "access.login_links": Layer("secret_value"),
    "access.login_pages": Layer(pure=True),
    "hosts.team.reverse_proxy": Layer("access.origins secret_value", pure=True),
    "access.authentication": Layer("access.origins access.api_keys"),
    "access.way_in": Layer("access.origins secret_value", pure=True),
    # Several users on one machine depend on the sandbox that keeps their kernels apart.
    "access.access_settings": Layer("errors access settings sandbox.kernel_sandbox"),
    "chat": Layer(f"{VALUES} chat", pure=True),
    "chat.parsing": Layer("languages text chat.parsing", "markdown_it", pure=True),
    "chat.display_text": Layer(f"{VALUES} chat.display_text", pure=True),
    "chat.results": Layer(
        f"{VALUES} packages.names packages.offers chat.parsing chat.display_text chat.results", pure=True
    ),
    "kernel.background_tasks": Layer(),
    "kernel.io_thread": Layer(),
    "kernel.server_address": Layer("errors", pure=True),
    "kernel.kernel_location": Layer("errors secret_value settings sandbox kernel.server_address"),
    # Facts of Jupyter's messages come from jupyter_client; its sockets do not.
    "kernel.protocol": Layer(f"{VALUES} kernel.protocol", "jupyter_client", pure=True),
    "kernel.widgets": Layer(f"{VALUES} kernel.background_tasks kernel.protocol kernel.widgets"),
    "kernel.widgets.binary_framing": Layer(VALUES, pure=True),
    "kernel.widgets.custom_messages": Layer(pure=True),
    "kernel.widgets.widget_models": Layer(f"{VALUES} kernel.widgets.custom_messages", pure=True),
    "kernel.widgets.widget_text": Layer("kernel.widgets.widget_models", pure=True),
    "kernel.widgets.page_messages": Layer("kernel.widgets.widget_models", pure=True),
    "kernel.tools": Layer(f"{VALUES} tools kernel.protocol kernel.tools"),
    "kernel.tools.call_messages": Layer(f"{VALUES} tools kernel.protocol", pure=True),
    "kernel.execution": Layer(
        f"{VALUES} kernel.background_tasks kernel.io_thread kernel.kernel_location kernel.protocol "
        "kernel.tools kernel.widgets kernel.execution"
    ),
    # ZeroMQ and tornado are what jupyter_client itself stands on, psutil is what ipykernel does.
    "kernel.connections": Layer(
        f"{VALUES} files private_folders settings sandbox kernel.background_tasks kernel.io_thread "
        "kernel.kernel_location kernel.packages.environments kernel.server_address kernel.protocol "
        "kernel.execution kernel.connections",
        "jupyter_client jupyter_core psutil tornado zmq",
    ),
    # Whether a process can be forked in our place is known where it is done.
    "kernel.connections.forking": Layer(
        "sandbox kernel.background_tasks kernel.connections.forking kernel.template.clone"
    ),
    # Runs in a process of its own, in which there is nothing of a conversation, and in those forked of it
    # before they are kernels.
    "kernel.template": Layer("sandbox.launcher kernel.template"),
    "kernel.variables": Layer(f"{VALUES} kernel.protocol kernel.variables", pure=True),
    "kernel.connections.environment_variables": Layer(pure=True),
    "kernel.doctor": Layer(f"{VALUES} settings sandbox kernel"),
    "kernel.packages": Layer(
        f"{VALUES} packages settings sandbox kernel.kernel_location kernel.execution kernel.packages"
    ),
    "kernel.packages.environments": Layer("errors"),
    "kernel.room": Layer("errors settings kernel.background_tasks kernel.room", "psutil"),
    "kernel.room.choice": Layer(pure=True),
    "kernel.sessions": Layer(f"{VALUES} files packages private_folders settings sandbox tools kernel"),
    # Runs in the kernel itself, where ipykernel has brought these; `events` is in each file's namespace.
    "kernel.sessions.prelude": Layer("kernel.sessions.prelude.events", "IPython jupyter_core packaging zmq"),
    "kernel.sessions.prelude.files": Layer("kernel.sessions.prelude.events", "IPython"),
    "kernel.sessions.prelude.tools": Layer("kernel.sessions.prelude.events", "IPython"),
    "kernel.sessions.prelude.editing": Layer("", "IPython"),
    "kernel.sessions.prelude.scripts": Layer("kernel.sessions.prelude.events", "IPython"),
    # `control` is in their namespace, too; ipykernel has brought psutil.
    "kernel.sessions.prelude.questions": Layer(
        "kernel.sessions.prelude.control kernel.sessions.prelude.values", "IPython psutil"
    ),
    "records": Layer(f"{VALUES} private_folders records", "sqlalchemy"),
    "records.database.run_states": Layer(pure=True),
    "records.database.output_json": Layer("outputs text", pure=True),
    "records.database.message_json": Layer("outputs text", pure=True),
    # httpx2 is httpx under its next name.
    "models.endpoint": Layer(f"{VALUES} settings models.endpoint", "httpx httpx2"),
    # Only the proxy has it: its streams are many, and other hosts' environments are not ours to add to.
    "models.endpoint.fast_transport": Layer("models.endpoint", "aiohttp httpx httpx2 yarl"),
    "models.continuation.tool_calls": Layer("languages text.surrogates", pure=True),
    "models.continuation": Layer(
        f"{VALUES} private_folders images.resize settings models.endpoint models.continuation", "httpx httpx2"
    ),
    # An endpoint's own API beside chat completions.
    "models.native": Layer(f"{VALUES} models.endpoint models.continuation models.native"),
    "models.responses": Layer(f"{VALUES} models.endpoint models.continuation models.native models.responses"),
    "models.responses.responses_request": Layer(pure=True),
    "models.messages": Layer(f"{VALUES} models.endpoint models.continuation models.native models.messages"),
    "models.messages.messages_request": Layer(pure=True),
    "models.messages.passed_block": Layer("text.surrogates", pure=True),
    "models.demo": Layer(f"{VALUES} models"),
    "models.demo.server": Layer("models", "uvicorn"),
    "runner": Layer(f"{VALUES} packages settings chat kernel records sandbox tools.toolbox runner"),
    "runner.notebooks.notebook_reader": Layer("errors languages text", pure=True),
    "page.append_only_text": Layer(pure=True),
    "page.block_state": Layer("languages outputs page.append_only_text", pure=True),
    "page.block_transitions": Layer("outputs text.line_diff page.block_state", pure=True),
    # What a block looks like is decided in pure functions.
    "page.html": Layer(f"{VALUES} files.file_kinds packages.offers page.block_state page.html", pure=True),
    "page.html.boxes": Layer("files.file_links page.html.boxes", "markdown_it nh3", pure=True),
    # What is loaded for later blocks is told from outputs alone; a cache of that needs a lock.
    "page.loaders": Layer(f"{VALUES} page.block_state page.html page.loaders", pure=True),
    "page.loaders.block_loaders": Layer("outputs page.block_state page.loaders"),
    "page.html.syntax_highlighting": Layer("languages", "pygments", pure=True),
    # A chat's folder is read and written here where it is on this machine; on a server, connections do.
    "files": Layer("errors private_folders text.file_sizes files"),
    # Installs with programs of its own; it knows no kernel.
    "packages": Layer("errors outputs private_folders settings.package_indexes packages"),
    "packages.names": Layer(pure=True),
    "packages.requirements": Layer("outputs packages.names", pure=True),
    "packages.lock": Layer("packages.requirements", pure=True),
    "packages.failures": Layer("packages.requirements", pure=True),
    "packages.offers": Layer("outputs packages.names packages.requirements", pure=True),
    "files.file_links": Layer(pure=True),
    # A program that runs beside the kernel, where pandas and its kin may be installed.
    "files.looker": Layer("", "openpyxl pyarrow"),
    "files.looking": Layer("errors text files.looker"),
    "files.file_kinds": Layer(pure=True),
    "files.file_words": Layer("text.file_sizes", pure=True),
    "files.chat_folder": Layer("errors", pure=True),
    "files.file_names": Layer("files.chat_folder", pure=True),
    # What a cell has made is part of its result.
    "files.changes": Layer("outputs text.surrogates files.changes"),
    "files.changes.comparison": Layer("outputs text.surrogates", pure=True),
    # Starlette is what the hosts' own apps are made of; our routes go into them.
    "page.server": Layer(f"{VALUES} access.origins files packages.offers page", "starlette"),
    "page.server.socket_messages": Layer("page.html", pure=True),
    "hosts.app": Layer(
        f"{VALUES} private_folders settings system_prompt access files runner models page hosts.app",
        "gradio fastapi starlette uvicorn",
    ),
    "hosts.app.page_security": Layer("access page.server.static_files"),
    "hosts.app.conversation": Layer(
        f"{VALUES} system_prompt settings files runner models page hosts.app.attachments hosts.app.choices "
        "hosts.app.conversation"
    ),
    "hosts.app.attachments": Layer(f"{VALUES} files models runner hosts.app.attachments"),
    "hosts.app.attachments.attachment": Layer(pure=True),
    "hosts.app.choices": Layer(
        f"{VALUES} private_folders access.origins settings system_prompt runner models page.html "
        "hosts.app.choices"
    ),
    # What a conversation shows is decided in pure functions.
    "hosts.app.conversation.message_parts": Layer(
        "outputs text.line_diff page.append_only_text page.block_state page.block_transitions "
        "hosts.app.attachments.attachment",
        pure=True,
    ),
    "hosts.app.markdown": Layer(
        "files.file_links page.html.boxes.formulas page.html.syntax_highlighting hosts.app.markdown",
        "markdown_it",
        pure=True,
    ),
    "hosts.app.page.message_html": Layer(
        "outputs text page.block_state page.html hosts.app.markdown hosts.app.conversation.message_parts "
        "hosts.app.attachments.attachment",
        pure=True,
    ),
    # A front that knows no Gradio, and the process of a person's app, which is the app itself.
    "hosts.team": Layer(
        f"{VALUES} private_folders settings access page.server hosts.team", "httpx starlette websockets"
    ),
    "hosts.team.hub": Layer(
        "errors secret_value private_process settings access hosts.team", "jupyterhub starlette tornado"
    ),
    "hosts.team.pages": Layer(pure=True),
    "hosts.team.private_serving": Layer(
        "secret_value private_process access hosts.team.handover", "starlette"
    ),
    "hosts.team.private_app": Layer("access hosts.app hosts.team"),
    # The app inside a Jupyter server; what starts it runs before its packages are imported.
    "hosts.jupyter": Layer(
        "errors secret_value private_process settings access runner hosts.app hosts.jupyter"
    ),
    "hosts.jupyter.names": Layer(pure=True),
    # Runs in the Jupyter server's own process.
    "hosts.jupyter.public_routes": Layer("page.server hosts.jupyter.names", "jupyter_server tornado"),
    "hosts.proxy": Layer(
        f"{VALUES} private_folders settings system_prompt access files runner models page.html.block_html "
        "page.server.routes tools.answer tools.tool hosts.proxy",
        "starlette",
    ),
    "hosts.proxy.model_messages": Layer(
        "hosts.proxy.client_api.chat_request hosts.proxy.files.links_for_model", pure=True
    ),
    "hosts.proxy.client_api.chat_request": Layer(
        "errors text.json_reader models.messages.messages_request models.responses.responses_request "
        "hosts.proxy.files.sent_files tools.tool",
        pure=True,
    ),
    "hosts.proxy.client_api": Layer(
        f"{VALUES} files runner models hosts.proxy.files hosts.proxy.team.limiter hosts.proxy.client_api",
        "starlette",
    ),
    # A client's own tools are functions of its blocks as those of servers are.
    "hosts.proxy.client_api.client_functions": Layer(
        "hosts.proxy.client_api.chat_request tools.tool", pure=True
    ),
    "hosts.proxy.client_api.reply_parts": Layer(pure=True),
    # Ids of files and containers stand in every API.
    "hosts.proxy.messages": Layer(
        f"{VALUES} runner models hosts.proxy.files hosts.proxy.client_api hosts.proxy.messages", "starlette"
    ),
    "hosts.proxy.messages.content_blocks": Layer(
        "models.continuation.tool_calls hosts.proxy.client_api.chat_request "
        "hosts.proxy.client_api.client_functions hosts.proxy.client_api.reply_parts",
        pure=True,
    ),
    "hosts.proxy.messages.message_request": Layer(
        "hosts.proxy.client_api.chat_request hosts.proxy.files.file_ids hosts.proxy.messages.content_blocks",
        pure=True,
    ),
    "hosts.proxy.responses": Layer(
        f"{VALUES} runner models hosts.proxy.files hosts.proxy.client_api hosts.proxy.responses", "starlette"
    ),
    "hosts.proxy.responses.input_items": Layer(
        "models.continuation.tool_calls hosts.proxy.client_api.chat_request "
        "hosts.proxy.client_api.client_functions hosts.proxy.client_api.reply_parts",
        pure=True,
    ),
    "hosts.proxy.responses.response_request": Layer(
        "hosts.proxy.client_api.chat_request hosts.proxy.responses.input_items", pure=True
    ),
    "hosts.proxy.containers": Layer(
        f"{VALUES} files runner page.server.files.file_downloads hosts.proxy.client_api hosts.proxy.files "
        "hosts.proxy.operation.request_facts hosts.proxy.containers",
        "starlette",
    ),
    # A program that runs beside the kernel, where a library that draws charts may be installed.
    "hosts.proxy.charts.drawer": Layer("", "vl_convert"),
    "hosts.proxy.charts.chart_pictures": Layer("outputs files.looking runner"),
    "hosts.proxy.files": Layer(
        f"{VALUES} private_folders access files runner page.server.files.file_downloads hosts.proxy.files",
        "starlette",
    ),
    "hosts.proxy.files.album_routes": Layer(pure=True),
    "hosts.proxy.files.file_ids": Layer("hosts.proxy.files.album_routes", pure=True),
    "hosts.proxy.files.links_for_model": Layer("hosts.proxy.files.album_routes", pure=True),
    "hosts.proxy.files.link_targets": Layer("files.file_links", pure=True),
    "hosts.proxy.files.sent_files": Layer("errors text.base64_text", pure=True),
    # Its pages are the app's blocks, frames and sockets, for one block each.
    "hosts.proxy.live": Layer(f"{VALUES} access runner page hosts.proxy.files hosts.proxy.live", "starlette"),
    "hosts.proxy.live.live_words": Layer(
        "outputs page.block_state page.html page.loaders.loaders_of_output chat.display_text.inline_scripts",
        pure=True,
    ),
    "hosts.proxy.operation": Layer(
        f"{VALUES} access.authentication runner models.endpoint hosts.proxy", "prometheus_client starlette"
    ),
    "hosts.proxy.operation.request_facts": Layer(pure=True),
    "hosts.proxy.team": Layer(
        f"{VALUES} private_folders settings access runner models.endpoint hosts.proxy.team", "pydantic"
    ),
    "hosts.proxy.team.limiter": Layer("hosts.proxy.team.members", pure=True),
    "hosts.mcp": Layer(
        f"{VALUES} access files images.resize settings runner page.html.block_html hosts.mcp",
        "mcp pydantic starlette",
    ),
    # Its pages are the app's blocks and frames, which hosts show for calls.
    "hosts.mcp.apps": Layer(f"{VALUES} runner page hosts.mcp.apps", "mcp pydantic starlette"),
    "hosts.mcp.files.file_uris": Layer(),
    # Tokens of an OAuth issuer are verified with its public keys, which it publishes.
    "hosts.mcp.scopes": Layer(
        f"{VALUES} access settings hosts.mcp.scopes", "httpx2 jwt mcp pydantic starlette"
    ),
    "hosts.mcp.scopes.scopes": Layer("text.json_reader", pure=True),
    "hosts.terminal": Layer(f"{VALUES} settings sandbox runner hosts.terminal"),
    "hosts.textgen": Layer(
        f"{VALUES} private_folders packages.offers settings sandbox access files.chat_folder runner page "
        "hosts.textgen",
        "gradio modules starlette",
    ),
    # The command line opens every host, and through the runner the doctor of connections.
    "__main__": Layer(f"{VALUES} access.api_keys private_process settings runner hosts"),
}
"""A line covers its module and all within it; the most particular line counts."""

# fmt: off
PURE_LIBRARY = frozenset({
    "__future__", "abc", "ast", "base64", "binascii", "bisect", "codecs", "collections", "contextlib",
    "copy", "dataclasses", "difflib", "enum", "functools", "hashlib", "hmac", "html", "ipaddress",
    "itertools", "json", "keyword", "math", "operator", "re", "string", "struct", "textwrap", "token",
    "types", "typing", "unicodedata", "urllib.parse", "zlib",
})
# fmt: on
"""What a pure package may use of the standard library."""

EFFECTS = frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"})
"""Builtins that a pure package does not call."""
