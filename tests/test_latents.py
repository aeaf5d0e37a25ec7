"""Shapes, order and values of the functions on latents, against the model itself."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from equations import covers
from scipy.linalg import expm
from scipy.stats import norm, special_ortho_group
from sklearn.exceptions import ConvergenceWarning

from vaehelpers import datasets, latents, training
from vaehelpers.model import VAE


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VAE(32, 3).eval()


@pytest.fixture(scope="module")
def x():
    """Images for the shipped model ``hands``."""
    return datasets.hands(1500, seed=5, progress=False)[:]


@pytest.fixture
def hands():
    return training.load_pretrained("hands")[0]


def test_encode_and_decode_are_the_networks_and_restore_the_number_of_threads(model, monkeypatch):
    x = np.random.default_rng(0).random((300, 1, 32, 32), np.float32)
    mu, logvar = latents.encode(model, x)
    with torch.inference_mode():
        expected = model.encoder(torch.from_numpy(x))
        images = torch.sigmoid(model.decoder(expected[0]))
    np.testing.assert_allclose(mu, expected[0], atol=1e-5)
    np.testing.assert_allclose(logvar, expected[1], atol=1e-5)
    threads = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    np.testing.assert_allclose(latents.decode(model, mu), images, atol=1e-5)
    assert threads == [1, 7]


def test_a_traversal_moves_one_latent_and_holds_the_others(model):
    z = np.array([0.5, -1.0, 2.0], np.float32)
    rows = latents.traverse(model, z, [2, 0])
    assert rows.shape == (2, 15, 1, 32, 32)
    np.testing.assert_allclose(rows[0, 0], latents.decode(model, [[0.5, -1, -3]])[0], atol=1e-6)
    np.testing.assert_allclose(rows[1, -1], latents.decode(model, [[3, -1, 2]])[0], atol=1e-6)


@covers("08 cell-028-2 0 473ee7", "Shoemake (1985); White (2016), §2.1")
def test_codes_on_an_arc_and_on_a_line_between_two():
    """Against a rotation in the plane of both codes, made by SciPy's matrix exponential."""
    a, b = np.random.default_rng(31).normal(size=(2, 6))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    first = a / np.linalg.norm(a)
    second = b - (b @ first) * first
    second /= np.linalg.norm(second)
    turn = np.arctan2(b @ second, b @ first) * (np.outer(second, first) - np.outer(first, second))
    arc, line = latents.interpolate(a, b, steps=5), latents.interpolate(a, b, steps=5, spherical=False)
    np.testing.assert_allclose(arc, [expm(share * turn) @ a for share in np.linspace(0, 1, 5)], rtol=1e-5)
    np.testing.assert_allclose(line[[0, 1, 4]], [a, 0.75 * a + 0.25 * b, b], rtol=1e-5)
    # Between parallel codes and from zero there is no arc.
    np.testing.assert_allclose(latents.interpolate([1, 0], [3, 0], steps=3), [[1, 0], [2, 0], [3, 0]])
    np.testing.assert_allclose(latents.interpolate([0, 0], [3, 0], steps=2), [[0, 0], [3, 0]])


def test_a_manifold_runs_through_the_quantiles_of_the_prior():
    flat = VAE(32, 2).eval()
    grid = latents.manifold(flat, side=5)
    corner = latents.decode(flat, [[norm.ppf(0.9), norm.ppf(0.1)]])[0]
    np.testing.assert_allclose(grid[-1, -1], corner, atol=1e-6)


@pytest.mark.parametrize("moments", [(-1, 0.5), (-100, 0)])
def test_the_parts_of_the_kl_add_up_to_it_however_narrow_the_posteriors(moments):
    """Half a nat per latent would be lost by rounding in z - mu."""
    rng = np.random.default_rng(0)
    mu, logvar = rng.normal(0, 1.2, (4000, 3)), rng.normal(*moments, (4000, 3))
    parts = latents.kl_parts(mu, logvar, rng=rng)
    # One sample of each posterior: about three standard errors.
    assert sum(parts) == pytest.approx(latents.latent_kl(mu, logvar).sum(), abs=0.15)
    assert parts.mutual_information < np.log(4000) + 1e-9


@covers("06 cell-034-4 0 bc551c; 07 cell-051-3 0 6804ca", "Hoffman & Johnson (2016); Chen et al. (2018), eq. 2")
def test_the_parts_of_the_kl_are_those_of_a_gaussian():
    """The means of the three logarithms against the closed forms for correlated Gaussian codes, one by one; the mixture
    of their posteriors is a Gaussian too.
    """
    rng = np.random.default_rng(1)
    covariance = np.array([[1.5, 0.6], [0.6, 0.8]])
    noise = np.array([0.4, 0.3])
    mu = rng.multivariate_normal([0.5, 0], covariance - np.diag(noise), 4000)
    parts = latents.kl_parts(mu, np.log(np.tile(noise, (4000, 1))), rng=rng)
    variances = np.diag(covariance)
    information = 0.5 * np.log(np.linalg.det(covariance) / noise.prod())  # of a Gaussian channel
    correlation = 0.5 * np.log(variances.prod() / np.linalg.det(covariance))
    dimensions = 0.5 * (variances + [0.25, 0] - 1 - np.log(variances)).sum()
    np.testing.assert_allclose(parts, [information, correlation, dimensions], atol=0.05)


