"""Images by their bytes, and as models take them: whatever a program calls them."""

import base64
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from coderunner.images.image_type import Image, Unreadable, of_bundle, read
from coderunner.images.resize import PIXELS, SHORTEST, for_models
from tests.behaviours import behaviour
from tests.pictures import drawn, png, text

SVG = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
HTML = b"<!DOCTYPE html>\n<html><title>404</title></html>"


@behaviour("images:type:bytes")
@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
@pytest.mark.parametrize("says", ["image/png", "image/jpeg", "image/svg+xml", "image/x-icon"])
def test_an_image_is_of_the_type_that_its_bytes_say(kind: str, mime: str, says: str) -> None:
    image = read(says, text(drawn(kind)))
    assert isinstance(image, Image)
    assert image.mime == mime
    assert image.dimensions in ((60, 40), None)
    assert image.content == drawn(kind)


@behaviour("images:type:bytes")
@pytest.mark.parametrize("data", [SVG, text(SVG.encode()), f"<!-- a plot -->{SVG}"])
@pytest.mark.parametrize("says", ["image/png", "image/svg+xml"])
def test_a_drawing_is_one_as_text_and_as_bytes(data: str, says: str) -> None:
    image = read(says, data)
    assert isinstance(image, Image)
    assert (image.mime, image.dimensions) == ("image/svg+xml", (9, 9))


@behaviour("images:type:bytes")
@pytest.mark.parametrize("written", ["{}\n", "data:image/png;base64,{}", " {} ", "\r\n{}\r\n"])
def test_base64_may_have_line_ends_and_an_address_before_it(written: str) -> None:
    lines = base64.encodebytes(drawn()).decode()
    for each in (lines, lines.rstrip("=\n")):
        image = read("image/png", written.format(each))
        assert isinstance(image, Image)
        assert image.content == drawn()


@behaviour("images:unreadable:line")
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (text(HTML), "declared as image/png, is HTML"),
        (HTML.decode(), "declared as image/png, is HTML"),
        (text(b"%PDF-1.7 x"), "declared as image/png, is PDF"),
        (text(b'{"error": "not found"}'), "declared as image/png, is JSON"),
        (text(b"PK\x03\x04" + bytes(30)), "declared as image/png, is a ZIP file"),
        (text(drawn("ICO")), "declared as image/png, is an icon"),
        (text(drawn("JPEG2000")), "declared as image/png, is JPEG 2000"),
        (text(bytes(30)), "declared as image/png, is no image"),
        ("", "declared as image/png, is empty"),
        (" \n", "declared as image/png, is empty"),
        ("no base64 at all", "declared as image/png, is not base64"),
        (text(drawn())[:-3] + "$", "declared as image/png, is not base64"),
        (text(drawn()[:-20]), "declared as image/png, is cut off"),
        (text(drawn()[:30]), "declared as image/png, is cut off"),
        (text(drawn("JPEG")[:-2]), "declared as image/png, is image/jpeg that is cut off"),
        (text(drawn("GIF")[:-40]), "declared as image/png, is image/gif that is cut off"),
        (text(drawn("WEBP")[:-9]), "declared as image/png, is image/webp that is cut off"),
        (text(drawn("BMP")[:-9]), "declared as image/png, is image/bmp that is cut off"),
    ],
)
def test_what_is_no_image_says_what_it_is(data: str, why: str) -> None:
    assert str(read("image/png", data)) == f"[unreadable image: {why}]"


@behaviour("images:unreadable:line")
def test_of_a_bundle_the_image_that_can_be_read_counts() -> None:
    good = of_bundle({"image/png": text(HTML), "image/jpeg": text(drawn("JPEG"))})
    assert isinstance(good, Image)
    assert good.mime == "image/jpeg"
    assert isinstance(of_bundle({"image/png": text(HTML), "text/plain": "x"}), Unreadable)
    assert of_bundle({"text/plain": "x"}) is None


