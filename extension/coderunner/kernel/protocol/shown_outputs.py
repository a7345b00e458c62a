"""What a cell has shown so far, asked about as a whole. Pure."""

from collections.abc import Sequence

from coderunner.kernel.protocol.output_limits import HEAD, TAIL, BoundedText
from coderunner.outputs import DisplayData, ExecuteResult, MimeBundle, Output


def twice(
    outputs: Sequence[Output | BoundedText], data: MimeBundle, kind: type[DisplayData | ExecuteResult]
) -> bool:
    """Return whether the picture stands there already: `fig` as a last value is shown in two ways."""
    pictures = {key: value for key, value in data.items() if key.startswith("image/")}
    return bool(pictures) and any(
        isinstance(shown, kind) and {key: shown.data.get(key) for key in pictures} == pictures
        for shown in outputs
    )


def full(outputs: Sequence[Output | BoundedText], whole: int) -> bool:
    """Texts have a bound each; a program that goes to and fro between its streams has many."""
    texts = [shown.size for shown in outputs if isinstance(shown, BoundedText)]
    return len(texts) > whole // (HEAD + TAIL) and sum(texts) > whole
