"""Read image files, of any format that Pillow decodes, as square arrays of bytes."""

import mimetypes
import os
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

#: Formats that are refused: Pillow runs another program for EPS, reads WMF only on Windows and cannot decode BUFR,
#: GRIB, HDF5 and MPEG; FITS does not define which value is white.
_REFUSED = {"EPS", "WMF", "FITS", "BUFR", "GRIB", "HDF5", "MPEG"}
#: Pixel formats of PNG whose transparent value Pillow does not scale to 8 bits.
_UNSCALED = ("L;2", "L;4", "I;16B", "RGB;16B")
_REASONS = {
    PermissionError: "cannot be opened",
    Image.DecompressionBombError: "too big",
    Image.UnidentifiedImageError: "in an unsupported format",
}


class UnreadableImage(ValueError):
    """Raised for a file that cannot be read as an image; the message gives the reason in a few words."""


def formats() -> list[str]:
    """Return the names of the formats that are read."""
    Image.init()
    return [name for name in Image.OPEN if name not in _REFUSED]


def files_below(folder: Path) -> tuple[list[str], list[str]]:
    """Return the paths, relative to a folder, of all images below it, sorted, and of folders that cannot be opened.

    Hidden files and folders are ignored. Links to folders are followed, but no folder is read twice.
    """
    found, seen, errors = [], set(), list[OSError]()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=errors.append):
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [Path(place, name) for name in names if not name.startswith(".")]
        found += [path.relative_to(folder) for path in paths if _is_image(path)]
    closed = [Path(error.filename).relative_to(folder) for error in errors]
    return [path.as_posix() for path in sorted(found)], [path.as_posix() for path in closed]


def _is_image(path: Path) -> bool:
    """Return whether a file is an image by its suffix or, where that is missing or unknown, by its content."""
    if Image.registered_extensions().get(path.suffix.lower()) in Image.OPEN:
        return True
    kind = mimetypes.guess_type(path.name)[0]
    if kind or not path.is_file():
        return (kind or "").startswith("image/")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=formats()):
            return True
    except Exception as error:  # a damaged header raises nearly anything
        return isinstance(error, Image.DecompressionBombError)


def read_image(file: Path, size: int, channels: int) -> NDArray[np.uint8]:
    """Return the central square of a file's first image, upright and on white, as ``(channels, size, size)``.

    Raises ``UnreadableImage``.
    """
    if not file.is_file() or not file.stat().st_size:  # a pipe would block
        raise UnreadableImage("empty or not a file")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=formats()) as image:
            if image.mode == "F" or (image.mode == "I" and image.format != "PPM"):  # Pillow scales PPM to 16 bits
                raise UnreadableImage("32-bit numbers without a known white level")
            if "transparency" in image.info and image.tile[0].args in _UNSCALED:
                raise UnreadableImage("a transparent value of 2, 4 or 16 bits")
            image.draft(None, (2 * size, 2 * size))  # decode a large JPEG at a fraction of its size
            scaled = ImageOps.fit(_upright(image).convert("RGBA"), (size, size))
            flat = Image.alpha_composite(Image.new("RGBA", scaled.size, "white"), scaled)
    except UnreadableImage:
        raise
    except Exception as error:  # a damaged file raises nearly anything
        raise UnreadableImage(_REASONS.get(type(error), "damaged")) from error
    return np.asarray(flat.convert("L" if channels == 1 else "RGB")).reshape(size, size, channels).transpose(2, 0, 1)


def resized(image: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    """Return a grey image of bytes or float32, scaled to ``(size, size)`` by bilinear interpolation."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def _upright(image: Image.Image) -> Image.Image:
    """Return an image upright, and scaled to 8 bits if it has 16, which Pillow would clip at 255."""
    tags = getattr(image, "tag_v2", {})  # of a TIFF; 258: bits, 262: 0 where zero is white
    image = ImageOps.exif_transpose(image)
    if not image.mode.startswith("I"):
        return image
    grey = np.asarray(image) * (255 / (2 ** tags.get(258, (16,))[0] - 1))
    if tags.get(262) == 0:
        grey = 255 - grey
    return Image.fromarray(grey.round().astype(np.uint8))
