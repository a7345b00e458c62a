"""Where the proxy serves what it has links to. Pure."""

PICTURES = "/coderunner/pictures/"
FILES = "/coderunner/files/"
"""Followed by a random name, and by the path of the file, which a browser shows."""
LIVE = "/coderunner/live/"
"""Followed by a random name: a page that shows a block's outputs live."""
