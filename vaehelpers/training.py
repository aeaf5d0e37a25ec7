"""Train a β-VAE, once or in a sweep over β and seeds; a killed process loses no finished work."""

import ctypes
import math
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor
from tqdm.auto import tqdm

from . import interrupts
from .arguments import number, whole
from .datasets import Images
from .model import VAE, elbo_terms, reparameterise, total_correlation
from .weights import PRETRAINED as PRETRAINED
from .weights import load, read, save, write
from .weights import load_pretrained as load_pretrained

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
    capacity: float | None = None,
    batch: int = 64,
    learning_rate: float = 1e-3,
    minutes: float | None = None,
    checkpoint: str | Path | None = None,
    device: str = "auto",
    progress: bool = True,
    watch: Callable[[VAE, History], None] | None = None,
) -> tuple[VAE, History]:
    """Maximise ``log-likelihood - β · KL - tc_weight · TC`` with Adam and a learning rate that falls along a cosine.

    TC, the total correlation, is part of the KL: ``beta=1`` with ``tc_weight=w - 1`` is the β-TCVAE of weight w (Chen
    et al. 2018). Both weights rise evenly from 0 over the first share ``warmup`` of the run. With a ``capacity`` C, in
    nats, the KL is instead held at a value that rises like this from 0 to C, by ``β · |KL - C|`` (Burgess et al.
    2018). ``minutes`` ends the run, and its schedules, by the clock instead of after ``pictures``. An interrupt
    (Ctrl-C) ends it early and returns the model so far. With a ``checkpoint`` it does not, for nothing is lost: the run
    is saved every 500 steps, and the same call goes on from there; with the same number of threads it ends with the
    same weights as a run that was never stopped. ``watch(model, history)`` is called every hundred steps, at each new
    point of the history. Returns the model, on the CPU, and its history. Raises ``ValueError`` for bad arguments and
    ``FloatingPointError`` when the loss is no longer finite.
    """
    recipe = {"beta": beta, "tc_weight": tc_weight, "capacity": capacity, "warmup": warmup}
    recipe |= {"pictures": pictures, "batch": batch, "learning_rate": learning_rate}
    _check(images, minutes=minutes, **recipe)
    run = _Run(images, latent_dim, seed, _device(device))
    recipe |= {"latent_dim": latent_dim, "seed": seed, "images": len(images)}
    if checkpoint is not None and Path(checkpoint).exists():
        run.resume(Path(checkpoint), recipe)
    steps, began = max(1, pictures // batch), time.monotonic()
    bar = tqdm(total=pictures, initial=run.step * batch, unit="pictures", disable=not progress)
    try:
        with interrupts.held() as interrupted, bar, keep_freed_memory():
            while (share := _share(run.step, steps, minutes, began)) < 1 and not interrupted():
                run.advance(share, recipe)
                bar.update(batch)
                if run.step % _RECORD == 0:
                    bar.set_postfix(run.record(batch))
                    if watch is not None:
                        watch(run.model, run.history)
                if checkpoint is not None and run.step % _CHECKPOINT == 0:
                    run.save(Path(checkpoint), recipe)
    except KeyboardInterrupt:
        if checkpoint is not None:
            raise
        bar.write(f"stopped after {run.step * batch:,} pictures; the model so far is returned")
    return run.finish(batch)


class _Run:
    """Everything that a checkpoint must hold, and one step of training."""

    def __init__(self, images: Images, latent_dim: int, seed: int, device: torch.device) -> None:
        channels, size = images.pictures.shape[1], images.pictures.shape[-1]
        self.generator = torch.Generator().manual_seed(whole("seed", seed, 0, 2**63 - 1))
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

    def advance(self, share: float, recipe: dict[str, Any]) -> None:
        weight = min(1.0, share / recipe["warmup"]) if recipe["warmup"] else 1.0
        rows = torch.randint(len(self.data), (recipe["batch"],), generator=self.generator).to(self.device)
        x = (self.data[rows].float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=_gains_from_bfloat16(self.device)):
            mu, logvar = self.model.encoder(x)
            z = reparameterise(mu, logvar, generator=self.noise)
            logits = self.model.decoder(z)
        log_likelihood, kl = elbo_terms(x, logits, mu, logvar)
        parts = torch.stack([log_likelihood.mean(), kl.sum(1).mean()])
        price = weight * parts[1] if recipe["capacity"] is None else (parts[1] - weight * recipe["capacity"]).abs()
        loss = recipe["beta"] * price - parts[0]
        if recipe["tc_weight"]:
            self.pool = torch.cat([torch.cat([mu, logvar], dim=1).float(), self.pool.detach()])[: _POOL * len(x)]
            loss = loss + weight * recipe["tc_weight"] * total_correlation(z, *self.pool.chunk(2, dim=1))
        self.optimiser.param_groups[0]["lr"] = recipe["learning_rate"] * 0.5 * (1 + math.cos(math.pi * share))
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
        seen, fits, prices = self.history.seen, self.history.log_likelihood, self.history.kl
        self.history = History([*seen, self.step * batch], [*fits, fit], [*prices, price])  # whole, or an interrupt
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
            raise ValueError(f"checkpoint: {str(path)!r} belongs to another run ({card.get('recipe')}): name another")
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


def sweep(
    images: Images,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    folder: str | Path,
    score: Callable[[VAE], dict[str, float]],
    progress: bool = True,
    **options: Any,
) -> list[dict[str, float]]:
    """Train every β with every seed, one thread a run, and return a row for each: beta, seed, and what ``score`` says.

    The runs stand side by side on the machine's cores or, inside ``joblib.parallel_config("dask")``, on the workers of
    a Dask cluster, which must all reach ``folder``. There each finished model stays and is never trained again, and an
    unfinished run goes on from its checkpoint. ``options`` go to ``train``.
    Raises ``ValueError`` when the folder holds runs of another sweep, and for bad arguments.
    """
    jobs = [(number("betas", beta, least=0), whole("seeds", seed, 0)) for beta in betas for seed in seeds]
    _check(images)
    Path(folder).mkdir(parents=True, exist_ok=True)
    options = options | {"data": joblib.hash(images.pictures)}
    runs = joblib.Parallel(n_jobs=-1, return_as="generator_unordered", mmap_mode="c")(
        joblib.delayed(_sweep_run)(images, Path(folder), score, options | {"beta": beta, "seed": seed})
        for beta, seed in jobs
    )
    rows = list(tqdm(runs, total=len(jobs), unit="runs", disable=not progress))
    return sorted(rows, key=lambda row: (row["beta"], row["seed"]))


def sweep_path(folder: Path, beta: float, seed: int) -> Path:
    """Return where ``sweep`` keeps a finished run."""
    return folder / f"beta-{beta:g}-seed-{seed}.safetensors"


def _sweep_run(
    images: Images, folder: Path, score: Callable[[VAE], dict[str, float]], recipe: dict[str, Any]
) -> dict[str, float]:
    """Train one run, or read it where it is finished already, and score it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    path = sweep_path(folder, recipe["beta"], recipe["seed"])
    checkpoint = path.with_suffix(".checkpoint")
    try:
        if not path.exists():
            options = {name: value for name, value in recipe.items() if name != "data"}
            model, history = train(images, checkpoint=checkpoint, progress=False, **options)
            save(model, path, {"recipe": recipe, "history": asdict(history)})
        checkpoint.unlink(missing_ok=True)
        model, card = load(path)  # in both cases the weights as they are kept, in half precision
        if card.get("recipe") != recipe:
            raise ValueError(f"folder: {str(path)!r} belongs to another sweep ({card.get('recipe')}): name another")
        return {"beta": recipe["beta"], "seed": recipe["seed"], **score(model)}
    finally:
        torch.set_num_threads(threads)


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


def _device(name: str) -> torch.device:
    try:
        found = "cuda" if torch.cuda.is_available() else "cpu"
        return torch.empty(0, device=found if name == "auto" else name).device
    except (AssertionError, RuntimeError, TypeError) as error:
        raise ValueError(f"device: need 'auto', 'cpu' or another that torch finds here, got {name!r}") from error


def _gains_from_bfloat16(device: torch.device) -> bool:
    return device.type == "cuda" or bool(torch.backends.cpu.get_cpu_capability() == "AVX512")


def _check(images: Images, **numbers: float | None) -> None:
    if not isinstance(images, Images) or images.pictures.ndim != 4:
        raise ValueError(f"images: need Images with pictures (n, channels, size, size), got {type(images).__name__}")
    if len(images) == 0:
        raise ValueError("images: there is not a single picture")
    if images.pictures.dtype != np.uint8:
        raise ValueError(f"images: pictures are stored as bytes (uint8), got {images.pictures.dtype}")
    may_be_zero = ("beta", "tc_weight", "warmup", "capacity")
    for name, value in numbers.items():
        if name in ("pictures", "batch"):
            whole(name, value)
        elif value is not None:
            number(name, value, **{"least" if name in may_be_zero else "above": 0})
