"""The README's picture of the chat app, taken anew: `make shots`. The app talks to its demo model."""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import expect

from coderunner.hosts.app.server import App
from coderunner.settings import Settings
from tests.hosts.app.browsing import chromium, served, visitor

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "app.png"
QUESTIONS = ("What is 10 + 5?", "Plot sin(x) from 0 to 20.")


def main() -> None:
    """Ask the questions and take the picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="cr-") as home, chromium() as browser:
        # Made in place, so that nobody's own settings are seen in the picture.
        app = App(Settings(demo=True, approve="auto", data_dir=Path(home)))
        size = {"width": 1280, "height": 1320}
        with served(app.asgi()) as address, visitor(browser, address, viewport=size) as somebody:
            for question in QUESTIONS:
                somebody.ask(question)
                expect(somebody.page.locator("#cr-box .stop-button")).to_be_hidden()
            expect(somebody.page.locator("#cr-kernel .cr-light")).to_contain_text("Idle")
            somebody.page.screenshot(path=PICTURE, animations="disabled")
    print(f"{PICTURE} is new")


if __name__ == "__main__":
    main()
