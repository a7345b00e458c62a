"""A home folder for a kernel that sees the machine's own file system: an empty one, which ends with it."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

TEMPORARY = ("TMPDIR", "TEMP", "TMP")
"""What names the temporary folder."""


def below(temporary: Path) -> Path:
    """Return where the folder is, or would be."""
    return temporary / "home"


def make(temporary: Path, home: Path, shown: Iterable[Path]) -> dict[str, str]:
    """Make the folder below `temporary`; returns what the kernel's environment says of both.

    What is `shown` of the person's own home is there under its name: `~/data` means the same.
    """
    private = below(temporary)
    private.mkdir(mode=0o700, exist_ok=True)
    for path in shown:
        if path != home and path.is_relative_to(home):
            _link(private, path.relative_to(home), path)
    # Its workers measure themselves in /proc, where only the kernel may: without them it computes one by one.
    # IPython does not start where it cannot read its own folder, wherever a person has put that.
    own = {"HOME": str(private), "IPYTHONDIR": str(private / ".ipython")}
    return {**own, **dict.fromkeys(TEMPORARY, str(temporary)), "JOBLIB_MULTIPROCESSING": "0"}


def _link(private: Path, name: Path, target: Path) -> None:
    """Link, unless a folder above is linked already: nothing is made in a person's own folders."""
    for above in list(name.parents)[-2::-1]:
        if (private / above).is_symlink():
            return
        (private / above).mkdir(exist_ok=True)
    with suppress(FileExistsError):
        (private / name).symlink_to(target)
