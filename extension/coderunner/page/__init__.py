"""How blocks look in a browser, in every host: rendered here, sent over a socket, shown by a custom element.

A reply contains `<code-runner-output>` with a block's id and nothing else. `server.routes` are added to the
host's own ASGI app; `server.subscriptions` holds the blocks; active output (HTML, charts) is rendered in a
sandboxed frame.
"""
