"""Train a β-VAE, once or in a sweep over β and seeds; an interrupted or killed run resumes from its checkpoint."""

import math
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from numpy.typing import ArrayLike
from tqdm.auto import tqdm

from .arguments import array, function, instance, number, whole
from .datasets import Images
from .files import expanded
from .model import VAE, elbo_terms, one_thread, reparameterise, total_correlation
from .runs import Config, History, Run
from .weights import load, load_pretrained, save, shape_of  # noqa: F401  (the first three for callers of this module)

_RECORD = 100  # steps between two points of the history, and between two checkpoints
_POOL = 8  # batches whose posteriors approximate q(z) in the total correlation


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
    start: VAE | None = None,
    codes: ArrayLike | None = None,
    codes_weight: float = 50.0,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    callback: Callable[[VAE, History], object] | None = None,
) -> tuple[VAE, History]:
    """Maximise ``log-likelihood - β · KL - tc_weight · TC`` with Adam and a learning rate that falls along a cosine.

    TC, the total correlation, is part of the KL: ``beta=1`` with ``tc_weight=w - 1`` is the β-TCVAE of weight w (Chen
    et al. 2018). Both weights rise linearly from 0 over the first share ``warmup`` of the run. With a ``capacity`` C,
    in nats, the KL is instead held at a value that rises in the same way from 0 to C, by ``β · |KL - C|`` (Burgess et
    al. 2018). The run ends after ``pictures`` images or, if ``minutes`` is given, after that time, which then also sets
    the schedules. An interrupt (Ctrl-C) ends it early and returns the model so far.

    The run goes on from the weights of ``start``, if given. With ``codes`` ``(n, latent_dim)``, one for each image, the
    loss has a further term ``codes_weight · |mu - code|²``.

    With ``checkpoint``, a file, the run is saved at its start, every hundred steps and at its end, and an interrupt
    raises ``KeyboardInterrupt``. The same call resumes it from there, and returns a complete run at once; the time of
    earlier calls counts towards ``minutes``. The file stays until you delete it, and ``load`` reads the model so far
    from it. With the same number of threads, a resumed run of ``pictures`` ends with the weights of an unbroken one.

    ``callback(model, history)`` is called every hundred steps, after each new point of the history. A GPU is used if
    torch finds one. Returns the model, on the CPU, and its history. Raises ``ValueError`` for bad arguments and for the
    checkpoint of a run with other arguments, images or device, ``OSError`` if the checkpoint cannot be written, and
    ``FloatingPointError`` if the loss is not finite.
    """
    _check(images, start, latent_dim)
    config = Config(
        beta=number("beta", beta, least=0),
        tc_weight=number("tc_weight", tc_weight, least=0),
        latent_dim=whole("latent_dim", latent_dim),
        seed=whole("seed", seed, 0, 2**63 - 1),
        pictures=whole("pictures", pictures),
        warmup=number("warmup", warmup, least=0, most=1),
        capacity=None if capacity is None else number("capacity", capacity, least=0),
        batch=whole("batch", batch),
        learning_rate=number("learning_rate", learning_rate, above=0),
        minutes=None if minutes is None else number("minutes", minutes, above=0),
        codes_weight=number("codes_weight", codes_weight, least=0),
    )
    targets = None if codes is None else array("codes", codes, (len(images), config.latent_dim), dtype=np.float32)
    if callback is not None:
        function("callback", callback)
    run = Run(images, config, None if checkpoint is None else expanded(checkpoint, "checkpoint"), start, targets)
    run.save()  # reports a disk error before hours of training, not after
    model, optimiser, kind = run.model, run.optimiser, run.device.type
    bfloat16, unit = _use_bfloat16(kind), "images" if config.minutes is None else "s"
    done = min(run.progress(), run.total)
    bar = tqdm(initial=done, total=run.total, unit=unit, unit_scale=True, disable=not progress)
    try:
        # Autocast encloses the whole loop: an interrupt at the end of a block for each step could leave it on. Its
        # cache of weights is off, since it is emptied only at the end of the block.
        with torch.autocast(kind, torch.bfloat16, enabled=bfloat16, cache_enabled=False), bar:
            while (share := run.progress() / run.total) < 1:
                warm = min(1.0, share / config.warmup) if config.warmup else 1.0
                optimiser.param_groups[0]["lr"] = config.learning_rate * 0.5 * (1 + math.cos(math.pi * share))

                rows = torch.randint(len(run.data), (config.batch,), generator=run.generator).to(run.device)
                x = (run.data[rows].float() / 255).contiguous(memory_format=torch.channels_last)
                mu, logvar = model.encoder(x)
                z = reparameterise(mu, logvar, generator=run.noise)
                logits = model.decoder(z)
                log_likelihood, kl = elbo_terms(x, logits, mu, logvar)
                parts = torch.stack([log_likelihood.mean(), kl.sum(1).mean()])

                penalty = warm * parts[1] if config.capacity is None else (parts[1] - warm * config.capacity).abs()
                loss = config.beta * penalty - parts[0]
                if run.codes is not None:
                    loss = loss + config.codes_weight * (mu - run.codes[rows]).square().sum(1).mean()
                if config.tc_weight:
                    posteriors = torch.cat([mu, logvar], dim=1).float()
                    run.pool = torch.cat([posteriors, run.pool.detach()])[: _POOL * config.batch]
                    loss = loss + warm * config.tc_weight * total_correlation(z, *run.pool.chunk(2, dim=1))

                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                run.step += 1
                run.window.append(parts.detach())

                bar.update(min(run.progress(), run.total) - bar.n)
                if run.step % _RECORD == 0:
                    bar.set_postfix_str(run.record())
                    run.save()
                    if callback is not None:
                        torch.set_autocast_enabled(kind, False)
                        callback(model, run.history)
                        torch.set_autocast_enabled(kind, bfloat16)
            run.save()
    except KeyboardInterrupt:
        if run.path is not None:
            raise KeyboardInterrupt("stopped; the same call resumes") from None
        tqdm.write(f"stopped after {run.seen:,} images; the model so far is returned")
    run.record()
    model.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return model.eval(), run.history


