"""The scores of codes with a known score, and against disentanglement_lib's scores of the same codes."""

from functools import partial

import numpy as np
import pytest
import sklearn
from sklearn.metrics import mutual_info_score

from vaehelpers import metrics
from vaehelpers.information import entropy

RNG = np.random.default_rng
SMALL = {"batch": 16, "train": 300, "test": 300}
MANY_CLASSES = pytest.mark.filterwarnings("ignore:factors. column 2 has 40 classes, too many")
FEW_ROWS = pytest.mark.filterwarnings("ignore:mu. .* rows in 20 × 10 bins overestimate the information")


def classes(n, rng, sizes=(3, 6, 40)):
    return np.column_stack([rng.integers(size, size=n) for size in sizes])


def mixed(n):
    """Codes of three factors: with little or much noise, mixed, nonlinear, pure noise and constant."""
    rng = RNG(0)
    truths = classes(n, rng)
    (a, b, c), eps = (truths / [2, 5, 39]).T, rng.standard_normal((n, 5))
    known = [a + 0.1 * eps[:, 0], b + 0.2 * eps[:, 1], a - c + 0.1 * eps[:, 2], c**2 + 0.1 * eps[:, 3]]
    return np.column_stack([*known, eps[:, 4], np.zeros(n)]), truths


def represent_mixed(truths):
    a, b, c = (truths / [2, 5, 39] - 0.5).T
    wild = np.sin(50 * a + 30 * b + 70 * c)
    return np.column_stack([a + b, a - b, c + a * b / 2, np.sin(6 * c), wild, np.full(len(a), 0.01)])


def uniform(n, rng):
    return rng.random((n, 3))


class TestAsInDisentanglementLib:
    """Scores by disentanglement_lib, at commit 86a644d4ed35c771560dc3360756363d35477357, of the same codes.

    It ran on scikit-learn 1.9.1 with the settings of its study unsupervised_study_v1 except the numbers of draws; its
    trees had random_state=0, and its FactorVAE and β-VAE scores drew from the generator that is used here.
    """

    same = staticmethod(partial(pytest.approx, rel=0, abs=1e-12))

    @pytest.fixture(autouse=True)
    def unshuffled(self, monkeypatch):
        """Fit to the first rows, as disentanglement_lib does."""
        monkeypatch.setattr(metrics, "_order", lambda codes, truths: np.arange(len(codes)))

    @MANY_CLASSES
    def test_mig(self):
        assert metrics.mig(*mixed(3000), continuous=False) == self.same(0.3374718548049164)

    def test_dci(self):
        mu, truths = mixed(600)
        expected = (0.4950080409127179, 0.5192605534970638, 0.84)
        known = [int(part) for part in sklearn.__version__.split(".")[:2]] >= [1, 9]  # older trees break ties otherwise
        same = self.same if known else partial(pytest.approx, abs=1e-3)
        assert tuple(metrics.dci(mu, np.minimum(truths, 3))) == same(expected)

    @MANY_CLASSES
    def test_sap(self):
        """Its squared correlations use all rows; ours are fitted to some rows and tested on the others."""
        mu, truths = mixed(3000)
        assert metrics.sap(mu, truths, continuous=False) == self.same(0.143)
        assert metrics.sap(mu, truths, continuous=True) == pytest.approx(0.5279783582034746, abs=0.015)

    def test_factor_vae_and_beta_vae(self):
        sizes = {"batch": 8, "train": 300, "test": 200}
        score = metrics.factor_vae_score(represent_mixed, classes, rng=RNG(5), **sizes, variances=1000)
        assert score == self.same(0.74)
        assert metrics.beta_vae_score(represent_mixed, classes, rng=RNG(5), **sizes) == self.same(0.74)


