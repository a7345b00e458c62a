"""What the model reads of what a program displays: one kind of a MIME bundle, in few and true words. Pure."""

from coderunner.chat.display_text.mime_bundle import image, text

__all__ = ["image", "text"]
