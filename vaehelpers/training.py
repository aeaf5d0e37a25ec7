"""Train a β-VAE, once or in a sweep over β and seeds; a killed process loses no finished work."""

import ctypes
import math
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from inspect import signature
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from tqdm.auto import tqdm

from . import interrupts
from .arguments import number, shortened, whole
from .datasets import Images
from .files import expanded, writable
from .model import VAE
from .runs import History as History
from .runs import Run as _Run
from .runs import device_named, fingerprint
from .weights import PRETRAINED as PRETRAINED
from .weights import load, read, refuse_other, save
from .weights import load_pretrained as load_pretrained

_RECORD = 100  # steps behind one point of the history
_CHECKPOINT = 500  # steps between two checkpoints
_WHOLE = {"pictures": (1, 10**15), "batch": (1, 10**6), "latent_dim": (1, 10_000), "seed": (0, 2**63 - 1)}
_MOST = {"warmup": 1, "minutes": 525_600}  # a year
_NUMBERS = ("beta", "tc_weight", "capacity", "warmup", "learning_rate", "minutes", *_WHOLE)


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
    watch: Callable[[VAE, History], object] | None = None,
) -> tuple[VAE, History]:
    """Maximise ``log-likelihood - β · KL - tc_weight · TC`` with Adam and a learning rate that falls along a cosine.

    TC, the total correlation, is part of the KL: ``beta=1`` with ``tc_weight=w - 1`` is the β-TCVAE of weight w (Chen
    et al. 2018). Both weights rise evenly from 0 over the first share ``warmup`` of the run. With a ``capacity`` C, in
    nats, the KL is instead held at a value that rises like this from 0 to C, by ``β · |KL - C|`` (Burgess et al.
    2018). ``minutes`` ends the run, and its schedules, by the clock instead of after ``pictures``. An interrupt
    (Ctrl-C) ends it early and returns the model so far.

    With a ``checkpoint``, a file, the run is saved every 500 steps, at its end and at an interrupt, which then raises
    ``KeyboardInterrupt``. The same call goes on from there, the time of the earlier parts counts, and a run that is
    complete is returned at once; the file stays until you delete it. On one number of threads, a run of so many
    ``pictures`` ends with the same weights as one that was never stopped. ``load`` reads the model so far from the
    file.

    ``watch(model, history)`` is called every hundred steps, at each new point of the history. Returns the model, on the
    CPU, and its history. Raises ``ValueError`` for bad arguments and for the checkpoint of a run with other arguments,
    images or device, ``OSError`` where the checkpoint cannot be written, and ``FloatingPointError`` when the loss is no
    longer finite.
    """
    recipe = _plain(
        beta=beta, tc_weight=tc_weight, capacity=capacity, warmup=warmup, learning_rate=learning_rate, minutes=minutes,
        pictures=pictures, batch=batch, latent_dim=latent_dim, seed=seed,
    )  # fmt: skip
    _check(images, watch)
    run = _Run(images, recipe, device_named(device), _writable(checkpoint))
    try:
        with interrupts.held() as interrupted, run.bar(progress) as bar, keep_freed_memory():
            while (done := run.done()) < run.total and not interrupted():
                run.advance(done / run.total)
                bar.update(min(run.done(), run.total) - bar.n)
                if run.step % _RECORD == 0:
                    bar.set_postfix(run.record())
                    if watch is not None:
                        watch(run.model, run.history)
                if run.step % _CHECKPOINT == 0:
                    run.save()
            if done >= run.total and run.window:
                run.record()
            run.save()
    except KeyboardInterrupt:
        if run.path is not None:
            raise KeyboardInterrupt(f"stopped after {run.saved:,} pictures; the same call goes on from there") from None
        tqdm.write(f"stopped after {run.step * run.recipe['batch']:,} pictures; the model so far is returned")
    return run.finish()


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
    """Train every β with every seed, one thread a run, and return a row for each: beta, seed, and what ``score`` says.

    The runs stand side by side on the machine's cores or, inside ``joblib.parallel_config("dask")``, on the workers of
    a Dask cluster, which must all reach ``folder``. There each finished model stays and is never trained again, and an
    unfinished run goes on from its checkpoint. ``options`` go to ``train``.
    Raises ``ValueError``, before any training, when the folder holds runs of another sweep, and for bad arguments.
    """
    defaults = {name: p.default for name, p in signature(train).parameters.items() if p.default is not p.empty}
    wrong = sorted(options.keys() - defaults.keys() | options.keys() & {"seed", "checkpoint"})
    if wrong:
        raise ValueError(f"options: need arguments of train other than seed and checkpoint, got {', '.join(wrong)}")
    if not callable(score):
        raise ValueError(f"score: need a function of a model, got {shortened(score)}")
    _check(images, options.get("watch"))
    numbers = {name: value for name, value in (defaults | options).items() if name in _NUMBERS}
    others = {name: value for name, value in options.items() if name not in _NUMBERS}
    recipe = _plain(**numbers) | {"images": fingerprint(images)}
    jobs = _jobs(expanded(folder, "folder"), betas, seeds, recipe)
    expanded(folder, "folder").mkdir(parents=True, exist_ok=True)
    runs = joblib.Parallel(n_jobs=-1, return_as="generator_unordered", mmap_mode="c")(
        joblib.delayed(_sweep_run)(images, path, score, job, others) for path, job in jobs.items()
    )
    rows = list(tqdm(runs, total=len(jobs), unit="runs", disable=not progress))
    return sorted(rows, key=lambda row: (row["beta"], row["seed"]))


