"""Containers and files by their ids, with the official clients: what code makes, and what it needs."""

import json
import re
from typing import Any

import anthropic
import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response

from coderunner.hosts.proxy.files.file_ids import (
    MADE,
    UPLOADED,
    FileId,
    cited,
    container_id,
    conversation_of,
    file_of,
    linked,
)
from coderunner.hosts.proxy.files.sent_ids import with_container_files
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, BOB, RUNS, Open, Proxied
from tests.models.conftest import Serve

SALES = b"city,sales\nOslo,12\nBergen,\nTromso,7\nOslo,12\n"
DRAW = "Draw a chart of the table and clean it."
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=80)


@pytest.fixture
def proxied(opened: Open, serve: Serve) -> Proxied:
    return opened(serve("vllm").url)


@pytest.fixture
def client(proxied: Proxied) -> openai.OpenAI:
    return proxied.client().with_options(default_headers={"x-coderunner-session": ""})


def citations(response: Response) -> dict[str, Any]:
    return {
        annotation.filename: (annotation, part.text[annotation.start_index : annotation.end_index])
        for item in response.output
        if item.type == "message"
        for part in item.content
        if part.type == "output_text"
        for annotation in part.annotations
        if annotation.type == "container_file_citation"
    }


def asked(part: dict[str, str], text: str = DRAW) -> Any:
    return [{"role": "user", "content": [{"type": "input_text", "text": text}, part]}]


@behaviour("proxy:containers:story")
@pytest.mark.parametrize("streams", [False, True])
def test_a_file_is_uploaded_drawn_and_cleaned_and_read_from_the_container_that_the_response_names(
    client: openai.OpenAI, streams: bool
) -> None:
    table = client.files.create(file=("sales.csv", SALES), purpose="user_data")
    question = asked({"type": "input_file", "file_id": table.id})
    if streams:
        with client.responses.stream(model=RUNS, input=question) as stream:
            stream.until_done()
            response: Response = stream.get_final_response()
    else:
        response = client.responses.create(model=RUNS, input=question)
    (container,) = {item.container_id for item in response.output if item.type == "code_interpreter_call"}
    clean, link = citations(response)["sales-clean.csv"]
    assert clean.container_id == container
    assert re.fullmatch(r"\[[^\]]+\]\(http[^)]+/sales-clean\.csv\)", link)
    content = client.containers.files.content.retrieve(clean.file_id, container_id=container)
    assert content.read().startswith(b"city,sales")
    listed = {each.path: each for each in client.containers.files.list(container)}
    assert {name: each.source for name, each in listed.items()} == {
        "sales.csv": "user",
        "sales.png": "assistant",
        "sales-clean.csv": "assistant",
    }
    assert listed["sales-clean.csv"].id == clean.file_id
    assert client.containers.files.retrieve(clean.file_id, container_id=container).bytes == len(
        client.containers.files.content.retrieve(clean.file_id, container_id=container).read()
    )
    known = client.containers.retrieve(container)
    assert (known.id, known.status) == (container, "running")
    assert container in [each.id for each in client.containers.list()]


@behaviour("proxy:containers:made")
def test_a_container_is_made_with_files_that_code_in_it_finds(client: openai.OpenAI) -> None:
    table = client.files.create(file=("sales.csv", SALES), purpose="assistants")
    made = client.containers.create(name="sums", file_ids=[table.id])
    more = client.containers.files.create(made.id, file=("more/ev\u202eil.txt", b"15"))
    assert (made.name, more.source) == ("sums", "user")
    assert more.path == "more/ev_il.txt"
    with pytest.raises(openai.BadRequestError, match="leads out of this chat's folder"):
        client.containers.files.create(made.id, file=("../a.txt", b"15"))
    copied = client.containers.files.create(made.id, file_id=table.id)
    assert copied.path == "sales (2).csv"
    tool: Any = {"type": "code_interpreter", "container": made.id}
    response = client.responses.create(model=RUNS, input="What is 10 + 5?", tools=[tool])
    assert {item.container_id for item in response.output if item.type == "code_interpreter_call"} == {
        made.id
    }
    assert [each.name for each in client.containers.list() if each.id == made.id] == ["sums"]
    first = client.containers.files.list(made.id, limit=1, order="asc")
    assert (len(first.data), first.has_more) == (1, True)
    paths = [each.path for each in client.containers.files.list(made.id, limit=1, order="asc")]
    assert sorted(paths) == sorted(["sales.csv", more.path, copied.path])
    client.containers.files.delete(more.id, container_id=made.id)
    with pytest.raises(openai.NotFoundError):
        client.containers.files.retrieve(more.id, container_id=made.id)
    client.containers.delete(made.id)
    with pytest.raises(openai.NotFoundError, match="There is no container"):
        client.containers.retrieve(made.id)
    with pytest.raises(openai.NotFoundError, match="There is no container"):
        client.containers.files.list(made.id)
    assert client.files.content(table.id).read() == SALES