@MANY_CLASSES
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_information_is_that_of_scikit_learn_on_the_same_bins(dtype):
    mu, truths = mixed(2000)
    mu = np.hstack([mu, (5 * mu[:, :5]).round(1)]).astype(dtype)  # many values on edges of bins
    edges = [np.histogram(code.astype(float), 20)[1][:-1] for code in mu.T]
    expected = [[mutual_info_score(t, np.digitize(c, e)) for t in truths.T] for c, e in zip(mu.T, edges, strict=True)]
    np.testing.assert_allclose(metrics.mi_matrix(mu, truths, continuous=False), expected, atol=1e-12)


@FEW_ROWS
@pytest.mark.parametrize(("values", "classes"), [(10, 10), (11, 10), (15, 10)])
def test_a_factor_of_more_than_ten_values_is_continuous_by_default(values, classes):
    """A latent equal to the factor carries its whole entropy: that of its values, or of ten equal bins of them."""
    factor = np.arange(values)
    counts = np.ones(values) if classes == values else np.histogram(factor, 10)[0]
    found = metrics.mi_matrix(np.column_stack([factor, factor]), factor[:, None])
    assert found == pytest.approx(np.full((2, 1), entropy(counts / values)))


def whole_degrees(n=2000):
    """Return a latent equal to a rotation in whole degrees and three of noise, and the rotation."""
    degrees = RNG(0).integers(0, 360, n)
    return np.column_stack([degrees / 360, RNG(1).standard_normal((n, 3))]), degrees[:, None]


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.uint16, np.float32, np.float64])
def test_a_score_depends_on_what_a_factor_is_and_not_on_its_dtype(dtype):
    mu, degrees = whole_degrees()
    ambiguous = "column 0 has 359 different values in 2000 rows and is taken as continuous; set continuous=True"
    for score, least in ((metrics.mig, 0.95), (metrics.sap, 0.99)):
        given = score(mu, degrees.astype(dtype), continuous=True)
        assert given > least and given == score(mu, degrees.astype(float), continuous=[True])
        with pytest.warns(UserWarning, match=ambiguous):
            assert score(mu, degrees.astype(dtype)) == given
        with pytest.warns(UserWarning, match="column 0 has 359 classes, too many for 20 bins"):
            assert score(mu, degrees.astype(dtype), continuous=False) < 0.5
    both = np.hstack([degrees.astype(dtype), degrees.astype(dtype) // 120])
    alone = metrics.mig_gaps(mu, both[:, 1:], continuous=False)[0]
    assert metrics.mig_gaps(mu, both, continuous=[True, False]) == pytest.approx(
        [metrics.mig(mu, degrees * 1.0, continuous=True), alone]
    )


def test_useless_bins_are_warned_of():
    mu, degrees = whole_degrees()
    with pytest.warns(UserWarning, match="column 0 has 1999 of 2000 rows in one of 10 equal bins"):
        metrics.mig(mu, np.where(np.arange(2000)[:, None] == 7, 1e6, degrees), continuous=True)
    with pytest.warns(UserWarning, match="mu: 199 rows in 20 × 10 bins overestimate the information"):
        metrics.mig(mu[:199], degrees[:199], continuous=True)
    metrics.mig(mu[:200], degrees[:200], continuous=True)


@pytest.mark.parametrize(("score", "continuous"), [(metrics.sap, True), (metrics.sap, False), (metrics.dci, False)])
def test_the_order_of_rows_does_not_matter(score, continuous):
    """Without a shuffle, rows that are sorted by a factor leave classes in the test that were never learned."""
    rng = RNG(5)
    truths = rng.integers(0, 4, (240, 2))
    mu = truths + 0.4 * rng.standard_normal((240, 2))
    whole = score(mu, truths, continuous=continuous)
    for order in (np.argsort(truths[:, 0]), np.lexsort(truths.T), np.arange(240)[::-1], rng.permutation(240)):
        assert score(mu[order], truths[order], continuous=continuous) == pytest.approx(whole, abs=1e-12)


def test_a_line_is_scored_on_held_out_rows(monkeypatch):
    """A line through the first two thirds of the rows fits them exactly, and the others not at all."""
    monkeypatch.setattr(metrics, "_order", lambda codes, truths: np.arange(30))
    truth = RNG(6).standard_normal((30, 1))
    codes = np.hstack([np.where(np.arange(30)[:, None] < 20, truth, -truth), np.zeros_like(truth)])
    assert metrics.sap(codes, truth, continuous=True) == 0


def test_a_latent_with_a_standard_deviation_below_1e_6_is_constant_for_sap():
    for sd, score in ((1.1e-6, 1), (0.9e-6, 0)):  # with the divisor n - 1
        codes = sd * np.tile([[-1, 0], [0, 0], [1, 0]], (40, 1)) * np.sqrt(119 / 80)
        truths = np.tile([[0], [1], [2]], (40, 1))
        assert metrics.sap(codes, truths, continuous=True) == pytest.approx(score)


@pytest.mark.parametrize(("sd", "score"), [(0.05, 1), (0.04, 0)])
def test_a_latent_counts_if_its_standard_deviation_is_at_least_0_05(sd, score):
    """The standard deviation of -1, 0 and 1 is 1, with the divisor n - 1 = 2."""

    def three(n, rng):
        return np.column_stack([np.arange(n) % 3 - 1, (np.arange(n) + 1) % 3 - 1]).astype(float)

    sizes = {"batch": 2, "train": 30, "test": 2, "variances": 3}
    assert metrics.factor_vae_score(lambda f: sd * f, three, rng=RNG(0), **sizes) == score


def test_a_missing_factor_lowers_factor_vae_by_a_third_and_beta_vae_not_at_all():
    """Kim & Mnih (2018), §4: a classifier of all latents infers the missing factor from the variation of the others."""
    partial_code = {"represent": lambda f: f[:, :2], "sample": uniform, "rng": RNG(0), "batch": 64}
    assert metrics.factor_vae_score(**partial_code, train=300, test=300) == pytest.approx(2 / 3, abs=0.08)
    assert metrics.beta_vae_score(**partial_code, train=300, test=300) > 0.99


def test_constant_latents_do_not_count():
    mu, truths = mixed(3000)
    mu, truths = mu[:, :4], truths[:, :2]
    for dead in (np.full((3000, 2), 1e3), 1e3 + RNG(0).integers(2, size=(3000, 2)) * 1e-12):  # exactly, or rounded
        for score in (metrics.mig, partial(metrics.sap, continuous=True)):
            assert score(np.hstack([mu, dead]), truths) == pytest.approx(score(mu, truths), abs=0.03)
    mu, truths, zeros = mu[:300], truths[:300], np.zeros((300, 3))
    assert metrics.mig(zeros, truths) == metrics.sap(zeros, truths) == metrics.sap(zeros, truths, continuous=True) == 0
    assert metrics.dci(zeros, np.minimum(truths, 1))[:2] == pytest.approx((0, 0), abs=1e-9)
    assert metrics.factor_vae_score(lambda f: np.zeros((len(f), 3)), uniform, rng=RNG(0), **SMALL) == 0
    assert metrics.beta_vae_score(lambda f: np.zeros((len(f), 3)), uniform, rng=RNG(0), **SMALL) < 0.45


def test_active_units_counts_the_means_that_vary():
    mu = RNG(3).standard_normal((1000, 4)) * [1, 0.5, 0.05, 0]
    assert metrics.active_units(mu) == 2
    assert metrics.active_units([[-0.09, -0.11], [0.09, 0.11]]) == 1


def test_classes_that_no_training_row_has_are_refused(monkeypatch):
    monkeypatch.setattr(metrics, "_order", lambda codes, truths: np.arange(30))
    mu, truths = mixed(30)
    alone = np.zeros((30, 1))
    alone[-1] = 1  # the only row of its class is not a training row
    for score in (metrics.dci, metrics.sap):
        with pytest.raises(ValueError, match="^factors: column 0 is constant in 20 rows"):
            score(mu, np.hstack([alone, truths[:, :1]]), continuous=False)
