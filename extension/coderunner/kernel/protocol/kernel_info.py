"""What a kernel says of itself in a `kernel_info_reply`. Pure; everything in it is untrusted."""

from collections.abc import Mapping
from dataclasses import dataclass

from coderunner.kernel.protocol.message_content import text_of

LONGEST = 100
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class KernelInfo:
    """What a kernel is; empty where it does not say."""

    implementation: str = ""
    language: str = ""
    """The name of its language, as it spells it."""
    version: str = ""
    """Of the language."""
    extension: str = ""
    """Of files in its language, with a dot."""
    lexer: str = ""
    """Pygments' name for its language."""

    @property
    def known(self) -> bool:
        """It has said anything."""
        return bool(self.implementation or self.language)

    @property
    def is_ipykernel(self) -> bool:
        """Our prelude works there: what it changes is ipykernel's."""
        return self.implementation.lower() == "ipython"


def kernel_info_of(content: Mapping[str, object]) -> KernelInfo:
    """Return what the content of a reply says."""
    language = content.get("language_info")
    said = language if isinstance(language, Mapping) else {}
    extension = _name(said.get("file_extension"))
    return KernelInfo(
        _name(content.get("implementation")),
        _name(said.get("name")),
        _name(said.get("version")),
        extension if extension.startswith(".") and extension[1:].isalnum() else "",
        _name(said.get("pygments_lexer")),
    )


def _name(value: object) -> str:
    text = text_of(value)
    return text.strip() if len(text) <= LONGEST and text.isprintable() else ""
