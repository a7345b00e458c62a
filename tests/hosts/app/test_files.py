"""Files that code of a chat has made: a link in the reply downloads them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, served, visitor
from tests.hosts.app.parrot import Parrot
from tests.hosts.app.test_widgets import inside, started

pytestmark = MARKS

MAKE = """```python
open('out.csv', 'w').write('x,y')
```
"""
LINKS = "Here: [the table](sandbox:/mnt/data/out.csv), [another](gone.csv), [the system](/etc/host.conf).\n\n"


@behaviour("app:files:links")
def test_a_link_in_a_reply_downloads_a_file_that_the_code_has_made(
    browser: Browser, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    build = started(parrot, tmp_path)
    with served(build.asgi) as address, visitor(browser, address) as somebody:
        somebody.ask(LINKS + MAKE)
        expect(somebody.feet).to_have_count(1)
        page = somebody.page
        for _ in range(2):
            with page.expect_download() as begun:
                page.get_by_role("link", name="the table", exact=True).click()
            assert begun.value.suggested_filename == "out.csv"
            assert Path(begun.value.path()).read_text() == "x,y"
            page.reload()
            expect(somebody.feet).to_have_count(1)
        somebody.complaints.clear()
        for name, said in (
            ("another", "gone.csv is not in this chat's folder."),
            ("the system", "/etc/host.conf is not in this chat's folder."),
        ):
            with page.context.expect_page() as opened:
                page.get_by_role("link", name=name, exact=True).click()
            expect(opened.value.get_by_text(said)).to_be_visible()


SHOWN = """```python
import os
from IPython.display import FileLink, display
os.makedirs('a b', exist_ok=True)
open('a b/out.csv', 'w').write('x,y')
display(FileLink('a b/out.csv'))
```
"""


@behaviour("app:files:shown")
def test_a_file_that_an_output_shows_can_be_downloaded(
    browser: Browser, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    build = started(parrot, tmp_path)
    with served(build.asgi) as address, visitor(browser, address) as somebody:
        somebody.ask(SHOWN)
        expect(somebody.feet).to_have_count(1)
        inside(somebody).get_by_role("link").click()
        expect(somebody.page.get_by_text("The output links to the file a b/out.csv")).to_be_visible()
        with somebody.page.expect_download() as begun:
            somebody.page.get_by_role("link", name="Download", exact=True).click()
        assert begun.value.suggested_filename == "out.csv"
        assert Path(begun.value.path()).read_text() == "x,y"


@behaviour("app:files:owner")
@pytest.mark.parametrize("stranger", ["no cookie", "another chat"])
def test_nobody_gets_a_file_by_another_way(
    browser: Browser, parrot: tuple[Parrot, str], tmp_path: Path, stranger: str
) -> None:
    build = started(parrot, tmp_path)
    with served(build.asgi) as address, visitor(browser, address) as somebody:
        somebody.ask(MAKE)
        expect(somebody.feet).to_have_count(1)
        chat = somebody.page.url.rpartition("c=")[2]
        with browser.new_context() as other:
            asks = other.request if stranger == "no cookie" else somebody.page.request
            which = chat if stranger == "no cookie" else f"{chat}x"
            answer = asks.get(f"{address}/coderunner/file?c={which}&path=out.csv")
            assert answer.status == (403 if stranger == "no cookie" else 404)
            assert "x,y" not in answer.text()
