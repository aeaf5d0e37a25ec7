"""Train a β-VAE: one function, its history, and checkpoints that survive a killed process."""

import ctypes
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm.auto import tqdm

from .datasets import Images
from .model import VAE, elbo_terms, reparameterise, total_correlation

PRETRAINED = Path(__file__).parent / "pretrained"
_RECORD = 100  # steps behind one point of the history
_CHECKPOINT = 500  # steps between two checkpoints: a multiple, so that none falls between two points
_POOL = 8  # batches whose posteriors stand for q(z) in the total correlation


@dataclass
class History:
    """What training saw, a point every hundred steps: means over the batches since the last point, in nats."""

    seen: list[int] = field(default_factory=list)
    log_likelihood: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)

    @property
    def elbo(self) -> list[float]:
        """The bound itself (β = 1), whatever β was trained with."""
        return [fit - price for fit, price in zip(self.log_likelihood, self.kl, strict=True)]

    def plot(self, *, ax: Axes) -> Axes:
        """Plot the ELBO over the pictures seen, and return the axes."""
        ax.plot(self.seen, self.elbo, color="C2")
        ax.set(xlabel="pictures seen", ylabel="ELBO (nats a picture)")
        return ax


def train(
    images: Images,
    *,
    beta: float,
    tc_weight: float = 0.0,
    latent_dim: int = 25,
    seed: int = 0,
    pictures: int = 600_000,
    warmup: float = 0.2,
    batch: int = 64,
    learning_rate: float = 1e-3,
    minutes: float | None = None,
    checkpoint: str | Path | None = None,
    device: str = "auto",
    progress: bool = True,
) -> tuple[VAE, History]:
    """Maximise ``log-likelihood - β · KL - tc_weight · TC`` with Adam and a learning rate that falls along a cosine.

    TC, the total correlation, is part of the KL: ``beta=1`` with ``tc_weight=w - 1`` is the β-TCVAE of weight w (Chen
    et al. 2018). Both weights rise evenly from 0 over the first share ``warmup`` of the run. ``minutes`` ends the run,
    and its schedules, by the clock instead of after ``pictures``. An interrupt (Ctrl-C) ends it early and returns the
    model so far. With a ``checkpoint`` the run is saved every 500 steps, and the same call goes on from there: with
    the same number of threads it ends with the same weights as a run that was never stopped.
    Returns the model, on the CPU, and its history. Raises ``ValueError`` for bad arguments and ``FloatingPointError``
    when the loss is no longer finite.
    """
    weights = {"beta": beta, "tc_weight": tc_weight}
    schedule = {"pictures": pictures, "warmup": warmup, "batch": batch, "learning_rate": learning_rate}
    _check(images, **weights, **schedule)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    run = _Run(images, latent_dim, seed, torch.device(device))
    recipe = {**weights, **schedule, "latent_dim": latent_dim, "seed": seed, "images": len(images)}
    if checkpoint is not None and Path(checkpoint).exists():
        run.resume(Path(checkpoint), recipe)
    steps, began = max(1, pictures // batch), time.monotonic()
    bar = tqdm(total=pictures, initial=run.step * batch, unit="pictures", disable=not progress)
    try:
        with bar, keep_freed_memory():
            while (share := _share(run.step, steps, minutes, began)) < 1:
                rate = learning_rate * 0.5 * (1 + math.cos(math.pi * share))
                weight = min(1.0, share / warmup) if warmup else 1.0
                run.advance(batch, rate, weight * beta, weight * tc_weight)
                bar.update(batch)
                if run.step % _RECORD == 0:
                    bar.set_postfix(run.record(batch))
                if checkpoint is not None and run.step % _CHECKPOINT == 0:
                    run.save(Path(checkpoint), recipe)
    except KeyboardInterrupt:
        bar.write(f"stopped after {run.step * batch:,} pictures; the model so far is returned")
    return run.finish(batch)


class _Run:
    """Everything that a checkpoint must hold, and one step of training."""

    def __init__(self, images: Images, latent_dim: int, seed: int, device: torch.device) -> None:
        channels, size = images.pictures.shape[1], images.pictures.shape[-1]
        self.generator = torch.Generator().manual_seed(seed)
        self.noise = torch.Generator(device).manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = VAE(size, latent_dim, channels).to(device)
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.data, self.device = torch.from_numpy(images.pictures).to(device), device
        self.model.decoder.start_at(images[: min(len(images), 5000)].mean())
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.history, self.step = History(), 0
        self.pool = torch.zeros(0, 2 * latent_dim, device=device)  # posteriors of the last batches
        self.window: list[Tensor] = []  # log-likelihood and KL of the steps since the last point of the history

    def advance(self, batch: int, rate: float, beta: float, tc_weight: float) -> None:
        rows = torch.randint(len(self.data), (batch,), generator=self.generator).to(self.device)
        x = (self.data[rows].float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=_gains_from_bfloat16(self.device)):
            mu, logvar = self.model.encoder(x)
            z = reparameterise(mu, logvar, generator=self.noise)
            logits = self.model.decoder(z)
        log_likelihood, kl = elbo_terms(x, logits, mu, logvar)
        parts = torch.stack([log_likelihood.mean(), kl.sum(1).mean()])
        loss = beta * parts[1] - parts[0]
        if tc_weight:
            self.pool = torch.cat([torch.cat([mu, logvar], dim=1).float(), self.pool.detach()])[: _POOL * batch]
            loss = loss + tc_weight * total_correlation(z, *self.pool.chunk(2, dim=1))
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        self.window.append(parts.detach())

    def record(self, batch: int) -> dict[str, str]:
        parts = torch.stack(self.window).cpu()
        self.window.clear()
        if not parts.isfinite().all():
            first = self.step - len(parts) + 1 + int((~parts.isfinite().all(1)).int().argmax())
            raise FloatingPointError(
                f"the loss is not finite at step {first}; try a smaller learning_rate, and check the pictures"
            )
        fit, price = parts.mean(0).tolist()
        self.history.seen.append(self.step * batch)
        self.history.log_likelihood.append(fit)
        self.history.kl.append(price)
        return {"ELBO": f"{fit - price:.1f}", "reconstruction": f"{fit:.1f}", "KL": f"{price:.1f} nats"}

    def finish(self, batch: int) -> tuple[VAE, History]:
        if self.window:
            self.record(batch)
        self.model.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return self.model.eval(), self.history

    def save(self, path: Path, recipe: dict[str, Any]) -> None:
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        for i, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{i}.{k}": v for k, v in state.items()}
        tensors |= {"generator": self.generator.get_state(), "noise": self.noise.get_state()}
        tensors |= {"pool": self.pool.detach()}
        write(path, tensors, {"recipe": recipe, "step": self.step, "history": asdict(self.history)})

    def resume(self, path: Path, recipe: dict[str, Any]) -> None:
        tensors, card = read(path)
        if card.get("recipe") != recipe:
            raise ValueError(
                f"checkpoint: {str(path)!r} belongs to another run ({card.get('recipe')}); name a new file"
            )
        self.model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, i, name = key.split(".")
                state.setdefault(int(i), {})[name] = value
        self.optimiser.load_state_dict({"state": state, "param_groups": self.optimiser.state_dict()["param_groups"]})
        self.generator.set_state(tensors["generator"])
        self.noise.set_state(tensors["noise"])
        self.pool = tensors["pool"].to(self.device)
        self.step, self.history = card["step"], History(**card["history"])


def save(model: VAE, path: str | Path, card: dict[str, Any]) -> None:
    """Save a model as half-precision safetensors, its card in the metadata; written beside and renamed into place."""
    shape = {"size": model.size, "latent_dim": model.latent_dim, "channels": model.channels}
    write(Path(path), {k: v.half() for k, v in model.state_dict().items()}, {**card, "model": shape})


def load(path: str | Path) -> tuple[VAE, dict[str, Any]]:
    """Load a model and its card.

    Raises ``FileNotFoundError`` when there is no such file and ``ValueError`` when it is not a model of this course.
    """
    tensors, card = read(Path(path))
    try:
        model = VAE(**card["model"])
        model.load_state_dict({k: v.float() for k, v in tensors.items()})
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"path: {str(path)!r} does not hold a model of this course") from error
    return model.eval(), card


