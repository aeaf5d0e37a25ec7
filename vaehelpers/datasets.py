"""The data sets of the course: images, with their generative factors or classes where these are known."""

import hashlib
import inspect
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from numpy.typing import ArrayLike, NDArray
from platformdirs import user_cache_path
from tqdm.auto import tqdm

from . import hands as _hands
from . import sprites as _sprites
from .arguments import array, whole
from .files import expanded, replacing
from .images import UnreadableImage, files_below, read_image, resized

#: The factors that vary in the training images of the model `hands`; position, size and spread are fixed.
HAND_FACTORS = ("rotation", "thumb", "index", "middle", "ring", "pinky")
#: The file of MNIST that ``keras.datasets.mnist`` uses.
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_BYTES = 11_490_434
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
_DATA = Path(__file__).parent / "data"
_HELD_OUT_FROM = 10  # a folder with fewer images has no test images


@dataclass(frozen=True)
class Images:
    """Images with their generative factors or classes.

    ``pixels`` is ``(n, channels, height, width)``, stored as bytes; ``images[rows]`` gives them as float32 in [0, 1].
    ``factors`` is ``(n, k)``, a column for each of ``names``. If there are ``classes``, the only factor is the label,
    an index into ``classes``.
    """

    pixels: NDArray[np.uint8]
    factors: NDArray[np.float32]
    names: tuple[str, ...]
    classes: tuple[str, ...] = ()

    @property
    def pictures(self) -> NDArray[np.uint8]:
        """The former name of ``pixels``, which scripts outside the course use."""
        return self.pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, rows: int | slice | ArrayLike) -> NDArray[np.float32]:
        return self.pixels[rows].astype(np.float32) / 255  # type: ignore[index]


def hands(n: int, *, seed: int, size: int = 64, vary: Sequence[str] = HAND_FACTORS, progress: bool = True) -> Images:
    """Draw ``n`` hands with independent uniform factors, or read them from the user's cache if drawn before.

    ``factors`` holds the columns that vary. Raises ``ValueError`` for an invalid size or an unknown factor.
    """
    factors = _hands.sample_factors(n, vary=vary, rng=np.random.default_rng(whole("seed", seed, 0)))
    key = hashlib.sha256(f"{size} {inspect.getsource(_hands)}".encode() + factors.tobytes()).hexdigest()[:16]
    path = user_cache_path("vaehelpers") / f"hands-{key}.bytes"
    try:
        pixels = np.fromfile(path, np.uint8).reshape(len(factors), 1, size, size)
    except (OSError, ValueError):  # missing or truncated
        pixels = _draw(_hands.render, factors, size, progress)
        with suppress(OSError), replacing(path) as part:  # no cache on a full or read-only disk
            part.write_bytes(pixels.tobytes())
    return Images(pixels, factors[:, _hands.columns_of(vary)], tuple(vary))


def sprites(n: int, *, seed: int, size: int = 64) -> Images:
    """Draw ``n`` sprites, with factors sampled uniformly and with replacement from the published grid of dSprites.

    ``factors`` holds the published values (``latents_values``) of shape, scale, orientation, x and y; shapes are
    1, 2 and 3, see ``vaehelpers.sprites.GRID``. Squares and ellipses look alike at several orientations.
    Nothing is downloaded. Raises ``ValueError`` for a size below 16.
    """
    factors = _sprites.sample_factors(n, rng=np.random.default_rng(whole("seed", seed, 0)))
    return Images(_draw(_sprites.render, factors, size, False), factors, tuple(_sprites.GRID))


def digits(*, size: int = 32) -> Images:
    """Return scikit-learn's 1,797 handwritten digits, enlarged from 8×8 to ``size``; the one factor is the class.

    Raises ``ValueError`` for a size that is not a whole number from 8 to 4096.
    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """
    from sklearn.datasets import load_digits

    whole("size", size, 8, 4096)
    data = load_digits()
    enlarged = np.stack([resized(image, size) for image in data.images.astype(np.float32) / 16])
    return _labelled(as_bytes(enlarged), data.target)


def mnist(*, test: bool = False, size: int = 32) -> Images:
    """Return MNIST's 60,000 training or 10,000 test digits, 28×28 padded by a black border of two pixels.

    For a ``size`` other than 32 they are rescaled. The file (11 MB) is downloaded once into the user's cache, and its
    checksum is verified at each call. Raises ``ValueError`` for a size that is not a whole number from 8 to 4096, and
    ``OSError``, whose message says what to do, if the download fails or the checksum is wrong.
    Source: LeCun, Bottou, Bengio & Haffner (1998), "Gradient-based learning applied to document recognition", §III.
    """
    whole("size", size, 8, 4096)
    part = "test" if test else "train"
    with np.load(BytesIO(_mnist_file()), allow_pickle=False) as data:
        pixels, labels = np.pad(data[f"x_{part}"], ((0, 0), (2, 2), (2, 2))), data[f"y_{part}"]
    if size != 32:
        pixels = np.stack([resized(image, size) for image in pixels])
    return _labelled(pixels, labels)


def old_faithful() -> NDArray[np.float64]:
    """Return 272 eruptions of the geyser Old Faithful (272, 2): duration, and waiting time until the next, in minutes.

    Source: Härdle (1991), "Smoothing Techniques: With Implementation in S"; the rows are those of R's data set
    ``faithful``. Azzalini & Bowman (1990), "A look at some data on the Old Faithful geyser", list 299 eruptions.
    """
    return np.loadtxt(_DATA / "old_faithful.csv", delimiter=",", skiprows=2)