def sweep(
    images: Images,
    *,
    betas: Iterable[float],
    seeds: Iterable[int],
    folder: str | Path,
    score: Callable[[VAE], dict[str, float]],
    progress: bool = True,
    **options: Any,
) -> list[dict[str, float]]:
    """Train a model for each β and seed, each on one thread, and return a row for each: beta, seed and its scores.

    The runs are spread over the machine's cores or, inside ``joblib.parallel_config("dask")``, over the workers of a
    Dask cluster, which must all reach ``folder``. The folder keeps the checkpoint of each run, which ``load`` reads: a
    finished run is never trained again, and an unfinished one is resumed. ``options`` are passed to ``train``, which
    raises ``ValueError`` for bad ones and for a checkpoint of another sweep.
    """
    function("score", score)
    place = expanded(folder, "folder")
    runs = {(number("betas", beta, least=0), whole("seeds", seed, 0)) for beta, seed in product(betas, seeds)}
    results = joblib.Parallel(n_jobs=-1, return_as="generator", mmap_mode="c")(
        joblib.delayed(_sweep_run)(images, sweep_path(place, *run), score, *run, **options) for run in sorted(runs)
    )
    return list(tqdm(results, total=len(runs), unit="runs", disable=not progress))


def sweep_path(folder: Path, beta: float, seed: int) -> Path:
    """Return the path of the checkpoint of a run of ``sweep``."""
    return folder / f"beta-{beta:g}-seed-{seed}.safetensors"


def _sweep_run(
    images: Images, path: Path, score: Callable[[VAE], dict[str, float]], beta: float, seed: int, **options: Any
) -> dict[str, float]:
    """Train one run on one thread, unless it is finished already, and score it."""
    with one_thread():
        model, _ = train(images, beta=beta, seed=seed, checkpoint=path, progress=False, **options)
        return {"beta": beta, "seed": seed, **score(model)}


def _use_bfloat16(device: str) -> bool:
    return device == "cuda" or bool(torch.backends.cpu.get_cpu_capability() == "AVX512")


def _check(images: Images, start: VAE | None, latent_dim: int) -> None:
    pixels = instance("images", images, Images).pixels
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[2] != pixels.shape[3] or not len(pixels):
        need = "bytes (n, channels, size, size), which datasets.as_bytes makes"
        raise ValueError(f"images: need {need}, got {pixels.dtype} {pixels.shape}")
    shape = {"size": pixels.shape[-1], "latent_dim": latent_dim, "channels": pixels.shape[1]}
    if start is not None and shape_of(instance("start", start, VAE)) != shape:
        raise ValueError(f"start: need a model of {shape}, got {shape_of(start)}")
