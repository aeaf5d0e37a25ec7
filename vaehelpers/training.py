"""Train a β-VAE, once or in a sweep over β and seeds; an interrupted or killed run resumes from its checkpoint."""

import ctypes
import math
import platform
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import signature
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from tqdm.auto import tqdm

from .arguments import function, number, shortened, whole
from .datasets import Images
from .files import expanded
from .model import VAE, elbo_terms, one_thread, reparameterise, total_correlation
from .runs import Config, History, Run, device_named, fingerprint, refuse_other
from .weights import PRETRAINED as PRETRAINED
from .weights import load as load
from .weights import load_pretrained as load_pretrained
from .weights import pretrained_names as pretrained_names
from .weights import read
from .weights import save as save

_RECORD = 100  # steps between two points of the history
_CHECKPOINT = 500  # steps between two checkpoints
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
    checkpoint: str | Path | None = None,
    device: str = "auto",
    progress: bool = True,
    callback: Callable[[VAE, History], object] | None = None,
) -> tuple[VAE, History]:
    """Maximise ``log-likelihood - β · KL - tc_weight · TC`` with Adam and a learning rate that falls along a cosine.

    TC, the total correlation, is part of the KL: ``beta=1`` with ``tc_weight=w - 1`` is the β-TCVAE of weight w (Chen
    et al. 2018). Both weights rise linearly from 0 over the first share ``warmup`` of the run. With a ``capacity`` C,
    in nats, the KL is instead held at a value that rises like this from 0 to C, by ``β · |KL - C|`` (Burgess et al.
    2018). The run ends after ``pictures`` images or, if given, after ``minutes``, which then set its schedules too. An
    interrupt (Ctrl-C) ends it early and returns the model so far.

    With ``checkpoint``, a file, the run is saved at its start, every 500 steps, at its end and at an interrupt, which
    then raises ``KeyboardInterrupt``. The same call resumes it, and returns a complete run at once; the time of earlier
    calls counts towards ``minutes``. The file stays until you delete it, and ``load`` reads the model so far from it.
    On the same number of threads, a run limited by ``pictures`` ends with the same weights as if never stopped.

    ``callback(model, history)`` is called every hundred steps, after each new point of the history. Returns the model,
    on the CPU, and its history. Raises ``ValueError`` for bad arguments and for the checkpoint of a run with other
    arguments, images or device, ``OSError`` if the checkpoint cannot be written, and ``FloatingPointError`` if the loss
    is not finite.
    """
    config = Config(
        beta=beta, tc_weight=tc_weight, latent_dim=latent_dim, seed=seed, pictures=pictures, warmup=warmup,
        capacity=capacity, batch=batch, learning_rate=learning_rate, minutes=minutes,
    )  # fmt: skip
    _check(images, callback)
    run = Run(images, config, device_named(device), None if checkpoint is None else expanded(checkpoint, "checkpoint"))
    if run.done() >= run.total:
        return run.result()
    run.save()  # reports a disk error before hours of training, not after
    model, optimiser = run.model, run.optimiser
    try:
        with _deferred_interrupt() as interrupts, _freed_memory_kept(), run.bar(progress) as bar:
            while (done := run.done()) < run.total and not interrupts:
                share = done / run.total
                warm = min(1.0, share / config.warmup) if config.warmup else 1.0
                optimiser.param_groups[0]["lr"] = config.learning_rate * 0.5 * (1 + math.cos(math.pi * share))

                rows = torch.randint(len(run.data), (config.batch,), generator=run.generator).to(run.device)
                x = (run.data[rows].float() / 255).contiguous(memory_format=torch.channels_last)
                with torch.autocast(run.device.type, torch.bfloat16, enabled=_gains_from_bfloat16(run.device)):
                    mu, logvar = model.encoder(x)
                    z = reparameterise(mu, logvar, generator=run.noise)
                    logits = model.decoder(z)
                log_likelihood, kl = elbo_terms(x, logits, mu, logvar)
                parts = torch.stack([log_likelihood.mean(), kl.sum(1).mean()])

                penalty = warm * parts[1] if config.capacity is None else (parts[1] - warm * config.capacity).abs()
                loss = config.beta * penalty - parts[0]
                if config.tc_weight:
                    posteriors = torch.cat([mu, logvar], dim=1).float()
                    run.pool = torch.cat([posteriors, run.pool.detach()])[: _POOL * config.batch]
                    loss = loss + warm * config.tc_weight * total_correlation(z, *run.pool.chunk(2, dim=1))

                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                run.step += 1
                run.window.append(parts.detach())

                bar.update(min(run.done(), run.total) - bar.n)
                if run.step % _RECORD == 0:
                    bar.set_postfix_str(run.record())
                    if callback is not None:
                        callback(model, run.history)
                if run.step % _CHECKPOINT == 0:
                    run.save()
            if done >= run.total:
                run.record()
            run.save()
    except KeyboardInterrupt:
        if run.path is not None:
            raise KeyboardInterrupt(f"stopped after {run.saved:,} images; the same call resumes from there") from None
        tqdm.write(f"stopped after {run.seen:,} images; the model so far is returned")
    return run.result()


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
    """Train each β with each seed, on one thread, and return a row for each: beta, seed and what ``score`` returns.

    The runs are spread over the machine's cores or, inside ``joblib.parallel_config("dask")``, over the workers of a
    Dask cluster, which must all reach ``folder``. It keeps the checkpoint of each run, which ``load`` reads: a finished
    run is never trained again, and an unfinished one is resumed. ``options`` are passed to ``train``.
    Raises ``ValueError``, before any training, if the folder holds runs of another sweep, and for bad arguments.
    """
    defaults = {name: parameter.default for name, parameter in signature(train).parameters.items()}
    wrong = options.keys() - defaults.keys() | options.keys() & {"images", "beta", "seed", "checkpoint"}
    if wrong:
        raise ValueError(f"options: need arguments of train except checkpoint, got {', '.join(sorted(wrong))}")
    _check(images, options.get("callback"))
    function("score", score)
    place, data = expanded(folder, "folder"), fingerprint(images)
    runs: dict[Path, dict[str, Any]] = {}
    try:
        pairs = [*product(betas, seeds)]
    except TypeError:
        got = f"{shortened(betas)} and {shortened(seeds)}"
        raise ValueError(f"betas, seeds: need two lists of numbers, got {got}") from None
    for beta, seed in pairs:
        beta, seed = number("betas", beta, least=0), whole("seeds", seed, 0, 2**63 - 1)
        path = sweep_path(place, beta, seed)
        if path in runs:
            raise ValueError(f"betas and seeds: need each run once, got β = {beta:g} with seed {seed} twice")
        runs[path] = options | {"beta": beta, "seed": seed}
        config = Config(**defaults | runs[path])
        if path.exists():
            owner, found = f"folder: {str(path)!r} belongs to another sweep", read(path, "folder")[1].get("recipe")
            refuse_other(owner, found, vars(config) | {"images": data})
    results = joblib.Parallel(n_jobs=-1, return_as="generator_unordered", mmap_mode="c")(
        joblib.delayed(_sweep_run)(images, path, score, run) for path, run in runs.items()
    )
    rows = list(tqdm(results, total=len(runs), unit="runs", disable=not progress))
    return sorted(rows, key=lambda row: (row["beta"], row["seed"]))


