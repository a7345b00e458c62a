"""The page loads how blocks look, too: what that says of a class must not reach what is the page's own."""

import re
from importlib.resources import files

from coderunner.page.server import page_head
from tests.behaviours import behaviour

BARE = re.compile(r"(?:^|[},])\s*\.(cr-[\w-]+)\s*(?=[,{>:])", re.MULTILINE)
"""A class by itself, at the beginning of a rule of block.css."""
USED = re.compile(r"""class(?:Name|_name)?\\?["']?\s*[=:]\s*\\?["'`]([^"'`]*)""")
"""The classes that a piece of HTML, or a script, gives to an element."""
SHARED = {"cr-dot"}
"""The light of a block, of the kernel and of a conversation is one."""


@behaviour("app:look:own-classes")
def test_a_rule_for_blocks_reaches_nothing_of_the_page_by_the_name_of_a_class() -> None:
    blocks = set(BARE.findall(page_head.style()))
    folder = files("coderunner.hosts.app")
    parts = [each for place in ("page", "forms", "markdown") for each in folder.joinpath(place).iterdir()]
    sources = "".join(each.read_text() for each in parts if each.name.endswith((".py", ".js")))
    own = {name for text in USED.findall(sources) for name in re.findall(r"cr-[\w-]+", text)}
    assert {"cr-said", "cr-own"} <= own
    assert "cr-out" in blocks
    assert blocks & own <= SHARED
