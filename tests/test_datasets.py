"""Drawn once, kept whole, and the same every time; downloaded once, and only what it should be."""

import contextlib
import hashlib
import http.server
import io
import os
import re
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import FULL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from vaehelpers import datasets, hands, sprites
from vaehelpers.images import formats

Image.init()
NEWEST = "AVIF" if "AVIF" in Image.SAVE else "WEBP"  # Pillow 11.0 has no AVIF


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "user_cache_path", lambda _: tmp_path)
    return tmp_path


def draw(**changes):
    return datasets.hands(**{"n": 30, "seed": 1, "size": 32, "vary": ("index",), "progress": False} | changes)


def test_hands_are_drawn_once_and_read_from_then_on(cache, monkeypatch):
    first = draw()
    monkeypatch.setattr(hands, "render", None)
    second = draw()
    assert first.pixels.tobytes() == second.pixels.tobytes()
    assert [p.suffix for p in cache.iterdir()] == [".bytes"]


def test_other_arguments_are_other_files(cache):
    draw()
    for change in ({"n": 31}, {"seed": 2}, {"size": 64}, {"vary": ("thumb",)}):
        draw(**change)
    assert len(list(cache.iterdir())) == 5


def test_pictures_are_the_drawing_and_factors_the_truth(cache):
    images = draw(vary=("index", "x"))
    assert images.factors.shape == (30, 2) and images.names == ("index", "x")
    expected = hands.render(hands.fill(images.factors, images.names), size=32)
    np.testing.assert_allclose(images[:], expected, atol=0.5 / 255 + 1e-6)


def test_a_damaged_file_is_drawn_again(cache):
    whole = draw()
    path = next(cache.iterdir())
    path.write_bytes(path.read_bytes()[:100])
    assert draw().pixels.tobytes() == whole.pixels.tobytes()


