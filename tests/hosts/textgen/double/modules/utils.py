# It stands for a program without annotations, and has its names.
"""Odds and ends of the webui that the extension calls."""

from modules import shared


def check_model_loaded() -> tuple[bool, str | None]:
    if shared.model is None or shared.model_name == "None":
        return False, "No model is loaded."
    return True, None


def get_available_characters() -> list[str]:
    return sorted(path.stem for path in (shared.user_data_dir / "characters").glob("*.yaml"))
