"""What is said where something cannot be done with a file, wherever it is. Pure."""

from coderunner.text.file_sizes import in_words

NOT_THERE = "{name} is not in this chat's folder."
IS_TAKEN = "{name} is there already; choose another name."
TOO_MANY = "There are too many files with the name {name}; choose another one."
NOT_READ = "{name} cannot be read: {why}."
NOT_WRITTEN = "{name} cannot be written: {why}."
NOT_RENAMED = "{name} cannot be renamed: {why}."
NOT_DELETED = "{name} cannot be deleted: {why}."
NOT_LISTED = "The files of this chat cannot be listed: {why}."
DISK_FULL = "There is no room for {name}: the disk is full; delete what is not needed."
TOO_LARGE = "{name} is larger than a file may be on this disk."
NO_FOLDER = "{name} cannot be written: one of the folders in its path is a file or a link."
_FOLDER_FULL = (
    "There is no room for {name}: the files of this chat may take {quota} (max_disk), and {left} are left; "
    "delete some of them."
)
_ALONE_TOO_LARGE = "{name} is too large: all files of this chat together may take {quota} (max_disk)."


def no_room(name: str, size: int, *, left: int, quota: int) -> str:
    """Why a file of at least `size` bytes is not taken where `left` of `quota` are free."""
    # Where nothing is there yet, nothing can be deleted.
    words = _ALONE_TOO_LARGE if size > quota or left >= quota else _FOLDER_FULL
    return words.format(name=name, left=in_words(left), quota=in_words(quota))
