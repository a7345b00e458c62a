"""Who may use the app: whoever has opened a link from its terminal, and nobody else."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from coderunner.access.login_cookies import LASTS, RENEWED, LoginCookies
from coderunner.access.login_pages import REFUSAL, USED
from coderunner.hosts.app.page_security import MANIFEST
from coderunner.hosts.app.server import App
from coderunner.page.server import static_files
from coderunner.page.server.static_files import PUBLIC
from coderunner.secret_value import Secret
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app import intruder
from tests.hosts.app.browsing import (
    BOUND,
    LINKS,
    MARKS,
    address_of,
    client,
    served,
    started,
    visitor,
)
from tests.hosts.app.parrot import Parrot
from tests.hosts.app.test_routes import walked

pytestmark = MARKS

NOBODY = 65534


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory) -> App:
    home = tmp_path_factory.mktemp("home")
    return App(load({"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto", "data_dir": home}))


@pytest.fixture(scope="module")
def gate() -> list[Any]:
    """The app's ASGI application, once it is served."""
    return []


@pytest.fixture(scope="module")
def address(app: App, gate: list[Any]) -> Iterator[str]:
    def build() -> Any:
        gate.append(app.asgi())
        return gate[0]

    with served(build) as address:
        yield address


def all_routes(gate: Any) -> list[tuple[str, str]]:
    """Each method and path that the app has, and some that it does not have."""
    others = [
        "/favicon.ico",
        "/static/x",
        "/assets/../config",
        "//config",
        "/gradio_api/",
        "/.",
        "/robots.txt",
    ]
    beside = [f"{PUBLIC[:-1]}", f"{PUBLIC.upper()}host.js", "/coderunner/publicx/host.js"]
    sockets = ["/coderunner/socket", "/", "/gradio_api/queue/join", "/gradio_api/stream/x"]
    found = sorted(set(walked(gate._app._app.routes)))
    assert len(found) > 40
    assert {"/gradio_api/queue/join", "/gradio_api/upload", "/coderunner/act", "/config", "/"} <= {
        path for _, path in found
    }
    return [
        *found,
        *(("GET", path) for path in others + beside),
        *(("OPTIONS", path) for path in ("/", "/config", "/coderunner/act")),
        *(("WEBSOCKET", path) for path in sockets),
    ]


def asked_by_another_user(
    address: str, routes: list[tuple[str, str]], headers: Mapping[str, str]
) -> list[tuple[str, str, int, str]]:
    """What a program of another user of this machine gets; where we may not be another one, of ours."""
    port = int(address.rpartition(":")[2])
    # Our own interpreter may be where only we can read.
    theirs = shutil.which("python3", path="/usr/bin:/usr/local/bin") if os.geteuid() == 0 else None
    given = json.dumps({"port": port, "routes": routes, "headers": headers})
    done = subprocess.run(
        [theirs or sys.executable, "-I", "-c", Path(intruder.__file__).read_text(encoding="utf-8")],
        input=given,
        capture_output=True,
        text=True,
        timeout=BOUND * 2,
        user=NOBODY if theirs else None,
        cwd="/",
        check=True,
    )
    return [tuple(each) for each in json.loads(done.stdout)]


def cookie_of(app: App, address: str, key: Secret | None = None, age: float = 0) -> str:
    """The cookie that an app with that key would have given that many seconds ago."""
    made = LoginCookies(key, lambda: time.time() - age) if key else app.cookies
    scope = {"headers": [(b"host", address.removeprefix("http://").encode())], "scheme": "http"}
    return made.header(scope).decode().partition(";")[0]


# --- the attacks


