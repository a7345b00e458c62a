"""What the chat app promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "app:terminal:colours": Behaviour("ANSI colours show as colours.", "ECMA-48 8.3.117; xterm"),
    "app:terminal:moves": Behaviour(
        "Carriage returns and backspaces do what a terminal does, so progress bars are one line.", "ECMA-48"
    ),
    "app:terminal:nothing-hidden": Behaviour(
        "No character of an output is invisible or turns the text around.", "safety: output"
    ),
    "app:guard:own-page": Behaviour("The app's own page can talk to the app.", "safety: T4"),
    "app:guard:others": Behaviour(
        "Requests for another Host, or from another Origin, `null` included, are refused, WebSockets too.",
        "safety: T4; CVE-2024-47165",
    ),
    "app:guard:nothing-from-elsewhere": Behaviour(
        "The page loads nothing from elsewhere and stands in no frame.", "safety: T2, T4"
    ),
    "app:view:unit": Behaviour("Code, outputs and a quiet bar are one unit.", "the look"),
    "app:view:words": Behaviour(
        "A block's bar says in words how far it has come and how it ended.", "the look"
    ),
    "app:view:error": Behaviour(
        "An error shows its type, text and line; its traceback is folded.", "the look"
    ),
    "app:view:images": Behaviour(
        "PNG, JPEG, GIF, WebP and SVG show as images that can do nothing but be seen.", "safety: T2"
    ),
    "app:view:text-for-the-rest": Behaviour(
        "Other rich output shows as text; HTML of a kernel never reaches the page.", "safety: T2"
    ),
    "app:view:long": Behaviour("A long output shows its beginning and its end.", "safety: T9"),
    "app:view:escaped": Behaviour(
        "Whatever a model or a kernel says, only elements and attributes of ours come of it.", "safety: T2"
    ),
    "app:view:order": Behaviour("A reply shows its parts in the order in which they came.", "the look"),
    "app:view:kept": Behaviour("A part that stays the same is not drawn again.", "performance"),
    "app:transcript:grows": Behaviour("A reply grows by what happens, part by part.", "the house"),
    "app:transcript:unfinished": Behaviour("A block that was not closed is shown as not run.", "decision 1"),
}
