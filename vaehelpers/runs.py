"""The state of one training run, and its checkpoint."""

import hashlib
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from .arguments import array, number, shortened, whole
from .datasets import Images
from .model import VAE
from .weights import read, shape_of, write


class Config:
    """The numeric arguments of ``train``, as Python numbers, which JSON can hold.

    Raises ``ValueError`` for an invalid one.
    """

    def __init__(self, **given: Any) -> None:
        self.beta = number("beta", given["beta"], least=0)
        self.tc_weight = number("tc_weight", given["tc_weight"], least=0)
        self.latent_dim = whole("latent_dim", given["latent_dim"], 1, 10_000)
        self.seed = whole("seed", given["seed"], 0, 2**63 - 1)
        self.pictures = whole("pictures", given["pictures"], 1, 10**15)
        self.warmup = number("warmup", given["warmup"], least=0, most=1)
        self.capacity = None if given["capacity"] is None else number("capacity", given["capacity"], least=0)
        self.batch = whole("batch", given["batch"], 1, 10**6)
        self.learning_rate = number("learning_rate", given["learning_rate"], above=0)
        minutes = given["minutes"]
        self.minutes = None if minutes is None else number("minutes", minutes, above=0, most=525_600)


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


class Run:
    """The state of a training run, resumed from the checkpoint at ``path`` if there is one."""

    def __init__(self, images: Images, config: Config, device: torch.device, path: Path | None) -> None:
        channels, size = images.pixels.shape[1], images.pixels.shape[-1]
        self.config, self.device, self.path = config, device, path
        self.generator = torch.Generator().manual_seed(config.seed)
        self.noise = torch.Generator(device).manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(config.seed)
            self.model = VAE(size, config.latent_dim, channels).to(device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.decoder.start_at(images[: min(len(images), 5000)].mean())
        self.data = torch.from_numpy(np.require(images.pixels, requirements=["C", "W"])).to(device)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)
        for weight in self.model.parameters():  # Adam does this only at its first step; a checkpoint may be earlier
            moments = {name: torch.zeros_like(weight) for name in ("exp_avg", "exp_avg_sq")}
            self.optimiser.state[weight] = {"step": torch.zeros(())} | moments
        self.history, self.step, self.saved = History(), 0, 0  # saved: images seen before the last checkpoint
        self.pool = torch.zeros(0, 2 * config.latent_dim, device=device)  # posteriors of the last batches
        self.window: list[Tensor] = []  # log-likelihood and KL of the steps since the last point of the history
        steps = max(1, config.pictures // config.batch)
        self.total = steps * config.batch if config.minutes is None else 60 * config.minutes
        self.began = time.monotonic()
        if path is not None:
            self.recipe = vars(config) | {"images": fingerprint(images), "device": device.type}
            if path.is_file():
                self.resume(path)

    @property
    def seen(self) -> int:
        """The number of images seen."""
        return self.step * self.config.batch

    def done(self) -> float:
        """Return the progress towards ``total``: in images or, if ``minutes`` limit the run, in seconds."""
        return self.seen if self.config.minutes is None else time.monotonic() - self.began

    def bar(self, progress: bool) -> tqdm:
        """Return a progress bar from ``done`` to ``total``."""
        form = "{l_bar}{bar}| {n:.0f}/{total:.0f} {unit} [{remaining} left{postfix}]"
        unit = "images" if self.config.minutes is None else "s"
        initial = min(self.done(), self.total)
        return tqdm(initial=initial, total=self.total, unit=unit, bar_format=form, disable=not progress)

    def record(self) -> str:
        """Add a point to the history, if there were steps since the last one, and return it as text."""
        if not self.window:
            return ""
        likelihood, kl = self.losses().mean(0).tolist()
        self.window.clear()
        past = self.history  # replaced as a whole, so that an interrupt leaves lists of equal lengths
        self.history = History([*past.seen, self.seen], [*past.log_likelihood, likelihood], [*past.kl, kl])
        return f"ELBO={likelihood - kl:.1f}, reconstruction={likelihood:.1f}, KL={kl:.1f} nats"

    def losses(self) -> Tensor:
        """Return log-likelihood and KL ``(k, 2)`` of the steps since the last point of the history.

        Raises ``FloatingPointError`` if one of them or a weight is not finite.
        """
        parts = torch.stack(self.window).cpu() if self.window else torch.zeros(0, 2)
        if not all(values.isfinite().all() for values in (parts, *self.model.parameters())):
            advice = "try a smaller learning_rate or beta"
            raise FloatingPointError(f"the loss or a weight is not finite at step {self.step}; {advice}")
        return parts

    def result(self) -> tuple[VAE, History]:
        """Return the model, on the CPU, and its history."""
        self.record()
        self.model.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return self.model.eval(), self.history

    def save(self) -> None:
        """Write the checkpoint, if there is a path for one. Raises ``OSError`` if it cannot be written."""
        if self.path is None:
            return
        tensors = self.state() | {"generator": self.generator.get_state(), "noise": self.noise.get_state()}
        tensors |= {"pool": self.pool.detach(), "window": self.losses()}
        card = {"model": shape_of(self.model), "recipe": self.recipe, "step": self.step, "done": self.done()}
        try:
            write(self.path, tensors, card | {"history": asdict(self.history)})
        except OSError as error:
            raise OSError(f"checkpoint: {str(self.path)!r} cannot be written ({error})") from error
        self.saved = self.seen

    def resume(self, path: Path) -> None:
        """Restore a checkpoint. Raises ``ValueError`` if it is damaged, no checkpoint, or that of another run."""
        tensors, card = read(path, "checkpoint")
        damaged = f"checkpoint: {str(path)!r} is damaged or was not written by this version; delete it or name another"
        if not card.keys() >= {"recipe", "step", "done", "history"}:
            raise ValueError(damaged)
        refuse_other(f"checkpoint: {str(path)!r} belongs to another run", card["recipe"], self.recipe)
        try:
            for name, mine in self.state().items():
                mine.copy_(_finite(tensors[name], *mine.shape))
            self.generator.set_state(tensors["generator"])
            self.noise.set_state(tensors["noise"])
            self.pool = _finite(tensors["pool"], len(tensors["pool"]), self.pool.shape[1]).to(self.device)
            self.window = [*_finite(tensors["window"], len(tensors["window"]), 2).to(self.device)]
            self.history = History(**card["history"])
            array("history", [*asdict(self.history).values()], (3, len(self.history.seen)))
            self.step = whole("step", card["step"], 0, 2**53)
            self.saved = self.seen
            self.began = time.monotonic() - number("done", card["done"], least=0)
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise ValueError(damaged) from error

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that training changes in place, by name."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        for i, weight in enumerate(self.model.parameters()):
            tensors |= {f"optimiser.{i}.{k}": v for k, v in self.optimiser.state[weight].items()}
        return tensors


def fingerprint(images: Images) -> str:
    """Return an identifier of a data set: the number of images, their shape, and a hash of their bytes."""
    digest = hashlib.sha256(np.ascontiguousarray(images.pixels).ravel().data).hexdigest()
    return f"{len(images)} of {'x'.join(map(str, images.pixels.shape[1:]))}, SHA-256 {digest[:16]}"


def refuse_other(owner: str, found: object, recipe: dict[str, Any]) -> None:
    """Raise ``ValueError`` if two recipes differ; it begins with ``owner`` and names each difference."""
    there = found if isinstance(found, dict) else {}
    changed = [
        f"{key} is {shortened(there.get(key))} there and {shortened(value)} here"
        for key, value in recipe.items()
        if there.get(key) != value
    ]
    if changed:
        raise ValueError(f"{owner}: {', '.join(changed)}; name another")


def device_named(name: str) -> torch.device:
    """Return a device of torch; ``"auto"`` is a GPU if there is one. Raises ``ValueError`` for an unknown name."""
    try:
        found = "cuda" if torch.cuda.is_available() else "cpu"
        return torch.Generator(torch.empty(0, device=found if name == "auto" else name).device).device
    except (AssertionError, RuntimeError, TypeError) as error:
        raise ValueError(f"device: need 'auto', 'cpu' or another device that torch finds, got {name!r}") from error


def _finite(tensor: Tensor, *shape: int) -> Tensor:
    if tuple(tensor.shape) != shape or not tensor.is_floating_point() or not tensor.isfinite().all():
        raise ValueError(f"need finite numbers of shape {shape}")
    return tensor
