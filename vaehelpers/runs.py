"""One run of training: its state, one step, and its checkpoint."""

import hashlib
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor
from tqdm.auto import tqdm

from .arguments import array, number, whole
from .datasets import Images
from .model import VAE, elbo_terms, reparameterise, total_correlation
from .weights import is_checkpoint, read, refuse_other, shape_of, write

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
        return [likelihood - kl for likelihood, kl in zip(self.log_likelihood, self.kl, strict=True)]

    def plot(self, *, ax: Axes) -> Axes:
        """Plot the ELBO over the pictures seen, and return the axes."""
        ax.plot(self.seen, self.elbo, color="C2")
        ax.set(xlabel="pictures seen", ylabel="ELBO (nats a picture)")
        return ax


class Run:
    """The state of a run, which goes on from the checkpoint at ``path`` where there is one, and a step of it."""

    def __init__(self, images: Images, recipe: dict[str, Any], device: torch.device, path: Path | None) -> None:
        channels, size = images.pixels.shape[1], images.pixels.shape[-1]
        self.recipe, self.device, self.path = recipe, device, path
        self.generator = torch.Generator().manual_seed(recipe["seed"])
        self.noise = torch.Generator(device).manual_seed(recipe["seed"])
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(recipe["seed"])
            self.model = VAE(size, recipe["latent_dim"], channels).to(device)
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.data = torch.from_numpy(np.require(images.pixels, requirements=["C", "W"])).to(device)
        self.model.decoder.start_at(images[: min(len(images), 5000)].mean())
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=recipe["learning_rate"])
        for weight in self.model.parameters():  # Adam makes the same at its first step; a checkpoint needs it before
            moments = {name: torch.zeros_like(weight) for name in ("exp_avg", "exp_avg_sq")}
            self.optimiser.state[weight] = {"step": torch.zeros(())} | moments
        self.history, self.step, self.saved = History(), 0, 0  # saved: pictures seen before the last checkpoint
        self.pool = torch.zeros(0, 2 * recipe["latent_dim"], device=device)  # posteriors of the last batches
        self.window: list[Tensor] = []  # log-likelihood and KL of the steps since the last point of the history
        steps = max(1, recipe["pictures"] // recipe["batch"])
        self.total = steps * recipe["batch"] if recipe["minutes"] is None else 60 * recipe["minutes"]
        self.began = time.monotonic()
        if path is not None:
            self.recipe = recipe | {"images": fingerprint(images), "device": device.type}
            if path.exists():
                self.resume(path)

    def done(self) -> float:
        """Return how much of ``total`` lies behind: pictures, or seconds where ``minutes`` end the run."""
        by_step = self.recipe["minutes"] is None
        return self.step * self.recipe["batch"] if by_step else time.monotonic() - self.began

    def bar(self, progress: bool) -> tqdm:
        """Return a progress bar that counts as ``done`` does, and begins there."""
        seconds = "{l_bar}{bar}| {n:.0f}/{total:.0f} s [{remaining} left{postfix}]"
        form = {"unit": "pictures"} if self.recipe["minutes"] is None else {"bar_format": seconds}
        return tqdm(initial=min(self.done(), self.total), total=self.total, disable=not progress, **form)

    def advance(self, share: float) -> None:
        """Take one step, after the share ``share`` of the run."""
        recipe = self.recipe
        weight = min(1.0, share / recipe["warmup"]) if recipe["warmup"] else 1.0
        rows = torch.randint(len(self.data), (recipe["batch"],), generator=self.generator).to(self.device)
        x = (self.data[rows].float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=_gains_from_bfloat16(self.device)):
            mu, logvar = self.model.encoder(x)
            z = reparameterise(mu, logvar, generator=self.noise)
            logits = self.model.decoder(z)
        log_likelihood, kl = elbo_terms(x, logits, mu, logvar)
        parts = torch.stack([log_likelihood.mean(), kl.sum(1).mean()])
        penalty = weight * parts[1] if recipe["capacity"] is None else (parts[1] - weight * recipe["capacity"]).abs()
        loss = recipe["beta"] * penalty - parts[0]
        if recipe["tc_weight"]:
            self.pool = torch.cat([torch.cat([mu, logvar], dim=1).float(), self.pool.detach()])[: _POOL * len(x)]
            loss = loss + weight * recipe["tc_weight"] * total_correlation(z, *self.pool.chunk(2, dim=1))
        self.optimiser.param_groups[0]["lr"] = recipe["learning_rate"] * 0.5 * (1 + math.cos(math.pi * share))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        self.window.append(parts.detach())

    def losses(self) -> Tensor:
        """Return log-likelihood and KL ``(k, 2)`` of the steps since the last point of the history; all are finite."""
        parts = torch.stack(self.window).cpu() if self.window else torch.zeros(0, 2)
        bad = ~parts.isfinite().all(1)
        advice = "try a smaller learning_rate or beta"
        if bad.any():
            first = self.step - len(parts) + 1 + int(bad.int().argmax())
            raise FloatingPointError(f"the loss is not finite at step {first}; {advice}")
        if not all(weight.isfinite().all() for weight in self.model.parameters()):
            raise FloatingPointError(f"a weight is not finite after step {self.step}; {advice}")
        return parts

    def record(self) -> dict[str, str]:
        """Add a point to the history, and return it as text; raises ``FloatingPointError`` when it is not finite."""
        likelihood, kl = self.losses().mean(0).tolist()
        self.window.clear()
        seen, likelihoods, kls = self.history.seen, self.history.log_likelihood, self.history.kl
        seen = [*seen, self.step * self.recipe["batch"]]
        self.history = History(seen, [*likelihoods, likelihood], [*kls, kl])  # at once: an interrupt may come
        return {"ELBO": f"{likelihood - kl:.1f}", "reconstruction": f"{likelihood:.1f}", "KL": f"{kl:.1f} nats"}

    def finish(self) -> tuple[VAE, History]:
        """Return the model, on the CPU, and its history."""
        if self.window:
            self.record()
        self.model.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return self.model.eval(), self.history

    def state(self) -> dict[str, Tensor]:
        """Name the tensors that keep their shape and that training changes in place."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        for i, weight in enumerate(self.model.parameters()):
            tensors |= {f"optimiser.{i}.{k}": v for k, v in self.optimiser.state[weight].items()}
        return tensors

    def save(self) -> None:
        """Write the checkpoint, where there is to be one; raises ``OSError`` where that is impossible."""
        if self.path is None:
            return
        tensors = self.state() | {"generator": self.generator.get_state(), "noise": self.noise.get_state()}
        tensors |= {"pool": self.pool.detach(), "window": self.losses()}
        card = {
            "model": shape_of(self.model),
            "recipe": self.recipe,
            "step": self.step,
            "history": asdict(self.history),
        }
        write(self.path, tensors, card | {"done": self.done()})
        self.saved = self.step * self.recipe["batch"]

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint; raises ``ValueError`` when it is of another run, damaged, or none at all."""
        tensors, card = read(path, "checkpoint")
        damaged = f"checkpoint: {str(path)!r} is damaged or was not written by this version; delete it or name another"
        if not is_checkpoint(card):
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
            self.saved = self.step * self.recipe["batch"]
            self.began = time.monotonic() - number("done", card["done"], least=0)
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise ValueError(damaged) from error


def fingerprint(images: Images) -> str:
    """Tell one data set from another: the number of images, their shape, and a hash of their bytes."""
    digest = hashlib.sha256(np.ascontiguousarray(images.pixels).ravel().data).hexdigest()
    return f"{len(images)} of {'x'.join(map(str, images.pixels.shape[1:]))}, SHA-256 {digest[:16]}"


def _finite(tensor: Tensor, *shape: int) -> Tensor:
    if tuple(tensor.shape) != shape or not tensor.is_floating_point() or not tensor.isfinite().all():
        raise ValueError(f"need finite numbers of shape {shape}")
    return tensor


def device_named(name: str) -> torch.device:
    """Return a device of torch; ``"auto"`` is a GPU where there is one. Raises ``ValueError`` for any that is not."""
    try:
        found = "cuda" if torch.cuda.is_available() else "cpu"
        return torch.Generator(torch.empty(0, device=found if name == "auto" else name).device).device
    except (AssertionError, RuntimeError, TypeError) as error:
        raise ValueError(f"device: need 'auto', 'cpu' or another that torch finds here, got {name!r}") from error


def _gains_from_bfloat16(device: torch.device) -> bool:
    return device.type == "cuda" or bool(torch.backends.cpu.get_cpu_capability() == "AVX512")