def load_pretrained(name: str) -> tuple[VAE, dict[str, Any]]:
    """Load a model that comes with the course, and its card. Raises ``ValueError`` for a wrong name."""
    names = sorted(p.stem for p in PRETRAINED.glob("*.safetensors"))
    if name not in names:
        close = get_close_matches(name, names, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose among {', '.join(names)}"
        raise ValueError(f"name: there is no shipped model {name!r}; {hint}")
    return load(PRETRAINED / f"{name}.safetensors")


def write(path: Path, tensors: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write safetensors beside ``path`` and rename, so that an interrupt or a full disk spoils no older file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    try:
        save_file({k: v.contiguous() for k, v in tensors.items()}, name, {"card": json.dumps(card)})
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the card of a safetensors file."""
    if not path.is_file():
        raise FileNotFoundError(f"path: there is no file {str(path)!r}")
    try:
        with safe_open(path, "pt") as file:
            card = json.loads((file.metadata() or {})["card"])
            return {key: file.get_tensor(key) for key in file.keys()}, card
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"path: {str(path)!r} is damaged or was not written by this course") from error


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Let glibc keep freed memory for the next batch, which would else fault the same pages in again and again.

    Afterwards its thresholds are back at the documented defaults and the kept memory is given back (mallopt(3)).
    """
    libc = ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
    if libc is None:
        yield
        return
    trim, mmap = -1, -3
    libc.mallopt(mmap, 1 << 30)
    libc.mallopt(trim, -1)
    try:
        yield
    finally:
        libc.mallopt(mmap, 128 * 1024)
        libc.mallopt(trim, 128 * 1024)
        libc.malloc_trim(0)


def _share(step: int, steps: int, minutes: float | None, began: float) -> float:
    """How much of the run lies behind, from 0 to 1."""
    return step / steps if minutes is None else (time.monotonic() - began) / (60 * minutes)


def _gains_from_bfloat16(device: torch.device) -> bool:
    return device.type == "cuda" or bool(torch.backends.cpu.get_cpu_capability() == "AVX512")


def _check(images: Images, **numbers: float) -> None:
    if len(images) == 0:
        raise ValueError("images: there is not a single picture")
    if images.pictures.dtype != np.uint8:
        raise ValueError(f"images: pictures are stored as bytes (uint8), got {images.pictures.dtype}")
    for name, value in numbers.items():
        if not math.isfinite(value) or value < 0 or (value == 0 and name not in ("beta", "tc_weight", "warmup")):
            raise ValueError(f"{name}: need a positive number, got {value}")
