"""Sums as people write them, as Python: pure. Nothing is computed here; that is the kernel's part."""

import ast
import re
from collections.abc import Sequence

NUMBER = r"-?\d+(?:\.\d+)?"

SIGNS = (
    (r"(?<=\d),(?=\d{3}\b)", ""),
    (r"(?<=\d)\s*(?:[x×·])\s*(?=-?\d)", " * "),
    (rf"({NUMBER})\s*(?:%|percent)\s+of\s+(?={NUMBER})", r"\1 / 100 * "),
    (rf"\bsquare root of\s+({NUMBER})", r"\1 ** 0.5"),
    (r"÷|:(?=\s*\d)|\bdivided by\b|\bover\b", " / "),
    (r"−|–|\bminus\b|\bless\b", " - "),
    (r"\bplus\b|\badded to\b", " + "),
    (r"\btimes\b|\bmultiplied (?:by|with)\b", " * "),
    (r"\^|\bto the power of\b", " ** "),
    (r"\bsquared\b", " ** 2"),
    (r"\bcubed\b", " ** 3"),
    (r"\bmod(?:ulo)?\b", " % "),
)
"""Words and signs, and what Python writes for them; applied in this order."""

SENTENCES: dict[type[ast.operator], str] = {
    ast.Add: "If you add {0} and {1} the result is {value}.",
    ast.Sub: "If you subtract {1} from {0} the result is {value}.",
    ast.Mult: "If you multiply {0} and {1} the result is {value}.",
    ast.Div: "If you divide {0} by {1} the result is {value}.",
    ast.Mod: "If you divide {0} by {1} the remainder is {value}.",
    ast.Pow: "{0} to the power of {1} is {value}.",
}

ALLOWED = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.operator, ast.unaryop)

LISTS = (
    (r"average|mean", "sum(numbers) / len(numbers)", "average"),
    (r"median", "statistics.median(numbers)", "median"),
    (r"largest|biggest|maximum|max|highest", "max(numbers)", "largest"),
    (r"smallest|minimum|min|lowest", "min(numbers)", "smallest"),
    (r"sum|total|add up", "sum(numbers)", "sum"),
)
"""Words for what is asked of a list, how Python says it, and how the answer does."""


def expression(text: str) -> str | None:
    """Return the longest sum in a text, as Python writes it, or None: `what is 10x5?` gives `10 * 5`."""
    lowered = text.lower()
    for pattern, sign in SIGNS:
        lowered = re.sub(pattern, sign, lowered)
    found = re.findall(r"[-(\s]*\d[\d\s.+\-*/%()]*", lowered)
    sums = (tree for each in found if (tree := _parsed(each)))
    return max((ast.unparse(tree) for tree in sums), key=len, default=None)


def sentence(expression: str, value: str) -> str:
    """Say what came out of a sum."""
    match ast.parse(expression, mode="eval").body:
        case ast.BinOp(left=ast.Constant() as left, op=sign, right=ast.Constant() as right):
            shape = SENTENCES.get(type(sign), f"{expression} is {{value}}.")
            return shape.format(left.value, right.value, value=value)
    return f"{expression} is {value}."


def numbers(text: str) -> list[str]:
    """Return the numbers of a text as they stand there."""
    return re.findall(NUMBER, text)


def asked_of_list(text: str) -> tuple[str, str] | None:
    """Return the Python that answers what is asked of a list of numbers, and the word for it."""
    lowered = text.lower()
    for words, code, name in LISTS:
        if re.search(rf"\b(?:{words})\b", lowered):
            return code, name
    return None


def listed(found: Sequence[str]) -> str:
    """Write numbers as a sentence does: `1, 2 and 3`."""
    return f"{', '.join(found[:-1])} and {found[-1]}" if len(found) > 1 else "".join(found)


def _parsed(text: str) -> ast.Expression | None:
    try:
        tree = ast.parse(text.strip().rstrip(" .+-*/%"), mode="eval")
    except SyntaxError:
        return None
    known = all(isinstance(node, ALLOWED) for node in ast.walk(tree))
    return tree if known and isinstance(tree.body, ast.BinOp) else None
