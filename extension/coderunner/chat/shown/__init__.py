"""What the model reads of what a program displays: one kind of a MIME bundle, in few and true words. Pure."""

from .bundle import image, text

__all__ = ["image", "text"]
