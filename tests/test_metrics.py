"""The MIG on codes whose score is known."""

import numpy as np
import pytest

from vaehelpers import metrics


@pytest.fixture
def factors():
    return np.random.default_rng(0).random((20_000, 3))


def test_the_factors_themselves_score_nearly_1(factors):
    assert metrics.mig(np.hstack([factors, np.zeros_like(factors)]), factors) == pytest.approx(1, abs=0.02)


def test_two_copies_of_a_factor_leave_no_gap(factors):
    assert metrics.mig(np.hstack([factors, -factors]), factors) == pytest.approx(0, abs=0.01)


def test_noise_knows_nothing(factors):
    codes = np.random.default_rng(1).standard_normal((20_000, 5))
    assert metrics.mig(codes, factors) < 0.01


def test_known_information_gives_the_known_gap():
    """A code that keeps only the half in which a factor lies holds log 2 of its log 10 nats."""
    factor = np.random.default_rng(2).random((50_000, 1))
    codes = np.hstack([factor > 0.5, np.zeros_like(factor)])
    assert metrics.mig(codes, factor) == pytest.approx(np.log(2) / np.log(10), abs=0.01)


def test_rows_are_latents_and_columns_factors(factors):
    information = metrics.mi_matrix(factors[:, ::-1], factors)
    assert information.argmax(0).tolist() == [2, 1, 0]


def test_active_units_counts_the_means_that_move():
    mu = np.random.default_rng(3).standard_normal((1000, 4)) * [1, 0.5, 0.05, 0]
    assert metrics.active_units(mu) == 2


@pytest.mark.parametrize(
    ("mu", "factors", "message"),
    [
        (np.zeros((3, 2)), np.zeros((4, 1)), "need"),
        (np.zeros((3, 1)), np.zeros((3, 1)), "at least 2 latents"),
        (np.full((3, 2), np.nan), np.zeros((3, 1)), "finite"),
    ],
)
def test_bad_input_is_named(mu, factors, message):
    with pytest.raises(ValueError, match=message):
        metrics.mig(mu, factors)