def sweep_path(folder: Path, beta: float, seed: int) -> Path:
    """Return the path of the checkpoint of a run of ``sweep``."""
    return folder / f"beta-{repr(float(beta)).removesuffix('.0')}-seed-{seed}.safetensors"


def _sweep_run(
    images: Images, path: Path, score: Callable[[VAE], dict[str, float]], run: dict[str, Any]
) -> dict[str, float]:
    """Train one run on one thread, unless it is finished already, and score it."""
    with one_thread():
        model, _ = train(images, checkpoint=path, progress=False, **run)
        return {"beta": run["beta"], "seed": run["seed"], **score(model)}


@contextmanager
def _deferred_interrupt() -> Iterator[list[int]]:
    """Raise an interrupt (Ctrl-C) only at the end of the block, so that each step is completed.

    Yields a list that is empty until an interrupt. A second interrupt is raised at once. In another thread, and where
    SIGINT is ignored or handled already, nothing changes.
    """
    interrupts: list[int] = []

    def handle(number: int, _: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupts.append(number)

    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupts
        return
    signal.signal(signal.SIGINT, handle)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if interrupts:
        raise KeyboardInterrupt


@contextmanager
def _freed_memory_kept() -> Iterator[None]:
    """Let glibc keep freed memory for the next batch, which makes training about 1.4 times as fast (mallopt(3))."""
    libc = ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
    trim_threshold, mmap_threshold, default = -1, -3, 128 * 1024
    if libc:
        libc.mallopt(mmap_threshold, 1 << 30), libc.mallopt(trim_threshold, -1)
    try:
        yield
    finally:
        if libc:
            libc.mallopt(mmap_threshold, default), libc.mallopt(trim_threshold, default), libc.malloc_trim(0)


def _gains_from_bfloat16(device: torch.device) -> bool:
    return device.type == "cuda" or bool(torch.backends.cpu.get_cpu_capability() == "AVX512")


def _check(images: Images, callback: object) -> None:
    pixels = getattr(images, "pixels", None)
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 4 or pixels.shape[2] != pixels.shape[3]:
        got = getattr(pixels, "shape", type(images).__name__)
        raise ValueError(f"images: need Images that are square, (n, channels, size, size), got {got}")
    if not len(pixels):
        raise ValueError("images: need at least one image, got none")
    if pixels.dtype != np.uint8:
        raise ValueError(f"images: need bytes (uint8), which datasets.as_bytes makes, got {pixels.dtype}")
    if not (callback is None or callable(callback)):
        raise ValueError(f"callback: need a function of a model and its history, got {shortened(callback)}")
