"""Models and checkpoints on the disk: safetensors, which cannot carry code, with a card in the metadata."""

import json
import zlib
from base64 import b64encode
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from .files import replacing
from .model import VAE

PRETRAINED = Path(__file__).parent / "pretrained"


def save(model: VAE, path: str | Path, card: dict[str, Any]) -> None:
    """Save a model as half-precision safetensors, its card in the metadata; written beside and renamed into place."""
    write(Path(path), *_content(model, card))


def to_bytes(model: VAE, card: dict[str, Any]) -> bytes:
    """Return the bytes that ``save`` writes, which ``parse`` in ``web/network.js`` reads."""
    tensors, card = _content(model, card)
    return bytes(serialise(tensors, {"card": _text(card)}))


def pack(data: bytes) -> str:
    """Return bytes as text for an HTML file; ``unpack`` in ``web/network.js`` undoes it and notices damage (Adler-32).

    Every second byte of a half-precision number is its sign, exponent and first bits, which repeat; the others are
    noise. Apart they deflate to 86 % of their size, mixed to 92 %.
    """
    return b64encode(zlib.compress(data[::2] + data[1::2], 9)).decode()


def load(path: str | Path) -> tuple[VAE, dict[str, Any]]:
    """Load a model and its card.

    Raises ``FileNotFoundError`` when there is no such file and ``ValueError`` when it is not a model of this course.
    """
    tensors, card = read(Path(path))
    if not all(v.is_floating_point() and v.float().isfinite().all() for v in tensors.values()):
        raise ValueError(
            f"path: {str(path)!r} does not hold a model of this course: need finite floating-point numbers"
        )
    try:
        with torch.device("meta"):  # takes no memory: a card may claim any size, until it is compared with the tensors
            model = VAE(**card["model"])
        model.load_state_dict({k: v.float() for k, v in tensors.items()}, assign=True)
    except (KeyError, TypeError, OverflowError, RuntimeError) as error:
        raise ValueError(f"path: {str(path)!r} does not hold a model of this course") from error
    return model.eval(), card


def load_pretrained(name: str) -> tuple[VAE, dict[str, Any]]:
    """Load a model that comes with the course, and its card. Raises ``ValueError`` for a wrong name."""
    names = sorted(p.stem for p in PRETRAINED.glob("*.safetensors"))
    if name not in names:
        close = get_close_matches(str(name), names, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose among {', '.join(names)}"
        raise ValueError(f"name: there is no shipped model {name!r}; {hint}")
    return load(PRETRAINED / f"{name}.safetensors")


def write(path: Path, tensors: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write safetensors beside ``path`` and rename, so that an interrupt or a full disk spoils no older file.

    Raises ``OSError`` where nothing can be written.
    """
    with replacing(path) as part:
        part.write_bytes(serialise({k: v.contiguous() for k, v in tensors.items()}, {"card": _text(card)}))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the card of a safetensors file."""
    if not path.is_file():
        raise FileNotFoundError(f"path: there is no file {str(path)!r}")
    try:
        with safe_open(path, "pt") as file:
            card = json.loads((file.metadata() or {})["card"])
            if not isinstance(card, dict):
                raise ValueError("a card is a dictionary")
            return {key: file.get_tensor(key) for key in file.keys()}, card
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"path: {str(path)!r} is damaged or was not written by this course") from error


def _text(card: dict[str, Any]) -> str:
    """Return a card as JSON that every reader understands: without NaN and infinity."""
    try:
        return json.dumps(card, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"card: need what JSON can hold, got {error}") from error


def _content(model: VAE, card: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    shape = {"size": model.size, "latent_dim": model.latent_dim, "channels": model.channels}
    return {k: v.half().contiguous() for k, v in model.state_dict().items()}, {**card, "model": shape}
