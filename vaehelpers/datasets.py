"""The data of the course: pictures, and where they are known the factors behind them."""

import hashlib
import inspect
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from platformdirs import user_cache_path
from tqdm.auto import tqdm

from . import hands as _hands

#: What varies in the model `hands`; the pose of the hand stays fixed.
HAND_FACTORS = ("rotation", "thumb", "index", "middle", "ring", "pinky")


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
    factors = _hands.sample_factors(n, vary=vary, rng=np.random.default_rng(seed))
    key = hashlib.sha256(inspect.getsource(_hands).encode() + factors.tobytes() + bytes([size])).hexdigest()[:16]
    path = user_cache_path("vaehelpers") / f"hands-{key}.npy"
    columns = [list(_hands.FACTORS).index(name) for name in vary]
    try:
        pictures = np.load(path)
    except (OSError, ValueError, EOFError):  # not there, or damaged: draw it (again)
        pictures = _draw(factors, size, progress)
        _keep(path, pictures)
    return Images(pictures, factors[:, columns], tuple(vary))


def digits() -> Images:
    """Return scikit-learn's 1,797 handwritten digits, enlarged from 8×8 to 32×32; the one factor is the class.

    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    data = load_digits()
    pictures = np.clip(zoom(data.images / 16, (1, 4, 4), order=1, mode="nearest", grid_mode=True), 0, 1)
    return Images(as_bytes(pictures[:, None]), data.target[:, None].astype(np.float32), ("digit",))


def old_faithful() -> NDArray[np.float64]:
    """Return 272 eruptions of the geyser Old Faithful (272, 2): minutes it lasted, minutes until the next began.

    Source: Azzalini & Bowman (1990), "A look at some data on the Old Faithful geyser", Applied Statistics 39(3),
    357–365; the rows are those of R's data set ``faithful``.
    """
    return np.loadtxt(Path(__file__).parent / "data" / "old_faithful.csv", delimiter=",", skiprows=2)


def folder(path: str | Path, *, size: int = 64) -> Images:
    """Read every PNG and JPEG of a folder in grey, cut square from the middle and scaled to ``size`` pixels.

    Raises ``FileNotFoundError`` when the folder is missing and ``ValueError`` when it holds no pictures.
    """
    from PIL import Image, ImageOps

    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"path: there is no folder {str(path)!r}")
    files = sorted(f for f in path.iterdir() if f.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not files:
        raise ValueError(f"path: the folder {str(path)!r} holds no .png, .jpg or .jpeg file")
    pictures = [np.asarray(ImageOps.fit(Image.open(f).convert("L"), (size, size))) for f in files]
    return Images(np.stack(pictures)[:, None], np.empty((len(files), 0), np.float32), ())


def as_bytes(pictures: ArrayLike) -> NDArray[np.uint8]:
    """Turn pictures in [0, 1] into bytes."""
    return (np.asarray(pictures) * 255).round().astype(np.uint8)


def _draw(factors: NDArray[np.float32], size: int, progress: bool) -> NDArray[np.uint8]:
    pictures = np.empty((len(factors), 1, size, size), np.uint8)
    bar = tqdm(total=len(factors), desc="drawing hands", unit="pictures", disable=not progress)
    with bar:
        for start in range(0, len(factors), 512):
            part = factors[start : start + 512]
            pictures[start : start + 512] = as_bytes(_hands.render(part, size))
            bar.update(len(part))
    return pictures


def _keep(path: Path, pictures: NDArray[np.uint8]) -> None:
    """Write beside and rename into place; a full or read-only disk only costs the time of drawing again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, pictures)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