@behaviour("proxy:containers:brought")
def test_files_of_an_automatic_container_stand_in_the_first_message_of_the_user() -> None:
    tool = {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-1"]}}
    part = {"type": "input_file", "file_id": "file-1"}
    text = {"type": "input_text", "text": "Sum it."}
    said = with_container_files({"input": "Sum it.", "tools": [tool]})
    assert said["input"] == [{"type": "message", "role": "user", "content": [text, part]}]
    rules, first, second = (
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Sum it."},
        {"role": "user", "content": "Again."},
    )
    history = with_container_files({"input": [rules, first, second], "tools": [tool]})["input"]
    assert history == [rules, {"role": "user", "content": [text, part]}, second]


@behaviour("proxy:containers:messages")
def test_files_of_results_are_read_by_anthropics_client_and_its_uploads_are_files_of_the_chat(
    proxied: Proxied,
) -> None:
    client = proxied.anthropic()
    table = client.beta.files.upload(file=("sales.csv", SALES, "text/csv"))
    parts: Any = [{"type": "text", "text": DRAW}, {"type": "container_upload", "file_id": table.id}]
    message = client.beta.messages.create(
        model=RUNS, max_tokens=1000, messages=[{"role": "user", "content": parts}]
    )
    files = [
        file.file_id
        for block in message.content
        if block.type == "code_execution_tool_result" and block.content.type == "code_execution_result"
        for file in block.content.content
    ]
    names = {client.beta.files.retrieve_metadata(each).filename: each for each in files}
    assert set(names) == {"sales.png", "sales-clean.csv"}
    assert client.beta.files.download(names["sales-clean.csv"]).read().startswith(b"city,sales")
    assert table.id in [each.id for each in client.beta.files.list()]
    client.beta.files.delete(table.id)
    with pytest.raises(anthropic.NotFoundError):
        client.beta.files.retrieve_metadata(table.id)


@behaviour("proxy:containers:owner")
def test_an_id_leads_only_into_what_belongs_to_who_asks(proxied: Proxied, client: openai.OpenAI) -> None:
    other = proxied.client(BOB)
    table = client.files.create(file=("sales.csv", SALES), purpose="user_data")
    made = client.containers.create(name="mine", file_ids=[table.id])
    (inside,) = client.containers.files.list(made.id).data
    for refused in (
        lambda: other.files.content(table.id),
        lambda: other.files.delete(table.id),
        lambda: other.containers.retrieve(made.id),
        lambda: other.containers.files.list(made.id),
        lambda: other.containers.delete(made.id),
        lambda: other.containers.files.content.retrieve(inside.id, container_id=made.id),
        lambda: other.containers.files.delete(inside.id, container_id=made.id),
        lambda: other.files.content(inside.id),
        lambda: other.responses.create(model=RUNS, input=asked({"type": "input_file", "file_id": inside.id})),
    ):
        with pytest.raises(openai.NotFoundError):
            refused()
    assert table.id not in [each.id for each in other.files.list()]
    assert made.id not in [each.id for each in other.containers.list()]
    assert client.files.content(table.id).read() == SALES


@behaviour("proxy:containers:refused")
def test_a_file_that_was_deleted_is_told_by_its_id_in_every_api(
    proxied: Proxied, client: openai.OpenAI
) -> None:
    gone = client.files.create(file=("sales.csv", SALES), purpose="user_data").id
    client.files.delete(gone)
    messages = proxied.anthropic().messages
    document: Any = [
        {"role": "user", "content": [{"type": "document", "source": {"type": "file", "file_id": gone}}]}
    ]
    part: Any = [{"role": "user", "content": [{"type": "file", "file": {"file_id": gone}}]}]
    for refused in (
        lambda: client.chat.completions.create(model=RUNS, messages=part),
        lambda: client.responses.create(model=RUNS, input=asked({"type": "input_file", "file_id": gone})),
        lambda: messages.create(model=RUNS, max_tokens=100, messages=document),
        lambda: client.files.content(gone),
        lambda: client.files.retrieve(gone),
        lambda: client.files.delete(gone),
        lambda: client.containers.create(name="a", file_ids=[gone]),
    ):
        with pytest.raises((openai.NotFoundError, anthropic.NotFoundError), match=gone) as told:
            refused()
        assert "sales.csv" not in str(told.value)


@behaviour("proxy:containers:names")
@pytest.mark.parametrize(
    "path", ["../secret.txt", "a/../../secret.txt", "/etc/hostname", ".", "..", "a\x00b"]
)
def test_an_id_that_somebody_writes_leads_out_of_no_folder(client: openai.OpenAI, path: str) -> None:
    made = client.containers.create(name="closed")
    conversation = conversation_of(made.id)
    for which, beginning in ((FileId(conversation, path), MADE), (FileId("", path), UPLOADED)):
        with pytest.raises(openai.NotFoundError):
            client.files.content(which.shown(beginning))
    inside = FileId(conversation, path).shown(MADE)
    with pytest.raises(openai.NotFoundError):
        client.containers.files.content.retrieve(inside, container_id=made.id)


@behaviour("proxy:containers:names")
@given(conversation=NAMES, path=NAMES)
def test_every_name_comes_back_from_its_id_and_can_stand_in_an_address(conversation: str, path: str) -> None:
    container = container_id(conversation)
    which = FileId(conversation, path)
    assert conversation_of(container) == conversation
    assert file_of(which.shown(MADE)) == which
    assert all(
        each.isascii() and (each.isalnum() or each in "_-.") for each in container + which.shown(UPLOADED)
    )


@behaviour("proxy:containers:names")
def test_links_of_ours_are_cited_and_nothing_else_is() -> None:
    link = f"http://127.0.0.1:1/coderunner/files/{'a' * 32}/b%20%28c%29.csv"
    text = f"[x] and [`b.csv`]({link}), [other](http://x/y) and {link}."
    (found,) = cited(text)
    assert found.path == "b (c).csv"
    assert text[found.start : found.end] == f"[`b.csv`]({link})"
    assert linked(link) == "b (c).csv"
    assert not linked(f"{link} and more")
    assert not cited("[" * 50_000 + link * 500)


@behaviour("proxy:containers:refused")
@pytest.mark.parametrize(
    ("method", "route", "sent", "says"),
    [
        ("POST", "containers", {"json": {}}, "needs a `name`"),
        ("POST", "containers", {"json": {"name": "a", "skills": [{}]}}, "leave out `skills`"),
        ("POST", "containers", {"json": {"name": "a", "file_ids": ["file-1"]}}, "no file 'file-1' here"),
        ("POST", "containers", {"content": b"[1"}, "not a JSON object"),
        ("POST", "containers/cntr_a/files", {"content": b"a"}, "has no file"),
        ("GET", "containers/cntr_a/files/cfile_1", {}, "has no file 'cfile_1'"),
        ("GET", "containers/cntr_a", {}, "no container 'cntr_a'"),
        ("POST", "files", {"data": {"purpose": "user_data"}}, "has no file"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(
    proxied: Proxied, method: str, route: str, sent: dict[str, Any], says: str
) -> None:
    headers = {"authorization": f"Bearer {ALICE}"}
    answer = httpx.request(method, f"{proxied.url}/v1/{route}", headers=headers, trust_env=False, **sent)
    assert answer.status_code in (400, 404)
    assert says in json.loads(answer.content)["error"]["message"]


@behaviour("proxy:containers:passed")
def test_what_is_the_endpoints_is_passed_on(proxied: Proxied, client: openai.OpenAI) -> None:
    foreign = f"cntr_{'0' * 48}"
    for passed in (
        lambda: client.containers.retrieve(foreign),
        lambda: client.files.retrieve("file-abc"),
        lambda: client.files.list(purpose="batch"),
        lambda: client.files.create(file=("a.jsonl", b"{}"), purpose="batch"),
        lambda: client.files.list(extra_headers={"x-coderunner": "off"}),
    ):
        # The demo model has no such route, and says so itself; or that it is sent no JSON.
        with pytest.raises(openai.APIStatusError, match=r"There is no /v1/|The body is no JSON object"):
            passed()
