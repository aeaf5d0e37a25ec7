"""Images are drawn and downloaded once, and files are read with their true appearance; unreadable ones are named."""

import contextlib
import hashlib
import io
import os
import re
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vaehelpers import datasets, evaluation, hands, sprites
from vaehelpers.images import formats

Image.init()
NEWEST = "AVIF" if "AVIF" in Image.SAVE else "WEBP"  # Pillow 11.0 has no AVIF


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


def draw(**changes):
    return datasets.hands(**{"n": 30, "seed": 1, "size": 32, "vary": ("index", "x"), "progress": False} | changes)


def test_hands_are_drawn_once_for_the_same_arguments(cache, monkeypatch):
    images = draw()
    expected = hands.render(hands.fill(images.factors, images.names), size=32)
    np.testing.assert_allclose(images[:], expected, atol=0.5 / 255 + 1e-6)
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert draw().pixels.tobytes() == images.pixels.tobytes(), "a damaged file is drawn again"
    for change in ({"n": 31}, {"seed": 2}, {"size": 64}, {"vary": ("thumb", "x")}):
        draw(**change)
    assert len([*cache.iterdir()]) == 5
    monkeypatch.setattr(hands, "render", None)
    assert draw().pixels.tobytes() == images.pixels.tobytes()


def test_digits_have_any_size_and_their_classes():
    small, large = datasets.digits(), datasets.digits(size=64)
    assert small.pixels.shape == (1797, 1, 32, 32) and small.pixels.max() == 255
    assert large.pixels.shape == (1797, 1, 64, 64) and large.classes == tuple("0123456789")
    halved = large[:].reshape(1797, 1, 32, 2, 32, 2).mean((3, 5))
    assert np.abs(halved - small[:]).max() < 0.15 and (large.factors == small.factors).all()
    assert sorted(set(small.factors[:, 0])) == [*range(10)]


def test_sprites_are_rows_of_the_grid_and_images_of_them():
    images = datasets.sprites(700, seed=3, size=32)
    assert images.pixels.shape == (700, 1, 32, 32) and images.names == ("shape", "scale", "orientation", "x", "y")
    np.testing.assert_array_equal(images.factors, sprites.sample_factors(700, rng=np.random.default_rng(3)))
    np.testing.assert_allclose(images[:], sprites.render(images.factors, 32), atol=0.5 / 255 + 1e-6)
    assert len(evaluation.read_images("sprites", size=32, n=40)) == 40


# MNIST, from a local file instead of the server.


@pytest.fixture
def source(cache, tmp_path, monkeypatch):
    path, rng = tmp_path / "source.npz", np.random.default_rng(0)
    train, test = (rng.integers(256, size=(n, 28, 28), dtype=np.uint8) for n in (12, 3))
    np.savez(path, x_train=train, y_train=np.arange(12) % 10, x_test=test, y_test=np.arange(3))
    monkeypatch.setattr(datasets, "MNIST_URL", path.as_uri())
    monkeypatch.setattr(datasets, "MNIST_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_mnist_is_downloaded_once_and_comes_in_any_size(source, cache):
    arrays = dict(np.load(source))
    images = datasets.mnist()
    source.unlink()
    assert [p.name for p in cache.iterdir()] == ["mnist.npz"]
    for part, test in ((images, "train"), (datasets.mnist(test=True), "test")):
        np.testing.assert_array_equal(part.pixels[:, 0, 2:-2, 2:-2], arrays[f"x_{test}"])
        np.testing.assert_array_equal(part.factors[:, 0], arrays[f"y_{test}"])
        assert part.pixels.sum() == arrays[f"x_{test}"].sum(), "the rim is black"
    large = datasets.mnist(size=64)
    assert large.pixels.shape == (12, 1, 64, 64) and large.classes == tuple("0123456789")
    assert large[:].mean() == pytest.approx(images[:].mean(), rel=0.01)
    assert len(evaluation.read_images("mnist")) == 12 and len(evaluation.read_images("mnist", test=True)) == 3


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no file without end")
def test_a_download_without_end_is_cut_off_refused_and_leaves_nothing(cache, monkeypatch):
    monkeypatch.setattr(datasets, "MNIST_URL", Path("/dev/zero").as_uri())
    found = hashlib.sha256(bytes(datasets.MNIST_BYTES)).hexdigest()
    with pytest.raises(OSError, match=f"the file at {datasets.MNIST_URL} has the SHA-256 {found} and not"):
        datasets.mnist()
    assert not cache.exists()


def test_without_a_network_mnist_says_what_to_put_where(cache):
    with pytest.raises(OSError, match="could not be downloaded") as raised:
        datasets.mnist()
    needed = (datasets.MNIST_URL, datasets.MNIST_SHA256, str(cache / "mnist.npz"))
    assert all(part in str(raised.value) for part in needed) and not cache.exists()


def test_a_wrong_file_of_the_cache_is_named_and_stays(cache):
    cache.mkdir()
    (cache / "mnist.npz").write_bytes(b"other")
    with pytest.raises(
        OSError, match=f"delete the file at {re.escape(str(cache / 'mnist.npz'))}, which has the SHA-256"
    ):
        datasets.mnist()
    assert (cache / "mnist.npz").read_bytes() == b"other"


# Images from files.


def save(path, pixels, **options):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)


