"""The data of the course: pictures, and where they are known the factors behind them."""

import hashlib
import inspect
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import numpy as np
from numpy.typing import ArrayLike, NDArray
from platformdirs import user_cache_path
from tqdm.auto import tqdm

from . import hands as _hands
from . import pictures as _pictures
from . import sprites as _sprites
from .arguments import array, shortened, whole
from .files import expanded, replacing

#: What varies in the model `hands`; the pose of the hand stays fixed.
HAND_FACTORS = ("rotation", "thumb", "index", "middle", "ring", "pinky")
#: Where MNIST is to be had in one file, and that file's SHA-256: those of Keras's own ``keras.datasets.mnist``.
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_BYTES = 11_490_434
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
#: A folder with fewer images has none to hold out.
HELD_OUT_FROM = 10


@dataclass(frozen=True)
class Images:
    """Images with the factors that made them, or the class of each.

    ``pixels`` is ``(n, channels, height, width)``, stored as bytes; ``images[rows]`` gives them as float32 in [0, 1].
    ``factors`` is ``(n, k)``, a column for each of ``names``. Where ``classes`` are named, the one factor is a label:
    the place of the image's class among them.
    """

    pixels: NDArray[np.uint8]
    factors: NDArray[np.float32]
    names: tuple[str, ...]
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, rows: int | slice | ArrayLike) -> NDArray[np.float32]:
        return self.pixels[rows].astype(np.float32) / 255  # type: ignore[index]


def hands(n: int, *, seed: int, size: int = 64, vary: Sequence[str] = HAND_FACTORS, progress: bool = True) -> Images:
    """Draw ``n`` hands with independent uniform factors, once: the next call reads them from the user's cache.

    ``factors`` holds the columns that vary. Raises ``ValueError`` for a bad size or a name that is no factor.
    """
    whole("size", size, 8, 255)
    factors = _hands.sample_factors(n, vary=vary, rng=np.random.default_rng(whole("seed", seed, 0)))
    key = hashlib.sha256(inspect.getsource(_hands).encode() + factors.tobytes() + bytes([size])).hexdigest()[:16]
    path = user_cache_path("vaehelpers") / f"hands-{key}.npy"
    pictures = _kept(path)
    if pictures is None or pictures.shape != (len(factors), 1, size, size) or pictures.dtype != np.uint8:
        pictures = _draw(_hands.render, factors, size, progress)
        _keep(path, lambda file: np.save(file, pictures))
    return Images(pictures, factors[:, _hands.columns_of(vary)], tuple(vary))


def sprites(n: int, *, seed: int, size: int = 64) -> Images:
    """Draw ``n`` sprites, each row drawn uniformly and with replacement from the published grid of dSprites.

    ``factors`` holds the published values (``latents_values``) of shape, scale, orientation, x and y; shapes are
    1, 2 and 3, see ``vaehelpers.sprites.GRID``. Squares and ellipses look alike at several orientations.
    Nothing is downloaded. Raises ``ValueError`` for a size below 16.
    """
    whole("size", size, 16, 4096)
    factors = _sprites.sample_factors(n, rng=np.random.default_rng(whole("seed", seed, 0)))
    return Images(_draw(_sprites.render, factors, size, False), factors, tuple(_sprites.GRID))


