"""Read and write models and checkpoints: safetensors, which cannot contain code, with a JSON card as metadata."""

import json
from difflib import get_close_matches
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

    Raises ``ValueError`` if a weight overflows half precision or JSON cannot hold the card, and ``OSError`` if the file
    cannot be written.
    """
    with replacing(expanded(path)) as part:
        part.write_bytes(to_bytes(model, card))


def to_bytes(model: VAE, card: dict[str, Any]) -> bytes:
    """Return the bytes that ``save`` writes, which ``parse`` in ``web/network.js`` reads."""
    tensors = {name: weight.half() for name, weight in instance("model", model, VAE).state_dict().items()}
    for name, weight in tensors.items():
        if not weight.isfinite().all():
            need = "finite weights up to 65,504, which half precision holds"
            raise ValueError(f"model: need {need}, got {model.state_dict()[name].abs().max():g} in {name}")
    return _serialised(tensors, instance("card", card, dict) | {"model": shape_of(model)})


def load(path: str | Path) -> tuple[VAE, dict[str, Any]]:
    """Load a model and its card; from a checkpoint of ``train``, the model so far.

    Raises ``FileNotFoundError`` if there is no such file and ``ValueError`` if it is not a model of this course.
    """
    path = expanded(path)
    tensors, card = read(path)
    tensors = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")} or tensors
    wrong = f"path: {str(path)!r} does not hold a model of this course"
    try:
        if not all(v.is_floating_point() and v.float().isfinite().all() for v in tensors.values()):
            raise ValueError(f"{wrong}: need finite floating-point numbers")
        with torch.device("meta"):  # allocates nothing, since the card may claim any size
            model = VAE(**card["model"])
        model.load_state_dict({k: v.float() for k, v in tensors.items()}, assign=True)
    except (KeyError, TypeError, OverflowError, RuntimeError) as error:
        raise ValueError(f"{wrong}: need the weights of the model that its card describes") from error
    return model.eval(), card


def load_pretrained(name: str) -> tuple[VAE, dict[str, Any]]:
    """Load a shipped model and its card. Raises ``ValueError`` for an unknown name."""
    names = pretrained_names()
    if name not in names:
        close = get_close_matches(str(name), names, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose among {', '.join(names)}"
        raise ValueError(f"name: there is no shipped model {name!r}; {hint}")
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

    Raises ``FileNotFoundError`` if there is no such file and ``ValueError`` if it is damaged; both begin with ``name``.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{name}: there is no file {str(path)!r}")
    data = path.read_bytes()
    try:
        tensors = parse(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        card = instance("card", json.loads((header.get("__metadata__") or {})["card"]), dict)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        wrong = f"{name}: {str(path)!r} is damaged or was not written by this course"
        raise ValueError(f"{wrong}; need a .safetensors file of training.save or a checkpoint of train") from error
    return tensors, card


def shape_of(model: VAE) -> dict[str, int]:
    """Return the arguments of ``VAE`` for a model of the same shape."""
    return {"size": model.size, "latent_dim": model.latent_dim, "channels": model.channels}


def _serialised(tensors: dict[str, Tensor], card: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(card, allow_nan=False, default=_as_python)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"card: need values that JSON can hold, got {error}") from error
    return bytes(serialise({name: tensor.contiguous() for name, tensor in tensors.items()}, {"card": text}))


def _as_python(value: Any) -> Any:
    """Return a NumPy scalar as a Python number, which JSON can hold."""
    if getattr(value, "ndim", 1) == 0:
        return value.item()
    raise TypeError(f"object of type {type(value).__name__} is not JSON serializable")
