"""What blocks look like in a browser, in every host: drawn here, sent over a socket, shown by an element.

A reply carries `<code-runner-output>` with a block's id and nothing else. `routes` are put into the host's
own ASGI app; `board` holds the blocks; what acts by itself (HTML, charts) is drawn in a closed frame.
"""
