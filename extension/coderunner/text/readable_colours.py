"""Colours that programs choose for text, so that it can be read in a light and in a dark theme. Pure."""

from functools import lru_cache

Colour = tuple[int, int, int]

LEAST = 4.5
"""The contrast that text needs (WCAG 2.2, 1.4.3)."""
LIGHT: Colour = (255, 255, 255)
DARK: Colour = (28, 29, 32)
"""The grounds of both themes."""
STEPS = 10
"""Shares of black or white that are tried."""


@lru_cache(maxsize=512)
def css(colour: Colour) -> str:
    """The colour in CSS; where it cannot be read in both themes, a darker and a lighter one of its hue."""
    light, dark = _against(colour, LIGHT), _against(colour, DARK)
    return rgb(colour) if light == dark else f"light-dark({rgb(light)},{rgb(dark)})"


def contrast(one: Colour, other: Colour) -> float:
    """How much they differ: from 1 to 21."""
    less, more = sorted((_light(one), _light(other)))
    return (more + 0.05) / (less + 0.05)


def _against(colour: Colour, ground: Colour) -> Colour:
    end = 0 if ground == LIGHT else 255
    for step in range(STEPS):
        red, green, blue = (round(each + (end - each) * step / STEPS) for each in colour)
        if contrast((red, green, blue), ground) >= LEAST:
            return red, green, blue
    return end, end, end


def _light(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (each / 255 for each in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def rgb(colour: Colour) -> str:
    """The colour in CSS, as it is."""
    return f"rgb({','.join(map(str, colour))})"
