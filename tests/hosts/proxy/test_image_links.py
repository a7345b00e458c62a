"""The pictures of results, as a client's page sees them."""

import os
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx
import pytest

from coderunner.access.api_keys import ApiKeys, owner
from coderunner.hosts.proxy.files.album import DAY
from coderunner.hosts.proxy.files.image_links import ImageStore, inline
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.outputs import DisplayData, Result
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, BOB, RUNS, Open
from tests.models.conftest import Serve
from tests.pictures import drawn, text

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><script>1</script></svg>'
ADDRESS = "http://127.0.0.1:7862"
MINE = owner(Secret(ALICE))
RING = ApiKeys([Secret(ALICE), Secret(BOB)])

PLOT: Any = [{"role": "user", "content": "Plot a sine wave"}]


def shown(*data: dict[str, object]) -> Result:
    return Result(tuple(DisplayData(each) for each in data))


def name(link: str) -> str:
    return re.sub(r"^!\[.*\]\(.*/|\)$", "", link)


@behaviour("proxy:pictures:links")
def test_a_plot_is_a_link_that_a_page_can_show(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    proxied = opened(served.url)
    reply = proxied.client().chat.completions.create(model=RUNS, messages=PLOT)
    link = re.search(r"!\[image/png, (\d+)×(\d+)\]\((http://[^)]+)\)", str(reply.choices[0].message.content))
    assert link
    assert link[3].startswith(f"{proxied.url}/coderunner/pictures/")
    # As an <img> of another page asks for it: without a key, and saying where from.
    page = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}
    picture = httpx.get(link[3], headers=page, trust_env=False)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert picture.content.startswith(b"\x89PNG")
    assert "sandbox" in picture.headers["content-security-policy"]
    assert "base64" not in str(served.chats[-1].body)
    for key, status in ((ALICE, 200), (BOB, 404), ("wrong", 404)):
        answer = httpx.get(link[3], headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        assert answer.status_code == status
    assert httpx.post(link[3], trust_env=False).status_code == 404


@behaviour("proxy:pictures:inline")
def test_by_setting_a_picture_stands_whole_in_the_reply_and_never_before_the_model(
    opened: Open, serve: Serve
) -> None:
    served = serve("vllm")
    client = opened(served.url, pictures="inline").client()
    said = str(client.chat.completions.create(model=RUNS, messages=PLOT).choices[0].message.content)
    whole = re.search(r"!\[image/png, \d+×\d+\]\(data:image/png;base64,([^)]+)\)", said)
    assert whole
    assert b64decode(whole[1]).startswith(b"\x89PNG")
    history: Any = [*PLOT, {"role": "assistant", "content": said}, {"role": "user", "content": "Thanks"}]
    client.chat.completions.create(model=RUNS, messages=history)
    assert len(served.chats) == 3
    assert "base64" not in str([asked.body for asked in served.chats])
    assert "[image/png, " in str(served.chats[-1].body)


@behaviour("proxy:pictures:sight")
def test_a_model_that_sees_is_shown_the_picture_beside_its_link(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    reply = opened(served.url, vision="on").client().chat.completions.create(model=RUNS, messages=PLOT)
    assert "/coderunner/pictures/" in str(reply.choices[0].message.content)
    words, picture = served.chats[-1].body["messages"][-1]["content"]
    assert "/coderunner/pictures/" in words["text"]
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")


@behaviour("proxy:pictures:claims")
def test_what_is_no_picture_is_told_in_words(tmp_path: Path) -> None:
    image_store = ImageStore(tmp_path, 90)
    tiff = text(drawn("TIFF"))
    result = shown({"image/jpeg": PNG}, {"image/png": tiff}, {"image/svg+xml": SVG}, {"image/png": "no"})
    png, words, svg = image_store.keep(result, MINE, ADDRESS)
    assert png.startswith(f"![image/png, 1×1]({ADDRESS}/coderunner/pictures/")
    assert svg.startswith(f"![image/svg+xml, 4×3]({ADDRESS}/coderunner/pictures/")
    assert words == "[image/tiff, not shown: browsers do not support this type]"
    assert len(list(tmp_path.iterdir())) == 2
    assert [each.partition("]")[0] for each in inline(result)] == [
        "![image/png, 1×1",
        "[image/tiff, not shown: browsers do not support this type",
        "![image/svg+xml, 4×3",
    ]
    assert for_the_model(f"Look: {inline(result)[0]}.") == "Look: [image/png, 1×1]."


@behaviour("proxy:pictures:end")
def test_a_link_ends_with_its_time_and_with_its_owners_key(tmp_path: Path) -> None:
    image_store = ImageStore(tmp_path, 1)
    (link,) = image_store.keep(shown({"image/png": PNG}), MINE, ADDRESS)
    path = image_store.find(name(link), RING, None)
    assert path is not None
    assert image_store.find(name(link), ApiKeys([Secret(BOB)]), None) is None
    os.utime(path, (path.stat().st_mtime - 1.1 * DAY,) * 2)
    assert image_store.find(name(link), RING, None) is None
    image_store.album.sweep()
    assert not path.exists()


@behaviour("proxy:pictures:room")
def test_the_oldest_pictures_make_way(tmp_path: Path) -> None:
    image_store = ImageStore(tmp_path, 0, most_bytes=2 * len(b64decode(PNG)))
    links = [image_store.keep(shown({"image/png": PNG}), MINE, ADDRESS)[0] for _ in range(4)]
    assert [image_store.find(name(link), RING, None) is None for link in links] == [True, True, False, False]


@behaviour("proxy:pictures:names")
@pytest.mark.parametrize("wrong", ["", "*", "..", "../api-key", "?" * 32, "0" * 32, "0" * 31 + "/x"])
def test_nothing_but_a_pictures_own_name_finds_it(tmp_path: Path, wrong: str) -> None:
    image_store = ImageStore(tmp_path / "pictures", 0)
    image_store.keep(shown({"image/png": PNG}), MINE, ADDRESS)
    (tmp_path / "api-key").write_text("secret")
    assert image_store.find(wrong, RING, None) is None