def test_the_mutual_information_of_separate_posteriors_is_the_log_of_their_number():
    mu = 100.0 * np.arange(50)[:, None] * np.ones((1, 2))
    parts = latents.kl_parts(mu, np.zeros((50, 2)), rng=np.random.default_rng(0))
    assert parts.mutual_information == parts.total_correlation == pytest.approx(np.log(50))
    with np.errstate(all="raise"):  # far and narrow posteriors give no warning either
        parts = latents.kl_parts([[-1e150], [1e150]], [[-300.0], [-300.0]], rng=np.random.default_rng(0))
    assert parts.mutual_information == pytest.approx(np.log(2))


def rotated(model, chosen, rotation):
    """Return a copy of a model whose chosen latents are rotated, and rotated back by the decoder."""
    copy, r = deepcopy(model), torch.from_numpy(rotation).float()
    last, first = copy.encoder.posterior, copy.decoder.dense[0]
    with torch.no_grad():
        last.weight[chosen], last.bias[chosen] = r @ last.weight[chosen], r @ last.bias[chosen]
        first.weight[:, chosen] = first.weight[:, chosen] @ r.T
    return copy


def assert_unmixed(model, images):
    """Assert that unmixing changes no reconstruction, and a second time nothing; return the posteriors it leads to."""
    unmixed = latents.unmix(model, images)
    mu, logvar = latents.encode(unmixed, images)
    before = latents.decode(model, latents.encode(model, images)[0])
    np.testing.assert_allclose(latents.decode(unmixed, mu), before, atol=1e-4)
    for once, twice in zip((mu, logvar), latents.encode(latents.unmix(unmixed, images), images), strict=True):
        np.testing.assert_allclose(twice, once, atol=1e-4)
    return mu, logvar


def test_unmixing_undoes_a_rotation_and_changes_no_reconstruction(hands, x):
    """The shipped model ``hands`` has a latent for each factor; after any rotation they are found again."""
    mu, logvar = latents.encode(hands, x)
    used = np.flatnonzero(latents.latent_kl(mu, logvar) >= latents.UNUSED)
    mixed = rotated(hands, used, special_ortho_group.rvs(len(used), random_state=0))
    found, log_variances = (part[:, used] for part in assert_unmixed(mixed, x))
    correlations = np.corrcoef(mu[:, used], found, rowvar=False)[: len(used), len(used) :]
    assert (np.sort(np.abs(correlations), axis=1)[:, -1] > 0.99).all()
    before, precisions = latents.encode(mixed, x)[0][:, used], np.exp(-logvar[:, used])  # it rotates the means only
    r = np.linalg.lstsq(before - before.mean(axis=0), found - found.mean(axis=0))[0].T
    expected = [-np.log(np.diag(r @ np.diag(row) @ r.T)) for row in precisions]
    np.testing.assert_allclose(log_variances.mean(axis=0), np.mean(expected, axis=0), atol=2e-3)


def test_unmixing_goes_on_when_a_latent_collapses(hands, x):
    """Rotated with another latent, a collapsed one becomes active; when they are unmixed, one collapses again."""
    kl = latents.latent_kl(*latents.encode(hands, x))
    chosen = np.array([kl.argmax(), kl.argmin()])
    with torch.no_grad():  # all posteriors get the variance of the prior: latents carry nats by their means alone
        for part in (hands.encoder.posterior.weight, hands.encoder.posterior.bias):
            part[hands.latent_dim :] = 0
    mixed = rotated(hands, chosen, np.array([[1, -1], [1, 1]]) / 2**0.5)
    kl = [latents.latent_kl(*posteriors) for posteriors in (latents.encode(mixed, x), assert_unmixed(mixed, x))]
    assert kl[0][chosen[1]] > latents.UNUSED
    assert [(nats >= latents.UNUSED).sum() for nats in kl] == [7, 6]


def test_codes_that_are_gaussian_are_not_rotated_with_a_warning(hands, x, monkeypatch):
    mu, logvar = latents.encode(hands, x)
    gaussian = np.random.default_rng(1).standard_normal(mu.shape).astype(np.float32)
    monkeypatch.setattr(latents, "encode", lambda model, images: (gaussian, logvar))
    with pytest.warns(ConvergenceWarning, match="unmix: FastICA did not converge"):
        same = latents.unmix(hands, x)
    assert all(torch.equal(a, b) for a, b in zip(same.parameters(), hands.parameters(), strict=True))


def test_one_active_latent_is_not_rotated(model):
    one = deepcopy(model)
    with torch.no_grad():
        one.encoder.posterior.weight[:] = one.encoder.posterior.bias[:] = 0
        one.encoder.posterior.bias[0] = 1  # the mean of the first latent, which then has half a nat
    same = latents.unmix(one, np.zeros((1000, 1, 32, 32)))
    assert all(torch.equal(a, b) for a, b in zip(same.parameters(), one.parameters(), strict=True))


def test_unmixing_needs_images_whose_codes_vary(model):
    two = np.repeat(np.random.default_rng(0).random((2, 1, 32, 32)), 600, axis=0)
    for images in (np.zeros((1000, 1, 32, 32)), two):
        with pytest.raises(ValueError, match="images: need images whose codes vary independently in the"):
            latents.unmix(model, images)
