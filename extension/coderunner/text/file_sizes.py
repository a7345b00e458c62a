"""The size of a file in words. Pure."""

_UNITS = ((1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"))


def in_words(size: int) -> str:
    """A size as short text: `512 bytes`, `2 kB`, `3.4 MB`, `5 GB`."""
    for unit, name in _UNITS:
        # What would be rounded to a thousand of a unit is one of the next.
        if size >= unit * 0.9995:
            return f"{f'{size / unit:.1f}'.removesuffix('.0')} {name}"
    if size >= 1_000:
        return f"{(size + 500) // 1_000} kB"
    return "1 byte" if size == 1 else f"{size} bytes"
