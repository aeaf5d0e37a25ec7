"""The ELBO's terms against torch.distributions, Monte Carlo and gradients."""

import math

import numpy as np
import pytest
import torch
from equations import covers
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from vaehelpers.model import VAE, elbo_terms, reparameterise, total_correlation


@covers("06 cell-008-2 0 5c3a88; 06 cell-022 0 95d229", "Kingma & Welling (2014), appendices B and C.1")
def test_the_terms_agree_with_torch_distributions():
    """Against torch's Bernoulli distribution, extended to grey pixels; the KL against torch's."""
    generator = torch.Generator().manual_seed(0)
    x, logits = torch.rand(5, 1, 32, 32, generator=generator), torch.randn(5, 1, 32, 32, generator=generator)
    mu, logvar = torch.randn(2, 5, 7, generator=generator)
    log_likelihood, kl = elbo_terms(x, logits, mu, logvar)
    pixels = Independent(Bernoulli(logits=logits, validate_args=False), 3)
    torch.testing.assert_close(log_likelihood, pixels.log_prob(x))
    torch.testing.assert_close(kl, kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kl_keeps_its_digits_and_is_never_negative(dtype):
    """Near the prior, where exp(v) - v - 1 would be rounding only, and far away, where it is still finite."""
    v = torch.cat([sign * torch.logspace(-30, 1.9, 2000, dtype=dtype) for sign in (-1, 1)])
    mu = torch.tensor([0.0, 1e-20, 1e-5, 3.0, 1e18], dtype=dtype).repeat(800)
    for logvar in (v, v[torch.randperm(len(v), generator=torch.Generator().manual_seed(0))]):
        kl = elbo_terms(torch.zeros(1, 1), torch.zeros(1, 1), mu[None], logvar[None])[1][0]
        assert kl.dtype == dtype and (kl >= 0).all() and kl.isfinite().all()
        pairs = zip(mu.tolist(), logvar.tolist(), strict=True)
        exact = torch.tensor([math.fsum((0.5 * m * m, 0.5 * rest(v))) for m, v in pairs], dtype=torch.float64)
        error = 4 * torch.finfo(dtype).eps * (exact + logvar.abs())  # expm1(v) - v has no digit beyond those of v
        assert ((kl.double() - exact).abs() <= error).all()


def rest(v):
    """Return exp(v) - 1 - v, by its series near 0."""
    return v * v / 2 * (1 + v / 3 * (1 + v / 4 * (1 + v / 5 * (1 + v / 6)))) if abs(v) < 1e-3 else math.expm1(v) - v


def test_half_precision_is_summed_in_single_and_double_stays_double():
    x, zeros = torch.full((1, 1, 64, 64), 0.3), torch.zeros(1, 1, 64, 64)
    for dtype, kept in ((torch.bfloat16, torch.float32), (torch.float64, torch.float64)):
        terms = elbo_terms(x, zeros.to(dtype), *torch.zeros(2, 1, 3, dtype=dtype))
        assert {term.dtype for term in terms} == {kept}
        assert terms[0].item() == pytest.approx(-4096 * math.log(2), rel=1e-6)


def test_the_gradient_through_a_sample_is_that_of_the_closed_form():
    mu, logvar = torch.tensor([0.5], requires_grad=True), torch.tensor([0.2], requires_grad=True)
    z = reparameterise(mu.expand(400_000), logvar.expand(400_000), generator=torch.Generator().manual_seed(2))
    (z**2).mean().backward()  # E z² = mu² + sigma²
    assert mu.grad.item() == pytest.approx(2 * 0.5, abs=0.02)
    assert logvar.grad.item() == pytest.approx(np.exp(0.2), abs=0.02)


def test_the_total_correlation_agrees_with_the_closed_form():
    """Means from a correlated Gaussian and little noise: the TC of a Gaussian is -log(1 - rho²) / 2."""
    generator, estimates = torch.Generator().manual_seed(0), []
    logvar = torch.full((2000, 2), -4.0)
    for rho in (0.0, 0.9):
        first, second = torch.randn(2, 2000, generator=generator)
        mu = torch.stack([first, rho * first + (1 - rho**2) ** 0.5 * second], 1) * (1 - np.exp(-4)) ** 0.5
        estimates.append(total_correlation(reparameterise(mu, logvar, generator=generator), mu, logvar))
    rho = 0.9 * (1 - np.exp(-4))
    assert (estimates[1] - estimates[0]).item() == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.15)
    assert total_correlation(mu, mu, torch.full_like(mu, -100.0)).isfinite()


@pytest.mark.parametrize(("size", "latent_dim", "channels"), [(32, 2, 1), (64, 25, 1), (32, 4, 3)])
def test_shapes_and_a_sample_in_evaluation_mode(size, latent_dim, channels):
    model = VAE(size, latent_dim, channels).eval()
    x = torch.rand(3, channels, size, size)
    logits, mu, logvar = model(x, generator=torch.Generator().manual_seed(0))
    assert logits.shape == x.shape and mu.shape == logvar.shape == (3, latent_dim)
    assert not torch.equal(logits, model(x, generator=torch.Generator().manual_seed(1))[0])
    torch.testing.assert_close(logits, model(x, generator=torch.Generator().manual_seed(0))[0])


def test_signals_keep_their_size_through_the_network():
    model = VAE()
    z = torch.randn(200, 25, generator=torch.Generator().manual_seed(0))
    assert 0.1 < model.decoder(z).std() < 3
