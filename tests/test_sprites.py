"""The published grid of factors, and the position, orientation and size of sprites."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaehelpers import sprites

SHAPES, COUNTS = (1, 2, 3), (3, 6, 40, 32, 32)
steps = st.tuples(*[st.integers(0, count - 1) for count in COUNTS])


def factors(step):
    return np.array([values[i] for values, i in zip(sprites.GRID.values(), step, strict=True)])


def draw(*rows, size=64):
    return sprites.render(rows, size)[:, 0].astype(float)


def test_the_grid_is_the_published_one():
    """Values from the metadata of the published file, to eight decimals."""
    grid = sprites.GRID
    assert tuple(len(values) for values in grid.values()) == COUNTS and np.prod(COUNTS) == 737_280
    assert tuple(grid) == ("shape", "scale", "orientation", "x", "y")
    np.testing.assert_allclose(grid["shape"], [1, 2, 3])
    np.testing.assert_allclose(grid["scale"], [0.5, 0.6, 0.7, 0.8, 0.9, 1.0], atol=1e-7)
    np.testing.assert_allclose(
        grid["orientation"][[0, 1, 2, 38, 39]], [0, 0.16110732, 0.32221463, 6.12207799, 6.28318531]
    )
    for name in "xy":
        np.testing.assert_allclose(grid[name][[0, 1, 30, 31]], [0, 0.03225806, 0.96774194, 1], atol=1e-7)


def test_rows_are_drawn_uniformly_from_the_grid():
    rows = sprites.sample_factors(60_000, rng=np.random.default_rng(0))
    for values, column in zip(sprites.GRID.values(), rows.T, strict=True):
        found, counts = np.unique(column, return_counts=True)
        expected = len(rows) / len(values)
        np.testing.assert_array_equal(found, values)
        assert np.abs(counts - expected).max() < 4.5 * np.sqrt(expected)


@pytest.mark.parametrize("size", (32, 33, 64))
def test_every_sprite_stays_inside_the_frame(size):
    """The largest sprites in the four corners, at every orientation: no soft edge touches the border."""
    images = draw(*itertools.product(SHAPES, [1], sprites.GRID["orientation"], (0, 1), (0, 1)), size=size)
    rims = [images[:, 0], images[:, -1], images[..., 0], images[..., -1]]
    assert max(rim.max() for rim in rims) == 0 and images.max((1, 2)).min() == 1


@settings(max_examples=30, deadline=None)
@given(steps, st.sampled_from((16, 18, 33, 64)))
def test_images_are_those_of_many_points_a_pixel(step, size):
    """Sample 8 × 8 points per pixel as inside or outside; the heart is a union of its parts, without distances."""
    shape, scale, turn, x, y = factors(step)
    ticks = (np.arange(8 * size) + 0.5) / 8 / size
    place = (ticks[None] - 0.25 - x / 2) - 1j * (ticks[:, None] - 0.25 - y / 2)
    place = place * np.exp(-1j * turn) / scale
    if shape == 1:
        inside = np.maximum(abs(place.real), abs(place.imag)) < 0.15
    elif shape == 2:
        inside = abs(place.real / 0.1995 + 1j * place.imag / 0.1127) < 1
    else:
        place = place / 0.0875 + 1j * 0.443073508
        tilted = place * np.exp(0.25j * np.pi)
        inside = (np.maximum(abs(tilted.real), abs(tilted.imag)) < 1) | (abs(tilted - 1j) < 1) | (abs(tilted + 1) < 1)
    expected = inside.reshape(size, 8, size, 8).mean((1, 3))
    difference = np.abs(draw((shape, scale, turn, x, y), size=size)[0] - expected)
    assert difference.max() < 0.35 and difference.sum() < 0.6 * np.sqrt(expected.sum()), "soft edges and corners"


# Width, height and area in pixels at x = y = orientation = 0 and each scale, counted in the frames of ``dsprites.gif``,
# which the authors publish with the data set (github.com/google-deepmind/dsprites-dataset).
PUBLISHED = {
    1: ((10, 12, 14, 16, 18, 20), (10, 12, 14, 16, 18, 20), (100, 144, 196, 256, 324, 400)),
    2: ((12, 16, 18, 20, 22, 26), (8, 8, 10, 12, 12, 14), (76, 104, 144, 184, 228, 288)),
    3: ((10, 12, 14, 16, 18, 20), (9, 11, 13, 14, 15, 17), (58, 84, 108, 140, 182, 222)),
}


@pytest.mark.parametrize(("shape", "off", "share"), ((1, 0, 0), (2, 0, 0), (3, 1, 0.06)))
def test_shapes_are_as_large_as_in_the_published_frames(shape, off, share):
    filled = draw(*[(shape, scale, 0, 0, 0) for scale in sprites.GRID["scale"]]) > 0.5
    wide, high, pixels = PUBLISHED[shape]
    np.testing.assert_array_equal(filled.any(1).sum(1), wide)
    np.testing.assert_allclose(filled.any(2).sum(1), high, atol=off)
    np.testing.assert_allclose(filled.sum((1, 2)), pixels, rtol=share)
