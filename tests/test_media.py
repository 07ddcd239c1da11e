"""Pictures and sound as arguments: what is taken, what scoring logic is given, and what never crosses."""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from type_samples import refusal

import hfreg
from hfreg.cli import main
from hfreg.engine.isolated import channel
from hfreg.errors import ArgumentError, OutputError, TypeNotationError
from hfreg.scoring import media
from hfreg.types import File, Media, parse
from hfreg.types.media import MAX_BYTES
from hfreg.types.signals import png

PIXELS = np.array([[[250, 0, 0], [0, 250, 0]]], dtype=np.uint8)
TONE = np.sin(np.arange(4_410) * 2 * np.pi * 440 / 44_100).astype("float32")
LOOK = "return [image.mode, *image.size, *image.getpixel((0, 0))]"
LISTEN = (
    "return [len(sound['array']), sound['sampling_rate'], str(sound['array'].dtype), float(abs(sound['array']).max())]"
)


def picture(form: str = "PNG", **how: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, form, **how)
    return file.getvalue()


def sound(form: str = "WAV", samples: Any = TONE, rate: int = 44_100) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form)
    return file.getvalue()


def looker(logic: str = LOOK, **fields: Any) -> hfreg.Definition:
    arguments = [hfreg.Argument("image", "Image")]
    return hfreg.Definition(alias="looker", output_type="Any", arguments=arguments, scoring_logic=logic, **fields)


def listener(logic: str = LISTEN) -> hfreg.Definition:
    arguments = [hfreg.Argument("sound", "Audio")]
    return hfreg.Definition(alias="listener", output_type="Any", arguments=arguments, scoring_logic=logic)


# The types


@pytest.mark.parametrize("text", ["Image", "image", "Optional[Image]", "PIL.Image.Image", "Image | None"])
def test_a_picture_has_one_notation(text: str) -> None:
    assert str(parse(text)) == "Image"
    assert str(parse(f"list[{text}]")) == "Array[Image]"


def test_sound_has_a_rate_and_says_one_that_is_not_the_usual() -> None:
    assert [str(parse(t)) for t in ("Audio", "audio[16000]", "Audio[48000]")] == ["Audio", "Audio", "Audio[48000]"]
    assert parse("Audio[48000]") == parse(str(parse("Audio[48000]"))) != parse("Audio")
    with pytest.raises(TypeNotationError, match="a rate from 1,000 to 384,000 is expected"):
        parse("Audio[5]")


def test_a_signature_says_image_and_the_schema_base64() -> None:
    assert looker().signature_text == "(image: Image) -> Any"
    assert parse("Audio").json_schema()["contentEncoding"] == "base64"


def test_a_value_reads_as_the_same_from_its_text() -> None:
    held = parse("Image").check(picture(), "image")
    text = parse("Image").to_text(held)
    assert text.startswith("data:image/png;base64,")
    assert parse("Image").from_text(text, "image") == held == parse("Image").from_text(text.partition(",")[2], "image")
    assert parse("Image").from_text("", "image") is None
    assert "sha" not in repr(held) and len(repr(held)) < 60


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("Image", 3, "Pass a path, bytes, a PIL image"),
        ("Image", b"", "no bytes at all"),
        ("Image", b"%PDF-1.7", "wanted Image as PNG, JPEG, WEBP, GIF or BMP"),
        ("Image", b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES), "more than 20 MB"),
        ("Image", "cat.png", "a path is taken from Python and from the command line only"),
        ("Image", Path("cat.png"), "A path is taken from Python"),
        ("Image", "data:image/png,abc", "without base64"),
        ("Image", File("/nowhere/cat.png"), "No such file or directory"),
        ("Image", np.zeros((2, 2, 2), "uint8"), "Its shape is (2, 2, 2)"),
        ("Image", np.zeros((2, 2), "int64"), "Its numbers are int64"),
        ("Image", np.full((2, 2), 1.5), "Floats of a picture lie from 0 to 1"),
        ("Image", np.full((2, 2), np.nan), "Floats of a picture lie from 0 to 1"),
        ("Image", np.broadcast_to(np.uint8(0), (10_000, 10_000)), "at most 40 million"),
        ("Image", [[1, 2]], "Pass a path"),
        ("Audio", picture(), "wanted Audio as WAV, FLAC or OGG"),
        ("Audio", TONE, "Samples need their rate"),
        ("Audio", (TONE, 5), "The rate is a whole number"),
        ("Audio", (np.array([np.nan]), 16_000), "NaN and infinity are no samples"),
        ("Audio", {"array": None, "sampling_rate": 16_000}, "Pass a path"),
        ("Audio", (np.zeros(16_000 * 601, "float32"), 16_000), "at most 600"),
    ],
)
def test_what_is_no_picture_or_sound_is_refused_with_the_argument_and_the_way_out(
    kind: str, given: Any, says: str
) -> None:
    message = refusal(lambda: parse(kind).check(given, "it"))
    assert "Argument `it`" in message and says in message


