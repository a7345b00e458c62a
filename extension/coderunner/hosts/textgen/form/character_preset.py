"""Teaches a model to write blocks and wait for their results: as a character, or as a system message.

The webui uses a character in its modes chat and chat-instruct, the system message in instruct.
"""

from pathlib import Path

from coderunner.errors import SettingsError

PRESET = Path(__file__).resolve().parents[5] / "assets" / "presets" / "CodeRunner.yaml"

TAUGHT = "The instructions are now in the custom system message (Parameters tab), for instruct mode."


def install(user_data: Path) -> str:
    """Copy the character to where the webui looks for characters; gives a sentence for the person.

    A file that somebody changed stays as it is, and the new one goes beside it under another name.
    """
    folder, text = user_data / "characters", PRESET.read_text(encoding="utf-8")
    names = [PRESET.stem, *(f"{PRESET.stem} {number}" for number in range(2, 100))]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = folder / f"{name}.yaml"
            if not path.exists():
                path.write_text(text, encoding="utf-8")
                return f"Installed {name}. Select it under Character, in chat or chat-instruct mode."
            if path.read_text(encoding="utf-8") == text:
                return f"The character {name} is already installed. Select it under Character."
    except OSError as failure:
        message = f"the character could not be saved in {folder}: {failure.strerror}"
        raise SettingsError(message) from failure
    return f"There are already {len(names)} characters named {PRESET.stem}. Remove some."


def system_message() -> str:
    """The same lesson for the mode instruct, where there are no characters."""
    return PRESET.with_suffix(".txt").read_text(encoding="utf-8").strip()


def with_lesson(message: str) -> str:
    """The person's own system message with the lesson below it; itself where it has it already."""
    lesson = system_message()
    return message if lesson in message else f"{message.rstrip()}\n\n{lesson}".strip()
