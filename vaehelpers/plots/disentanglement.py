"""Lesson 07: which latent knows which factor."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from ..arguments import array


def plot_mi_matrix(
    information: ArrayLike,
    *,
    latents: Sequence[str],
    factors: Sequence[str],
    darkest: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show the mutual information (latents, factors) in nats as a heat map, each factor's best latent framed.

    Up to 16 latents and 10 factors the numbers stand in the cells, else a scale stands beside them. ``darkest`` is
    the end of the scale, by default the largest value; give it where two figures are compared.
    Raises ``ValueError`` when there is not a name for each row and column.
    """
    table = array("information", information)
    if table.shape != (len(latents), len(factors)):
        raise ValueError(f"information: need ({len(latents)}, {len(factors)}), as many as names, got {table.shape}")
    numbers = len(latents) <= 16 and len(factors) <= 10
    if ax is None:
        ax = plt.subplots(figsize=(max(5, 1.25 * len(factors) + 1.5), (0.6 if numbers else 0.3) * len(latents) + 2))[1]
    image = ax.imshow(table, cmap="Blues", vmin=0, vmax=darkest or table.max() or 1, aspect="auto")
    if numbers:
        for row, column in np.ndindex(table.shape):
            ax.text(column, row, "", ha="center", va="center")
    else:
        ax.figure.colorbar(image, ax=ax, label="nats", aspect=40)
    for _ in factors:
        ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor="black", linewidth=2.5, clip_on=False, zorder=3))
    ax.set(xticks=range(len(factors)), yticks=range(len(latents)), xticklabels=factors, yticklabels=latents)
    ax.set(xlabel="factor", ylabel="latent")
    ax.set_title("What each latent knows about each factor\n(nats; framed: the latent that knows most)")
    ax.set_xticks(np.arange(0.5, len(factors) - 1), minor=True)
    ax.set_yticks(np.arange(0.5, len(latents) - 1), minor=True)
    ax.grid(which="minor", color="white", linewidth=6)  # a gap between the cells, where the frames lie
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    move_mi_matrix(ax, table)
    return ax


def move_mi_matrix(ax: Axes, information: ArrayLike) -> None:
    """Bring the axes of ``plot_mi_matrix`` to another matrix of the same shape, on the same scale."""
    table = np.asarray(information, float)
    ax.images[0].set_data(table)
    depths = table.ravel() / ax.images[0].norm.vmax
    for label, nats, depth in zip(ax.texts, table.flat, depths, strict=False):
        label.set(text=f"{nats:.2f}", color="white" if depth > 0.6 else "black" if depth > 0.05 else "0.4")
    for column, (frame, row) in enumerate(zip(ax.patches, table.argmax(axis=0), strict=True)):
        frame.set(xy=(column - 0.5, row - 0.5), visible=bool(table[row, column] > 0))
