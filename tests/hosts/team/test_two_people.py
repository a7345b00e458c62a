"""Two people at one address: a real browser for each, a reverse proxy with passwords, and the real apps."""

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from coderunner.hosts.team.reverse_proxy import Person
from coderunner.kernel.sessions.chat_grants import OTHERS
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, EXTENSION, MARKS, Visitor
from tests.hosts.app.parrot import Parrot
from tests.hosts.team.place import HEADER
from tests.hosts.team.reverse_proxies import PASSWORDS, reverse_proxy, scheme

pytestmark = [*MARKS, pytest.mark.timeout(300)]


@dataclass(frozen=True, slots=True)
class Team:
    """Two people at their pages."""

    ada: Visitor
    bob: Visitor
    data: Path

    def home(self, name: str) -> Path:
        return self.data / "people" / Person(name).folder


@pytest.fixture(scope="module")
def address(
    parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("team")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    public = f"{scheme()}://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "coderunner", "app", f"--data-dir={folder / 'data'}"),
            *(f"--user-header={HEADER}", f"--socket={folder / 'app'}", f"--public-url={public}"),
            *(f"--model-url={parrot[1]}/v1", "--model=parrot"),
        ],
        env={**os.environ, "PYTHONPATH": str(EXTENSION)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)][-1].startswith("It listens")
        with reverse_proxy(folder, folder / "app", port):
            yield public, folder / "data"
        process.terminate()
        process.wait(60)
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def person(browser: Browser, address: str, name: str) -> Iterator[Visitor]:
    password = {"username": name, "password": PASSWORDS[name]}
    with contextlib.closing(
        browser.new_context(ignore_https_errors=True, http_credentials=password)  # type: ignore[arg-type]
    ) as context:
        visitor = Visitor(context, address)
        # To start an app takes seconds of the processor, which tests share.
        assert context.request.get(address, timeout=3 * BOUND * 1000).ok
        yield visitor.open()
        visitor.content()


@pytest.fixture(scope="module")
def team(browser: Browser, address: tuple[str, Path]) -> Iterator[Team]:
    with person(browser, address[0], "ada") as ada, person(browser, address[0], "bob") as bob:
        yield Team(ada, bob, address[1])


@behaviour("team:page:apart")
def test_a_conversation_is_in_one_persons_list_and_nowhere_else(team: Team) -> None:
    adas, bobs = (somebody.begin_anew().rows.count() for somebody in (team.ada, team.bob))
    assert team.ada.run("print('canary of ada')") == "canary of ada"
    expect(team.ada.rows).to_have_count(adas + 1)
    expect(team.bob.rows).to_have_count(bobs)
    assert team.bob.run("print('of bob')") == "of bob"
    expect(team.bob.rows).to_have_count(bobs + 1)
    for page in (team.bob.page, team.bob.open().page):
        assert "canary" not in page.content()
    expect(team.ada.rows).to_have_count(adas + 1)


@behaviour("team:page:apart")
def test_whoever_knows_the_id_of_anothers_conversation_gets_nothing_of_it(team: Team) -> None:
    team.ada.run("print('canary of ada')")
    (identity,) = parse_qs(urlsplit(team.ada.page.url).query)["c"]
    notebook = f"{team.ada.address}/coderunner/notebook?c={identity}"
    assert "canary" in team.ada.context.request.get(notebook).text()
    for headers in ({}, {HEADER: "ada"}, {HEADER.lower(): "ada"}):
        asked = team.bob.context.request.get(notebook, headers=headers)
        assert (asked.status, asked.text()) == (404, "This conversation no longer exists.")
    team.bob.page.goto(f"{team.bob.address}/?c={identity}")
    expect(team.bob.page.locator("#cr-kernel .cr-kernel-status")).to_be_visible()
    assert "canary" not in team.bob.page.content()
    team.bob.complaints.clear()  # of the page that was left
    team.bob.open()


@behaviour("team:page:apart")
def test_code_of_one_person_finds_no_file_and_no_process_of_another(team: Team) -> None:
    team.ada.run("open('canary', 'w').write('of ada')")
    assert list(team.home("ada").rglob("canary"))
    code = (
        f"import os\ndata, others = {str(team.data)!r}, {str(team.home('ada'))!r}\n"
        "seen = [name for _, _, names in os.walk(data) for name in names if name == 'canary']\n"
        "for process in filter(str.isdigit, os.listdir('/proc')):\n"
        "    try:\n"
        "        seen += [each for each in [os.readlink(f'/proc/{process}/cwd')] if others in each]\n"
        "    except OSError:\n"
        "        pass\n"
        "print(seen, os.access(others, os.R_OK))"
    )
    assert team.bob.run(code) == "[] False"


@behaviour("team:page:apart")
def test_what_one_person_sets_is_not_set_for_another(team: Team) -> None:
    for somebody in (team.ada, team.bob):
        somebody.settings("Model")
    prompt = "#cr-prompt textarea"
    team.ada.page.locator(prompt).fill("Say nothing.")
    team.ada.page.locator(prompt).blur()
    team.ada.open().settings("Model")
    expect(team.ada.page.locator(prompt)).to_have_value("Say nothing.")
    team.bob.open().settings("Model")
    expect(team.bob.page.locator(prompt)).not_to_have_value("Say nothing.")


@behaviour("team:page:apart")
def test_active_output_is_drawn_in_its_frame_behind_the_proxy(team: Team) -> None:
    drawn = "<p id=x></p><script>x.append('made by a script')</script>"
    code = f"from IPython.display import HTML\nHTML({drawn!r})"
    team.ada.ask(f"```python\n{code}\n```\n")
    frame = team.ada.blocks.last.locator("iframe").first.content_frame.locator("iframe").content_frame
    expect(frame.locator("#x")).to_have_text("made by a script")


@behaviour("team:page:grants")
def test_nobody_allows_code_more_on_a_machine_that_is_not_theirs(team: Team) -> None:
    team.ada.ask("```python\nopen('/root/data.csv')\n```\n")
    expect(team.ada.blocks.last.get_by_role("button", name=re.compile("Allow"))).to_have_count(0)
    team.ada.settings("Kernel")
    expect(team.ada.page.locator("#cr-reach")).to_contain_text(OTHERS)
    expect(team.ada.page.locator("#cr-allow-text")).to_have_count(0)