def beta_sweep() -> NDArray[np.void]:
    """Return the sweep of lesson 07: a structured array with a row for each run and a named column for each number.

    ``beta`` and ``seed`` name the run; ``log_likelihood``, ``kl``, ``elbo`` and the three parts of the KL are in nats
    per image. Made by ``recipes/sweep.py``.
    """
    return np.genfromtxt(_DATA / "sweep.csv", delimiter=",", names=True)


def capacity_run() -> dict[str, NDArray[np.generic]]:
    """Return k snapshots of a training run in which the KL is held at a rising capacity.

    ``capacity`` and ``log_likelihood`` ``(k,)`` and ``kl`` ``(k, 25)`` are in nats. Made by ``recipes/sweep.py``.
    """
    with np.load(_DATA / "capacity.npz") as arrays:
        return dict(arrays)


def folder(path: str | Path, *, size: int = 64, channels: int = 1, test: bool | None = None) -> Images:
    """Read the images of a folder, cropped to the central square and scaled to ``size``, in grey (1) or colour (3).

    All formats that Pillow decodes are read, whatever the file's name; of an animated image, the first frame. Images
    are turned upright by their EXIF orientation, and transparent pixels become white. As in torchvision's
    ``ImageFolder``, each sub-folder is a class: the only factor, ``class``, is the index of the sub-folder in
    ``classes``, which are sorted. If some images are in no sub-folder, none has a class, and a ``UserWarning`` says so.

    Another warning counts the images that cannot be read and names the first ten, with the reason: damaged, too big
    (Pillow's limit), of an unknown format, or of 32-bit numbers without a known white level (16 bits are rescaled).
    Hidden files and files with the suffix of another type (``.txt``) are ignored.

    A hash of the names selects about a tenth of the files to be held out: ``test=True`` reads only these, and
    ``test=False`` only the others. Raises ``FileNotFoundError`` when the folder is missing and ``ValueError`` when it
    holds no readable image or, with ``test=True``, fewer than 10 files.
    """
    path = expanded(path)
    whole("size", size, 8, 4096)
    if channels not in (1, 3):
        raise ValueError(f"channels: need 1 (grey) or 3 (colour), got {channels}")
    if not path.is_dir():
        raise FileNotFoundError(f"path: there is no folder {str(path)!r}")
    files, closed = files_below(path)
    left_out = dict.fromkeys(closed, "cannot be opened")
    read: dict[str, NDArray[np.uint8]] = {}
    for name in files if test is None else _part(files, test):
        try:
            read[name] = read_image(path / name, size, channels)
        except UnreadableImage as reason:
            left_out[name] = str(reason)
    listed = ", ".join(f"{name} ({reason})" for name, reason in [*left_out.items()][:10])
    if not read:
        raise ValueError(f"path: need images in the folder {str(path)!r}, got {listed or 'none'}")
    if left_out:
        warnings.warn(f"left out {len(left_out)} of {len(left_out) + len(read)} files: {listed}", stacklevel=2)
    pixels = np.stack([*read.values()])
    if outside := [name for name in files if "/" not in name]:
        if len(outside) < len(files):
            warnings.warn(f"no image has a class: {outside[0]!r} is in no sub-folder", stacklevel=2)
        return Images(pixels, np.empty((len(read), 0), np.float32), ())
    classes = sorted({name.split("/")[0] for name in files})
    factors = np.array([[classes.index(name.split("/")[0])] for name in read], np.float32)
    return Images(pixels, factors, ("class",), tuple(classes))


def as_bytes(images: ArrayLike) -> NDArray[np.uint8]:
    """Turn images in [0, 1] into bytes; raises ``ValueError`` for other values."""
    array("images", images, unit=True)
    return (np.asarray(images) * 255).round().astype(np.uint8)


def _part(files: list[str], test: bool) -> list[str]:
    """Return the held-out files, or the others, chosen by a hash: files added to ten or more hold out no older one."""
    if len(files) < _HELD_OUT_FROM:
        if test:
            raise ValueError(f"test: need at least {_HELD_OUT_FROM} files to hold any out, got {len(files)}")
        return files
    tenths = [hashlib.sha256(os.fsencode(name)).digest()[0] % 10 for name in files]
    return [name for name, tenth in zip(files, tenths, strict=True) if (tenth == min(tenths)) == test]


def _labelled(pixels: NDArray[np.uint8], digit: NDArray[np.integer]) -> Images:
    return Images(pixels[:, None], digit[:, None].astype(np.float32), ("digit",), tuple("0123456789"))


def _draw(render: Callable, factors: NDArray[np.float32], size: int, progress: bool) -> NDArray[np.uint8]:
    parts = np.array_split(factors, len(factors) // 512 + 1)
    return np.concatenate([as_bytes(render(part, size)) for part in tqdm(parts, "drawing", disable=not progress)])


def _mnist_file() -> bytes:
    """Return the content of MNIST's file from the user's cache, or download it there. Its checksum is verified."""
    path = user_cache_path("vaehelpers") / "mnist.npz"
    cached = path.exists()
    try:
        with path.open("rb") if cached else urlopen(MNIST_URL, timeout=30) as file:
            content = file.read(MNIST_BYTES)
    except (OSError, HTTPException) as error:
        need = f"download {MNIST_URL} (SHA-256 {MNIST_SHA256}) elsewhere and put it at {path}"
        raise OSError(f"mnist.npz could not be {'read' if cached else 'downloaded'} ({error}): {need}") from error
    if (found := hashlib.sha256(content).hexdigest()) != MNIST_SHA256:
        wrong = f"delete the file at {path}, which" if cached else f"the file at {MNIST_URL}"
        raise OSError(f"mnist.npz: {wrong} has the SHA-256 {found} and not {MNIST_SHA256}")
    if not cached:
        with suppress(OSError), replacing(path) as part:  # no cache on a full or read-only disk
            part.write_bytes(content)
    return content