def digits(*, size: int = 32) -> Images:
    """Return scikit-learn's 1,797 handwritten digits, enlarged from 8×8 to ``size``; the one factor is the class.

    Raises ``ValueError`` for a size that is no whole number from 8 to 4096.
    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    whole("size", size, 8, 4096)
    pictures = np.stack([_pictures.resized(image, size) for image in data.images.astype(np.float32) / 16])
    return _labelled(as_bytes(pictures), data.target)


def mnist(*, test: bool = False, size: int = 32) -> Images:
    """Return MNIST's 60,000 digits for training, or its 10,000 for tests: 28×28 amid a black rim of two pixels.

    Where ``size`` is not 32, these are scaled to it. The file (11 MB) is downloaded once into the user's cache and its
    checksum compared at each call. Raises ``ValueError`` for a size that is no whole number from 8 to 4096, and
    ``OSError`` when the file cannot be had, which says what to put where; the rest of the course works without it.
    Source: LeCun, Bottou, Bengio & Haffner (1998), "Gradient-based learning applied to document recognition", §III.
    """
    whole("size", size, 8, 4096)
    content = _fetch(MNIST_URL, MNIST_SHA256, user_cache_path("vaehelpers") / "mnist.npz")
    part = "test" if test else "train"
    with np.load(BytesIO(content), allow_pickle=False) as data:
        pictures, labels = np.pad(data[f"x_{part}"], ((0, 0), (2, 2), (2, 2))), data[f"y_{part}"]
    if size != 32:
        pictures = np.stack([_pictures.resized(image, size) for image in pictures])
    return _labelled(pictures, labels)


def old_faithful() -> NDArray[np.float64]:
    """Return 272 eruptions of the geyser Old Faithful (272, 2): minutes it lasted, minutes until the next began.

    Source: Azzalini & Bowman (1990), "A look at some data on the Old Faithful geyser", Applied Statistics 39(3),
    357–365; the rows are those of R's data set ``faithful``.
    """
    return np.loadtxt(Path(__file__).parent / "data" / "old_faithful.csv", delimiter=",", skiprows=2)


def beta_sweep() -> NDArray[np.void]:
    """Return the sweep of lesson 07: a structured array with a row for each run and a named column for each number.

    ``beta`` and ``seed`` name the run; ``log_likelihood``, ``kl``, ``elbo`` and the three parts of the KL are in nats a
    picture. Made by ``python -m vaehelpers sweep``.
    """
    return np.genfromtxt(Path(__file__).parent / "data" / "sweep.csv", delimiter=",", names=True)


def capacity_run() -> dict[str, NDArray[np.generic]]:
    """Return how a model learns while its KL is held at a capacity that rises, at k moments of one run.

    ``capacity`` and ``log_likelihood`` ``(k,)`` and ``kl`` ``(k, 25)`` are in nats; ``pictures`` ``(k, 6, 9, 32, 32)``
    are traversals of the six ``latents`` ``(6,)`` that end with the most. Made by ``python -m vaehelpers sweep``.
    """
    with np.load(Path(__file__).parent / "data" / "capacity.npz") as arrays:
        return dict(arrays)


def folder(path: str | Path, *, size: int = 64, channels: int = 1, test: bool | None = None) -> Images:
    """Read the images of a folder, cut square from the middle, scaled to ``size``, grey (1) or in colour (3).

    Whatever Pillow decodes is read, whatever its name; of an animation or a file with several pages, the first. An
    image is turned upright as its camera noted, and what is transparent becomes white. The images of a sub-folder, and
    of all below it, are a class, as in torchvision's ``ImageFolder``: the one factor is then ``class``, the place of
    the sub-folder in ``classes``, which are sorted. A sub-folder without images is no class. Where images lie beside
    the sub-folders too, all are read, none has a class, and a ``UserWarning`` says so.

    Files that cannot be read are counted and named with the reason in a ``UserWarning``: damaged, too big (as Pillow
    judges), of an unknown format, or with numbers of which nobody knows which is white (32-bit integers and floats;
    16 bits are scaled). Hidden files, and files whose name says that they are no images (``.txt``), do not count.
    About a tenth is held out by a hash of its name: ``test=True`` reads these alone and ``test=False`` the others.
    Raises ``FileNotFoundError`` when the folder is missing and ``ValueError`` when it holds no readable image, or with
    ``test=True`` fewer than 10 files.
    """
    path = expanded(path)
    whole("size", size, 8, 4096)
    if channels not in (1, 3):
        raise ValueError(f"channels: need 1 (grey) or 3 (colour), got {channels}")
    if not path.is_dir():
        raise FileNotFoundError(f"path: there is no folder {str(path)!r}")
    unopened: dict[str, str] = {}
    files = _pictures.files_below(path, lambda error: unopened.update({str(error.filename): "cannot be opened"}))
    read, unreadable = _pictures.read_all(path, _part(path, files, test), size, channels)
    left_out = [f"{name} ({reason})" for name, reason in (unopened | unreadable).items()]
    said = ", ".join(left_out[:10]) + (f" and {len(left_out) - 10} more" if len(left_out) > 10 else "")
    if not read and not left_out:
        raise ValueError(f"path: the folder {str(path)!r} holds no .png, .jpg or other image")
    if not read:
        raise ValueError(f"path: no file of the folder {str(path)!r} can be read as a picture: {said}")
    if left_out:
        warnings.warn(f"left out {len(left_out)} of {len(left_out) + len(read)} files: {said}", stacklevel=2)
    beside, classes = sum("/" not in name for name in files), sorted({name.split("/")[0] for name in files})
    if 0 < beside < len(files):
        warnings.warn(f"no image has a class: {beside} of {len(files)} files lie in no sub-folder", stacklevel=2)
    if beside:
        return Images(np.stack([*read.values()]), np.empty((len(read), 0), np.float32), ())
    factors = np.array([[classes.index(name.split("/")[0])] for name in read], np.float32)
    return Images(np.stack([*read.values()]), factors, ("class",), tuple(classes))


def _part(path: Path, files: list[str], test: bool | None) -> list[str]:
    """Return all files, those to train with, or those held out: about a tenth, by a hash, so that it stays the same."""
    if test not in (None, False, True):
        raise ValueError(f"test: need True, False or None, got {shortened(test)}")
    if test is None or (len(files) < HELD_OUT_FROM and not test):
        return files
    if len(files) < HELD_OUT_FROM:
        raise ValueError(
            f"test: need at least {HELD_OUT_FROM} files to hold any out, got {len(files)} in {str(path)!r}"
        )
    names = [unicodedata.normalize("NFC", name).encode(errors="surrogateescape") for name in files]
    hashes = [int(hashlib.sha256(name).hexdigest(), 16) for name in names]
    instead = min(hashes) if all(value % 10 for value in hashes) else None
    return [name for name, value in zip(files, hashes, strict=True) if (value % 10 == 0 or value == instead) == test]


def as_bytes(pictures: ArrayLike) -> NDArray[np.uint8]:
    """Turn pictures in [0, 1] into bytes; raises ``ValueError`` for other values."""
    array("pictures", pictures, unit=True)
    return (np.asarray(pictures) * 255).round().astype(np.uint8)


def _labelled(pictures: NDArray[np.uint8], digit: NDArray[np.integer]) -> Images:
    return Images(pictures[:, None], digit[:, None].astype(np.float32), ("digit",), tuple("0123456789"))


def _kept(path: Path) -> NDArray[np.uint8] | None:
    """Return an array of the cache, or nothing when it is not there or damaged."""
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except Exception:  # a damaged header raises nearly anything
        return None


def _draw(render: Callable, factors: NDArray[np.float32], size: int, progress: bool) -> NDArray[np.uint8]:
    pictures = np.empty((len(factors), 1, size, size), np.uint8)
    bar = tqdm(total=len(factors), desc="drawing hands", unit="pictures", disable=not progress)
    with bar:
        for start in range(0, len(factors), 512):
            part = factors[start : start + 512]
            pictures[start : start + 512] = as_bytes(render(part, size))
            bar.update(len(part))
    return pictures


def _fetch(url: str, sha256: str, path: Path) -> bytes:
    """Return the content of a file of the cache; download it when it is not there or not what it should be."""
    there = ""
    try:
        content = path.read_bytes()
        _verify(content, sha256)
        return content
    except FileNotFoundError:
        pass
    except OSError as error:
        there = f"The file at {path} is not the right one ({error}): delete or replace it. "
    try:
        content = _download(url)
        _verify(content, sha256)
    except (OSError, HTTPException) as error:
        raise OSError(
            f"{there}{path.name} could not be downloaded ({error}). Everything else of the course works without it. "
            f"To have it too, bring {url} (SHA-256 {sha256}) from elsewhere and put it at {path}"
        ) from error
    _keep(path, lambda file: file.write(content))
    return content


def _verify(content: bytes, sha256: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise OSError(f"its SHA-256 should be {sha256}, and is {found}")


def _download(url: str) -> bytes:
    content = bytearray()
    with urlopen(url, timeout=30) as answer:
        total = int(answer.headers.get("Content-Length", 0)) or None
        with tqdm(total=total, desc="downloading", unit="B", unit_scale=True) as bar:
            while block := answer.read(2**16):
                content += block
                if len(content) > MNIST_BYTES:
                    raise OSError(f"it should have {MNIST_BYTES} bytes, and more came")
                bar.update(len(block))
    return bytes(content)


def _keep(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside and rename into place; a full or read-only disk only costs the time of making it again."""
    try:
        with replacing(path) as part, part.open("wb") as file:
            write(file)
    except OSError:
        pass
