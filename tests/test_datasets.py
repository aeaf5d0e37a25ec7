"""Drawn once, kept whole, and the same every time; downloaded once, and only what it should be."""

import hashlib
import http.server
import io
import os
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaehelpers import datasets, hands, sprites


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
    assert first.pictures.tobytes() == second.pictures.tobytes()
    assert [p.suffix for p in cache.iterdir()] == [".npy"]


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
    assert draw().pictures.tobytes() == whole.pictures.tobytes()


def test_a_full_disk_costs_nothing_but_time(cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert len(draw()) == 30
    assert list(cache.iterdir()) == []


def test_digits():
    digits = datasets.digits()
    assert digits.pictures.shape == (1797, 1, 32, 32)
    assert digits.pictures.max() == 255
    assert sorted(set(digits.factors[:, 0])) == list(range(10))


def test_sprites_are_rows_of_the_grid_and_pictures_of_them():
    images = datasets.sprites(700, seed=3, size=32)
    assert images.pictures.shape == (700, 1, 32, 32) and images.names == ("shape", "scale", "orientation", "x", "y")
    np.testing.assert_array_equal(images.factors, sprites.sample_factors(700, rng=np.random.default_rng(3)))
    np.testing.assert_allclose(images[:], sprites.render(images.factors, 32), atol=0.5 / 255 + 1e-6)
    assert datasets.sprites(700, seed=3, size=32).pictures.tobytes() == images.pictures.tobytes()
    assert datasets.sprites(700, seed=4, size=32).pictures.tobytes() != images.pictures.tobytes()


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
    assert images.pictures.shape == (12, 1, 32, 32) and images.names == ("digit",)
    np.testing.assert_array_equal(images.pictures[:, 0, 2:-2, 2:-2], served.arrays["x_train"])
    assert images.pictures.sum() == served.arrays["x_train"].sum(), "the rim is black"
    np.testing.assert_array_equal(images.factors[:, 0], served.arrays["y_train"])
    assert again.pictures.tobytes() == images.pictures.tobytes()
    np.testing.assert_array_equal(held_out.pictures[:, 0, 2:-2, 2:-2], served.arrays["x_test"])
    np.testing.assert_array_equal(held_out.factors[:, 0], served.arrays["y_test"])


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


def test_a_file_put_into_the_cache_by_hand_needs_no_network(served):
    served.path.write_bytes(served.content)
    assert len(datasets.mnist()) == 12 and served.requests == 0


def test_the_command_line_reads_sprites_and_keeps_mnist_s_tests_for_the_scores(served):
    from vaehelpers import shipped

    assert len(shipped.read_data("sprites", size=32, n=40)) == 40
    assert len(shipped.read_data("mnist")) == 12 and len(shipped.read_data("mnist", seed=shipped.TEST)) == 3


def save(path, pixels, **options):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)


def test_a_folder_of_pictures(tmp_path):
    Image.new("RGB", (80, 40), "white").save(tmp_path / "a.png")
    Image.new("L", (20, 20), 0).save(tmp_path / "b.jpg")
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / "._a.png").write_bytes(b"what another system leaves beside a picture")
    images = datasets.folder(tmp_path, size=32)
    assert images.pictures.shape == (2, 1, 32, 32)
    assert images[0].min() == 1 and images[1].max() == 0


