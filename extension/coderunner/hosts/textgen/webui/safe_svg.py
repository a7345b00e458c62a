"""SVG that can be opened by itself without running anything.

In the page an SVG stands as an `<img>`, where nothing in it runs. But its file has an address, and whoever
opens that gets a document of the webui's own origin: so what could run there is taken out before it is
stored.
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
"""What draws. Scripts, foreign objects and animations (which can set an address) are not among them."""

DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*>", re.IGNORECASE)
"""The harmless kind, as matplotlib writes it; one with an inner part stays and is refused."""

LOADS = re.compile(r"@import|url\(\s*['\"]?(?!#|data:image/)|expression\(|javascript:", re.IGNORECASE)
"""Style that would fetch something from elsewhere."""


def harmless(text: str) -> str | None:
    """`text` with only what draws left in it; None where it is no SVG."""
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
    """The element's name if it is SVG's, else nothing."""
    namespace, _, name = str(element.tag).rpartition("}")
    return name if namespace == f"{{{NAMESPACE}" else ""


def _may_stay(name: str, value: str) -> bool:
    if name.startswith("on"):
        return False
    if name in ("href", "src"):
        return value.strip().startswith(("#", "data:image/png", "data:image/jpeg"))
    return not LOADS.search(value)
