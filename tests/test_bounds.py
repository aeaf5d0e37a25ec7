"""Bounds against quadrature, with decoders of one or two latents, for which log p(x) can be integrated."""

import numpy as np
import pytest
import torch
from equations import covers
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import log_expit, logsumexp
from scipy.stats import norm

from vaehelpers.bounds import grid_log_evidence, importance_bound, log_weights, refine

X = torch.tensor([[1.0, 0.0, 0.7, 1.0], [0.0, 0.2, 1.0, 0.0], [1.0, 1.0, 0.0, 0.4]]).view(3, 1, 2, 2)
SLOPES, SHIFTS = np.array([3.0, -2.0, 1.5, 0.5]), np.array([0.2, -0.4, 0.0, 0.3])


def line(z):
    """Logits that are linear in the first latent."""
    logits = z[:, :1] * torch.tensor(SLOPES, dtype=torch.float32) + torch.tensor(SHIFTS, dtype=torch.float32)
    return logits.view(-1, 1, 2, 2)


def log_likelihood(row, z, pixels=slice(4)):
    x, logits = X[row].flatten().numpy().astype(float), SLOPES * z + SHIFTS
    return np.sum((x * log_expit(logits) + (1 - x) * log_expit(-logits))[pixels])


def evidence(row, pixels=slice(4)):
    return np.log(quad(lambda z: np.exp(log_likelihood(row, z, pixels)) * norm.pdf(z), -9, 9, epsabs=1e-12)[0])


def exact_elbo(row, mu, sd):
    reconstruction = quad(lambda z: norm.pdf(z, mu, sd) * log_likelihood(row, z), mu - 9 * sd, mu + 9 * sd)[0]
    return reconstruction - 0.5 * (mu**2 + sd**2 - np.log(sd**2) - 1)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


MU, LOGVAR = torch.tensor([[0.5], [-0.3], [0.1]]), torch.tensor([[-1.0], [0.2], [-0.5]])


def test_a_narrow_q_loses_no_digits(generator):
    """If sigma is below the spacing of floats around mu, z - mu has no correct digit of the noise."""
    mu, logvar = torch.full((3, 1), 5.0), torch.full((3, 1), -40.0)
    weights = log_weights(X, line, mu, logvar, samples=4000, generator=generator)
    exact = [log_likelihood(i, 5.0) - 0.5 * (25 + 40 - 1) for i in range(3)]
    assert ((weights.mean(0) - torch.tensor(exact)).abs() < 4 * weights.std(0) / 4000**0.5).all()
    assert weights.std(0) == pytest.approx(torch.full((3,), 0.5**0.5), abs=0.05)


@covers("06 cell-059 0 6dfabb; 06 cell-059-4 0 83744f", "Burda et al. (2016), §3 and theorem 1")
def test_bounds_rise_with_k_towards_the_evidence(generator):
    """More samples give more; twenty thousand, and so the mean weight, the evidence by quadrature."""
    weights = log_weights(X, line, MU, LOGVAR, samples=20_000, generator=generator)
    bounds = [importance_bound(weights, k) for k in (1, 10, 100, 20_000)]
    assert [len(b) for b in bounds] == [20_000, 2000, 200, 1]
    means = torch.stack([b.mean(0) for b in bounds])
    assert (means.diff(dim=0) >= 0).all()  # on the same weights Jensen's inequality holds exactly
    np.testing.assert_allclose(means[-1], [evidence(i) for i in range(3)], atol=0.02)


def test_a_bound_is_the_log_of_a_mean_weight():
    weights = torch.tensor([[-803.0, 1.0], [-801.0, 2.0], [-802.0, 5.0], [-804.0, 0.0], [7.0, 7.0]])
    expected = logsumexp(weights[:4].reshape(2, 2, 2).numpy(), axis=1) - np.log(2)
    np.testing.assert_allclose(importance_bound(weights, 2), expected, rtol=1e-6)  # the fifth row is left over
    assert torch.equal(importance_bound(weights, 1), weights)
    assert importance_bound(weights, 5).shape == (1, 2)


def test_refining_finds_the_best_gaussian_and_does_not_change_the_decoder(generator):
    decoder = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Unflatten(1, (1, 2, 2)))
    decoder[0].weight.data, decoder[0].bias.data = torch.tensor(SLOPES[:, None]).float(), torch.tensor(SHIFTS).float()
    before = (MU.clone(), LOGVAR.clone())
    mu, logvar = refine(X, decoder, MU, LOGVAR, steps=300, samples=64, generator=generator)
    assert torch.equal(MU, before[0]) and torch.equal(LOGVAR, before[1])
    assert not mu.requires_grad and decoder[0].weight.grad is None
    for i in range(3):
        best = minimize(lambda p, i=i: -exact_elbo(i, p[0], np.exp(p[1])), [0.0, -0.5]).fun
        assert exact_elbo(i, mu[i].item(), np.exp(logvar[i].item() / 2)) == pytest.approx(-best, abs=2e-3)


def test_refining_takes_the_given_steps_and_samples():
    seen = []
    decoder = lambda z: seen.append(len(z)) or line(z)  # noqa: E731
    runs = [refine(X, decoder, MU, LOGVAR, steps=50, generator=torch.Generator().manual_seed(3)) for _ in range(2)]
    assert seen == [16 * 3] * 100 and torch.equal(runs[0][0], runs[1][0])
    mu, logvar = refine(X, line, MU, LOGVAR, steps=1, samples=1, learning_rate=0.02)
    torch.testing.assert_close((mu - MU).abs(), torch.full((3, 1), 0.02))  # the length of Adam's first step
    assert (logvar != LOGVAR).all()


def test_the_grid_gives_the_evidence():
    """The first latent moves the upper pixels, and the second one the lower: p(x) is a product of two integrals."""

    def two(z):
        return torch.cat([line(z)[:, :, :1], line(z[:, 1:])[:, :, 1:]], dim=2)

    expected = [evidence(i, slice(2)) + evidence(i, slice(2, 4)) for i in range(3)]
    np.testing.assert_allclose(grid_log_evidence(X, two, reach=7, side=181), expected, atol=1e-4)