@behaviour("app:login:every-route")
def test_another_user_of_the_machine_gets_nothing_from_any_route(
    app: App, address: str, gate: list[Any]
) -> None:
    routes, foreign = all_routes(gate[0]), Secret("the key of another app, and long")
    own = cookie_of(app, address)
    tries = {
        "no cookie": {},
        "the token of the page": {"X-CodeRunner-Token": app.rights.token, "Origin": address},
        "a cookie of another app": {"Cookie": cookie_of(app, address, foreign)},
        "a cookie that was changed": {"Cookie": own[:-1] + ("0" if own[-1] != "0" else "1")},
        "a cookie of another name": {"Cookie": own.replace("coderunner-", "coderunner-1")},
        "cookies without a meaning": {"Cookie": "; ; =; coderunner-1=; " + own.partition("=")[0] + "=..x"},
        "the page's token as a cookie": {
            "Cookie": f"{own.partition('=')[0]}=the page's token.{app.rights.token}"
        },
    }
    before = app.choices.approve, app.choices.choice, app.choices.where, app.conversations.activities()
    for headers in tries.values():
        got = asked_by_another_user(address, routes, headers)
        assert len(got) == len(routes)
        public = {f"{PUBLIC}x", f"{PUBLIC}x/x.html", MANIFEST}
        assert [each for each in got if each[2] != 403 and each[1] not in public] == []
        assert {each[3] for each in got if each[0] != "HEAD"} <= {
            REFUSAL,
            "",
            "This file does not exist.",
            "This page does not exist.",
            "Method Not Allowed",
            '{"name":"CodeRunner"}',
        }
    after = app.choices.approve, app.choices.choice, app.choices.where, app.conversations.activities()
    assert after == before


@behaviour("app:login:every-route")
def test_what_is_public_is_what_everybody_can_read_in_our_wheels(address: str, gate: list[Any]) -> None:
    names = [("GET", f"{PUBLIC}{name}") for name in static_files.names()]
    got = asked_by_another_user(address, names, {})
    for _, path, status, text in got:
        assert status == 200
        assert (
            static_files.content(path.rpartition("/")[2]).decode("utf-8", "replace").startswith(text[:50_000])
        )


@behaviour("app:login:manifest")
def test_a_browser_finds_the_manifest_that_it_asks_for_without_the_cookie(
    browser: Browser, address: str
) -> None:
    with visitor(browser, address) as somebody:
        # As a browser with an address bar does by itself for each page.
        found = somebody.context.new_cdp_session(somebody.page).send("Page.getAppManifest")
    assert found["errors"] == []
    assert json.loads(found["data"]) == {"name": "CodeRunner"}


@behaviour("app:login:kernel")
def test_a_block_that_runs_gets_neither_the_page_nor_a_press_of_its_buttons(
    browser: Browser, app: App, address: str
) -> None:
    code = (
        "import urllib.request, urllib.error, json\n"
        "def ask(path, body=None, **headers):\n"
        "    try:\n"
        f"        request = urllib.request.Request({address!r} + path, body, headers)\n"
        "        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))\n"
        "        return opener.open(request).read().decode()\n"
        "    except Exception as refused:\n"
        "        return 'refused'\n"
        "page = ask('/')\n"
        f"token = {app.rights.token!r}\n"
        "print(page, ask('/config'), ask('/coderunner/notebook?c=x'), ask('/coderunner/act', "
        'b\'{"ticket": "x", "act": "always"}\', **{"Content-Type": "application/json", '
        '"X-CodeRunner-Token": token}))\n'
    )
    with visitor(browser, address) as somebody:
        assert somebody.run(code) == "refused refused refused refused"


# --- the link and the cookie


@behaviour("app:login:link")
def test_a_link_lets_one_browser_in_and_its_token_is_seen_no_more(browser: Browser, address: str) -> None:
    link = LINKS[address]()
    token = link.partition("token=")[2]
    with visitor(browser, "about:blank") as somebody:
        somebody.address = address
        seen: list[str] = []
        somebody.page.on("request", lambda request: seen.append(str(request.headers.get("referer", ""))))
        somebody.page.goto(link)
        expect(somebody.box).to_be_editable()
        assert somebody.page.url == f"{address}/"
        assert token not in somebody.page.content()
        assert not any(token in each for each in seen)
        assert somebody.page.evaluate("document.cookie") == ""
        (cookie,) = somebody.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
        assert cookie["name"] == f"coderunner-{address.rpartition(':')[2]}"
        assert token not in cookie["value"]
        # The same link again, in the browser that it has let in: from its history, perhaps.
        somebody.page.goto(f"{link}&c=guess")
        expect(somebody.box).to_be_editable()
        somebody.complaints.clear()  # of the page that was left
        assert token not in somebody.page.url
    with visitor(browser, "about:blank") as other:
        other.address = address
        answer = other.page.goto(link)
        assert answer is not None
        assert answer.status == 403
        expect(other.page.get_by_role("paragraph")).to_have_text(USED)
        other.complaints.clear()


