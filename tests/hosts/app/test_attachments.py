"""The files of a message: which a page may send, and which pictures a model is shown."""

import io
from pathlib import Path

from PIL import Image

from coderunner.files.local_folder import LocalFolder
from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.hosts.app.attachments.looking_in import pictures
from coderunner.models.continuation.vision import MOST
from tests.behaviours import behaviour


def picture(side: int) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (side, side)).save(kept, "PNG")
    return kept.getvalue()


@behaviour("app:attached:pictures")
async def test_a_model_is_shown_the_newest_pictures_that_are_still_there(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png", "e.png"):
        (tmp_path / name).write_bytes(picture(30))
    (tmp_path / "broken.png").write_bytes(b"x")
    (tmp_path / "table.csv").write_text("x")
    messages = [
        [Attachment(name, 1) for name in names]
        for names in (
            ["a.png", "b.png"],
            [],
            ["table.csv", "c.png", "gone.png", "broken.png", "../a.png"],
            ["d.png", "e.png"],
        )
    ]
    shown = await pictures(LocalFolder(tmp_path), messages)
    assert {place: len(seen) for place, seen in shown.items()} == {3: 2, 2: 1, 0: 1}
    assert sum(map(len, shown.values())) == MOST
    assert await pictures(LocalFolder(tmp_path / "no folder"), messages) == {}
