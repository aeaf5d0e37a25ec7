"""The style of the course's figures, and plots of images, traversals, manifolds and maps for any VAE."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import ArrayLike, NDArray

from .arguments import array, positive_definite

#: ``plt.style.use(plots.STYLE)`` gives a notebook the style of the course.
STYLE = str(Path(__file__).parent / "course.mplstyle")

# Colour is never the only distinction: q is also dashed (lines) or hatched (bars), data are dots, the prior is dotted.
P = "C0"  # the true distribution
Q = "C1"  # the approximation
BOUND = "C2"  # the ELBO, and every other bound
DATA = "C3"
POSTERIOR = "C4"
PRIOR = "C5"


def tile(images: ArrayLike) -> NDArray[np.float32]:
    """Tile images ``(rows, columns, 1, h, w)`` into one array, with a grey line between them.

    Colour images, with three channels, become an array ``(height, width, 3)``.
    """
    grid = array("images", images, dtype=np.float32)
    if grid.ndim != 5 or grid.shape[2] not in (1, 3) or not grid.size:
        raise ValueError(f"images: need (rows, columns, 1 or 3, h, w), got {grid.shape}")
    framed = np.pad(grid, ((0, 0), (0, 0), (0, 0), (0, 1), (0, 1)), constant_values=0.35)
    rows, columns, channels, height, width = framed.shape
    whole = framed.transpose(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)[:-1, :-1]
    return whole[..., 0] if channels == 1 else whole


def plot_pictures(images: ArrayLike, *, titles: Sequence[str] = ()) -> NDArray[np.object_]:
    """Show images ``(n, 1, h, w)`` side by side, at most five in a row, each below its title, and return all axes."""
    shown = array("images", images, ("n", 1, "h", "w"), dtype=np.float32)
    rows = -(-len(shown) // 5)
    columns = -(-len(shown) // rows)
    height = 2 * shown.shape[2] / shown.shape[3] + (0.35 if titles else 0)
    axes = plt.subplots(rows, columns, figsize=(2 * columns, rows * height), squeeze=False)[1]
    for ax, image, title in zip_longest(axes.flat, shown, titles):
        ax.axis("off")
        if image is not None:
            _show(image[0], ax).set_title(title or "")
    return axes


def plot_rows(images: ArrayLike, labels: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show images ``(rows, columns, 1, h, w)`` as one grid, each row with its label at the left."""
    image, (rows, _, _, height, _) = tile(images), np.shape(images)
    if len(labels) != rows:
        raise ValueError(f"labels: need one for each of {rows} rows, got {len(labels)}")
    ax = _show(image, ax or plt.subplots(figsize=(12, 0.3 + 10.5 * image.shape[0] / image.shape[1]))[1])
    ax.set_yticks([(height + 1) * (i + 0.5) for i in range(rows)], labels)
    ax.tick_params(length=0)
    return ax


def plot_traversal(images: ArrayLike, labels: Sequence[str], *, values: ArrayLike, ax: Axes | None = None) -> Axes:
    """Show a traversal ``(rows, steps, 1, h, w)`` as one image: a row with a label for each latent."""
    ax = plot_rows(images, labels, ax=ax or _axes(tile(images), 11))
    _, steps, *_, width = np.shape(images)
    marks = [f"{value:+.1f}" for value in array("values", values, (steps,))]
    ax.set_xticks([(width + 1) * (i + 0.5) for i in range(steps)], marks)
    ax.tick_params(axis="x", labelsize=12)  # there are many labels
    ax.xaxis.tick_top()
    ax.set_xlabel("value of the latent that moves")
    ax.xaxis.set_label_position("top")
    return ax


def plot_manifold(images: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show a manifold ``(side, side, 1, h, w)`` with its two latents along the edges."""
    image = tile(images)
    ax = _show(image, ax or _axes(image, 6.8))
    ax.set(xlabel="first latent, equal steps of probability →", ylabel="second latent →")
    return ax


def plot_map(codes: ArrayLike, images: ArrayLike, *, names: tuple[str, str], ax: Axes | None = None) -> Axes:
    """Place images ``(n, 1, h, w)`` at their codes ``(n, 2)``; one that would hide an earlier one is drawn as a dot."""
    places = array("codes", codes, ("n", 2))
    pixels = array("images", images, (len(places), 1, "h", "w"), dtype=np.float32)
    ax = ax or plt.subplots(figsize=(7.7, 7.7))[1]
    ax.scatter(places[:, 0], places[:, 1], s=6, color=DATA, zorder=1)
    shown = places[:0]
    for place, image in zip(places, pixels, strict=True):
        if len(shown) and np.abs(shown - place).max(axis=1).min() < np.ptp(places) / 16:
            continue
        shown = np.vstack([shown, place])
        ax.add_artist(AnnotationBbox(OffsetImage(image[0], zoom=0.5, cmap="gray"), tuple(place), frameon=False))
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def _axes(image: NDArray[np.float32], width: float) -> Axes:
    """Return new axes, ``width`` inches wide, that fit an image and its labels."""
    return plt.subplots(figsize=(width, width * image.shape[0] / image.shape[1] + 0.6))[1]


def _show(image: NDArray[np.float32], ax: Axes) -> Axes:
    ax.imshow(image, vmin=0, vmax=1, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def ellipses(cov: ArrayLike, mu: ArrayLike = (0, 0)) -> NDArray[np.float64]:
    """Return the points ``(n, 2)`` one and two standard deviations from ``mu``, with a row of NaN between.

    Raises ``ValueError`` when ``cov`` is not ``(2, 2)`` and positive definite, or ``mu`` not ``(2,)``.
    """
    root, centre = np.linalg.cholesky(positive_definite("cov", cov, (2, 2))), array("mu", mu, (2,))
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ root.T
    return np.concatenate([circle, np.full((1, 2), np.nan), 2 * circle]) + centre