@behaviour("app:login:told")
def test_without_a_link_the_page_says_what_to_do(browser: Browser, address: str) -> None:
    with visitor(browser, "about:blank") as somebody:
        somebody.address = address
        somebody.page.goto(f"{address}/?c=guess")
        expect(somebody.page.get_by_role("paragraph")).to_have_text(REFUSAL)
        somebody.complaints.clear()


@behaviour("app:login:link")
def test_only_opening_a_link_uses_it(address: str) -> None:
    link = LINKS[address]()
    path = link.removeprefix(address)
    with httpx.Client(base_url=address, trust_env=False) as one:
        assert one.head(path).status_code == 403
        assert one.post(path).status_code == 403
        assert one.get(path.replace("/?", "/config?")).status_code == 403
        assert one.get(path, headers={"Host": "evil.example"}).status_code == 403
        assert one.get(path + "x").status_code == 403
        assert one.get("/?token=").status_code == 403
        answer = one.get(f"{path}&c=some%26where")
        assert (answer.status_code, answer.headers["location"]) == (303, "./?c=some%26where")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert one.get("/config").status_code == 200
    assert httpx.get(link, trust_env=False).status_code == 403


@behaviour("app:login:kept")
def test_a_browser_stays_logged_in_after_a_restart_and_for_its_own_app_only(tmp_path: Path) -> None:
    with served(App(load({"demo": True, "data_dir": tmp_path})).asgi) as first, client(first) as one:
        ours = {cookie.name: str(cookie.value) for cookie in one.cookies.jar}
    host = first.removeprefix("http://")
    for folder, status in ((tmp_path, 200), (tmp_path / "another", 403)):
        # On another port: to the app it is what the browser says that counts.
        with served(App(load({"demo": True, "data_dir": folder})).asgi) as again:
            answer = httpx.get(
                f"{again}/config", cookies=ours, headers={"Host": host}, trust_env=False, timeout=BOUND
            )
            assert answer.status_code == status


@behaviour("app:login:kept")
def test_a_cookie_is_renewed_by_visits_and_ends_without_them(app: App, address: str) -> None:
    key = app.cookies._key
    for age, status, renewed in ((0, 200, False), (RENEWED + 60, 200, True), (LASTS + 60, 403, False)):
        headers = {"Cookie": cookie_of(app, address, key, age)}
        answer = httpx.get(address, headers=headers, trust_env=False)
        assert (answer.status_code, "set-cookie" in answer.headers) == (status, renewed)


