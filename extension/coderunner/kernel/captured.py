"""What an Output widget has caught: outputs in nbformat's words, folded as those of a cell are. Pure."""

from dataclasses import replace

from coderunner.kernel.execution import Execution
from coderunner.kernel.messages import Message
from coderunner.outputs import in_nbformat

COUNT, WHOLE = 200, 16 * 1024 * 1024
"""Outputs of one such widget, and characters of them."""


class Captured:
    """The outputs of one Output widget."""

    def __init__(self, outputs: object = ()) -> None:
        """`outputs`: what its model has by now."""
        self._execution = Execution("", count=COUNT, whole=WHOLE)
        for output in outputs if isinstance(outputs, list) else []:
            if isinstance(output, dict) and isinstance(output.get("output_type"), str):
                self.receive(Message("iopub", output["output_type"], content=output))

    def receive(self, message: Message) -> None:
        """Take one message that is meant for it."""
        self._execution.receive(replace(message, parent=""))

    def outputs(self) -> list[dict[str, object]]:
        """All of them, as its model has them."""
        return [in_nbformat(output) for output in self._execution.outputs]