@behaviour("images:type:bytes")
@given(st.binary(max_size=80), st.sampled_from([b"", png()[:40], drawn("JPEG")[:40], b"RIFF", b"BM", b"II*"]))
def test_any_bytes_are_told_somehow(more: bytes, start: bytes) -> None:
    assert str(read("image/png", text(start + more))).startswith("[")


def seen(content: bytes, *, longest: int = 800, largest: int = 3_000_000) -> Pillow.Image:
    """What a model is shown, decoded; it keeps within the bounds."""
    shown = for_models(content, longest=longest, largest=largest)
    assert shown is not None
    assert len(shown.content) <= largest
    image = Pillow.open(io.BytesIO(shown.content))
    assert shown.mime == f"image/{str(image.format).lower()}"
    assert image.format in ("PNG", "JPEG")
    assert max(image.size) <= longest
    image.load()
    return image


@behaviour("images:models:accepted")
def test_an_image_that_every_model_takes_is_passed_on_as_it_is() -> None:
    for content in (drawn(), drawn("JPEG"), drawn(mode="RGBA"), drawn(mode="L")):
        shown = for_models(content, longest=800, largest=3_000_000)
        assert shown is not None
        assert shown.content == content


@behaviour("images:models:accepted")
@pytest.mark.parametrize(
    "content",
    [
        drawn("GIF"),
        drawn("WEBP"),
        drawn("BMP"),
        drawn("TIFF"),
        drawn("AVIF"),
        drawn("JPEG", mode="CMYK"),
        drawn(mode="LA"),
        drawn("TIFF", mode="F"),
        drawn("GIF", save_all=True, append_images=[Pillow.new("L", (60, 40))] * 3),
        drawn("PNG", save_all=True, append_images=[Pillow.new("RGB", (60, 40))] * 3),
    ],
    ids=["gif", "webp", "bmp", "tiff", "avif", "cmyk", "grey-alpha", "float", "animated-gif", "animated-png"],
)
def test_any_other_becomes_one_that_every_model_takes(content: bytes) -> None:
    image = seen(content)
    assert image.size == (60, 40)
    assert image.mode in ("RGB", "RGBA")
    assert getattr(image, "n_frames", 1) == 1


@behaviour("images:models:accepted")
def test_sixteen_bits_keep_their_greys() -> None:
    kept = io.BytesIO()
    wide = Pillow.new("I;16", (60, 40))
    wide.putdata([number * 20 for number in range(2400)])
    wide.save(kept, "PNG")
    image = seen(kept.getvalue()).convert("L")
    assert image.getextrema() == (0, 255)
    assert image.getpixel((30, 20)) in range(120, 135)


@behaviour("images:models:accepted")
def test_what_a_camera_wrote_on_its_side_stands_upright() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    assert seen(drawn("JPEG", exif=exif.tobytes())).size == (40, 60)


@behaviour("images:models:accepted")
def test_a_long_strip_is_scaled_and_gets_a_margin() -> None:
    assert seen(drawn(size=(9000, 60))).size == (800, SHORTEST)


@behaviour("images:models:accepted")
def test_a_heavy_file_becomes_as_light_as_it_must() -> None:
    noise = Pillow.effect_noise((1_500, 1_500), 90).convert("RGB")
    kept = io.BytesIO()
    noise.save(kept, "PNG")
    assert len(kept.getvalue()) > 1_000_000
    assert max(seen(kept.getvalue(), longest=1_568, largest=300_000).size) > 300


@behaviour("images:models:none")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        HTML,
        SVG.encode(),
        drawn()[:-30],
        drawn()[:60] + bytes(20) + drawn()[80:],
        png(50_000, 50_000),
        png(PIXELS, 2),
        png(640, 480),
    ],
    ids=["empty", "html", "svg", "cut", "damaged", "huge", "wide", "too-few-pixels"],
)
def test_what_cannot_be_decoded_is_not_shown_to_a_model(content: bytes) -> None:
    assert for_models(content, longest=800, largest=3_000_000) is None
