"""Lesson 07: the β of a loss, against the gradients of that very loss computed with torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from vaehelpers.lessons.lesson07 import effective_beta, peers_table, read_peers

PEERS = read_peers()


def beta_of(peer, variance):
    numbers = (peer[name] for name in ("error", "scale", "weight", "error_over", "kl_over"))
    return effective_beta(*numbers, variance)


def loss_of(peer, x, recon, mu, logvar):
    """The loss written with torch's own reductions, not with the numbers of the table."""
    mean = peer["error_over"] > 1
    function = F.binary_cross_entropy if peer["error"] == "bernoulli" else F.mse_loss
    error = function(recon, x, reduction="mean") if mean else function(recon, x, reduction="sum") / len(x)
    kl = 0.5 * (mu**2 + logvar.exp() - logvar - 1)
    return peer["scale"] * error + peer["weight"] * (kl.mean() if peer["kl_over"] > 1 else kl.sum(1).mean())


@pytest.mark.parametrize("variance", [1.0, 0.04])
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: f"{peer['repository']} {peer['setting']}")
def test_a_peers_loss_has_the_gradient_of_ours_at_its_beta(peer, variance):
    torch.manual_seed(0)
    shape = (3, int(peer["error_over"]) if peer["error_over"] > 1 else 50)
    x, recon = torch.rand(shape, dtype=float), torch.rand(shape, dtype=float).clamp(0.05, 0.95).requires_grad_()
    mu, logvar = (
        torch.randn(3, int(peer["kl_over"]) if peer["kl_over"] > 1 else 7, dtype=float, requires_grad=True)
        for _ in range(2)
    )
    if peer["error"] == "bernoulli":
        ours = -torch.distributions.Bernoulli(probs=recon, validate_args=False).log_prob(x).sum(1).mean()
    else:
        ours = -torch.distributions.Normal(recon, variance**0.5).log_prob(x).sum(1).mean()
    q, p = torch.distributions.Normal(mu, (logvar / 2).exp()), torch.distributions.Normal(0, 1)
    ours = ours + beta_of(peer, variance) * torch.distributions.kl_divergence(q, p).sum(1).mean()
    wanted = torch.autograd.grad(ours, (recon, mu, logvar))
    found = torch.autograd.grad(loss_of(peer, x, recon, mu, logvar), (recon, mu, logvar))
    factor = wanted[1].flatten()[0] / found[1].flatten()[0]
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, factor * other, rtol=1e-9, atol=1e-12)


positive = st.floats(1e-3, 1e3)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(["bernoulli", "squared"]), positive, positive, positive, positive, positive)
def test_only_the_ratio_counts(error, scale, weight, error_over, kl_over, variance):
    beta = effective_beta(error, scale, weight, error_over, kl_over, variance)
    np.testing.assert_allclose(effective_beta(error, 3 * scale, 3 * weight, error_over, kl_over, variance), beta)
    np.testing.assert_allclose(effective_beta(error, scale, weight, 5 * error_over, 5 * kl_over, variance), beta)
    np.testing.assert_allclose(effective_beta(error, scale, 2 * weight, error_over, kl_over, variance), 2 * beta)
    quarter = effective_beta(error, scale, weight, error_over, kl_over, 4 * variance)
    np.testing.assert_allclose(quarter, beta / (4 if error == "squared" else 1))


def test_the_loss_of_this_course_is_the_elbo():
    assert effective_beta("bernoulli", 1, 1, 1, 1) == 1
    assert effective_beta("squared", 1, 1, 1, 1, variance=0.5) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("laplace", 1, 1, 1, 1), "error: need one of bernoulli, squared, got 'laplace'"),
        (("squared", 0, 1, 1, 1), "scale: need a number above 0, got 0"),
        (("squared", 1, -1, 1, 1), "weight: need a number above 0, got -1"),
        (("squared", 1, 1, 0, 1), "error_over"),
        (("squared", 1, 1, 1, 0), "kl_over"),
        (("squared", 1, 1, 1, 1, 0), "variance"),
        (("squared", 1, 1, 1, 1, float("nan")), "variance: need a number above 0, got nan"),
    ],
)
def test_what_is_no_loss_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        effective_beta(*arguments)


def test_the_table_has_a_row_with_its_source_and_beta_for_each_peer():
    _, ruler, *rows = peers_table().splitlines()
    assert ruler == "|---|---|---|---|---:|---:|" and peers_table() == peers_table(variance=0.01)
    assert len(rows) == len(PEERS) >= 6
    for row, peer in zip(rows, PEERS, strict=True):
        assert "/{repository}/blob/{commit}/{file})".format(**peer) in row
        kl, error, at_1, last = (cell.strip() for cell in row.split("|")[3:-1])
        assert (" / " in kl, " / " in error) == (peer["kl_over"] > 1, peer["error_over"] > 1)
        assert error.endswith(f", {peer['error']}") and float(at_1) == pytest.approx(beta_of(peer, 1), 1e-3)
        assert (
            last == "the same"
            if peer["error"] == "bernoulli"
            else float(last) == pytest.approx(beta_of(peer, 0.01), 1e-3)
        )
