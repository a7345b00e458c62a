"""Makes SVG that can be opened by itself without running scripts.

In the page an SVG is an `<img>`, where its scripts do not run. But its file has a URL that opens as a
document of the webui's own origin, so everything that could run there is removed before it is saved.
"""

import re
from xml.etree import ElementTree

NAMESPACE = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

# fmt: off
ELEMENTS = frozenset({
    "a", "circle", "clipPath", "defs", "desc", "ellipse", "feBlend", "feColorMatrix", "feComposite",
    "feFlood", "feGaussianBlur", "feMerge", "feMergeNode", "feOffset", "filter", "g", "image",
    "line", "linearGradient", "marker", "mask", "metadata", "path", "pattern", "polygon",
    "polyline", "radialGradient", "rect", "stop", "style", "svg", "switch", "symbol", "text",
    "textPath", "title", "tspan", "use", "view",
})
# fmt: on
"""Allowed elements. Not scripts, foreign objects, or animations, which can set a URL."""

DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*>", re.IGNORECASE)
"""A harmless doctype, as matplotlib writes it; one with an internal subset is refused."""

LOADS = re.compile(r"@import|url\(\s*['\"]?(?!#|data:image/)|expression\(|javascript:", re.IGNORECASE)
"""CSS that would load something."""


def harmless(text: str) -> str | None:
    """`text` with only allowed elements and attributes; None if it is no SVG."""
    text = DOCTYPE.sub("", text)
    if "<!" in re.sub(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>", "", text, flags=re.DOTALL):
        return None
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no declarations are left that could expand
    except ElementTree.ParseError:
        return None
    if root.tag != f"{{{NAMESPACE}}}svg":
        return None
    _clean(root)
    ElementTree.register_namespace("", NAMESPACE)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: ElementTree.Element) -> None:
    if LOADS.search(element.text or "") and _local(element) == "style":
        element.text = ""
    for name, value in list(element.attrib.items()):
        if not _may_stay(name.rpartition("}")[2].lower(), value):
            del element.attrib[name]
    for child in list(element):
        if _local(child) in ELEMENTS:
            _clean(child)
        else:
            element.remove(child)


def _local(element: ElementTree.Element) -> str:
    """The element's name if it is in SVG's namespace, otherwise empty."""
    namespace, _, name = str(element.tag).rpartition("}")
    return name if namespace == f"{{{NAMESPACE}" else ""


def _may_stay(name: str, value: str) -> bool:
    if name.startswith("on"):
        return False
    if name in ("href", "src"):
        return value.strip().startswith(("#", "data:image/png", "data:image/jpeg"))
    return not LOADS.search(value)
