"""Read and write models and checkpoints: safetensors, which cannot contain code, with a JSON card as metadata."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse
from safetensors.torch import save as serialise
from torch import Tensor

from .arguments import instance
from .files import expanded, replacing
from .model import VAE

PRETRAINED = Path(__file__).parent / "pretrained"


def save(model: VAE, path: str | Path, card: dict[str, Any]) -> None:
    """Save a model in half precision together with its card; an older file is replaced.

    Raises ``ValueError`` if JSON cannot hold the card, and ``OSError`` if the file cannot be written.
    """
    with replacing(expanded(path)) as part:
        part.write_bytes(to_bytes(model, card))


def to_bytes(model: VAE, card: dict[str, Any]) -> bytes:
    """Return the bytes that ``save`` writes, which ``parse`` in ``web/network.js`` reads."""
    tensors = {name: weight.half() for name, weight in instance("model", model, VAE).state_dict().items()}
    return _serialised(tensors, instance("card", card, dict) | {"model": shape_of(model)})


def load(path: str | Path) -> tuple[VAE, dict[str, Any]]:
    """Load a model and its card; from a checkpoint of ``train``, the model so far.

    Raises ``FileNotFoundError`` if there is no such file and ``ValueError`` if it is not a model of this course.
    """
    path = expanded(path)
    tensors, card = read(path)
    tensors = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")} or tensors
    try:
        with torch.device("meta"):  # allocates nothing, since the card may claim any size
            model = VAE(**card["model"])
        model.load_state_dict({k: v.float() for k, v in tensors.items()}, assign=True)
    except (KeyError, TypeError, OverflowError, RuntimeError) as error:
        wrong = f"path: {str(path)!r} does not hold a model of this course"
        raise ValueError(f"{wrong}; need the weights that its card describes") from error
    return model.eval(), card


def load_pretrained(name: str) -> tuple[VAE, dict[str, Any]]:
    """Load a shipped model and its card. Raises ``ValueError`` for an unknown name."""
    if name not in pretrained_names():
        raise ValueError(f"name: there is no shipped model {name!r}; choose among {', '.join(pretrained_names())}")
    return load(PRETRAINED / f"{name}.safetensors")


def pretrained_names() -> list[str]:
    """Return the names of the shipped models, for ``load_pretrained``."""
    return sorted(path.stem for path in PRETRAINED.glob("*.safetensors"))


def write(path: Path, tensors: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write tensors without conversion, and a card. Raises ``OSError`` if the file cannot be written."""
    with replacing(path) as part:
        part.write_bytes(_serialised(tensors, card))


def read(path: Path, name: str = "path") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and card into memory and close the file, so that it can be replaced on Windows.

    Raises ``FileNotFoundError`` if there is no such file and ``ValueError`` if it is damaged, with messages that begin
    with ``name``.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{name}: there is no file {str(path)!r}")
    data = path.read_bytes()
    try:
        tensors = parse(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return tensors, instance("card", json.loads(header["__metadata__"]["card"]), dict)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        wrong = f"{name}: {str(path)!r} is damaged or was not written by this course"
        raise ValueError(f"{wrong}; need a .safetensors file of training.save or a checkpoint of train") from error


def shape_of(model: VAE) -> dict[str, int]:
    """Return the arguments of ``VAE`` for a model of the same shape."""
    return {"size": model.size, "latent_dim": model.latent_dim, "channels": model.channels}


def _serialised(tensors: dict[str, Tensor], card: dict[str, Any]) -> bytes:
    try:  # `item` turns a scalar of NumPy into a Python number
        text = json.dumps(card, allow_nan=False, default=lambda value: value.item())
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"card: need values that JSON can hold, got {error}") from error
    return bytes(serialise({name: tensor.contiguous() for name, tensor in tensors.items()}, {"card": text}))