def fill(folder, **shades):
    """Write a small image of each shade; a double underscore begins a folder."""
    for name, shade in shades.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, np.full((9, 9), shade))


def read(folder, **options):
    return datasets.folder(folder, **{"size": 16} | options).pixels


def shades(folder, **options):
    return read(folder, **options)[:, 0, 3, 3].tolist()


def test_a_folder_is_read_in_the_order_of_the_names_whatever_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for shade, name in enumerate(("10 zehn.png", "9 Bär & Öl.PNG", "B.bmp", "a.gif", "ärger.tiff", "ölbild.webp")):
        Image.new("L", (20, 20), 40 * shade).save(tmp_path / name, **({"lossless": True} if shade == 5 else {}))
    for path in (tmp_path, str(tmp_path), "~"):
        assert shades(path) == [0, 40, 80, 120, 160, 200]


def test_colour_is_kept_or_turned_into_grey(tmp_path):
    save(tmp_path / "red.png", np.full((30, 30, 3), (200, 40, 0)))
    assert read(tmp_path, channels=3)[0, :, 5, 5].tolist() == [200, 40, 0]
    assert shades(tmp_path)[0] == pytest.approx(0.299 * 200 + 0.587 * 40, abs=1)


def test_the_square_in_the_middle_is_cut_out(tmp_path):
    wide = np.zeros((20, 60))
    wide[:, 20:40] = 255
    save(tmp_path / "wide.png", wide)
    save(tmp_path / "tall.png", wide.T)
    images = read(tmp_path, size=10)
    assert (images[:, :, 1:-1, 1:-1] == 255).all() and images.min() > 220, "nothing of the black beside it"


def test_a_big_photograph_stays_sharp_and_gives_no_warning(tmp_path, monkeypatch):
    """Stripes that are scaled to a width of one pixel keep their contrast."""
    save(tmp_path / "stripes.jpg", np.tile(np.repeat([0, 255], 4), (256, 32)), quality=95)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40_000)
    assert np.abs(np.diff(read(tmp_path, size=64)[0, 0].astype(float), axis=1)).min() > 100