def sweep_path(folder: Path, beta: float, seed: int) -> Path:
    """Return where ``sweep`` keeps a finished run."""
    return folder / f"beta-{repr(float(beta)).removesuffix('.0')}-seed-{seed}.safetensors"


def _jobs(
    folder: Path, betas: Iterable[float], seeds: Iterable[int], recipe: dict[str, Any]
) -> dict[Path, dict[str, Any]]:
    """Return the recipe of each run under the file that keeps it; refuse a folder that holds runs of other recipes."""
    jobs: dict[Path, dict[str, Any]] = {}
    for given in product(_listed("betas", betas), _listed("seeds", seeds)):
        beta, seed = number("betas", given[0], least=0), whole("seeds", given[1], *_WHOLE["seed"])
        path = sweep_path(folder, beta, seed)
        if path in jobs:
            raise ValueError(f"betas and seeds: need each run once, got β = {beta:g} with seed {seed} twice")
        jobs[path] = recipe | {"beta": beta, "seed": seed}
        kept = path if path.exists() else path.with_suffix(".checkpoint")
        if kept.exists():
            owner = f"folder: {str(kept)!r} belongs to another sweep"
            refuse_other(owner, read(kept, "folder")[1].get("recipe"), jobs[path])
    return jobs


def _sweep_run(
    images: Images,
    path: Path,
    score: Callable[[VAE], dict[str, float]],
    recipe: dict[str, Any],
    others: dict[str, Any],
) -> dict[str, float]:
    """Train one run, or read it where it is finished already, and score it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    checkpoint = path.with_suffix(".checkpoint")
    try:
        if not path.exists():
            numbers = {name: recipe[name] for name in _NUMBERS}
            model, history = train(images, checkpoint=checkpoint, progress=False, **numbers, **others)
            save(model, path, {"recipe": recipe, "history": asdict(history)})
        checkpoint.unlink(missing_ok=True)
        model, _ = load(path)  # in both cases the weights as they are kept, in half precision
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


def _check(images: Images, watch: object) -> None:
    given = images.pixels if isinstance(images, Images) else None
    shape: tuple[int, ...] = getattr(given, "shape", ())
    if not isinstance(given, np.ndarray) or len(shape) != 4 or shape[2] != shape[3]:
        got = shape or type(images).__name__
        raise ValueError(f"images: need Images with square pictures (n, channels, size, size), got {got}")
    if len(images) == 0:
        raise ValueError("images: need at least one picture, got none")
    if given.dtype != np.uint8:
        raise ValueError(f"images: need pictures as bytes (uint8), which datasets.as_bytes makes, got {given.dtype}")
    if not (watch is None or callable(watch)):
        raise ValueError(f"watch: need a function of a model and its history, got {shortened(watch)}")


def _plain(**numbers: Any) -> dict[str, Any]:
    """Return the numbers of a run as Python's own, which JSON can hold, or say which one cannot be used."""
    found: dict[str, Any] = {}
    for name, value in numbers.items():
        if name in _WHOLE:
            found[name] = whole(name, value, *_WHOLE[name])
        elif value is None and name in ("capacity", "minutes"):
            found[name] = None
        else:
            found[name] = number(name, value, **{"above" if name in ("learning_rate", "minutes") else "least": 0})
            if found[name] > _MOST.get(name, math.inf):
                raise ValueError(f"{name}: need a number of at most {_MOST[name]}, got {found[name]:g}")
    return found


def _listed(name: str, values: Iterable[Any]) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise ValueError(f"{name}: need a list of numbers, got {shortened(values)}") from None


def _writable(checkpoint: str | Path | None) -> Path | None:
    if checkpoint is None:
        return None
    path = expanded(checkpoint, "checkpoint")
    try:
        writable(path)
    except OSError as error:
        raise OSError(f"checkpoint: {str(path)!r} cannot be written ({error})") from error
    return path
