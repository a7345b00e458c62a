"""The panel at the right and the files of messages, on one page that is loaded once."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, Route, expect

from coderunner.hosts.app.attachments import looking_in
from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.page import html_fragments
from coderunner.hosts.app.server import App
from coderunner.kernel.sessions.kernel_status import State
from coderunner.runner import KernelLocation, KernelStatus, Local, Server
from coderunner.text.file_sizes import in_words
from coderunner.text.terminal_text import visible_line
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, Seat, Visitor, served
from tests.hosts.app.parrot import Parrot
from tests.hosts.app.test_widgets import started

pytestmark = MARKS


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory) -> App:
    return started(parrot, Path(tmp_path_factory.mktemp("panel")))


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@pytest.fixture
def somebody(seat: Seat) -> Iterator[Visitor]:
    with seat.taken() as somebody:
        yield somebody


@behaviour("app:panel:closes")
def test_a_second_press_and_escape_close_the_panel(somebody: Visitor) -> None:
    page, opened = somebody.page, somebody.page.locator("#cr-right.open")
    settings = page.locator("#cr-settings")
    settings.click()
    expect(opened.get_by_role("tab", name="Model", selected=True)).to_be_visible()
    opened.get_by_role("tab", name="Kernel").click()
    settings.click()
    expect(opened).to_have_count(0)
    settings.click()
    expect(opened.get_by_role("tab", name="Kernel", selected=True)).to_be_visible()
    page.evaluate("void window.coderunner.ask('Sure?', 'Think of it.', 'Yes')")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(opened).to_have_count(1)
    page.keyboard.press("Escape")
    expect(opened).to_have_count(0)


@behaviour("app:panel:room")
@pytest.mark.parametrize("width", [1280, 800, 390])
def test_neither_panel_nor_toasts_cover_the_buttons_of_the_chat(somebody: Visitor, width: int) -> None:
    page = somebody.page
    somebody.ask("Hello")
    page.locator("#cr-rerun").click()
    expect(page.locator(".toast-body")).to_contain_text("No block")
    page.set_viewport_size({"width": width, "height": 620})
    if width > 390:
        if page.locator("#cr-settings").is_visible():
            page.locator("#cr-settings").click()
        expect(page.locator("#cr-right.open")).to_have_count(1)
        expect(page.locator("#cr-left.open")).to_have_count(int(width > 800))
    else:  # the list has closed itself
        expect(page.locator(".sidebar.open")).to_have_count(0)
    buttons = [
        page.locator("#cr-box").get_by_role("button", name="Send", exact=True),
        page.get_by_role("button", name="Edit"),
        page.locator("#cr-chat [data-cr=copy-text]"),
    ]
    for button in buttons:
        button.click(trial=True)  # would wait for whatever covers it to go away
    page.keyboard.press("Escape")
    expect(page.locator("#cr-left.open")).to_have_count(int(width > 390))


@behaviour("app:panel:widened")
def test_a_panel_that_was_opened_on_a_narrow_page_stays_when_the_page_becomes_wider(
    somebody: Visitor,
) -> None:
    page, left = somebody.page, somebody.page.locator("#cr-left.open")
    page.set_viewport_size({"width": 390, "height": 620})
    expect(left).to_have_count(0)
    page.locator("[data-cr-panel=variables]").click()
    expect(page.locator("#cr-right.open")).to_have_count(1)
    page.set_viewport_size({"width": 800, "height": 620})
    # It takes the whole width on the narrow page alone.
    expect(page.locator("[data-cr-panel=variables]")).to_be_in_viewport()
    expect(page.locator("#cr-right.open")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(left).to_have_count(1)


@behaviour("app:panel:lost")
@pytest.mark.parametrize(
    ("status", "said"),
    [(424, "Your Jupyter server was stopped. Reload"), (403, "Reload the page"), (503, "does not answer")],
)
def test_the_page_says_what_a_hub_or_a_proxy_says_of_an_app_that_is_not_there(
    somebody: Visitor, status: int, said: str
) -> None:
    page = somebody.page
    page.route("**/coderunner/news", lambda route: route.fulfill(status=status, body="not there"))
    expect(page.locator(".cr-lost")).to_contain_text(said)
    expect(page.locator("#cr-kernel")).to_be_hidden()
    expect(page.locator("#cr-restart")).to_be_disabled()
    page.route("**/gradio_api/queue/join**", lambda route: route.fulfill(status=status, body="<html>"))
    box = page.get_by_placeholder("Ask a question that code can answer")
    box.fill("Is anybody there?")
    box.press("Enter")
    toast = page.locator(".toast-wrap", has_text="This did not reach the app.").first
    expect(toast).to_contain_text(said)
    expect(box).to_have_value("Is anybody there?")
    page.unroute("**/gradio_api/queue/join**")
    page.unroute("**/coderunner/news")
    expect(page.locator("#cr-kernel")).to_be_visible()
    box.fill("")
    somebody.complaints.clear()  # what was refused is told in the console, too


@behaviour("app:panel:lost")
def test_the_page_says_that_the_app_does_not_answer_and_that_it_does_again(somebody: Visitor) -> None:
    page, kernel = somebody.page, somebody.page.locator("#cr-kernel")
    page.route("**/coderunner/news", lambda route: route.abort())
    expect(page.locator(".cr-lost")).to_contain_text("Not connected")
    expect(kernel).to_be_hidden()
    expect(page.locator("#cr-rerun")).to_be_disabled()
    page.unroute("**/coderunner/news")
    expect(page.locator(".cr-lost")).to_have_text("")
    expect(kernel).to_be_visible()
    expect(page.locator("#cr-rerun")).to_be_enabled()
    somebody.complaints.clear()  # what was aborted is told in the console, too


@behaviour("app:panel:nothing-to-do")
def test_a_button_that_can_do_nothing_to_the_kernel_is_disabled_and_says_why(somebody: Visitor) -> None:
    page = somebody.page
    interrupt, restart = page.locator("#cr-interrupt"), page.locator("#cr-restart")
    for button, why in ((interrupt, html_fragments.NOTHING_RUNS), (restart, html_fragments.NO_KERNEL)):
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", why)
    somebody.say("```python\nimport time\nprint('on')\ntime.sleep(60)\n```\n")
    expect(restart).to_be_enabled()
    expect(restart).to_have_attribute("title", "")
    interrupt.click()
    expect(somebody.replies).to_contain_text("Seen.")
    expect(interrupt).to_be_disabled()
    expect(restart).to_be_enabled()


SERVER = "http://127.0.0.1:1"


@behaviour("app:panel:nothing-to-do")
@pytest.mark.parametrize(
    ("state", "ran", "where", "interrupt", "restart"),
    [
        ("none", False, Local(), "no", "no"),
        ("none", True, Local(), "no", "no"),
        ("dead", True, Local(), "no", "no"),
        ("starting", False, Local(), "yes", "yes"),
        ("idle", True, Local(), "no", "yes"),
        ("busy", False, Local(), "yes", "yes"),
        # It may be there still, also where the app was started anew, or the connection was lost.
        ("none", True, Server(SERVER), "no", "yes"),
        ("dead", True, Server(SERVER), "no", "yes"),
        ("none", False, Server(SERVER), "no", "no"),
    ],
)
def test_what_can_be_done_to_a_kernel_depends_on_where_it_is_and_what_ran_in_it(
    state: State, *, ran: bool, where: KernelLocation, interrupt: str, restart: str, app: App
) -> None:
    now = KernelStatus(state, "python3", 0.0, ran=ran)
    html = html_fragments.status(now, replace(app.choices, where=where), "c")
    found = re.search('data-cr-interrupt="(.*?)" data-cr-restart="(.*?)"', html)
    assert found is not None
    assert ["no" if why else "yes" for why in found.groups()] == [interrupt, restart]


@behaviour("app:panel:place")
def test_packages_of_this_machine_are_not_shown_with_a_server(app: App) -> None:
    now = KernelStatus("idle", "python3", 0.0)
    shown = [
        html_fragments.status(now, replace(app.choices, where=where), "c", packages=2)
        for where in (Local(), Server(SERVER))
    ]
    assert ["2 packages added" in html for html in shown] == [True, False]


# --- files of a message

CSV = "region,amount\nnorth,1\nsouth,2\n"


def drop(page: Page, place: str, *files: tuple[str, str]) -> None:
    """Drop files with these names and contents."""
    data = page.evaluate_handle(
        "files => { const data = new DataTransfer();"
        " for (const [name, text] of files) data.items.add(new File([text], name)); return data }",
        list(files),
    )
    for kind in ("dragover", "drop"):
        page.dispatch_event(place, kind, {"dataTransfer": data})


def reloaded(somebody: Visitor) -> None:
    """Load the page again, and wait until it can be used; what it says as it is left is no complaint."""
    somebody.page.reload()
    expect(somebody.box).to_be_editable()
    expect(somebody.page.locator("#cr-kernel .cr-kernel-status")).to_be_visible()
    somebody.complaints.clear()


def told(parrot: tuple[Parrot, str]) -> list[str]:
    """The lines that the model was told of files with the last message."""
    said = str(
        next(each for each in reversed(parrot[0].asked[-1]["messages"]) if each["role"] == "user")["content"]
    )
    return [line for line in said.splitlines() if line.startswith("- `")]


@behaviour("app:attached:message")
def test_a_file_that_is_dropped_while_a_new_chat_begins_goes_there(somebody: Visitor) -> None:
    page = somebody.page
    before = page.evaluate("coderunner.shown()")
    data = page.evaluate_handle(
        "() => { const data = new DataTransfer(); data.items.add(new File(['x'], 'new.csv')); return data }"
    )
    # In one turn of the page's: no answer of the app comes between them.
    page.evaluate(
        "dataTransfer => { document.querySelector('#cr-new').click();"
        " const how = { dataTransfer, bubbles: true, cancelable: true };"
        " document.querySelector('#cr-chat').dispatchEvent(new DragEvent('drop', how)) }",
        data,
    )
    expect(page.locator("#cr-attach .cr-done")).to_have_count(1)
    assert page.evaluate("coderunner.shown()") != before
    expect(page.locator("#cr-attach .cr-attach-said")).to_have_text("")


@behaviour("app:attached:message")
def test_files_that_are_dropped_chosen_and_pasted_go_with_the_message(
    somebody: Visitor,
    app: App,
    parrot: tuple[Parrot, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking_in, "PATIENCE", BOUND)  # a kernel takes its time on a busy machine
    page, chips = somebody.page, somebody.page.locator("#cr-attach .cr-chip")
    drop(page, "#cr-chat", ("sales.csv", CSV))
    expect(page.locator("#cr-attach .cr-done")).to_have_count(1)
    drop(page, "#cr-chat", ("sales.csv", "again"))
    (tmp_path / "notes.txt").write_text("x")
    page.locator("#cr-attach input").set_input_files(tmp_path / "notes.txt")
    somebody.box.evaluate(
        "box => { const clipboardData = new DataTransfer(), how = { bubbles: true, cancelable: true };"
        " clipboardData.items.add(new File(['x'], 'image.png', { type: 'image/png' }));"
        " box.dispatchEvent(new ClipboardEvent('paste', { clipboardData, ...how })) }"
    )
    expect(page.locator("#cr-attach .cr-done")).to_have_count(4)
    expect(page.locator("[data-cr-panel=files] .cr-count")).to_have_text("4")
    page.get_by_role("button", name="Remove sales (2).csv").click()
    page.get_by_role("button", name="Remove notes.txt").click()
    expect(chips).to_have_count(2)
    expect(page.locator("[data-cr-panel=files] .cr-count")).to_have_text("2")
    reloaded(somebody)
    expect(chips).to_have_count(2)
    somebody.ask("")
    expect(chips).to_have_count(0)
    lines = [
        "- `sales.csv`: CSV, 30 bytes; 2 columns: `region`, `amount`; 2 rows",
        "- `image.png`: PNG picture, 1 byte",
    ]
    assert told(parrot) == lines
    own = page.locator("#cr-chat .cr-sent-files li")
    reloaded(somebody)
    expect(own).to_have_count(2)
    with page.expect_download() as begun:
        own.first.get_by_role("link").click()
    assert (begun.value.suggested_filename, Path(begun.value.path()).read_text()) == ("sales.csv", CSV)
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Edit the message").fill("What is in them?")
    page.locator(".cr-edit").get_by_role("button", name="Send").click()
    expect(page.locator("#cr-chat .cr-said")).to_have_text("What is in them?")
    expect(somebody.feet).to_have_count(1)
    expect(own).to_have_count(2)
    assert told(parrot) == lines
    somebody.ask("Thank you")
    assert told(parrot) == []
    page.evaluate("window.coderunner.folder.remove(window.coderunner.shown(), ['sales.csv'])")
    for _ in range(2):
        expect(own.first).to_contain_text("not in this chat’s folder")
        expect(own.last.locator("small")).to_have_text(["1 byte"])
        reloaded(somebody)
    # Hidden files are in no list of files, and in the folder all the same.
    drop(page, "#cr-chat", (".env", "x"))
    expect(page.locator("#cr-attach .cr-done")).to_have_count(1)
    somebody.ask("And this?")
    page.evaluate("document.querySelectorAll('.cr-gone').forEach(each => each.remove())")
    page.evaluate("document.dispatchEvent(new CustomEvent('coderunner-files'))")
    expect(own.first).to_contain_text("not in this chat’s folder")
    expect(own.last.locator("small")).to_have_text(["1 byte"])


@behaviour("app:attached:folder")
def test_the_files_of_a_dropped_folder_are_uploaded_with_their_paths(
    somebody: Visitor, tmp_path: Path
) -> None:
    inner = tmp_path / "mine" / "deep"
    inner.mkdir(parents=True)
    (inner / "sales.csv").write_text(CSV)
    (tmp_path / "mine" / "notes.txt").write_text("x")
    (tmp_path / "mine" / ".hidden").write_text("x")
    devtools = somebody.context.new_cdp_session(somebody.page)
    data = {"items": [], "files": [str(tmp_path / "mine")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 300, "data": data})
    done = somebody.page.locator("#cr-attach .cr-done bdi")
    expect(done).to_have_text(["mine/notes.txt", "mine/deep/sales.csv"])
    somebody.ask("Look")
    assert somebody.run("print(open('mine/deep/sales.csv').readline())") == "region,amount"


@behaviour("app:attached:early")
def test_files_that_come_before_the_chat_is_open_go_into_it_then(somebody: Visitor, tmp_path: Path) -> None:
    page, held, opened = somebody.page, list[Route](), list[bool]()
    (tmp_path / "early.csv").write_text(CSV)
    requests = re.compile(r"/gradio_api/(run|call|queue)/")
    page.route(requests, lambda route: route.continue_() if opened else held.append(route))
    page.reload()
    page.locator("#cr-attach input").set_input_files(tmp_path / "early.csv")
    expect(page.locator(".cr-attach-said")).to_contain_text("is being opened")
    opened.append(True)
    for each in held:
        each.continue_()
    expect(page.locator("#cr-attach .cr-done")).to_have_count(1)
    expect(page.locator("#cr-attach .cr-chip")).to_contain_text("early.csv")
    page.get_by_role("button", name="Remove early.csv").click()
    page.unroute(requests)
    somebody.complaints.clear()


@behaviour("app:welcome:opening")
def test_a_chat_that_is_being_opened_does_not_look_like_a_new_one(somebody: Visitor) -> None:
    page, held, opened = somebody.page, list[Route](), list[bool]()
    somebody.ask("Remember me")
    requests = re.compile(r"/gradio_api/(run|call|queue)/")
    page.route(requests, lambda route: route.continue_() if opened else held.append(route))
    welcome, example = page.locator(".cr-welcome"), page.locator("#cr-chat .example").first
    page.reload()
    expect(somebody.box).to_be_visible()
    expect(welcome).to_have_count(1)
    expect(welcome).to_be_hidden()
    expect(example).to_be_hidden()
    opened.append(True)
    for each in held:
        each.continue_()
    expect(page.locator("#cr-chat .user-row")).to_contain_text("Remember me")
    expect(page.locator("html.cr-opening")).to_have_count(0)
    page.locator("#cr-new").click()
    expect(welcome).to_be_visible()
    expect(example).to_be_visible()
    opened.clear()
    page.goto(f"{somebody.address}/?c=")  # asks for a new one
    expect(welcome).to_be_visible()
    page.unroute(requests)
    somebody.complaints.clear()
    somebody.open()
    expect(welcome).to_be_visible()


@behaviour("app:attached:uploads")
def test_an_upload_can_be_cancelled_and_tried_again_and_no_message_goes_before_its_end(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str]
) -> None:
    page, chips = somebody.page, somebody.page.locator("#cr-attach .cr-chip")
    said = page.locator(".cr-attach-said")
    held: list[Route] = []
    page.route(
        "**/coderunner/files?*",
        lambda route: held.append(route) if route.request.method == "PUT" else route.continue_(),
    )
    drop(page, "#cr-chat", ("a.csv", CSV), ("b.csv", CSV), ("c.csv", CSV), ("d.csv", CSV))
    expect(chips).to_have_count(4)
    expect(chips.last).to_contain_text("waiting")
    somebody.box.fill("Go")
    somebody.box.press("Enter")
    expect(said).to_contain_text("Wait until the files are uploaded")
    page.locator("#cr-box .submit-button").click()
    page.get_by_role("button", name="Cancel the upload of a.csv").click()
    page.get_by_role("button", name="Cancel the upload of b.csv").click()
    expect(chips).to_have_count(2)
    while len(held) < 4:
        page.wait_for_timeout(20)
    held[2].abort()
    held[3].fulfill(status=507, json={"error": "d.csv does not fit: the disk is full."})
    expect(chips.first).to_contain_text("The upload broke off.")
    expect(chips.last).to_contain_text("d.csv does not fit: the disk is full.")
    somebody.box.press("Enter")
    expect(said).to_contain_text("Not all files are uploaded")
    page.unroute_all()
    page.get_by_role("button", name="Upload c.csv again").click()
    expect(page.locator("#cr-attach .cr-done")).to_have_count(1)
    page.get_by_role("button", name="Remove d.csv").click()
    expect(page.locator("[data-cr-panel=files] .cr-count")).to_have_text("1")
    somebody.complaints.clear()  # what was broken off is told in the console, too
    somebody.ask("Go")
    assert [line.partition(":")[0] for line in told(parrot)] == ["- `c.csv`"]
    folder = app.sessions.directory(kernel_label(page.url.rpartition("c=")[2]))
    assert [each.name for each in folder.iterdir() if each.name != ".packages"] == ["c.csv"]


@behaviour("app:panel:files")
def test_the_files_tab_lists_what_is_there_and_changes_it(somebody: Visitor, tmp_path: Path) -> None:
    page, panel = somebody.page, somebody.page.locator("code-runner-files")
    rows, button = panel.locator(".cr-fp-list li"), page.locator("[data-cr-panel=files]")
    button.click()
    expect(page.locator("#cr-right.open")).to_have_count(1)
    expect(panel).to_contain_text("No files yet.")
    expect(panel).to_contain_text("The files of this chat are in")
    code = "for name in 'ab': open(f'{name}.txt', 'w').write(name * 1234)\nprint('endless')"
    somebody.say(f"```python\n{code}\n```\n")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("1 kB")
    expect(button).to_have_text("Files2")
    expect(somebody.feet).to_have_count(0)  # while the reply goes on
    somebody.stop()
    expect(somebody.feet).to_have_count(1)
    with page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="Upload").click()
    (tmp_path / "c.txt").write_text("c")
    chooser.value.set_files(tmp_path / "c.txt")
    expect(rows).to_have_count(3)
    drop(page, "code-runner-files", ("d.txt", "d"))
    expect(rows).to_have_count(4)
    expect(page.locator("#cr-attach .cr-chip")).to_have_count(0)
    panel.get_by_role("button", name="Rename a.txt").click()
    page.keyboard.type("z")
    page.keyboard.press("Enter")
    expect(rows.last).to_contain_text("z.txt")
    expect(page.locator(":focus")).to_have_text("z.txt")
    page.keyboard.press("F2")
    panel.get_by_label("New name of z.txt").fill("b.txt")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("b.txt is there already")
    panel.get_by_role("button", name="Delete c.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(3)
    with page.expect_download() as begun:
        panel.get_by_role("link", name="Download all").click()
    with ZipFile(begun.value.path()) as whole:
        assert sorted(whole.namelist()) == ["b.txt", "d.txt", "z.txt"]
    somebody.complaints.clear()  # the name that was taken
    page.locator("#cr-new").click()
    expect(rows).to_have_count(0)
    button.click()
    expect(page.locator("#cr-right.open")).to_have_count(0)


@behaviour("app:panel:hostile")
def test_hostile_names_are_text_in_the_files_tab_and_two_thousand_are_listed(somebody: Visitor) -> None:
    page, panel = somebody.page, somebody.page.locator("code-runner-files")
    rows = panel.locator(".cr-fp-list li:visible")
    page.locator("[data-cr-panel=files]").click()
    somebody.run(
        "tag = '<img src=x onerror=\"window.hacked = 1\">'\n"
        "for name in (tag, 'a\\u202egnp.exe', 'x' * 200, '%2e%2e&c=1#.txt', 'a\\nb'):\n"
        "    open(name, 'w').write('x')"
    )
    expect(rows).to_have_count(5)
    expect(panel).to_contain_text("a␊b")  # as it is written below the block
    expect(panel).to_contain_text("a\\u202egnp.exe")
    expect(panel).to_contain_text('<img src=x onerror="window.hacked = 1">')
    assert page.evaluate("window.hacked") is None
    with page.expect_download() as begun:
        panel.get_by_role("link", name="%2e%2e&c=1#.txt").click()
    assert Path(begun.value.path()).read_text() == "x"
    every = "".join(
        map(
            chr, (*range(0xD800), *range(0xE000, 0x10000), *range(0x1BC90, 0x1BCB0), *range(0xE0000, 0xE1010))
        )
    )
    assert page.evaluate("(names) => window.coderunner.folder.shown(names)", every) == visible_line(every)
    sizes = [0, 1, 999, 1_000, 1_499, 2_500, 999_499, 999_500, 3_449_000, 12_300_000, 999_940_000, 2**52]
    said = page.evaluate("(sizes) => sizes.map(window.coderunner.folder.size)", sizes)
    assert said == [in_words(size) for size in sizes]
    somebody.run(
        "import os\nfor name in ('n0.txt', b'bad\\xff'): open(name, 'w').close()\n"
        "os.utime('n0.txt', (1, 1))\n"
        "for number in range(1, 2500): open(f'n{number}.txt', 'w').close()"
    )
    expect(page.locator("[data-cr-panel=files] .cr-count")).to_have_text("2,506")
    expect(panel).to_contain_text("The 2,000 files that were changed last are shown.")
    expect(panel).to_contain_text("1 file has a name that no list can show; let the code rename it.")
    panel.get_by_label("Find a file").fill("N0.t")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("n0.txt")
    panel.get_by_label("Find a file").fill("")
    expect(rows).to_have_count(2000)
    with page.expect_download() as begun:
        # Not by its role: to find the names of two thousand links takes a browser many seconds.
        panel.locator("a").filter(has_text="Download all").click()
    with ZipFile(begun.value.path()) as whole:
        assert len(whole.namelist()) == 2505
