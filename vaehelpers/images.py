"""Read image files of any format that Pillow decodes as squares of bytes."""

import mimetypes
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

#: Formats that are refused: Pillow runs another program for EPS and reads WMF only on Windows; FITS does not define
#: which value is white.
_REFUSED = {"EPS", "WMF", "FITS"}
#: Formats that Pillow recognises but cannot decode.
_NOT_DECODED = {"BUFR", "GRIB", "HDF5", "MPEG"}
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
    return [name for name in Image.OPEN if name not in _REFUSED | _NOT_DECODED]


def files_below(folder: Path, left_out: dict[str, str]) -> list[str]:
    """Return the paths of all images below a folder, relative to it and sorted; hidden ones are ignored.

    Links to folders are followed, but no folder is read twice. A folder that cannot be opened is added to ``left_out``.
    """
    found, seen, folders = [], set(), [folder]
    for place in folders:  # grows as sub-folders are found
        if (real := place.resolve()) in seen:
            continue
        seen.add(real)
        try:
            entries = [entry for entry in place.iterdir() if not entry.name.startswith(".")]
            inner = [entry for entry in entries if entry.is_dir()]
        except OSError:
            left_out[place.relative_to(folder).as_posix()] = "cannot be opened"
            continue
        folders += sorted(inner, key=lambda entry: (entry.is_symlink(), entry.name))  # links after real folders
        found += [entry.relative_to(folder) for entry in entries if not entry.is_dir() and _is_image(entry)]
    return [path.as_posix() for path in sorted(found, key=lambda path: path.parts)]


def _is_image(path: Path) -> bool:
    """Return whether a file is an image by its suffix or, where that is missing or unknown, by its content."""
    if path.name.lower() in ("thumbs.db", "desktop.ini"):
        return False
    if Image.registered_extensions().get(path.suffix.lower()) in {*formats(), *_REFUSED}:
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
    if not file.is_file():  # a pipe would block
        raise UnreadableImage("not a file")
    if not file.stat().st_size:
        raise UnreadableImage("empty")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=formats()) as image:
            image.draft(None, (2 * size, 2 * size))  # decode a large JPEG at a fraction of its size
            scaled = ImageOps.fit(_rgba(image), (size, size))
            flat = Image.alpha_composite(Image.new("RGBA", scaled.size, "white"), scaled)
    except UnreadableImage:
        raise
    except Exception as error:  # a damaged file raises nearly anything
        raise UnreadableImage(_REASONS.get(type(error), "damaged")) from error
    return np.asarray(flat.convert("L" if channels == 1 else "RGB")).reshape(size, size, channels).transpose(2, 0, 1)


def resized(image: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    """Return a grey image of bytes or float32, scaled to ``(size, size)`` by bilinear interpolation."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def _rgba(image: Image.Image) -> Image.Image:
    """Return an image upright, in 8 bits and with its transparency.

    Raises ``UnreadableImage`` where the value of white is unknown, or a transparent colour is not decoded in full.
    """
    tags = getattr(image, "tag_v2", {})  # of a TIFF; 258: bits, 262: 0 where zero is white, 339: kind of numbers
    if image.mode == "F":
        raise UnreadableImage("floating-point numbers without a known white level")
    if 2 in tags.get(339, ()) or (image.mode == "I" and image.format != "PPM"):  # Pillow scales PPM to 16 bits
        raise UnreadableImage("signed or 32-bit integers without a known white level")
    if image.format == "PNG" and "transparency" in image.info:
        stored = image.tile[0].args  # type: ignore[attr-defined]
        if stored == "RGB;16B":
            raise UnreadableImage("a transparent colour of 16 bits a channel")
        if stored in ("L;2", "L;4"):  # Pillow scales the pixels to 8 bits, but not the transparent value
            image.info["transparency"] *= 85 if stored == "L;2" else 17
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip at 255
        largest = 2 ** tags.get(258, (16,))[0] - 1
        black, white = (largest, 0) if tags.get(262) == 0 else (0, largest)
        values = np.asarray(image).astype(np.float32)
        opaque = 255.0 * (values != image.info.get("transparency", -1))
        grey = (values - black) * (255 / (white - black))
        return Image.fromarray(np.dstack([grey, opaque]).round().astype(np.uint8)).convert("RGBA")
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
