"""The published grid, and sprites that lie, turn and grow where their factors say."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaehelpers import sprites

SHAPES, COUNTS = (1, 2, 3), (3, 6, 40, 32, 32)
AREAS = {1: 0.3**2, 2: np.pi * 0.1995 * 0.1127, 3: (4 + np.pi) * 0.0875**2}  # of the frame, at scale 1
steps = st.tuples(*[st.integers(0, count - 1) for count in COUNTS])


def factors(step):
    return np.array([values[i] for values, i in zip(sprites.GRID.values(), step, strict=True)])


def draw(*rows, size=64):
    return sprites.render(rows, size)[:, 0].astype(float)


def centre(picture):
    """Centre of brightness in pixels, x to the right and y downwards."""
    ticks = np.arange(len(picture)) + 0.5
    return np.array([picture.sum(0) @ ticks, picture.sum(1) @ ticks]) / picture.sum()


def test_the_grid_is_the_published_one():
    """As the metadata of the published file says it, to eight decimals."""
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
    np.testing.assert_array_equal(rows, sprites.sample_factors(60_000, rng=np.random.default_rng(0)))
    for values, column in zip(sprites.GRID.values(), rows.T, strict=True):
        found, counts = np.unique(column, return_counts=True)
        expected = len(rows) / len(values)
        np.testing.assert_array_equal(found, values)
        assert np.abs(counts - expected).max() < 4.5 * np.sqrt(expected)


@pytest.mark.parametrize("size", (32, 33, 64))
def test_every_sprite_stays_inside_the_frame(size):
    """All of the largest in the four corners, at every orientation: not even a soft edge touches the rim."""
    pictures = draw(*itertools.product(SHAPES, [1], sprites.GRID["orientation"], (0, 1), (0, 1)), size=size)
    rims = [pictures[:, 0], pictures[:, -1], pictures[..., 0], pictures[..., -1]]
    assert max(rim.max() for rim in rims) == 0 and pictures.max((1, 2)).min() == 1


@settings(max_examples=30, deadline=None)
@given(steps, st.sampled_from((16, 18, 33, 64)))
def test_images_are_those_of_many_points_a_pixel(step, size):
    """Each of 8 × 8 points a pixel lies inside or outside; the heart is built of its parts, not of distances."""
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


@settings(max_examples=50, deadline=None)
@given(steps)
def test_the_centre_lies_where_x_and_y_say(step):
    row = factors(step)
    np.testing.assert_allclose(centre(draw(row)[0]), 16 + 32 * row[3:], atol=0.12)


@settings(max_examples=50, deadline=None)
@given(steps, st.integers(0, 31), st.sampled_from((3, 4)))
def test_a_step_of_the_grid_is_a_pixel_and_a_thirtieth(step, to, axis):
    other = (*step[:axis], to, *step[axis + 1 :])
    before, after = (centre(p) for p in draw(factors(step), factors(other)))
    moved = np.zeros(2)
    moved[axis - 3] = (to - step[axis]) * 32 / 31
    np.testing.assert_allclose(after - before, moved, atol=0.2)


@settings(max_examples=50, deadline=None)
@given(steps)
def test_the_area_is_the_shape_s_times_the_scale_squared(step):
    shape, scale, *_ = row = factors(step)
    assert draw(row)[0].sum() / 64**2 == pytest.approx(AREAS[shape] * scale**2, rel=0.03)
    assert draw(row, size=256)[0].sum() / 256**2 == pytest.approx(AREAS[shape] * scale**2, rel=0.005)


# Pixels wide, high and in all, at x = y = orientation = 0 and each scale: counted in the frames of ``dsprites.gif``,
# which its authors publish beside the data set (github.com/google-deepmind/dsprites-dataset).
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


def test_the_three_shapes_are_what_they_are_called():
    square, ellipse, heart = draw(*[(shape, 1, 0, 0.5, 0.5) for shape in SHAPES], size=256)
    for picture, (wide, high) in ((square, (77, 77)), (ellipse, (102, 58)), (heart, (76, 70))):
        filled = [np.ptp(np.flatnonzero(picture.max(axis) > 0.5)) + 1 for axis in (0, 1)]
        np.testing.assert_allclose(filled, (wide, high), atol=1.1)
    assert square[92:164, 92:164].min() == 1
    np.testing.assert_allclose(ellipse, ellipse[::-1, ::-1], atol=1e-4)
    np.testing.assert_allclose(heart, heart[:, ::-1], atol=1e-4)
    rows = np.flatnonzero(heart.sum(1))
    top, tip = heart[rows[3]] > 0.5, heart[rows[-3]] > 0.5
    assert np.diff(top.astype(int)).tolist().count(1) == 2, "two humps"
    assert np.diff(tip.astype(int)).tolist().count(1) == 1 and tip.sum() < 8, "one tip"


def test_sprites_turn_counter_clockwise():
    """A quarter turn takes the heart's tip from below to the right, the ellipse's ends from the sides up and down."""
    for shape in SHAPES:
        upright, turned = draw((shape, 1, 0, 0.5, 0.5), (shape, 1, np.pi / 2, 0.5, 0.5))
        np.testing.assert_allclose(turned, np.rot90(upright), atol=1e-3)


@pytest.mark.parametrize("shape, symmetry", ((1, np.pi / 2), (2, np.pi), (3, 2 * np.pi)))
def test_orientations_are_told_apart_but_for_the_symmetry(shape, symmetry):
    turns = sprites.GRID["orientation"]
    first, *others = draw(*[(shape, 1, turn, 0.4, 0.6) for turn in (0, *(turns[1:]), symmetry)])
    assert np.abs(others[-1] - first).max() < 1e-3
    for turn, picture in zip(turns[1:], others, strict=False):
        away = abs(turn / symmetry - round(turn / symmetry)) > 1e-6
        assert (np.abs(picture - first).sum() > 2) == away


def test_edges_are_soft_over_about_one_pixel():
    pictures = draw(*[(s, 1, o, 0.5, 0.5) for s in SHAPES for o in (0, 0.3, 0.8)])
    grey = ((pictures > 0.02) & (pictures < 0.98)).sum((1, 2))
    assert (grey < 110).all(), "wider than a pixel"
    assert np.linalg.norm(np.diff(pictures, axis=1), axis=(1, 2)).min() > 3


def test_values_between_those_of_the_grid_are_drawn_too():
    assert centre(draw((2, 0.55, 1, 0.123, 0.456))[0]) == pytest.approx([16 + 32 * 0.123, 16 + 32 * 0.456], abs=0.1)


def test_no_rows_are_no_images():
    assert sprites.render(np.empty((0, 5)), 32).shape == (0, 1, 32, 32)


@pytest.mark.parametrize(
    "row, size, message",
    (
        ((1, 1, 0, 0), 64, r"factors: need shape \(n, 5\), got \(1, 4\)"),
        ((0, 1, 0, 0, 0), 64, "shape must be 1, 2 or 3, got 0"),
        ((1.5, 1, 0, 0, 0), 64, "shape must be 1, 2 or 3, got 1.5"),
        ((1, 1.2, 0, 0, 0), 64, "scale must be 0.5 to 1, got 1.2"),
        ((1, 1, 7, 0, 0), 64, "orientation must be 0 to 6.283185, got 7"),
        ((1, 1, 0, -0.1, 0), 64, "x must be 0 to 1, got -0.1"),
        ((1, 1, 0, 0, np.nan), 64, "y must be 0 to 1, got nan"),
        ((1, 1, 0, 0, 0), 15, "size: need a whole number from 16 to 4096, got 15"),
    ),
)
def test_bad_input_is_named(row, size, message):
    with pytest.raises(ValueError, match=message):
        sprites.render([row], size)
