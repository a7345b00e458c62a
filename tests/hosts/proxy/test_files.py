"""Files that clients send and files that code makes, the whole way, with OpenAI's client."""

import base64
import re
from collections.abc import AsyncIterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from coderunner.access.api_keys import owner
from coderunner.errors import NotAnswered
from coderunner.files.chat_folder import File, FolderUnreachable
from coderunner.files.local_folder import LocalFolder
from coderunner.hosts.proxy.conversations import Conversations, label
from coderunner.hosts.proxy.files.received_files import ReceivedFiles
from coderunner.hosts.proxy.files.sent_files import SentFile, take
from coderunner.models.demo.demo_replies import MODEL
from coderunner.runner import Records, open_records
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.files.unreachable import unreachable
from tests.hosts.proxy.conftest import ALICE, BOB, RUNS, Open, Proxied
from tests.models.conftest import Serve

SALES = b"city,sales\nOslo,12\nBergen,\nTromso,7\nOslo,12\n"
CLEAN = b"city,sales\nOslo,12.0\nTromso,7.0\n"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
QUESTION = "Draw a chart of the table and clean it."


def part(name: str = "sales.csv", content: bytes = SALES) -> dict[str, Any]:
    data = f"data:text/csv;base64,{base64.b64encode(content).decode()}"
    return {"type": "file", "file": {"filename": name, "file_data": data}}


def asked(*parts: Any, text: str = QUESTION) -> list[Any]:
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def named(name: str) -> dict[str, str]:
    return {"x-coderunner-session": name}


def folder(proxied: Proxied, name: str) -> Path:
    return proxied.proxy.sessions.folders.own(label(owner(Secret(ALICE)), name))


def links(said: str) -> dict[str, str]:
    """The address of each file that a reply links to in the model's own words."""
    prose = said.rpartition("complete. ")[2]
    return dict(re.findall(r"\[([^\]]+)\]\((http[^)]+)\)", prose))


def fetched(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False)


