"""Hands stay inside the frame, change evenly with each factor, and are reproducible."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaehelpers import hands
from vaehelpers.datasets import HAND_FACTORS

CORNERS = np.array(list(itertools.product(*[(f.low, f.high) for f in hands.FACTORS.values()])), np.float32)
NAMES = list(hands.FACTORS)


def with_factor(name, values):
    rows = np.tile(hands.neutral(), (len(values), 1))
    rows[:, NAMES.index(name)] = values
    return rows


def centre(image):
    """Return the centre of brightness, x to the right and y upwards, in a frame of width 2."""
    ticks = (np.arange(image.shape[-1]) + 0.5) * 2 / image.shape[-1] - 1
    weights = image[0] / image[0].sum()
    return np.array([weights.sum(0) @ ticks, -(weights.sum(1) @ ticks)])


def test_the_neutral_hand_fills_the_frame_and_has_no_symmetry():
    image = hands.render(hands.neutral()[None])[0, 0]
    assert image.dtype == np.float32 and image.min() == 0 and 0.5 < image.max() <= 1
    rows = np.flatnonzero(image.max(1) > 0.1)
    assert 0.82 <= (rows[-1] - rows[0] + 1) / 64 <= 0.90
    for other in (image[:, ::-1], image[::-1], image.T, image[::-1, ::-1]):
        assert np.abs(image - other).mean() > 0.02


def test_every_corner_of_the_factor_cube_stays_inside_the_frame():
    images = hands.render(CORNERS)
    border = [images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1]]
    assert max(b.max() for b in border) == 0
    assert images.sum((1, 2, 3)).min() > 50


def test_a_shift_by_whole_pixels_moves_the_picture_and_its_mirror_moves_it_back():
    step = 2 * 2 / 64
    rows = np.vstack([with_factor("x", [0, step, -step]), with_factor("y", [step, -step])])
    middle, *moved = hands.render(rows)[:, 0]
    for image, shift in zip(moved, ((0, 2), (0, -2), (-2, 0), (2, 0)), strict=True):
        np.testing.assert_allclose(image, np.roll(middle, shift, axis=(0, 1)), atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.2))
def test_opposite_rotations_turn_the_centre_by_opposite_angles(angle):
    middle, right, left = (centre(p) for p in hands.render(with_factor("rotation", [0, angle, -angle]), size=128))
    sin, cos = np.sin(angle), np.cos(angle)
    clockwise = np.array([[cos, sin], [-sin, cos]])
    np.testing.assert_allclose(right, clockwise @ middle, atol=4e-3)
    np.testing.assert_allclose(left, clockwise.T @ middle, atol=4e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_small_step_moves_few_pixels_and_every_step_is_visible(name):
    factor = hands.FACTORS[name]
    steps = np.abs(np.diff(hands.render(with_factor(name, np.linspace(factor.low, factor.high, 41))), axis=0))
    moved = (steps > 0.05).sum((1, 2, 3))
    assert moved.max() < 0.2 * 64**2
    coarse = steps.sum((1, 2, 3)).reshape(8, 5).sum(1)
    assert coarse.min() > 6, "part of the range changes next to nothing"
    if name in NAMES[5:]:  # a curl always moves away from the open hand
        images = hands.render(with_factor(name, np.linspace(0, 1, 6)))
        assert (np.diff(np.abs(images - images[:1]).sum((1, 2, 3))) > 0).all()


def test_a_hand_looks_the_same_alone_and_among_others():
    rows = hands.sample_factors(50, rng=np.random.default_rng(7))
    single = np.concatenate([hands.render(row[None]) for row in rows])
    np.testing.assert_allclose(single, hands.render(rows), atol=1e-6)


def test_the_images_of_the_model_hands_stay_those_that_it_was_trained_on():
    """The ranges of the other factors may change, but not the values at which they stay."""
    factors = hands.sample_factors(4, vary=HAND_FACTORS, rng=np.random.default_rng(1))
    images = hands.render(factors)
    np.testing.assert_allclose(images.mean((1, 2, 3)), [0.169115, 0.166410, 0.155562, 0.155335], atol=1e-5)