def test_a_folder_is_read_in_the_order_of_the_names_whatever_they_are(tmp_path):
    for shade, name in enumerate(("10 zehn.png", "9 Bär & Öl.PNG", "B.bmp", "a.gif", "ärger.tiff", "ölbild.webp")):
        Image.new("L", (20, 20), 40 * shade).save(tmp_path / name, **({"lossless": True} if shade == 5 else {}))
    for _ in range(2):
        images = datasets.folder(str(tmp_path), size=16)
        assert (images.pictures[:, 0, 3, 3] // 40).tolist() == [0, 1, 2, 3, 4, 5]


def test_colour_is_kept_or_turned_into_grey(tmp_path):
    save(tmp_path / "red.png", np.full((30, 30, 3), (200, 40, 0)))
    assert datasets.folder(tmp_path, size=16, channels=3).pictures[0, :, 5, 5].tolist() == [200, 40, 0]
    grey = datasets.folder(tmp_path, size=16, channels=1).pictures
    assert grey.shape == (1, 1, 16, 16) and abs(int(grey[0, 0, 5, 5]) - (0.299 * 200 + 0.587 * 40)) <= 1


def test_the_square_in_the_middle_is_cut_out(tmp_path):
    wide = np.zeros((20, 60))
    wide[:, 20:40] = 255
    save(tmp_path / "wide.png", wide)
    save(tmp_path / "tall.png", wide.T)
    pictures = datasets.folder(tmp_path, size=10).pictures
    assert (pictures[:, :, 1:-1, 1:-1] == 255).all() and pictures.min() > 220, "nothing of the black beside it"


def test_a_photograph_stays_sharp(tmp_path):
    """Stripes that become one pixel wide are still stripes."""
    save(tmp_path / "stripes.jpg", np.tile(np.repeat([0, 255], 4), (256, 32)), quality=95)
    picture = datasets.folder(tmp_path, size=64).pictures[0, 0].astype(float)
    assert np.abs(np.diff(picture, axis=1)).min() > 100


def test_a_big_photograph_is_read_without_a_word(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
    save(tmp_path / "a.png", np.full((20, 20), 99))
    assert (datasets.folder(tmp_path, size=16).pictures == 99).all()


@pytest.mark.parametrize("suffix", ("jpg", "png", "webp"))
def test_a_photograph_is_turned_upright(tmp_path, suffix):
    """Orientation 6: the camera was turned a quarter, and the pixels' left column is the picture's upper row."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((256, 256, 3))
    pixels[:, :128] = 255
    save(tmp_path / f"photo.{suffix}", pixels, exif=exif)
    for size in (16, 64):
        picture = datasets.folder(tmp_path, size=size).pictures[0, 0]
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
        pictures = datasets.folder(tmp_path, size=16, channels=channels).pictures
        assert pictures.shape == (4, channels, 16, 16)
        assert pictures[:, :, :8].max() == 0 and pictures[:, :, 8:].min() == 255


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path):
    Image.fromarray(np.full((16, 16), 128 * 256, np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(np.full((16, 16), 128 * 256, np.uint16)).save(tmp_path / "b.tif")
    assert (datasets.folder(tmp_path, size=16).pictures == 128).all()


def broken(path):
    """Fill a folder with everything that is called a picture and cannot be read as one; return their names."""
    whole = io.BytesIO()
    save(whole, np.random.default_rng(0).integers(256, size=(99, 99, 3)), format="png")
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)  # a few bytes that would fill 10 GB
    chunk = b"IHDR" + header
    bomb = whole.getvalue()[:8] + struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    files = {
        "0 leer.png": b"",
        "1 abgebrochen.png": whole.getvalue()[:2000],
        "2 text.jpg": b"no picture",
        "3 bomb.png": bomb,
    }
    for name, content in files.items():
        (path / name).write_bytes(content)
    (path / "4 ordner.png").mkdir()
    Image.fromarray(np.zeros((9, 9), np.float32)).save(path / "5 kommazahlen.tif")
    return [*files, "4 ordner.png", "5 kommazahlen.tif"]


def test_bad_files_are_named_once_and_skipped(tmp_path):
    save(tmp_path / "3 gut.png", np.full((20, 20), 77))
    names = broken(tmp_path)
    with pytest.warns(UserWarning) as said:
        images = datasets.folder(tmp_path, size=16)
    assert len(said) == 1 and said[0].filename == __file__
    assert str(said[0].message) == f"6 of 7 files are damaged or too big, and left out: {', '.join(names)}"
    assert images.pictures.shape == (1, 1, 16, 16) and (images.pictures == 77).all() and len(images.factors) == 1


def test_a_long_list_of_bad_files_is_cut_short(tmp_path):
    for i in range(13):
        (tmp_path / f"{i:02}.png").write_bytes(b"")
    with pytest.raises(ValueError, match="can be read as a picture: 00.png, .*, 09.png and 3 more$"):
        datasets.folder(tmp_path)


def test_a_folder_where_nothing_is_readable_is_refused(tmp_path):
    names = broken(tmp_path)
    with pytest.raises(ValueError, match="no file of the folder .* can be read as a picture: " + ", ".join(names)):
        datasets.folder(tmp_path)


def test_a_missing_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        datasets.folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no .png"):
        datasets.folder(tmp_path)


@pytest.mark.parametrize(
    "options, message", (({"size": 4}, "size: need a whole number from 8"), ({"channels": 2}, "channels: need 1"))
)
def test_a_bad_size_and_a_bad_count_of_channels_are_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.folder(tmp_path, **options)