def test_a_picture_is_no_output_type_and_has_no_default() -> None:
    found = looker().model_copy(update={"output_type": "Array[Image]"}).findings()
    assert [f.field for f in found if f.level == "error"] == ["output_type"]
    with pytest.raises(OutputError, match="arguments only"):
        parse("Image").convert(picture())
    argument = hfreg.Argument("image", "Image", optional=True, default="cat.png")
    assert [f.field for f in argument.findings("arguments[0]")] == ["arguments[0].default"]
    remote = looker().model_copy(update={"input_type": "API Based"}).findings()
    assert "arguments[0].type" in [f.field for f in remote if f.level == "error"]


# What scoring logic is given


def test_scoring_logic_is_given_an_rgb_picture_whatever_was_passed(
    engine: str, registry: hfreg.Registry, tmp_path: Path
) -> None:
    registry.register(looker())
    model = registry.model("looker")
    path = tmp_path / "two.png"
    path.write_bytes(picture())
    given = [str(path), path, picture(), Image.fromarray(PIXELS), PIXELS, PIXELS / 250.0 * (250 / 255), picture("BMP")]
    assert [model(image=one) for one in given] == [["RGB", 2, 1, 250, 0, 0]] * len(given)
    for form in ("JPEG", "WEBP", "GIF"):
        assert model(image=picture(form))[:3] == ["RGB", 2, 1]
    assert model(image=PIXELS[:, :, 0]) == ["RGB", 2, 1, 250, 250, 250]
    assert [o.value[0] for o in model.map([{"image": path}, {"image": str(path)}])] == ["RGB", "RGB"]
    missing = next(model.map([{"image": "/nowhere.png"}]))
    assert isinstance(missing.error, ArgumentError) and "/nowhere.png" in str(missing.error)
    broken = model.run(image=picture()[:40])
    assert isinstance(broken.error, ArgumentError) and "cannot be decoded" in str(broken.error)


def test_scoring_logic_is_given_sound_at_the_rate_of_the_type(engine: str, registry: hfreg.Registry) -> None:
    registry.register(listener())
    model = registry.model("listener")
    stereo = np.stack([TONE, TONE])
    given = [
        sound(),
        sound("FLAC"),
        (TONE, 44_100),
        {"array": stereo, "sampling_rate": 44_100},
        (TONE.tolist(), 44_100),
    ]
    for one in given:
        count, rate, kind, loudest = model(sound=one)
        assert (count, rate, kind) == (1_600, 16_000, "float32") and 0.95 < loudest < 1.05
    assert model(sound=sound("OGG"))[:3] == [1_600, 16_000, "float32"]


def test_a_tone_beyond_what_the_lower_rate_can_hold_is_filtered_out() -> None:
    high = np.sin(np.arange(44_100) * 2 * np.pi * 12_000 / 44_100).astype("float32")
    held = parse("Audio").check((high, 44_100), "sound")
    assert abs(media.decoded({"sound": held})["sound"]["array"][100:-100]).max() < 0.01


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = bytearray(png(1, 1, 1, b"\0"))
    for side in (7_000, 60_000):
        bomb[16:24] = side.to_bytes(4, "big") * 2
        head = bytes(bomb[12:29])
        bomb[29:33] = zlib.crc32(head).to_bytes(4, "big")
        held = parse("Image").check(bytes(bomb), "image")
        assert "at most 40 million are taken" in refusal(lambda held=held: media.decoded({"image": held}))


