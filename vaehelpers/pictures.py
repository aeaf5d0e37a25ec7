"""Image files of any kind that Pillow reads, as squares of bytes."""

import mimetypes
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

#: Refused by name: for EPS Pillow starts another program, WMF it decodes on Windows alone, FITS does not say its white.
_REFUSED = ("EPS", "WMF", "FITS")
_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini")


class _Unreadable(ValueError):
    """Says in a few words why a file is left out."""


def formats() -> list[str]:
    """Return the names of the formats that are read: all that Pillow and its plugins decode by themselves."""
    Image.init()
    others = (*_REFUSED, "MPEG")  # a film, which Pillow only recognises
    return [name for name, (kind, _) in Image.OPEN.items() if name not in others and not _is_stub(kind)]


def files_below(folder: Path, left_out: Callable[[OSError], object]) -> list[str]:
    """Return the images in a folder and all below it, in the order of their names, which are relative to it.

    The suffix says whether a file is an image; where it is missing or unknown, the content does. Hidden files and
    folders do not count. Links to folders are followed, but no folder is read twice. ``left_out`` gets the error of
    each folder that cannot be opened.
    """
    found, seen = [], {os.path.realpath(folder)}
    for place, folders, names in os.walk(folder, followlinks=True, onerror=left_out):
        found += [path.relative_to(folder) for name in names if _is_image(path := Path(place, name))]
        links = {name for name in folders if os.path.islink(os.path.join(place, name))}
        visible = [name for name in sorted(folders, key=lambda name: (name in links, name)) if name[0] != "."]
        folders.clear()
        for name in visible:
            if (real := os.path.realpath(os.path.join(place, name))) not in seen:
                seen.add(real)
                folders.append(name)
    return [path.as_posix() for path in sorted(found, key=lambda path: path.parts)]


def read_all(
    folder: Path, names: Sequence[str], size: int, channels: int
) -> tuple[dict[str, NDArray[np.uint8]], dict[str, str]]:
    """Return the images of a folder by their names, and the reasons why the others are left out by theirs."""
    images, reasons = {}, {}
    for name in names:
        try:
            images[name] = _read(folder / name, size, channels)
        except _Unreadable as reason:
            reasons[name] = str(reason)
    return images, reasons


def _read(file: Path, size: int, channels: int) -> NDArray[np.uint8]:
    """Return the first image of a file, upright, on white, cut square from its middle: ``(channels, size, size)``.

    Raises ``_Unreadable`` with the reason.
    """
    if not file.is_file():  # a pipe would keep us waiting
        raise _Unreadable("not a file")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=formats()) as image:
            image.draft(None, (2 * size, 2 * size))  # a JPEG need not be decoded any larger
            levels, transparent = _levels(image), _transparent(image)
            upright = _rgba(ImageOps.exif_transpose(image), levels, transparent)
            scaled = ImageOps.fit(upright, (size, size))
            flat = Image.alpha_composite(Image.new("RGBA", scaled.size, "white"), scaled)
    except _Unreadable:
        raise
    except Image.UnidentifiedImageError as error:
        raise _Unreadable("empty" if file.stat().st_size == 0 else "in no format that is read here") from error
    except PermissionError as error:
        raise _Unreadable("cannot be opened") from error
    except Image.DecompressionBombError as error:
        raise _Unreadable("too big") from error
    except Exception as error:  # a damaged file raises nearly anything
        raise _Unreadable("damaged") from error
    return np.asarray(flat.convert("L" if channels == 1 else "RGB")).reshape(size, size, channels).transpose(2, 0, 1)


def resized(image: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    """Return a grey image of bytes or float32 with another number of pixels along its edges, bilinear."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def _is_stub(kind: object) -> bool:
    """Whether Pillow only recognises a format, and needs help to decode it."""
    return isinstance(kind, type) and issubclass(kind, ImageFile.StubImageFile)


def _is_image(path: Path) -> bool:
    """Whether a visible file is an image by its suffix or, where that is missing or unknown, by its content."""
    if path.name.startswith(".") or path.name.lower() in _OF_THE_SYSTEM:
        return False
    if Image.registered_extensions().get(path.suffix.lower()) in (*formats(), *_REFUSED):
        return True
    kind = mimetypes.guess_type(path.name)[0]
    if kind is not None or not path.is_file():
        return kind is not None and kind.startswith("image/")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=formats()):
            return True
    except Image.DecompressionBombError:
        return True
    except Exception:  # a damaged header raises nearly anything
        return False


def _levels(image: Image.Image) -> tuple[int, int]:
    """Return the values that are black and white in an image whose pixels may have more than 8 bits.

    Raises ``_Unreadable`` where nobody knows them.
    """
    if image.mode == "F":
        raise _Unreadable("floating-point numbers, of which nobody knows which is white")
    if image.mode == "I" and image.format != "PPM":  # which says its white, and is scaled to 16 bits by Pillow
        raise _Unreadable("integers with a sign or of 32 bits, of which nobody knows which is white")
    if image.format != "TIFF":
        return 0, 65535
    tags = image.tag_v2  # type: ignore[attr-defined]
    if 2 in tags.get(339, ()):
        raise _Unreadable("integers with a sign, of which nobody knows which is white")
    white = 2 ** tags.get(258, (1,))[0] - 1
    return (white, 0) if tags.get(262) == 0 else (0, white)


def _transparent(image: Image.Image) -> Any:
    """Return the value, colour or palette entries that are transparent, if any, as in the decoded image.

    Raises ``_Unreadable`` for a colour of 16 bits a channel, of which Pillow decodes 8.
    """
    value, tile = image.info.get("transparency"), getattr(image, "tile", None)
    if value is None or image.format != "PNG":
        return value
    stored = tile[0][3] if tile else None
    if stored == "RGB;16B":
        raise _Unreadable("a transparent colour of 16 bits a channel")
    return value * {"L;2": 85, "L;4": 17}[stored] if stored in ("L;2", "L;4") else value


def _rgba(image: Image.Image, levels: tuple[int, int], transparent: Any) -> Image.Image:
    if image.mode.startswith("I"):  # Pillow would not scale these, but cut them off at 255
        values, (black, white) = np.asarray(image).astype(np.float32), levels
        grey = Image.fromarray(np.rint((values - black) * (255 / (white - black))).astype(np.uint8))
        grey.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
        return grey.convert("RGBA")
    if transparent is not None:
        image.info["transparency"] = transparent
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
