"""The files that a block made, below it in the page, from a real kernel."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette

from coderunner.files.chat_folder import ChatFolder
from coderunner.outputs import MadeFile
from coderunner.page import block_transitions
from coderunner.page.block_state import Block
from coderunner.page.server.files.made_file_routes import MadeFileRoutes
from coderunner.runner import Local, Sessions, first_rows
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, served
from tests.page.host import Host, block_of, opened

pytestmark = MARKS

SOURCE = """\
import wave
open("sales.csv", "w").write("region,units\\nNorth,12\\nSouth,5\\n")
open("notes.md", "w").write("# <b>Notes</b>")
from PIL import Image
Image.new("RGB", (40, 20), "red").save("chart.png")
with wave.open("tone.wav", "wb") as tone:
    tone.setparams((1, 2, 8000, 0, "NONE", ""))
    tone.writeframes(bytes(16000))
import openpyxl
book = openpyxl.Workbook()
book.active.title = "North"
book.create_sheet("South")
for row in [("month", "units"), (1, 12), (2, 5)]:
    book.active.append(row)
book.save("sales.xlsx")
open("<img src=x onerror=alert(1)>.bin", "wb").write(bytes(3))
"""


class FileHost(Host):
    """A host whose blocks are of one chat."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__()
        self.sessions = sessions

    async def folder_of(self, _chat: str) -> ChatFolder | None:
        return self.sessions.files("files", Local())

    async def first_rows(self, _chat: str, path: str) -> Mapping[str, object] | None:
        return await first_rows(self.sessions.get("files", Local()), path)

    def asgi(self) -> Starlette:
        app = super().asgi()
        routes = MadeFileRoutes(self.rights, self.subscriptions, self.folder_of, self.first_rows).all()
        app.router.routes[0:0] = routes
        return app


@pytest.fixture
def host(sessions: Sessions) -> Iterator[FileHost]:
    host = FileHost(sessions)
    with served(host.asgi) as host.address:
        yield host


def ran(host: FileHost, cell: str, source: str) -> None:
    """Run the code of a block, and show its end."""
    result = host.sessions.get("files", Local()).begin(source).wait(BOUND)
    assert result is not None

    def end(block: Block) -> Block:
        return block_transitions.ended(block, result)

    host.change(cell, end)


def preview(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


@behaviour("page:files")
def test_the_files_of_a_block_are_previewed_downloaded_and_marked(
    browser: Browser, host: FileHost, tmp_path: Path
) -> None:
    folder = host.sessions.folder("files", Local())
    cell = host.show("files", [], ended=False)
    with opened(browser, host) as page:
        block = block_of(page, cell)
        expect(block.get_by_text("Running")).to_be_visible()
        ran(host, cell, SOURCE)
        chips = block.locator(".cr-file")
        expect(chips).to_have_count(6)
        expect(chips.filter(has_text="sales.csv")).to_contain_text("30 bytes")

        preview(page, "sales.csv")
        shown = block.get_by_role("region")
        expect(shown.locator("th")).to_have_text(["region", "units"])
        expect(shown.locator("td")).to_have_text(["North", "12", "South", "5"])
        preview(page, "chart.png")
        expect(shown.locator("th")).to_have_count(0)
        assert shown.locator("img").evaluate("async (its) => (await its.decode(), its.naturalWidth)") == 40
        preview(page, "notes.md")
        expect(shown.locator("pre")).to_have_text("# <b>Notes</b>")
        preview(page, "tone.wav")
        page.wait_for_function(
            "(its) => its.duration === 1", arg=shown.locator("audio").element_handle(timeout=BOUND * 1000)
        )
        preview(page, "sales.xlsx")
        expect(shown).to_contain_text("Sheet “North”, the first of 2.")
        expect(shown.locator("th")).to_have_text(["month", "units"])
        expect(shown.locator("td")).to_have_text(["1", "12", "2", "5"])
        preview(page, ".bin")
        expect(shown).to_contain_text("There is no preview of this kind of file.")
        expect(shown.get_by_role("button", name="Copy path")).to_have_attribute(
            "title", str(folder.resolve() / "<img src=x onerror=alert(1)>.bin")
        )
        page.keyboard.press("Escape")
        expect(shown).to_have_count(0)

        with page.expect_download() as coming:
            block.get_by_role("link", name="Download sales.csv").click()
        assert Path(coming.value.path()).read_bytes() == (folder / "sales.csv").read_bytes()

        (folder / "sales.csv").write_text("changed by hand")
        (folder / "notes.md").unlink()
        page.evaluate("document.dispatchEvent(new Event('coderunner-files'))")
        expect(chips.filter(has_text="sales.csv")).to_contain_text("changed later")
        gone = chips.filter(has_text="notes.md")
        expect(gone).to_contain_text("deleted")
        expect(gone.get_by_role("button")).to_be_disabled()

        page.reload()
        expect(chips.filter(has_text="notes.md")).to_contain_text("deleted")
        many = tuple(MadeFile(f"{number}.csv", 1, 0, new=False) for number in range(20))

        def grow(block: Block) -> Block:
            assert block.result is not None
            return replace(block, result=replace(block.result, files=many, more_files=1_031))

        host.change(cell, grow)
        expect(chips).to_have_count(20)
        expect(block.get_by_text("and 1,031 more")).to_be_visible()
        expect(chips.first).to_contain_text("deleted")
