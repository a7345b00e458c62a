"""The files in the messages of a request, in every form in which clients send them."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.hosts.proxy.files import sent_files
from coderunner.hosts.proxy.files.sent_files import SentFile, UnusableFile, take, with_file_words
from coderunner.text import base64_text
from tests.behaviours import behaviour

CSV = b"city,people\nOslo,709037\nBergen,291940\n"
DATA = f"data:text/csv;base64,{b64encode(CSV).decode()}"
PNG = f"data:image/png;base64,{b64encode(bytes(range(256))).decode()}"


def asked(*parts: object, role: str = "user") -> list[Any]:
    return [{"role": role, "content": [{"type": "text", "text": "Look"}, *parts]}]


def names(files: Sequence[SentFile]) -> str:
    return f"[{', '.join(sent.name or 'image' for sent in files)}]"


def content(sent: SentFile) -> bytes:
    return b"".join(sent.pieces())


FORMS = {
    "chat completions": {"type": "file", "file": {"filename": "a.csv", "file_data": DATA}},
    "without an address": {
        "type": "file",
        "file": {"filename": "a.csv", "file_data": b64encode(CSV).decode()},
    },
    "responses": {"type": "input_file", "filename": "a.csv", "file_data": DATA},
    "an id beside it": {
        "type": "file",
        "file": {"file_id": "file-1", "filename": "a.csv", "file_data": DATA},
    },
    "with parameters": {
        "type": "file",
        "file": {"filename": "a.csv", "file_data": DATA.replace("csv;", "csv;charset=utf-8;header=present;")},
    },
    "percent-encoded": {
        "type": "file",
        "file": {
            "filename": "a.csv",
            "file_data": "data:text/csv,city,people%0AOslo,709037%0ABergen,291940%0A",
        },
    },
    "in lines": {
        "type": "file",
        "file": {
            "filename": "a.csv",
            "file_data": "\r\n ".join(DATA[at : at + 24] for at in range(0, 99, 24)),
        },
    },
    "unpadded": {"type": "file", "file": {"filename": "a.csv", "file_data": DATA.rstrip("=")}},
}


@behaviour("proxy:files:forms")
@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_taken_out_of_a_message_in_every_form(form: str) -> None:
    before = {"type": "text", "text": "Look"}
    taken = take(asked(FORMS[form]))
    (sent,) = taken.files
    assert (sent.name, content(sent), sent.size) == ("a.csv", CSV, len(CSV))
    assert sent.digest == sha256(CSV).hexdigest()
    assert taken.messages == [{"role": "user", "content": [before, sent]}]
    assert with_file_words(taken.messages, names) == [{"role": "user", "content": "Look\n\n[a.csv]"}]


@behaviour("proxy:files:images")
@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": PNG},
        {"type": "input_image", "image_url": PNG},
    ],
)
def test_an_image_is_a_file_and_stays_to_be_seen(part: object) -> None:
    taken = take(asked(part))
    (sent,) = taken.files
    assert (sent.image, sent.mime, content(sent)) == (True, "image/png", bytes(range(256)))
    seen = {"type": "image_url", "image_url": {"url": PNG}}
    (message,) = with_file_words(taken.messages, names)
    assert message["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "text", "text": "[image]"},
        seen,
    ]


@behaviour("proxy:files:images")
def test_the_files_of_a_message_are_told_together_where_the_first_stood() -> None:
    parts = [
        {"type": "file", "file": {"filename": "a.csv", "file_data": DATA}},
        {"type": "text", "text": "and"},
        {"type": "file", "file": {"filename": "b.csv", "file_data": DATA}},
    ]
    (message,) = with_file_words(take(asked(*parts)).messages, names)
    assert message["content"] == "Look\n\n[a.csv, b.csv]\n\nand"
    (silent,) = with_file_words(take(asked(*parts)).messages, lambda _: "")
    assert silent["content"] == "Look\n\nand"


@behaviour("proxy:files:images")
def test_what_is_no_file_stays_as_it_is() -> None:
    elsewhere = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}}
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    messages = [*asked(elsewhere, sound, {"type": "strange"}, 7), {"role": "user", "content": "data:,x"}]
    assert take(messages).messages == messages
    own = asked({"type": "file", "file": {"filename": "a.csv", "file_data": DATA}}, role="assistant")
    assert take(own).messages == own


@behaviour("proxy:files:once")
def test_the_same_content_under_the_same_name_is_one_file() -> None:
    part = {"type": "file", "file": {"filename": "a.csv", "file_data": DATA}}
    other = {"type": "file", "file": {"filename": "b.csv", "file_data": DATA}}
    taken = take([*asked(part, other), *asked(part)])
    assert [sent.name for sent in taken.files] == ["a.csv", "b.csv"]


@behaviour("proxy:files:refused")
@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (
            {"type": "file", "file": {"file_id": "file-a"}},
            "There is no file 'file-a' here: upload it (POST /v1/files), or send it as file_data.",
        ),
        (
            {"type": "input_image", "file_id": "file-a"},
            "There is no file 'file-a' here: upload it (POST /v1/files), or send it as file_data.",
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_url": "https://example.org/a.pdf"},
            "The proxy loads no files from addresses: send the content of 'a.pdf', as file_data.",
        ),
        (
            {"type": "file", "file": {"filename": "a.csv"}},
            "There is no content in 'a.csv': send it as file_data, a data URL like data:text/csv;base64,…",
        ),
        (
            {"type": "file"},
            "There is no content in the file: send it as file_data, a data URL like data:text/csv;base64,…",
        ),
        *(
            (
                {"type": "file", "file": {"filename": "a.csv", "file_data": data}},
                "The content of 'a.csv' is not valid base64: send file_data as data:TYPE;base64,…",
            )
            for data in (
                "a,b\n1,2\n",
                "data:text/csv;base64,AA=A",
                "AAAAA",
                "data:no comma",
                "ÅÅÅÅ",
                "AA==AA==",
            )
        ),
    ],
)
def test_a_file_that_cannot_be_had_is_refused_with_a_sentence(part: object, sentence: str) -> None:
    with pytest.raises(UnusableFile) as refused:
        take(asked(part))
    assert str(refused.value) == sentence


@behaviour("proxy:files:refused")
def test_more_files_than_a_request_may_hold_are_refused() -> None:
    parts = [
        {"type": "file", "file": {"filename": f"{index}.csv", "file_data": DATA}}
        for index in range(sent_files.MOST + 1)
    ]
    assert len(take(asked(*parts[1:])).files) == sent_files.MOST
    with pytest.raises(UnusableFile, match="more than 200 files"):
        take(asked(*parts))


@behaviour("proxy:files:forms")
@given(st.binary(max_size=300), st.integers(1, 40).map(lambda quarter: 4 * quarter))
def test_content_is_the_same_however_it_is_cut_into_pieces(plain: bytes, piece: int) -> None:
    usual, base64_text.PIECE = base64_text.PIECE, piece
    try:
        for encoded in (b64encode(plain), urlsafe_b64encode(plain)):
            for data in (encoded.decode(), f"data:;base64,{encoded.decode()}", f"\n{encoded.decode()}\n"):
                if data.strip():
                    (sent,) = take(asked({"type": "file", "file": {"file_data": data}})).files
                    assert content(sent) == plain
    finally:
        base64_text.PIECE = usual
