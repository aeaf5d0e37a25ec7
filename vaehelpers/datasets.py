"""The data of the course: pictures, and where they are known the factors behind them."""

import hashlib
import inspect
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
from . import sprites as _sprites
from .arguments import array, whole
from .files import replacing

#: What varies in the model `hands`; the pose of the hand stays fixed.
HAND_FACTORS = ("rotation", "thumb", "index", "middle", "ring", "pinky")
#: Where MNIST is to be had in one file, and that file's SHA-256: those of Keras's own ``keras.datasets.mnist``.
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_BYTES = 11_490_434
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
#: What cameras, phones, scanners and drawing programs write, and Pillow reads without help of other programs.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # whatever its name, nothing else: EPS would start a program


@dataclass(frozen=True)
class Images:
    """Pictures with the factors that made them.

    ``pictures`` is ``(n, channels, height, width)``, stored as bytes; ``images[rows]`` gives them as float32 in [0, 1].
    ``factors`` is ``(n, k)``, a column for each of ``names``.
    """

    pictures: NDArray[np.uint8]
    factors: NDArray[np.float32]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows: int | slice | ArrayLike) -> NDArray[np.float32]:
        return self.pictures[rows].astype(np.float32) / 255  # type: ignore[index]


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


def digits() -> Images:
    """Return scikit-learn's 1,797 handwritten digits, enlarged from 8×8 to 32×32; the one factor is the class.

    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    data = load_digits()
    pictures = np.clip(zoom(data.images / 16, (1, 4, 4), order=1, mode="nearest", grid_mode=True), 0, 1)
    return Images(as_bytes(pictures[:, None]), data.target[:, None].astype(np.float32), ("digit",))


def mnist(*, test: bool = False) -> Images:
    """Return MNIST's 60,000 digits for training, or its 10,000 for tests, 28×28 amid a black rim of two pixels.

    The file (11 MB) is downloaded once into the user's cache and its checksum compared at each call. Raises
    ``OSError`` when it cannot be had, and says which file to put where; the rest of the course works without it.
    Source: LeCun, Bottou, Bengio & Haffner (1998), "Gradient-based learning applied to document recognition", §III.
    """
    content = _fetch(MNIST_URL, MNIST_SHA256, user_cache_path("vaehelpers") / "mnist.npz")
    part = "test" if test else "train"
    with np.load(BytesIO(content), allow_pickle=False) as data:
        pictures, labels = data[f"x_{part}"], data[f"y_{part}"]
    pictures = np.pad(pictures, ((0, 0), (2, 2), (2, 2)))
    return Images(pictures[:, None], labels[:, None].astype(np.float32), ("digit",))


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


def folder(path: str | Path, *, size: int = 64, channels: int = 1) -> Images:
    """Read the pictures of a folder by name, cut square from the middle, scaled to ``size``, grey (1) or colour (3).

    A photograph is turned upright as its camera noted; what is transparent becomes white, like paper. A file that is
    damaged, or too big to be a picture (as Pillow judges), is left out, and a ``UserWarning`` names it.
    Raises ``FileNotFoundError`` when the folder is missing and ``ValueError`` when it holds no readable picture.
    """
    path = Path(path)
    whole("size", size, 8, 4096)
    if channels not in (1, 3):
        raise ValueError(f"channels: need 1 (grey) or 3 (colour), got {channels}")
    if not path.is_dir():
        raise FileNotFoundError(f"path: there is no folder {str(path)!r}")
    files = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not files:
        raise ValueError(f"path: the folder {str(path)!r} holds no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file")
    read = {f.name: _picture(f, size, channels) for f in files}
    bad = [name for name, picture in read.items() if picture is None]
    names = ", ".join(bad[:10]) + (f" and {len(bad) - 10} more" if len(bad) > 10 else "")
    if len(bad) == len(files):
        raise ValueError(f"path: no file of the folder {str(path)!r} can be read as a picture: {names}")
    if bad:
        warnings.warn(f"{len(bad)} of {len(files)} files are damaged or too big, and left out: {names}", stacklevel=2)
    pictures = np.stack([picture for picture in read.values() if picture is not None])
    return Images(pictures, np.empty((len(pictures), 0), np.float32), ())


def as_bytes(pictures: ArrayLike) -> NDArray[np.uint8]:
    """Turn pictures in [0, 1] into bytes; raises ``ValueError`` for other values."""
    array("pictures", pictures, unit=True)
    return (np.asarray(pictures) * 255).round().astype(np.uint8)


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


def _picture(file: Path, size: int, channels: int) -> NDArray[np.uint8] | None:
    """Return a file's picture ``(channels, size, size)``, or nothing when it cannot be read."""
    from PIL import Image, ImageOps

    if not file.is_file():  # a pipe would keep us waiting
        return None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=_FORMATS) as image:
            image.draft(None, (2 * size, 2 * size))  # a JPEG need not be decoded any larger
            upright = ImageOps.exif_transpose(image)
            if upright.mode == "F":  # nobody knows which number is white
                return None
            if upright.mode.startswith("I"):  # 16 bits, which the conversion would not scale but cut off at 255
                upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
            scaled = ImageOps.fit(upright.convert("RGBA"), (size, size))
            flat = Image.alpha_composite(Image.new("RGBA", scaled.size, "white"), scaled)
    except Exception:  # a broken file raises nearly anything
        return None
    return np.asarray(flat.convert("L" if channels == 1 else "RGB")).reshape(size, size, channels).transpose(2, 0, 1)


def _fetch(url: str, sha256: str, path: Path) -> bytes:
    """Return the content of a file of the cache; download it when it is not there or not what it should be."""
    try:
        content = path.read_bytes()
        _verify(content, sha256)
        return content
    except OSError:
        pass
    try:
        content = _download(url)
        _verify(content, sha256)
    except (OSError, HTTPException) as error:
        raise OSError(
            f"{path.name} could not be downloaded ({error}). Everything else of the course works without it. "
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