def test_a_full_disk_costs_nothing_but_time(cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert len(draw()) == 30
    assert list(cache.iterdir()) == []


def test_digits():
    digits = datasets.digits()
    assert digits.pixels.shape == (1797, 1, 32, 32)
    assert digits.pixels.max() == 255
    assert sorted(set(digits.factors[:, 0])) == list(range(10))


def test_digits_come_in_any_size_and_know_their_classes():
    small, large = datasets.digits(), datasets.digits(size=64)
    assert large.pixels.shape == (1797, 1, 64, 64) and large.classes == tuple("0123456789")
    halved = large[:].reshape(1797, 1, 32, 2, 32, 2).mean((3, 5))
    assert np.abs(halved - small[:]).max() < 0.15 and (large.factors == small.factors).all()
    with pytest.raises(ValueError, match="size: need a whole number from 8 to 4096, got 7"):
        datasets.digits(size=7)


def test_sprites_are_rows_of_the_grid_and_pictures_of_them():
    images = datasets.sprites(700, seed=3, size=32)
    assert images.pixels.shape == (700, 1, 32, 32) and images.names == ("shape", "scale", "orientation", "x", "y")
    np.testing.assert_array_equal(images.factors, sprites.sample_factors(700, rng=np.random.default_rng(3)))
    np.testing.assert_allclose(images[:], sprites.render(images.factors, 32), atol=0.5 / 255 + 1e-6)
    assert datasets.sprites(700, seed=3, size=32).pixels.tobytes() == images.pixels.tobytes()
    assert datasets.sprites(700, seed=4, size=32).pixels.tobytes() != images.pixels.tobytes()


class Mnist:
    """A server of this machine in place of the one that has MNIST, with a small file that looks like it."""

    def __init__(self, cache, monkeypatch):
        rng = np.random.default_rng(0)
        self.arrays = {"x_train": rng.integers(256, size=(12, 28, 28), dtype=np.uint8), "y_train": np.arange(12) % 10}
        self.arrays |= {"x_test": self.arrays["x_train"][:3] // 2, "y_test": np.arange(3)}
        buffer = io.BytesIO()
        np.savez(buffer, **self.arrays)
        self.content = self.sent = buffer.getvalue()
        self.announced, self.requests, self.path = len(self.sent), 0, cache / "mnist.npz"
        self.server = http.server.HTTPServer(("127.0.0.1", 0), self.handler())
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(datasets, "MNIST_URL", f"http://127.0.0.1:{self.server.server_port}/mnist.npz")
        monkeypatch.setattr(datasets, "MNIST_SHA256", hashlib.sha256(self.content).hexdigest())

    def handler(mnist):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mnist.requests += 1
                self.send_response(200)
                self.send_header("Content-Length", str(mnist.announced))
                self.end_headers()
                self.wfile.write(mnist.sent)

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def served(cache, monkeypatch):
    mnist = Mnist(cache, monkeypatch)
    thread = threading.Thread(target=mnist.server.serve_forever, args=(0.01,))
    thread.start()
    yield mnist
    mnist.server.shutdown()
    thread.join()
    mnist.server.server_close()


def test_mnist_is_downloaded_once_and_lies_amid_a_black_rim(served, cache):
    images, again, held_out = datasets.mnist(), datasets.mnist(), datasets.mnist(test=True)
    assert served.requests == 1 and [p.name for p in cache.iterdir()] == ["mnist.npz"]
    assert images.pixels.shape == (12, 1, 32, 32) and images.names == ("digit",)
    np.testing.assert_array_equal(images.pixels[:, 0, 2:-2, 2:-2], served.arrays["x_train"])
    assert images.pixels.sum() == served.arrays["x_train"].sum(), "the rim is black"
    np.testing.assert_array_equal(images.factors[:, 0], served.arrays["y_train"])
    assert again.pixels.tobytes() == images.pixels.tobytes()
    np.testing.assert_array_equal(held_out.pixels[:, 0, 2:-2, 2:-2], served.arrays["x_test"])
    np.testing.assert_array_equal(held_out.factors[:, 0], served.arrays["y_test"])


def test_mnist_comes_in_any_size(served):
    large = datasets.mnist(size=64)
    assert large.pixels.shape == (12, 1, 64, 64) and large.classes == tuple("0123456789")
    assert large[:].mean() == pytest.approx(datasets.mnist()[:].mean(), rel=0.01)
    assert datasets.mnist(test=True, size=64).pixels.shape == (3, 1, 64, 64)


def test_the_address_and_the_checksum_are_those_of_keras():
    assert datasets.MNIST_URL.startswith("https://") and datasets.MNIST_URL.endswith("/tf-keras-datasets/mnist.npz")
    assert datasets.MNIST_SHA256 == "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


@pytest.mark.parametrize("damage", (b"", b"not MNIST", None), ids=("empty", "other", "cut"))
def test_a_damaged_file_of_the_cache_is_downloaded_again(served, damage):
    served.path.write_bytes(served.content[:-1] if damage is None else damage)
    assert len(datasets.mnist()) == 12 and served.requests == 1
    assert served.path.read_bytes() == served.content


@pytest.mark.parametrize("sent", (lambda c: b"x" * len(c), lambda c: c[: len(c) // 2]), ids=("wrong", "interrupted"))
def test_a_wrong_or_interrupted_download_is_refused_and_leaves_nothing(served, cache, sent):
    served.sent = sent(served.content)
    with pytest.raises(OSError, match="mnist.npz could not be downloaded"):
        datasets.mnist()
    assert list(cache.iterdir()) == []
    served.sent = served.content
    assert len(datasets.mnist()) == 12


def test_a_wrong_file_is_named_by_its_checksum(served):
    served.sent = b"x" * len(served.content)
    with pytest.raises(
        OSError, match=f"should be {datasets.MNIST_SHA256}, and is {hashlib.sha256(served.sent).hexdigest()}"
    ):
        datasets.mnist()


def test_an_interrupted_write_leaves_nothing(served, cache, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            datasets.mnist()
    assert list(cache.iterdir()) == []


def test_a_disk_that_cannot_keep_mnist_still_shows_it(served, monkeypatch):
    monkeypatch.setattr(datasets, "user_cache_path", lambda _: Path("/dev/null/cache"))
    assert len(datasets.mnist()) == 12


def test_without_a_network_mnist_says_what_to_put_where(cache):
    """The very address, which no test can reach; and the file put by hand where the answer says."""
    with pytest.raises(OSError) as raised:
        datasets.mnist()
    message = str(raised.value)
    assert "Everything else of the course works without it" in message
    assert all(part in message for part in (datasets.MNIST_URL, datasets.MNIST_SHA256, str(cache / "mnist.npz")))
    assert not isinstance(raised.value.__cause__, type(None)) and list(cache.iterdir()) == []


@pytest.mark.parametrize(
    "damage", (lambda path: path.write_bytes(b"other"), lambda path: path.mkdir()), ids=("file", "folder")
)
def test_without_a_network_a_wrong_file_of_the_cache_is_named(cache, monkeypatch, damage):
    monkeypatch.setattr(datasets, "MNIST_URL", (cache / "nowhere").as_uri())
    path = cache / "mnist.npz"
    damage(path)
    with pytest.raises(OSError, match=f"^The file at {path} is not the right one .*: delete or replace it. mnist.npz"):
        datasets.mnist()
    assert path.exists()


def test_a_file_put_into_the_cache_by_hand_needs_no_network(served):
    served.path.write_bytes(served.content)
    assert len(datasets.mnist()) == 12 and served.requests == 0


def test_the_command_line_reads_sprites_and_keeps_mnist_s_tests_for_the_scores(served):
    from vaehelpers import evaluation

    assert len(evaluation.read_images("sprites", size=32, n=40)) == 40
    assert len(evaluation.read_images("mnist")) == 12 and len(evaluation.read_images("mnist", test=True)) == 3


def save(path, pixels, **options):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)


def test_a_folder_of_pictures(tmp_path):
    Image.new("RGB", (80, 40), "white").save(tmp_path / "a.png")
    Image.new("L", (20, 20), 0).save(tmp_path / "b.jpg")
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / "._a.png").write_bytes(b"what another system leaves beside a picture")
    images = datasets.folder(tmp_path, size=32)
    assert images.pixels.shape == (2, 1, 32, 32)
    assert images[0].min() == 1 and images[1].max() == 0


def test_a_folder_is_read_in_the_order_of_the_names_whatever_they_are(tmp_path):
    for shade, name in enumerate(("10 zehn.png", "9 Bär & Öl.PNG", "B.bmp", "a.gif", "ärger.tiff", "ölbild.webp")):
        Image.new("L", (20, 20), 40 * shade).save(tmp_path / name, **({"lossless": True} if shade == 5 else {}))
    for _ in range(2):
        images = datasets.folder(str(tmp_path), size=16)
        assert (images.pixels[:, 0, 3, 3] // 40).tolist() == [0, 1, 2, 3, 4, 5]


def test_colour_is_kept_or_turned_into_grey(tmp_path):
    save(tmp_path / "red.png", np.full((30, 30, 3), (200, 40, 0)))
    assert datasets.folder(tmp_path, size=16, channels=3).pixels[0, :, 5, 5].tolist() == [200, 40, 0]
    grey = datasets.folder(tmp_path, size=16, channels=1).pixels
    assert grey.shape == (1, 1, 16, 16) and abs(int(grey[0, 0, 5, 5]) - (0.299 * 200 + 0.587 * 40)) <= 1


def test_the_square_in_the_middle_is_cut_out(tmp_path):
    wide = np.zeros((20, 60))
    wide[:, 20:40] = 255
    save(tmp_path / "wide.png", wide)
    save(tmp_path / "tall.png", wide.T)
    pictures = datasets.folder(tmp_path, size=10).pixels
    assert (pictures[:, :, 1:-1, 1:-1] == 255).all() and pictures.min() > 220, "nothing of the black beside it"


def test_a_photograph_stays_sharp(tmp_path):
    """Stripes that become one pixel wide are still stripes."""
    save(tmp_path / "stripes.jpg", np.tile(np.repeat([0, 255], 4), (256, 32)), quality=95)
    picture = datasets.folder(tmp_path, size=64).pixels[0, 0].astype(float)
    assert np.abs(np.diff(picture, axis=1)).min() > 100


def test_a_big_photograph_is_read_without_a_word(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
    save(tmp_path / "a.png", np.full((20, 20), 99))
    assert (datasets.folder(tmp_path, size=16).pixels == 99).all()


@pytest.mark.parametrize("suffix", ("jpg", "png", "webp", "tif", NEWEST.lower()))
def test_a_photograph_is_turned_upright(tmp_path, suffix):
    """Orientation 6: the camera was turned a quarter, and the pixels' left column is the picture's upper row."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((256, 256, 3))
    pixels[:, :128] = 255
    save(tmp_path / f"photo.{suffix}", pixels, exif=exif)
    for size in (16, 64):
        picture = datasets.folder(tmp_path, size=size).pixels[0, 0]
        assert picture[: size // 2 - 2].min() > 240 and picture[size // 2 + 2 :].max() < 15


def test_what_is_transparent_becomes_white(tmp_path):
    half = np.zeros((16, 16, 4))
    half[:8, :, 3] = 255
    save(tmp_path / "a.png", half)
    save(tmp_path / "b.png", half[..., [0, 3]])
    Image.fromarray(half.astype(np.uint8)).quantize(4).save(tmp_path / "c.png")
    black = Image.new("P", (16, 16))
    black.paste(1, (0, 8, 16, 16))
    black.putpalette([0, 0, 0, 9, 200, 9])
    black.save(tmp_path / "d.gif", transparency=1)
    for channels in (1, 3):
        pictures = datasets.folder(tmp_path, size=16, channels=channels).pixels
        assert pictures.shape == (4, channels, 16, 16)
        assert pictures[:, :, :8].max() == 0 and pictures[:, :, 8:].min() == 255


# Every format and every kind of numbers: read right, or refused by name.


def suffixes():
    """The suffixes under which Pillow both writes and decodes, as it says itself; MPO is read as JPEG."""
    return [e for e, name in Image.registered_extensions().items() if name in Image.SAVE and name in READ]


READ = [*formats(), "MPO"]


@pytest.mark.filterwarnings("ignore:IM image format is deprecated")
@pytest.mark.parametrize("suffix", suffixes())
def test_whatever_pillow_decodes_is_read(tmp_path, suffix):
    shades = np.repeat([[0, 255]], 32, axis=1).repeat(64, axis=0)
    image = Image.fromarray(shades.astype(np.uint8))
    for mode in ("RGB", "L", "1", "P"):
        with contextlib.suppress(OSError, KeyError, ValueError):
            image.convert(mode).save(tmp_path / f"a{suffix.upper()}", Image.registered_extensions()[suffix])
            break
    if suffix == ".pfm":
        pytest.skip("written with floating-point numbers only")
    picture = datasets.folder(tmp_path, size=16).pixels[0, 0]
    assert picture[:, :7].max() < 30 and picture[:, 9:].min() > 225


def test_nothing_is_decoded_by_another_program_or_only_recognised():
    assert not {"EPS", "WMF", "MPEG", "HDF5", "GRIB", "BUFR", "PDF"} & set(formats())
    assert {NEWEST, "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP"} <= set(formats())


def test_the_content_decides_and_not_the_name(tmp_path):
    white = Image.new("RGB", (20, 20), "white")
    for name, kind in (("a.jpg", NEWEST), ("b.png", "JPEG"), ("c", "PNG"), ("d.heic", "WEBP"), ("e.jfif", "JPEG")):
        white.save(tmp_path / name, kind)
    assert datasets.folder(tmp_path, size=16)[:].min() > 0.97


def row(left, right, dtype):
    """The bytes of a row of 16 pixels: 8 of one value, 8 of another (or of the same, in several channels)."""
    return np.repeat(np.array([left, right], dtype), 8, axis=0).tobytes()


def tiff(line, *, bits, kind=1, white_is_zero=False):
    """A grey TIFF of 16 equal rows, written by hand: Pillow does not write all that it reads."""
    tags = {256: 16, 257: 16, 258: bits, 259: 1, 262: int(not white_is_zero), 273: 8, 277: 1, 278: 16}
    tags |= {279: 16 * len(line), 339: kind}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + 16 * len(line)) + line * 16 + struct.pack("<H", 10) + entries + bytes(4)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(line, bits, *, colour=0, transparent=()):
    """A PNG of 16 equal rows, and maybe a transparent value or colour."""
    parts = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, bits, colour, 0, 0, 0))
    parts += chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)) if transparent else b""
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IDAT", zlib.compress((b"\0" + line) * 16)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    (
        ("16 bits.png", png(row(0x8000, 0xFFFF, ">u2"), 16), (128, 255)),
        ("16 bits.tif", tiff(row(0x8000, 0xFFFF, "<u2"), bits=16), (128, 255)),
        ("16 bits, white is zero.tif", tiff(row(0, 0xC000, "<u2"), bits=16, white_is_zero=True), (255, 64)),
        ("12 bits.tif", tiff(b"\x80\x08\x00" * 4 + b"\xff" * 12, bits=12), (128, 255)),
        ("8 bits, white is zero.tif", tiff(row(0, 192, "u1"), bits=8, white_is_zero=True), (255, 63)),
        ("10 bits.pgm", b"P5 16 16 1023\n" + row(512, 1023, ">u2") * 16, (128, 255)),
        ("16 bits, one transparent.png", png(row(7, 0, ">u2"), 16, transparent=(7,)), (255, 0)),
        ("4 bits, one transparent.png", png(b"\x11\x11\x11\x11" + bytes(4), 4, transparent=(1,)), (255, 0)),
        ("2 bits, one transparent.png", png(b"\x55\x55" + bytes(2), 2, transparent=(1,)), (255, 0)),
        ("1 bit, one transparent.png", png(b"\x00\xff", 1, transparent=(0,)), (255, 255)),
        ("16 bits and alpha.png", png(row((0, 0), (0, 0xFFFF), ">u2"), 16, colour=4), (255, 0)),
        ("16 bits a colour.png", png(row((0x8000,) * 3, (0xFFFF,) * 3, ">u2"), 16, colour=2), (128, 255)),
    ),
)
def test_numbers_of_any_depth_are_scaled_and_not_cut_off(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    picture = datasets.folder(tmp_path, size=16).pixels[0, 0]
    np.testing.assert_allclose([picture[:, :8].min(), picture[:, :8].max()], expected[0], atol=1)
    np.testing.assert_allclose([picture[:, 8:].min(), picture[:, 8:].max()], expected[1], atol=1)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    (
        ("32 bits.tif", tiff(row(0, 65536, "<u4"), bits=32), "integers with a sign or of 32 bits"),
        ("32 bits with a sign.tif", tiff(row(-5, 255, "<i4"), bits=32, kind=2), "integers with a sign or of 32 bits"),
        ("16 bits with a sign.tif", tiff(row(-5, 255, "<i2"), bits=16, kind=2), "integers with a sign"),
        ("8 bits with a sign.tif", tiff(row(-5, 99, "i1"), bits=8, kind=2), "integers with a sign"),
        ("floats.tif", tiff(row(0, 1, "<f4"), bits=32, kind=3), "floating-point numbers"),
        ("floats.pfm", b"Pf 16 16 -1.0\n" + row(0, 1, "<f4") * 16, "floating-point numbers"),
        (
            "a colour.png",
            png(row((7,) * 3, (8,) * 3, ">u2"), 16, colour=2, transparent=(7,) * 3),
            "a transparent colour",
        ),
    ),
)
def test_numbers_of_which_nobody_knows_the_white_are_refused_by_name(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"can be read as an image: {re.escape(name)} \({reason}"):
        datasets.folder(tmp_path, size=16)


def test_the_example_that_was_cut_off_at_255_is_refused(tmp_path):
    Image.fromarray(np.array([[0, 255], [256, 65536]], np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"a\.tif \(integers with a sign or of 32 bits; which"):
        datasets.folder(tmp_path)


@pytest.mark.parametrize("mode", ("CMYK", "YCbCr", "LAB", "La", "PA", "RGBa", "RGBX", "LA"))
@pytest.mark.parametrize("kind", ("TIFF", "JPEG"))
def test_colours_of_any_kind_are_those_of_the_picture(tmp_path, mode, kind):
    image = Image.new("RGB", (16, 16), (204, 204, 204))  # which is in the palette too
    if mode == "LAB":
        to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        image = ImageCms.applyTransform(image, to_lab)
    else:
        for step in {"La": ("LA", "La"), "PA": ("P", "PA"), "RGBa": ("RGBA", "RGBa")}.get(mode, (mode,)):
            image = image.convert(step)
    try:
        image.save(tmp_path / "a", kind)
    except OSError:
        pytest.skip(f"{kind} has no {mode}")
    np.testing.assert_allclose(datasets.folder(tmp_path, size=16, channels=3).pixels, 204, atol=3)


@pytest.mark.parametrize("kind", ("GIF", "WEBP", "PNG", "TIFF", NEWEST))
def test_of_several_frames_or_pages_the_first_is_read(tmp_path, kind):
    first, *others = (Image.new("RGB", (16, 16), (shade,) * 3) for shade in (90, 200, 250))
    first.save(tmp_path / "a", kind, save_all=True, append_images=others)
    assert np.abs(datasets.folder(tmp_path, size=16).pixels.astype(int) - 90).max() <= 2


# What is left out is counted and named, with the reason.


def broken(path):
    """Fill a folder with everything that is called a picture and cannot be read as one; return what is said of each."""
    whole = io.BytesIO()
    save(whole, np.random.default_rng(0).integers(256, size=(99, 99, 3)), format="png")
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)  # a few bytes that would fill 10 GB
    widest = struct.pack(">IIBBBBB", 2**31 - 1, 1, 8, 0, 0, 0, 0)
    files = {
        "0 leer.png": (b"", "empty"),
        "1 abgebrochen.png": (whole.getvalue()[:2000], "damaged"),
        "2 text.jpg": (b"no picture", "in no format that is read here"),
        "3 bomb.png": (whole.getvalue()[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", b""), "too big"),
        "3 widest.png": (whole.getvalue()[:8] + chunk(b"IHDR", widest) + chunk(b"IDAT", b""), "too big"),
        "5 telefon.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "in no format that is read here"),
        "6 drawing.svg": (b"<svg/>", "in no format that is read here"),
        "7 plot.eps": (b"", "in no format that is read here"),
    }
    for name, (content, _) in files.items():
        (path / name).write_bytes(content)
    Image.new("L", (9, 9)).save(path / "7 plot.eps")
    (path / "4 nowhere.png").symlink_to(path / "nowhere")
    (path / "4 loop.png").symlink_to(path / "4 loop.png")
    (path / "8 folder.png").mkdir()
    reasons = {name: reason for name, (_, reason) in files.items()}
    reasons |= dict.fromkeys(("4 loop.png", "4 nowhere.png"), "not a file")
    return [f"{name} ({reason})" for name, reason in sorted(reasons.items())]


def test_bad_files_are_named_once_and_skipped(tmp_path):
    save(tmp_path / "3 gut.png", np.full((20, 20), 77))
    said_of = broken(tmp_path)
    with pytest.warns(UserWarning) as said:
        images = datasets.folder(tmp_path, size=16)
    assert len(said) == 1 and said[0].filename == __file__
    assert str(said[0].message) == f"left out 10 of 11 files: {', '.join(said_of)}"
    assert images.pixels.shape == (1, 1, 16, 16) and (images.pixels == 77).all() and len(images.factors) == 1


def test_what_is_no_picture_by_its_name_or_hidden_is_not_spoken_of(tmp_path):
    save(tmp_path / "a.png", np.zeros((9, 9)))
    for name in (
        "note.txt",
        "labels.csv",
        "Thumbs.db",
        "desktop.ini",
        ".DS_Store",
        "._a.png",
        "pictures.zip",
        "read.md",
    ):
        (tmp_path / name).write_bytes(b"\0\1")
    (tmp_path / ".hidden").mkdir()
    save(tmp_path / ".hidden" / "b.png", np.zeros((9, 9)))
    (tmp_path / "empty").mkdir()
    images = datasets.folder(tmp_path, size=16)
    assert len(images) == 1 and images.names == images.classes == ()


def test_a_long_list_of_bad_files_is_cut_short(tmp_path):
    for i in range(13):
        (tmp_path / f"{i:02}.png").write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"can be read as an image: 00.png \(empty\), .*, 09.png \(empty\) and 3 more$"
    ):
        datasets.folder(tmp_path)


def test_a_folder_where_nothing_is_readable_is_refused(tmp_path):
    said = ", ".join(broken(tmp_path))
    with pytest.raises(ValueError, match=re.escape(f"can be read as an image: {said}")):
        datasets.folder(tmp_path)


def test_a_missing_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        datasets.folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no .png, .jpg or other image$"):
        datasets.folder(tmp_path)


def test_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "pics").mkdir()
    save(tmp_path / "pics" / "a.png", np.zeros((9, 9)))
    assert len(datasets.folder("~/pics")) == len(datasets.folder(Path("~/pics"))) == 1


KINDS = st.sampled_from(["PNG 1", "PNG P", "JPEG L", "JPEG RGB", "GIF P", "BMP 1", "TIFF L", "TIFF RGB", "WEBP RGB"])


@settings(max_examples=10_000 if FULL else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=KINDS, place=st.floats(0, 1), piece=st.binary(max_size=8), end=st.floats(0.3, 1.2))
def test_any_damage_of_an_image_gives_an_image_or_leaves_it_out(tmp_path_factory, kind, place, piece, end):
    folder = tmp_path_factory.getbasetemp() / "images"
    folder.mkdir(exist_ok=True)
    path = folder / "a.png"
    Image.linear_gradient("L").resize((17, 9)).convert(kind.split()[1]).save(path, kind.split()[0])
    content = bytearray(path.read_bytes())
    content = content[: int(end * len(content))]
    at = int(place * len(content))
    content[at : at + len(piece)] = piece
    path.write_bytes(content)
    with warnings.catch_warnings(action="error"):
        try:
            images = datasets.folder(folder, size=8)
            assert images.pixels.shape == (1, 1, 8, 8) and images.pixels.dtype == np.uint8
        except ValueError as error:
            assert re.match(r"path: no file of the folder '.*' can be read as an image: a.png \(", str(error)), error


# Sub-folders are classes.


def fill(folder, **shades):
    """Write a small picture of each shade; a double underscore begins a folder."""
    for name, shade in shades.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, np.full((9, 9), shade))


def test_sub_folders_are_classes_with_all_that_lies_below_them(tmp_path):
    fill(tmp_path, dogs__b=20, cats__a=10, cats__old__z=12, cats__b=11)
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no picture")
    images = datasets.folder(tmp_path, size=8)
    assert images.names == ("class",) and images.classes == ("cats", "dogs")
    assert images.pixels[:, 0, 0, 0].tolist() == [10, 11, 12, 20]
    assert images.factors.tolist() == [[0], [0], [0], [1]] and images.factors.dtype == np.float32


def test_where_images_lie_beside_sub_folders_all_are_read_and_none_has_a_class(tmp_path):
    fill(tmp_path, c=30, a__x=10, b__x=20)
    with pytest.warns(UserWarning, match="no image has a class: 1 of 3 files lie in no sub-folder") as said:
        images = datasets.folder(tmp_path, size=8)
    assert len(said) == 1 and images.names == images.classes == () and images.factors.shape == (3, 0)
    assert sorted(images.pixels[:, 0, 0, 0]) == [10, 20, 30]


def test_links_are_followed_and_nothing_is_read_twice(tmp_path):
    photos = tmp_path / "photos"
    fill(tmp_path, elsewhere__x=40, photos__a__x=10, photos__b__x=20)
    (photos / "a" / "loop").symlink_to(photos)
    (photos / "a" / "other").symlink_to(photos / "b")
    (photos / "0").symlink_to(photos / "b")
    (photos / "c").symlink_to(tmp_path / "elsewhere")
    images = datasets.folder(photos, size=8)
    assert images.classes == ("a", "b", "c") and images.pixels[:, 0, 0, 0].tolist() == [10, 20, 40]


def test_an_unreadable_picture_of_a_class_is_named_with_its_folder(tmp_path):
    fill(tmp_path, a__x=10, b__x=20)
    (tmp_path / "b" / "y.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"^left out 1 of 3 files: b/y.png \(empty\)$"):
        assert datasets.folder(tmp_path, size=8).factors.tolist() == [[0], [1]]


# Some are held out.


def shades(folder, **options):
    return set(datasets.folder(folder, size=8, **options).pixels[:, 0, 0, 0].tolist())


def test_about_a_tenth_is_held_out_and_stays_so_when_others_come(tmp_path):
    fill(tmp_path, **{f"picture{i}": i for i in range(100)})
    known, held_out = shades(tmp_path, test=False), shades(tmp_path, test=True)
    assert known | held_out == shades(tmp_path) and not known & held_out and 3 <= len(held_out) <= 20
    fill(tmp_path, **{f"z{i}": 100 + i for i in range(100)})
    assert held_out == {shade for shade in shades(tmp_path, test=True) if shade < 100}


def test_of_ten_one_is_held_out_and_of_fewer_none(tmp_path):
    for start in range(0, 200, 10):  # other names
        folder = tmp_path / str(start)
        fill(folder, **{f"p{start + i}": i for i in range(10)})
        assert len(shades(folder, test=True)) >= 1
    (tmp_path / "0" / "p0.png").unlink()
    assert len(shades(tmp_path / "0", test=False)) == 9
    with pytest.raises(ValueError, match="test: need at least 10 files to hold any out, got 9"):
        datasets.folder(tmp_path / "0", test=True)


def test_a_class_has_the_same_number_in_both_parts(tmp_path):
    fill(tmp_path, **{f"{name}__p{i}": 9 * k for k, name in enumerate("abc") for i in range(20)})
    for part in (True, False):
        images = datasets.folder(tmp_path, size=8, test=part)
        assert images.classes == ("a", "b", "c") and (images.pixels[:, 0, 0, 0] == 9 * images.factors[:, 0]).all()


@pytest.mark.parametrize(
    "options, message", (({"size": 4}, "size: need a whole number from 8"), ({"channels": 2}, "channels: need 1"))
)
def test_a_bad_size_and_a_bad_count_of_channels_are_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.folder(tmp_path, **options)
