"""Models and checkpoints on the disk: safetensors, which cannot carry code, with a card in the metadata."""

import json
import zlib
from base64 import b64encode
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse
from safetensors.torch import save as serialise
from torch import Tensor

from .arguments import shortened
from .files import expanded, replacing
from .model import VAE

PRETRAINED = Path(__file__).parent / "pretrained"


def save(model: VAE, path: str | Path, card: dict[str, Any]) -> None:
    """Save a model as half-precision safetensors, its card in the metadata; an older file is replaced.

    Raises ``ValueError`` when a weight is not finite or beyond ±65,504, the largest number of half precision, and for
    a card that JSON cannot hold; ``OSError`` where nothing can be written.
    """
    write(expanded(path), *_content(model, card))


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
    """Load a model and its card; of a checkpoint, the model as far as it was trained.

    Raises ``FileNotFoundError`` when there is no such file and ``ValueError`` when it is not a model of this course.
    """
    path = expanded(path)
    tensors, card = read(path)
    if is_checkpoint(card):
        tensors = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    wrong = f"path: {str(path)!r} does not hold a model of this course"
    try:
        if not all(v.is_floating_point() and v.float().isfinite().all() for v in tensors.values()):
            raise ValueError(f"{wrong}: need finite floating-point numbers")
        with torch.device("meta"):  # takes no memory: a card may claim any size, until it is compared with the tensors
            model = VAE(**card["model"])
        model.load_state_dict({k: v.float() for k, v in tensors.items()}, assign=True)
    except (KeyError, TypeError, OverflowError, RuntimeError) as error:
        raise ValueError(f"{wrong}: need the weights of the model that its card describes") from error
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


def read(path: Path, name: str = "path") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the card of a safetensors file into memory, so that the file can be replaced at once.

    Raises ``FileNotFoundError`` when there is no such file and ``ValueError`` when it is damaged; ``name`` is the
    argument that they name.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{name}: there is no file {str(path)!r}")
    data = path.read_bytes()
    try:
        tensors = parse(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        card = json.loads((header.get("__metadata__") or {})["card"])
        if not isinstance(card, dict):
            raise ValueError("a card is a dictionary")
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        wrong = f"{name}: {str(path)!r} is damaged or was not written by this course"
        raise ValueError(f"{wrong}; need a .safetensors file of training.save or a checkpoint of train") from error
    return tensors, card


def is_checkpoint(card: dict[str, Any]) -> bool:
    """Return whether a card is that of a checkpoint of ``train``."""
    return card.keys() >= {"recipe", "step", "done", "history"}


def refuse_other(owner: str, found: object, recipe: dict[str, Any]) -> None:
    """Raise ``ValueError``, which begins with ``owner`` and names each difference, unless two recipes are the same."""
    there = found if isinstance(found, dict) else {}
    changed = [
        f"{key} is {shortened(there.get(key))} there and {shortened(value)} here"
        for key, value in recipe.items()
        if there.get(key) != value
    ]
    if changed:
        raise ValueError(f"{owner}: {', '.join(changed)}; name another")


def shape_of(model: VAE) -> dict[str, int]:
    """Return what ``VAE`` takes to make a model of the same shape."""
    return {"size": model.size, "latent_dim": model.latent_dim, "channels": model.channels}


def _text(card: dict[str, Any]) -> str:
    """Return a card as JSON that every reader understands: no NaN, no infinity, Python's numbers for NumPy's."""
    try:
        return json.dumps(card, allow_nan=False, default=_as_python)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"card: need what JSON can hold, got {error}") from error


def _as_python(value: Any) -> Any:
    if getattr(value, "ndim", 1) == 0:
        return value.item()
    raise TypeError(f"object of type {type(value).__name__} is not JSON serializable")


def _content(model: VAE, card: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not isinstance(model, VAE):
        raise ValueError(f"model: need a VAE, got {type(model).__name__}")
    if not isinstance(card, dict):
        raise ValueError(f"card: need a dictionary, got {shortened(card)}")
    tensors = {name: weight.half().contiguous() for name, weight in model.state_dict().items()}
    for name, weight in tensors.items():
        if not weight.isfinite().all():
            most = f"{model.state_dict()[name].abs().max():g}"
            raise ValueError(
                f"model: need finite weights up to 65,504, which half precision holds, got {most} in {name}"
            )
    return tensors, {**card, "model": shape_of(model)}
