"""The tags of HTML, as far as every parser reads them alike. Pure."""

import re

# The only ways to write a tag that every parser reads alike. Possessive, so that it takes linear time.
TAG = re.compile(
    r"""</(?P<closed>[a-z][a-z0-9-]*+)\s*+>
    |<(?P<opened>[a-z][a-z0-9-]*+)
      (?P<attributes>(?:\s++[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+)*+)\s*+(?P<void>/?)>
    |<!--(?!-?>)(?:[^-]|-(?!-))*+-->""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
BEGINS = re.compile(r"<[a-z/!?]", re.IGNORECASE | re.ASCII)

VOID = frozenset({"br", "hr", "img", "col", "wbr", "input"})
