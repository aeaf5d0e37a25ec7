"""Draw the sprites of dSprites from five known factors: a square, an ellipse or a heart.

Source of the factors: Matthey, Higgins, Hassabis & Lerchner (2017), "dSprites: Disentanglement testing Sprites
dataset". Its images are black and white; these have soft edges, and the heart turns about its centre of mass.
Pixels above one half cover the published shapes: at 64×64 the upright square has sides of 10, 12, …, 20 pixels.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import array, generator, whole

Floats = NDArray[np.floating]

#: The published values of each factor. Shape 1 is a square, 2 an ellipse, 3 a heart; scale 1 is the largest;
#: orientation: radians, counter-clockwise; x to the right and y downwards: 0 and 1 are a quarter and three quarters
#: of the frame. Orientations 0 and 2π look alike, as do half turns of an ellipse and quarter turns of a square.
GRID: dict[str, Floats] = {
    "shape": np.arange(1, 4, dtype=np.float32),
    "scale": np.linspace(0.5, 1, 6, dtype=np.float32),
    "orientation": np.linspace(0, 2 * np.pi, 40, dtype=np.float32),
    "x": np.linspace(0, 1, 32, dtype=np.float32),
    "y": np.linspace(0, 1, 32, dtype=np.float32),
}

# Lengths at scale 1, as shares of the frame: half a side, the two half axes, the radius of the heart's two arcs.
_SQUARE, _ELLIPSE, _HEART = 0.15, (0.1995, 0.1127), 0.0875
_RISE = (4 + 3 * np.pi) / (24 + 6 * np.pi) * 2**0.5  # the heart's centre of mass above its square's, in radii


def sample_factors(n: int, *, rng: np.random.Generator) -> Floats:
    """Draw ``n`` rows of the grid uniformly and with replacement: ``(n, 5)``.

    Raises ``ValueError`` for an ``n`` below 1 and for an ``rng`` that is not a Generator.
    """
    whole("n", n), generator("rng", rng)
    return np.stack([rng.choice(values, n) for values in GRID.values()], axis=1)


def render(factors: ArrayLike, size: int = 64) -> Floats:
    """Draw one sprite for each row of factors, white on black.

    ``factors`` is ``(n, 5)``, columns as in ``GRID``, where all but the shape may lie between the published values;
    the images are ``(n, 1, size, size)`` in [0, 1].
    Raises ``ValueError`` for another shape, for a value outside its range, and for a size below 16.
    """
    rows = array("factors", factors, ("n", len(GRID)), finite=False, dtype=np.float32)
    whole("size", size, 16, 4096)
    for (name, values), column in zip(GRID.items(), rows.T, strict=True):
        inside = np.isin(column, values) if name == "shape" else (column >= values[0]) & (column <= values[-1])
        if not inside.all():
            need = "1, 2 or 3" if name == "shape" else f"{values[0]:g} to {values[-1]:.7g}"
            raise ValueError(f"factors: {name} must be {need}, got {column[~inside][0]:g}")
    images = np.empty((len(rows), 1, size, size), np.float32)
    ticks = (np.arange(size, dtype=np.float32) + 0.5) / size
    for shape, distance in ((1, _to_square), (2, _to_ellipse), (3, _to_heart)):
        chosen = np.flatnonzero(rows[:, 0] == shape)
        for which in np.array_split(chosen, len(chosen) // 32 + 1):  # fits into the processor's cache
            scale, orientation, x, y = rows[which, 1:].T[..., None, None]
            place = ticks - 0.25 - x / 2 + 1j * (ticks[:, None] - 0.25 - y / 2)  # from the centre: right + 1j · down
            place *= np.exp(1j * orientation) / scale  # in the sprite's own frame, at scale 1
            images[which, 0] = np.clip(0.5 - distance(place.real, place.imag) * size * scale, 0, 1)
    return images


def _to_square(right: Floats, down: Floats) -> Floats:
    return np.maximum(np.abs(right), np.abs(down)) - _SQUARE


def _to_ellipse(right: Floats, down: Floats) -> Floats:
    """Return the distance to first order: the implicit function over the length of its gradient."""
    a, b = _ELLIPSE
    u, v = right / a, down / b
    slope = np.hypot(u / a, v / b)
    return (u * u + v * v - 1) / (2 * np.maximum(slope, 1e-6))


def _to_heart(right: Floats, down: Floats) -> Floats:
    """Return the distance to a square on its corner with a half disc on each of its upper two sides."""
    across, along, half = np.abs(right) / _HEART, down / _HEART - _RISE, 0.5**0.5
    square = (across + np.abs(along)) * half - 1
    disc = np.hypot(across - half, along + half) - 1
    return _HEART * np.minimum(square, disc)
