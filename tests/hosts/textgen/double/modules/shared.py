# It stands for a program without annotations, and has its names.
"""What the webui keeps for the whole process."""

from argparse import Namespace
from pathlib import Path
from typing import Any

args = Namespace(extensions=[], multi_user=False, loader="llama.cpp", verbose=False)
model: Any = None
tokenizer: Any = None
model_name = "None"
is_seq2seq = False
stop_everything = False
generation_lock: Any = None
processing_message = "*Is typing...*"
settings: dict[str, Any] = {}
default_settings: dict[str, Any] = {}
gradio: dict[str, Any] = {}
persistent_interface_state: dict[str, Any] = {}
user_data_dir = Path("user_data")
failures: list[str] = []
"""What the real program would only have logged."""


class StrictLock:
    """A lock that may not be taken twice and not be released when free: either is a mistake of ours."""

    def __init__(self) -> None:
        self.held = False

    def acquire(self) -> None:
        if self.held:
            raise AssertionError(
                "the generation lock was taken a second time: the real one would hang for ever"
            )
        self.held = True

    def release(self) -> None:
        if not self.held:
            raise AssertionError("the generation lock was released while nobody held it")
        self.held = False