def test_sound_that_is_too_long_is_refused_before_it_is_decoded() -> None:
    held = parse("Audio").check(sound("FLAC", np.zeros(1_000 * 601, "float32"), 1_000), "sound")
    assert "600 are taken" in refusal(lambda: media.decoded({"sound": held}))


# What crosses, and what is kept


def test_a_picture_of_a_model_that_calls_another_crosses_but_a_path_does_not(
    engine: str, registry: hfreg.Registry, tmp_path: Path
) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(picture())
    registry.register(looker())
    logic = (
        "import numpy\nif how == 'path':\n    return looker(image=path)\nif how == 'array':\n"
        "    return looker(image=numpy.asarray(image))\nreturn looker(image=image)"
    )
    arguments = [hfreg.Argument("image", "Image"), hfreg.Argument("how"), hfreg.Argument("path")]
    caller = {"alias": "caller", "arguments": arguments, "output_type": "Any", "resources": ["looker"]}
    registry.register(hfreg.Definition(**caller, scoring_logic=logic))
    model = registry.model("caller")
    for how in ("picture", "array"):
        assert model(image=picture(), how=how, path="") == ["RGB", 2, 1, 250, 0, 0]
    refused = model.run(image=picture(), how="path", path=str(path))
    assert "a path is taken from Python and from the command line only" in str(refused.error)


def test_bytes_cross_to_a_worker_and_never_in_its_answer() -> None:
    held = Media("Image", picture())
    for value in (held, b"\0\1", {"a": [held]}):
        packed = json.loads(json.dumps(channel.pack(value, rich=True)))
        assert channel.unpack(packed, rich=True) == value
        assert channel.unpack(packed) != value
    array = channel.unpack(channel.pack(PIXELS, rich=True), rich=True)
    assert array.shape == PIXELS.shape and (array == PIXELS).all()
    for forged in ({"$media": ["File", "AA==", 0]}, {"$bytes": "é"}, {"$array": ["object", [1], "AA=="]}):
        with pytest.raises(channel.BadFrame):
            channel.unpack(forged, rich=True)


@pytest.mark.parametrize("store", [False, True])
def test_the_call_log_keeps_sizes_and_no_content(store: bool, registry: hfreg.Registry) -> None:
    registry.register(looker(store_payloads=store))
    data = picture()
    registry.model("looker")(image=data)
    registry.events.flush()
    (call,) = registry.events.calls()
    assert call.input_bytes > len(data)
    kept = json.loads(call.arguments)["image"] if store else None
    held = parse("Image").check(data, "image")
    assert kept == ({"media": "image/png", "bytes": len(data), "sha256": held.sha256} if store else None)


def test_the_command_line_takes_a_path(
    registry: hfreg.Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.register(looker())
    path = tmp_path / "two.png"
    path.write_bytes(picture())
    assert main(["run", "looker", f"image={path}"]) == 0
    assert json.loads(capsys.readouterr().out) == ["RGB", 2, 1, 250, 0, 0]
    assert main(["run", "looker", "image=/nowhere.png"]) == 2
    assert "/nowhere.png" in capsys.readouterr().err


def test_a_table_takes_data_urls_and_no_paths(registry: hfreg.Registry, tmp_path: Path) -> None:
    registry.register(looker())
    path = tmp_path / "two.png"
    path.write_bytes(picture())
    url = parse("Image").to_text(parse("Image").check(picture(), "image"))
    with pytest.raises(ArgumentError, match="a path is taken from Python"):
        looker().parse_arguments({"image": str(path)})
    assert looker().parse_arguments({"image": url})["image"].data == picture()


def test_a_definition_with_a_picture_is_exported_and_imported(registry: hfreg.Registry) -> None:
    url = parse("Image").to_text(parse("Image").check(picture(), "image"))
    registry.register(looker(examples=({"image": url},)))
    text = registry.export("looker")
    assert "Image" in text and url in text