@behaviour("app:login:link")
def test_apps_on_two_ports_of_one_host_leave_each_other_logged_in(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    with (
        served(App(load({"demo": True, "data_dir": tmp_path})).asgi) as second,
        visitor(browser, "about:blank") as somebody,
    ):
        somebody.come_in(address)
        somebody.come_in(second)
        for each in (address, second):
            somebody.address = each
            somebody.open()
        somebody.elsewhere.clear()  # each is elsewhere to the other


ELSEWHERE = '<!doctype html><link rel="icon" href="data:,"><title>Elsewhere</title><a href="{}">go</a>'


@behaviour("app:login:elsewhere")
def test_a_link_on_another_site_opens_the_page_for_whoever_is_logged_in(
    browser: Browser, address: str
) -> None:
    fresh = LINKS[address]()

    async def page(scope: Any, receive: Any, send: Any) -> None:
        target = fresh if scope["path"] == "/fresh" else address
        body = ELSEWHERE.format(target).encode()
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    with served(lambda: page) as other:
        site = other.replace("127.0.0.1", "localhost")
        with visitor(browser, "about:blank") as somebody:
            somebody.page.goto(site)
            somebody.page.get_by_role("link").click()
            expect(somebody.page.get_by_role("paragraph")).to_have_text(REFUSAL)
            somebody.page.goto(f"{site}/fresh")
            somebody.page.get_by_role("link").click()
            expect(somebody.box).to_be_editable()
            assert somebody.page.url == f"{address}/"
            somebody.page.goto(site)
            somebody.page.get_by_role("link").click()
            expect(somebody.box).to_be_editable()
            somebody.complaints.clear()
            somebody.elsewhere.clear()


@behaviour("app:login:off")
def test_without_a_token_everybody_gets_in_and_that_is_said(tmp_path: Path) -> None:
    with started("--demo", "--port", "0", "--no-token", "--data-dir", str(tmp_path)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+(?= )", line)
        assert found is not None, line
        assert "every user and every program of this machine can open this page" in process.stdout.readline()
        assert httpx.get(f"{found[0]}/config", trust_env=False, timeout=BOUND).status_code == 200
        foreign = {"Host": "evil.example"}
        assert httpx.get(found[0], headers=foreign, trust_env=False, timeout=BOUND).status_code == 403


# --- what the terminal has


@behaviour("app:login:enter")
def test_enter_in_the_terminal_prints_another_link_and_nothing_shows_which_was_used(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    flags = ("--demo", "--port", "0", "--data-dir", str(tmp_path))
    with started(*flags, stdin=theirs) as process, client(address_of(process)) as one:
        assert process.stdout is not None
        os.write(ours, b"\n")
        line = process.stdout.readline().strip()
        assert re.fullmatch(rf"{re.escape(str(one.base_url))}/?\?token=[\w-]+", line)
        assert httpx.get(line, trust_env=False, timeout=BOUND).status_code == 303
        assert httpx.get(line, trust_env=False, timeout=BOUND).status_code == 403
        process.terminate()
        assert process.communicate(timeout=BOUND) == ("", "")
    os.close(ours)
    os.close(theirs)


@behaviour("app:login:background")
def test_a_job_in_the_background_is_not_stopped_by_its_terminal(tmp_path: Path) -> None:
    # A shell with job control, as somebody types into one.
    command = f"{sys.executable} -m coderunner app --demo --port 0 --open-browser no --data-dir {tmp_path}"
    script = f"set -m; {command} & sleep 0; read line; kill -CONT %1; jobs; kill %1; wait"
    pid, terminal = pty.fork()
    if pid == 0:
        extension = str(Path(__file__).parents[3] / "extension")
        os.execve("/bin/bash", ["bash", "-c", script], os.environ | {"PYTHONPATH": extension})
    told = b""
    while b"once" not in told:
        told += os.read(terminal, 4096)
    os.write(terminal, b"\n")
    try:
        # To the end of the shell: a terminal that closes before would end it, and leave the job.
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 4096):
                told += piece
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    assert b"Running" in told


@behaviour("app:login:opened")
def test_the_browser_that_is_opened_gets_its_link_where_nobody_else_can_read_it(
    browser: Browser, tmp_path: Path
) -> None:
    note, opener = tmp_path / "note", tmp_path / "opener"
    os.mkfifo(note)
    opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" > {note}\n')
    opener.chmod(0o755)
    flags = ("--demo", "--port", "0", "--data-dir", str(tmp_path / "data"), "--open-browser", "yes")
    with started(*flags, env={"BROWSER": str(opener)}, umask=0) as process:
        told = note.read_text().strip()
        assert "token" not in told
        assert told.startswith("file://")
        page = Path(told.removeprefix("file://"))
        assert (page.stat().st_mode & 0o777, page.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        address = address_of(process)
        with visitor(browser, "about:blank") as somebody:
            somebody.page.goto(told)
            expect(somebody.box).to_be_editable()
            assert somebody.page.url == f"{address}/"
            somebody.elsewhere.clear()
        process.terminate()
        process.communicate(timeout=BOUND)
        assert not page.exists()