@behaviour("proxy:files:story")
@pytest.mark.parametrize("streams", [False, True])
def test_a_table_is_sent_drawn_and_cleaned_and_the_clean_one_is_downloaded(
    opened: Open, serve: Serve, streams: bool
) -> None:
    served = serve("vllm")
    proxied = opened(served.url)
    client, chat = proxied.client(), named(f"story-{streams}")
    if streams:
        chunks = client.chat.completions.create(
            model=RUNS, messages=asked(part()), stream=True, extra_headers=chat
        )
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    else:
        reply = client.chat.completions.create(model=RUNS, messages=asked(part()), extra_headers=chat)
        said = str(reply.choices[0].message.content)
    assert "2 of 4 rows are complete." in said
    given = links(said)
    assert list(given) == ["sales-clean.csv", "sales.png"]
    (below,) = re.findall(r"^\(Files: .*\)$", said, re.MULTILINE)
    assert dict(re.findall(r"\[`([^`]+)`\]\((http[^)]+)\)", below)) == given
    table = fetched(given["sales-clean.csv"])
    assert (table.status_code, table.content) == (200, CLEAN)
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in table.headers["content-disposition"]
    assert fetched(given["sales-clean.csv"], Range="bytes=0-3").content == b"city"
    chart = fetched(given["sales.png"], **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"})
    assert (chart.status_code, chart.headers["content-type"]) == (200, "image/png")
    assert chart.content.startswith(b"\x89PNG")
    # The model is told of the file, and never given its content or a random name.
    assert served.chats[0].body["messages"][-1]["content"] == (
        f"{QUESTION}\n\nFiles of this message, in the working folder:\n"
        "- `sales.csv`: CSV, 44 bytes; 2 columns: `city`, `sales`; 4 rows"
    )
    assert not re.search("base64|/files/", str([asked.body for asked in served.chats]))
    for key, status in ((ALICE, 200), (BOB, 404), ("wrong", 404)):
        answer = fetched(given["sales-clean.csv"], Authorization=f"Bearer {key}")
        assert answer.status_code == status
    (folder(proxied, f"story-{streams}") / "sales-clean.csv").unlink()
    gone = fetched(given["sales-clean.csv"])
    assert (gone.status_code, gone.text) == (404, "sales-clean.csv is not in this chat's folder.")


@behaviour("proxy:files:kept")
def test_a_file_comes_again_with_the_history_and_what_was_made_of_it_stays(
    opened: Open, serve: Serve
) -> None:
    proxied = opened(serve("vllm").url)
    client = proxied.client()
    first = client.chat.completions.create(model=RUNS, messages=asked(part()), extra_headers=named("again"))
    here = folder(proxied, "again")
    (here / "sales.csv").write_text("changed")
    history = [*asked(part()), {"role": "assistant", "content": first.choices[0].message.content}]
    client.chat.completions.create(
        model=RUNS,
        messages=[*history, *asked(part("other.csv"), text="Thank you.")],
        extra_headers=named("again"),
    )
    made = {path.name for path in here.iterdir() if not path.name.startswith(".")}
    assert made == {"sales.csv", "sales-clean.csv", "sales.png", "other.csv"}
    assert (here / "sales.csv").read_text() == "changed"
    assert (here / "other.csv").read_bytes() == SALES


@behaviour("proxy:files:images")
def test_an_image_is_seen_by_the_model_and_lies_in_the_folder(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    proxied = opened(served.url)
    seen = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    proxied.client().chat.completions.create(
        model=RUNS, messages=asked(seen, text="Thank you."), extra_headers=named("seen")
    )
    assert (folder(proxied, "seen") / "image.png").read_bytes() == base64.b64decode(PNG)
    words, line, image = served.chats[-1].body["messages"][-1]["content"]
    assert (words["text"], image) == ("Thank you.", seen)
    assert "image.png" in line["text"]


@behaviour("proxy:files:refused")
def test_a_client_is_told_what_is_wrong_with_a_file_before_anything_runs(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    client = opened(served.url).client()
    with pytest.raises(openai.BadRequestError, match="There is no file 'file-a' here: upload it"):
        client.chat.completions.create(
            model=RUNS, messages=asked({"type": "file", "file": {"file_id": "file-a"}})
        )
    assert not served.chats


@behaviour("proxy:files:refused")
def test_a_file_for_which_there_is_no_room_is_refused_and_nothing_of_it_is_kept(
    opened: Open, serve: Serve
) -> None:
    served = serve("vllm")
    proxied = opened(served.url, max_disk=0.00002)
    with pytest.raises(openai.APIStatusError, match=r"big\.csv is too large.*max_disk") as refused:
        proxied.client().chat.completions.create(
            model=RUNS, messages=asked(part("big.csv", b"1" * 30_000)), extra_headers=named("full")
        )
    assert refused.value.status_code == 413
    assert not list(folder(proxied, "full").glob("*"))
    assert not served.chats


@behaviour("proxy:pass:untouched")
def test_without_code_to_run_a_file_is_passed_on_as_it_came(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    opened(served.url).client().chat.completions.create(model=MODEL, messages=asked(part()))
    assert served.chats[-1].body["messages"] == asked(part())


class NoKernel:
    """A conversation that never has one."""

    live = False
    state = "stopped"

    def warm(self) -> None:
        """Do nothing."""

    async def ask(
        self, question: str, arguments: Mapping[str, object], patience: float
    ) -> Mapping[str, object]:
        """Refuse."""
        raise NotAnswered(question)


NO_KERNEL = NoKernel()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    kept = open_records("", tmp_path / "records")
    yield kept
    kept.close()


def sent(*parts: Any) -> list[SentFile]:
    return list(take(asked(*parts)).files)


@behaviour("proxy:files:kept")
async def test_after_a_restart_it_is_known_what_was_received(records: Records, tmp_path: Path) -> None:
    place, files = LocalFolder(tmp_path / "own"), sent(part(), part("b.csv"))
    first = await ReceivedFiles(records).write("chat", place, files, NO_KERNEL)
    await place.delete("b.csv")
    await place.rename("sales.csv", "renamed.csv")
    again = await ReceivedFiles(records).write("chat", place, files, NO_KERNEL)
    assert again == first
    assert [file.path for file in (await place.list()).files] == ["renamed.csv"]
    # Another chat's is another file, and the folder of a container that began anew has lost all of them.
    await ReceivedFiles(records).write("other", place, files[1:], NO_KERNEL)
    fresh = LocalFolder(tmp_path / "fresh")
    await ReceivedFiles(records).write("chat", fresh, files, NO_KERNEL)
    assert [file.path for file in (await fresh.list()).files] == ["b.csv", "sales.csv"]


@behaviour("proxy:files:names")
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\Ada\\a.csv", "a.csv"),
        ("..", "file.csv"),
        (".", "file.csv"),
        ("a/", "file.csv"),
        ("", "file.csv"),
        (".bashrc", "bashrc"),
        ("a\nb.csv", "a_b.csv"),
        ("CON.csv", "_CON.csv"),
    ],
)
async def test_no_name_of_a_file_leads_out_of_the_folder(
    records: Records, tmp_path: Path, name: str, path: str
) -> None:
    place = LocalFolder(tmp_path / "own")
    await ReceivedFiles(records).write("chat", place, sent(part(name)), NO_KERNEL)
    assert [file.path for file in (await place.list()).files] == [path]


@behaviour("proxy:files:refused")
async def test_what_cannot_be_put_into_the_folder_is_refused_unless_it_can_be_seen(records: Records) -> None:
    place, received = unreachable(), ReceivedFiles(records)
    with pytest.raises(FolderUnreachable, match="no kernel runs"):
        await received.write("chat", place, sent(part()), NO_KERNEL)
    image = sent({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}})
    assert await received.write("chat", place, image, NO_KERNEL) == {}


class KernelsFolder(LocalFolder):
    """A folder to which a kernel alone leads: it is out of reach until that has started."""

    live = False
    state = "none"

    def warm(self) -> None:
        """Start at once."""
        self.live, self.state = True, "idle"

    async def ask(
        self, question: str, arguments: Mapping[str, object], patience: float
    ) -> Mapping[str, object]:
        """Refuse, as a kernel of another language does."""
        raise NotAnswered(question)

    async def write(self, path: str, pieces: AsyncIterable[bytes], size: int | None = None) -> File:
        """Write it through the kernel."""
        if not self.live:
            raise FolderUnreachable("no kernel runs")
        return await super().write(path, pieces, size)


@behaviour("proxy:files:kernel")
async def test_a_kernel_that_alone_leads_to_the_folder_is_started_for_a_file(
    records: Records, tmp_path: Path
) -> None:
    place = KernelsFolder(tmp_path / "own")
    told = await ReceivedFiles(records).write("chat", place, sent(part()), place)
    assert [(each.path, each.facts) for each in told.values()] == [("sales.csv", "")]
    assert (tmp_path / "own" / "sales.csv").read_bytes() == SALES


@behaviour("proxy:files:apart")
def test_the_same_words_about_another_file_are_another_conversation() -> None:
    found, one, other = Conversations(), take(asked(part())), take(asked(part(content=b"a,b")))
    found.remember("alice", "one", one.messages, "It is a table.")
    later = [{"role": "assistant", "content": "It is a table."}, {"role": "user", "content": "And now?"}]
    assert found.find("alice", {}, None, [*one.messages, *later]) == "one"
    assert found.find("alice", {}, None, [*other.messages, *later]) == ""
