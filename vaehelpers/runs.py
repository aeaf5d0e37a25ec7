"""The state of one training run, and its checkpoint."""

import hashlib
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from .arguments import shortened
from .datasets import Images
from .model import VAE
from .weights import read, shape_of, write


@dataclass
class History:
    """Means in nats during training: a point every hundred steps, averaged over the batches since the last one."""

    seen: list[int] = field(default_factory=list)
    log_likelihood: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)

    @property
    def elbo(self) -> list[float]:
        """The ELBO (β = 1), whatever the β of the training."""
        return [likelihood - kl for likelihood, kl in zip(self.log_likelihood, self.kl, strict=True)]


@dataclass(frozen=True)
class Config:
    """The numeric arguments of ``train``."""

    beta: float
    tc_weight: float
    latent_dim: int
    seed: int
    pictures: int
    warmup: float
    capacity: float | None
    batch: int
    learning_rate: float
    minutes: float | None
    codes_weight: float


class Run:
    """The state of a training run, resumed from the checkpoint at ``path`` if there is one.

    ``start`` and ``codes`` are those of ``train``.
    """

    def __init__(
        self,
        images: Images,
        config: Config,
        path: Path | None,
        start: VAE | None = None,
        codes: NDArray[np.float32] | None = None,
    ) -> None:
        self.config, self.path = config, path
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.generator = torch.Generator().manual_seed(config.seed)
        self.noise = torch.Generator(self.device).manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(config.seed)
            self.model = VAE(images.pixels.shape[-1], config.latent_dim, images.pixels.shape[1]).to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is None:
            self.model.decoder.start_at(images[: min(len(images), 5000)].mean())
        else:
            self.model.load_state_dict(start.state_dict())
        self.data = torch.from_numpy(np.require(images.pixels, requirements=["C", "W"])).to(self.device)
        self.codes = None if codes is None else torch.from_numpy(codes).to(self.device)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate, fused=True)
        for weight in self.model.parameters():  # Adam does this only at its first step; a checkpoint may be earlier
            moments = {name: torch.zeros_like(weight) for name in ("exp_avg", "exp_avg_sq")}
            self.optimiser.state[weight] = {"step": torch.zeros((), device=self.device)} | moments
        self.pool = torch.zeros(0, 2 * config.latent_dim, device=self.device)  # posteriors of the last batches
        self.history, self.step = History(), 0
        self.window: list[Tensor] = []  # log-likelihood and KL of the steps since the last point of the history
        steps = max(1, config.pictures // config.batch)
        self.total = steps * config.batch if config.minutes is None else 60 * config.minutes
        self.began = time.monotonic()
        if path is not None:
            data = f"{len(images)} of {'x'.join(map(str, images.pixels.shape[1:]))}, SHA-256 {_digest(images.pixels)}"
            self.recipe = vars(config) | {"images": data, "device": self.device.type}
            self.recipe["start"] = None if start is None else f"SHA-256 {_digest(*start.state_dict().values())}"
            self.recipe["codes"] = None if codes is None else f"SHA-256 {_digest(codes)}"
            if path.is_file():
                self.resume(path)

    @property
    def seen(self) -> int:
        """The number of images seen."""
        return self.step * self.config.batch

    def progress(self) -> float:
        """Return the progress towards ``total``: in images or, if ``minutes`` limit the run, in seconds."""
        return self.seen if self.config.minutes is None else time.monotonic() - self.began

    def record(self) -> str:
        """Add a point to the history, if there were steps since the last one, and return it as text.

        Raises ``FloatingPointError`` if the loss or a weight is not finite.
        """
        if not self.window:
            return ""
        means = torch.stack(self.window).mean(0).cpu()
        if not all(values.isfinite().all() for values in (means, *self.model.parameters())):
            advice = "try a smaller learning_rate or beta"
            raise FloatingPointError(f"the loss or a weight is not finite at step {self.step}; {advice}")
        likelihood, kl = means.tolist()
        self.window.clear()
        past = self.history  # replaced as a whole, so that an interrupt leaves lists of equal lengths
        self.history = History([*past.seen, self.seen], [*past.log_likelihood, likelihood], [*past.kl, kl])
        return f"ELBO={likelihood - kl:.1f}, reconstruction={likelihood:.1f}, KL={kl:.1f} nats"

    def save(self) -> None:
        """Write the checkpoint, if there is a path for one. Raises ``OSError`` if it cannot be written."""
        if self.path is None:
            return
        self.record()  # completes the history, and checks that the loss is finite
        tensors = self.state() | {"generator": self.generator.get_state(), "noise": self.noise.get_state()}
        card = {"model": shape_of(self.model), "recipe": self.recipe, "step": self.step, "done": self.progress()}
        try:
            write(self.path, tensors | {"pool": self.pool.detach()}, card | {"history": asdict(self.history)})
        except OSError as error:
            raise OSError(f"checkpoint: {str(self.path)!r} cannot be written ({error})") from error

    def resume(self, path: Path) -> None:
        """Restore a checkpoint. Raises ``ValueError`` if another version wrote it, or if it belongs to another run."""
        tensors, card = read(path, "checkpoint")
        try:
            there = card["recipe"]
            changed = [
                f"{key} is {shortened(there[key])} there and {shortened(value)} here"
                for key, value in self.recipe.items()
                if there[key] != value
            ]
            if changed:
                raise ValueError(
                    f"checkpoint: {str(path)!r} belongs to another run: {', '.join(changed)}; delete it or name another"
                )
            for name, mine in self.state().items():
                mine.copy_(tensors[name])
            self.generator.set_state(tensors["generator"])
            self.noise.set_state(tensors["noise"])
            self.pool = tensors["pool"].to(self.device)
            self.history, self.step = History(**card["history"]), card["step"]
            self.began = time.monotonic() - card["done"]
        except (KeyError, TypeError, RuntimeError) as error:
            advice = "delete it or name another"
            raise ValueError(f"checkpoint: {str(path)!r} was not written by this version of train; {advice}") from error

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that training changes in place, by name."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        for i, weight in enumerate(self.model.parameters()):
            tensors |= {f"optimiser.{i}.{k}": v for k, v in self.optimiser.state[weight].items()}
        return tensors


def _digest(*arrays: ArrayLike) -> str:
    digest = hashlib.sha256()
    for each in arrays:
        digest.update(np.ascontiguousarray(each).data)
    return digest.hexdigest()[:16]