@pytest.mark.parametrize("suffix", ("jpg", "png", "webp", "tif", NEWEST.lower()))
def test_a_photograph_is_turned_upright(tmp_path, suffix):
    """Orientation 6: the camera was turned a quarter, and the pixels' left column is the image's upper row."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((256, 256, 3))
    pixels[:, :128] = 255
    save(tmp_path / f"photo.{suffix}", pixels, exif=exif)
    for size in (16, 64):
        image = read(tmp_path, size=size)[0, 0]
        assert image[: size // 2 - 2].min() > 240 and image[size // 2 + 2 :].max() < 15


def test_transparent_pixels_become_white(tmp_path):
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
        images = read(tmp_path, channels=channels)
        assert images.shape == (4, channels, 16, 16) and images[:, :, :8].max() == 0 and images[:, :, 8:].min() == 255


READ = [*formats(), "MPO"]  # MPO is read as JPEG
SUFFIXES = [e for e, name in Image.registered_extensions().items() if name in Image.SAVE and name in READ]


@pytest.mark.filterwarnings("ignore:IM image format is deprecated")
@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix != ".pfm"])  # with floats only
def test_whatever_pillow_decodes_is_read(tmp_path, suffix):
    image = Image.fromarray(np.repeat([[0, 255]], 32, axis=1).repeat(64, axis=0).astype(np.uint8))
    for mode in ("RGB", "L", "1", "P"):
        with contextlib.suppress(OSError, KeyError, ValueError):
            image.convert(mode).save(tmp_path / f"a{suffix.upper()}", Image.registered_extensions()[suffix])
            break
    found = read(tmp_path)[0, 0]
    assert found[:, :7].max() < 30 and found[:, 9:].min() > 225


def test_the_content_decides_and_not_the_name(tmp_path):
    white = Image.new("RGB", (20, 20), "white")
    for name, kind in (("a.jpg", NEWEST), ("b.png", "JPEG"), ("c", "PNG"), ("d.heic", "WEBP"), ("e.jfif", "JPEG")):
        white.save(tmp_path / name, kind)
    assert read(tmp_path).min() > 247 and len(read(tmp_path)) == 5


def row(left, right, dtype):
    """Return the bytes of a row of 16 pixels: 8 of one value, 8 of another (or of the same, in several channels)."""
    return np.repeat(np.array([left, right], dtype), 8, axis=0).tobytes()


def tiff(line, *, bits, kind=1, white_is_zero=False):
    """Return a grey TIFF of 16 equal rows: Pillow does not write all that it reads."""
    tags = {256: 16, 257: 16, 258: bits, 259: 1, 262: int(not white_is_zero), 273: 8, 277: 1, 278: 16}
    tags |= {279: 16 * len(line), 339: kind}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + 16 * len(line)) + line * 16 + struct.pack("<H", 10) + entries + bytes(4)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(line, bits, *, colour=0, transparent=(), width=16, height=16):
    """Return a PNG of 16 equal rows, and maybe a transparent value or colour."""
    parts = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
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
        ("16 bits, one transparent.png", png(row(7, 0, ">u2"), 16, transparent=(7,)), "a transparent value"),
        ("4 bits, one transparent.png", png(b"\x11\x11\x11\x11" + bytes(4), 4, transparent=(1,)), "a transparent v"),
        ("2 bits, one transparent.png", png(b"\x55\x55" + bytes(2), 2, transparent=(1,)), "a transparent value"),
        ("1 bit, one transparent.png", png(b"\x00\xff", 1, transparent=(0,)), (255, 255)),
        ("16 bits and alpha.png", png(row((0, 0), (0, 0xFFFF), ">u2"), 16, colour=4), (255, 0)),
        ("16 bits a colour.png", png(row((0x8000,) * 3, (0xFFFF,) * 3, ">u2"), 16, colour=2), (128, 255)),
        ("32 bits.tif", tiff(row(0, 65536, "<u4"), bits=32), "32-bit numbers without a known white level"),
        ("16 bits with a sign.tif", tiff(row(-5, 255, "<i2"), bits=16, kind=2), "32-bit numbers"),
        ("floats.tif", tiff(row(0, 1, "<f4"), bits=32, kind=3), "32-bit numbers"),
        ("one colour.png", png(row((7,) * 3, (8,) * 3, ">u2"), 16, colour=2, transparent=(7,) * 3), "a transparent v"),
    ),
)
def test_numbers_of_any_depth_are_scaled_or_refused_by_name(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    if isinstance(expected, str):
        with pytest.raises(ValueError, match=rf"need images in .*, got {re.escape(name)} \({expected}"):
            read(tmp_path)
    else:
        left, right = np.split(read(tmp_path)[0, 0].astype(float), 2, axis=1)
        np.testing.assert_allclose(left, expected[0], atol=1)
        np.testing.assert_allclose(right, expected[1], atol=1)


# Files that cannot be read are counted and named, with the reason.


def broken(folder):
    """Write files with names of images that cannot be read; return the expected report of all."""
    whole, unknown = io.BytesIO(), "in an unsupported format"
    save(whole, np.random.default_rng(0).integers(256, size=(99, 99, 3)), format="png")
    files = {
        "0 leer.png": (b"", "empty or not a file"),
        "1 abgebrochen.png": (whole.getvalue()[:2000], "damaged"),
        "2 text.jpg": (b"no image", unknown),
        "3 bomb.png": (png(b"", 8, colour=2, width=60_000, height=60_000), "too big"),  # would fill 10 GB
        "3 widest.png": (png(b"", 8, width=2**31 - 1, height=1), "too big"),
        "5 telefon.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", unknown),
        "6 drawing.svg": (b"<svg/>", unknown),
        "7 eps.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", unknown),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    (folder / "4 loop.png").symlink_to(folder / "4 loop.png")
    (folder / "4 nowhere.png").symlink_to(folder / "nowhere")
    files |= dict.fromkeys(("4 loop.png", "4 nowhere.png"), (b"", "empty or not a file"))
    (folder / "8 folder.png").mkdir()
    return ", ".join(f"{name} ({files[name][1]})" for name in sorted(files))


def test_files_that_cannot_be_read_are_named_once(tmp_path):
    reported = broken(tmp_path)
    with pytest.raises(ValueError, match=re.escape(f"got {reported}")):
        read(tmp_path)
    save(tmp_path / "3 gut.png", np.full((20, 20), 77))
    for i in range(3):
        (tmp_path / f"9{i}.png").write_bytes(b"")  # only the first ten are named
    with pytest.warns(UserWarning) as warned:
        images = datasets.folder(tmp_path, size=16)
    assert [(w.filename, str(w.message)) for w in warned] == [(__file__, f"left out 13 of 14 files: {reported}")]
    assert images.pixels.shape == (1, 1, 16, 16) and (images.pixels == 77).all() and len(images.factors) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among files")
def test_a_pipe_among_images_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match=r"got pipe\.png \(empty or not a file\)"):
        read(tmp_path)


def test_other_files_and_hidden_ones_are_not_mentioned(tmp_path):
    names = "note.txt labels.csv Thumbs.db desktop.ini .DS_Store ._a.png images.zip read.md LICENSE"
    fill(tmp_path, **{"a": 0, ".hidden__b": 0})
    for name in names.split():
        (tmp_path / name).write_bytes(b"\0\1")
    (tmp_path / "empty").mkdir()
    images = datasets.folder(tmp_path, size=16)
    assert len(images) == 1 and images.names == images.classes == ()


KINDS = st.sampled_from(["PNG 1", "PNG P", "JPEG L", "JPEG RGB", "GIF P", "BMP 1", "TIFF L", "TIFF RGB", "WEBP RGB"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
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
            assert read(folder, size=8).shape == (1, 1, 8, 8)
        except ValueError as error:
            assert re.match(r"path: need images in the folder '.*', got a.png \(", str(error)), error


# Sub-folders are classes, and some images are held out.


def test_sub_folders_are_classes_with_all_that_lies_below_them(tmp_path):
    fill(tmp_path, dogs__b=20, cats__a=10, cats__old__z=12, cats__b=11)
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no image")
    (tmp_path / "dogs" / "y.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"^left out 1 of 5 files: dogs/y.png \(empty or not a file\)$"):
        images = datasets.folder(tmp_path, size=8)
    assert images.names == ("class",) and images.classes == ("cats", "dogs")
    assert images.pixels[:, 0, 0, 0].tolist() == [10, 11, 12, 20]
    assert images.factors.tolist() == [[0], [0], [0], [1]] and images.factors.dtype == np.float32


def test_a_folder_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    fill(tmp_path, a__x=10, b__y=20)
    scandir = os.scandir

    def closed(path):
        if Path(path) == tmp_path / "b":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.warns(UserWarning, match=r"^left out 1 of 2 files: b \(cannot be opened\)$"):
        assert shades(tmp_path) == [10]


def test_where_images_lie_beside_sub_folders_all_are_read_and_none_has_a_class(tmp_path):
    fill(tmp_path, c=30, a__x=10, b__x=20)
    with pytest.warns(UserWarning, match="^no image has a class: 'c.png' is in no sub-folder$"):
        images = datasets.folder(tmp_path, size=8)
    assert images.names == images.classes == () and images.factors.shape == (3, 0)
    assert sorted(images.pixels[:, 0, 0, 0]) == [10, 20, 30]


def test_links_are_followed_and_nothing_is_read_twice(tmp_path):
    photos = tmp_path / "photos"
    fill(tmp_path, elsewhere__x=40, photos__a__x=10, photos__b__x=20)
    (photos / "a" / "loop").symlink_to(photos)
    (photos / "c").symlink_to(tmp_path / "elsewhere")
    images = datasets.folder(photos, size=8)
    assert images.classes == ("a", "b", "c") and images.pixels[:, 0, 0, 0].tolist() == [10, 20, 40]


def test_about_a_tenth_is_held_out_and_stays_so_when_others_come(tmp_path):
    fill(tmp_path, **{f"image{i}": i for i in range(100)})
    known, held_out = ({*shades(tmp_path, test=test)} for test in (False, True))
    assert known | held_out == {*range(100)} and not known & held_out and 3 <= len(held_out) <= 20
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
        read(tmp_path / "0", test=True)


def test_a_class_has_the_same_number_in_both_parts(tmp_path):
    fill(tmp_path, **{f"{name}__p{i}": 9 * k for k, name in enumerate("abc") for i in range(20)})
    for part in (True, False):
        images = datasets.folder(tmp_path, size=8, test=part)
        assert images.classes == ("a", "b", "c") and (images.pixels[:, 0, 0, 0] == 9 * images.factors[:, 0]).all()
