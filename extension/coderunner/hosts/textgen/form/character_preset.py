"""Instructions that tell a model to write blocks and wait for results: a character, or a system message.

The webui uses a character in its chat and chat-instruct modes, the system message in instruct mode.
"""

import os
from pathlib import Path

from coderunner.errors import SettingsError

PRESET = Path(__file__).resolve().parents[5] / "assets" / "presets" / "CodeRunner.yaml"

ADDED = "The instructions are now in the custom system message (Parameters tab), for instruct mode."


def install(user_data: Path) -> str:
    """Copy the character to the webui's characters; gives a sentence for the user.

    A file that was edited is kept, and the new one is saved under another name.
    """
    folder, text = user_data / "characters", PRESET.read_text(encoding="utf-8")
    names = [PRESET.stem, *(f"{PRESET.stem} {number}" for number in range(2, 100))]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = folder / f"{name}.yaml"
            if not os.path.exists(path):
                path.write_text(text, encoding="utf-8")
                return f"Installed {name}. Select it under Character, in chat or chat-instruct mode."
            if path.read_text(encoding="utf-8") == text:
                return f"The character {name} is already installed. Select it under Character."
    except OSError as failure:
        message = f"the character could not be saved in {folder}: {failure.strerror}"
        raise SettingsError(message) from failure
    return f"There are already {len(names)} characters named {PRESET.stem}. Remove some."


def system_message() -> str:
    """The same instructions for instruct mode, which has no characters."""
    return PRESET.with_suffix(".txt").read_text(encoding="utf-8").strip()


def context() -> str:
    """What the character is told, with the names still to be filled in."""
    lines = PRESET.read_text(encoding="utf-8").partition("\ncontext: |\n")[2].split("\n")
    return "\n".join(line.removeprefix("  ") for line in lines).strip()


def with_instructions(message: str) -> str:
    """The user's own system message with the instructions below it, unless it has them already."""
    instructions = system_message()
    return message if instructions in message else f"{message.rstrip()}\n\n{instructions}".strip()
