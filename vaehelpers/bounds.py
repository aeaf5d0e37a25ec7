"""Tightness of the ELBO: importance-weighted bounds, the best q for each image, and log p(x) by a sum over a grid.

A decoder is any function from latents ``(n, latent_dim)`` to the logits ``(n, channels, height, width)`` of the pixels.
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from .arguments import number, whole
from .model import elbo_terms, reparameterise, tensor

Decoder = Callable[[Tensor], Tensor]
_ROWS = 4096  # images decoded at a time


@torch.no_grad()
def log_weights(
    x: Tensor, decoder: Decoder, mu: Tensor, logvar: Tensor, *, samples: int = 1, generator: Generator | None = None
) -> Tensor:
    """Return log p(x, z) − log q(z | x) ``(samples, n)`` in nats for samples z of q = N(mu, exp(logvar)).

    Their mean over the samples is an unbiased estimate of each image's ELBO; the mean of their exponentials, of p(x).
    Burda, Grosse & Salakhutdinov (2016), "Importance weighted autoencoders", §3.
    Raises ``ValueError`` when ``samples`` is less than 1 or the shapes do not match.
    """
    samples = whole("samples", samples)
    _check(x, mu, logvar)
    block, parts = max(1, _ROWS // len(x)), []
    for start in range(0, samples, block):
        times = min(block, samples - start)
        m, v = mu.repeat(times, 1), logvar.repeat(times, 1)
        eps = torch.randn(m.shape, generator=generator, device=m.device)
        z = m + torch.exp(0.5 * v) * eps
        log_likelihood, _ = elbo_terms(x.repeat(times, 1, 1, 1), decoder(z), m, v)
        log_ratio = 0.5 * (z**2 - eps**2 - v).sum(1)  # log q(z | x) − log p(z); computing z − m would lose digits
        parts.append((log_likelihood - log_ratio).view(times, len(x)))
    return torch.cat(parts)


def importance_bound(log_weights: Tensor, k: int) -> Tensor:
    """Return the importance-weighted bound ``(samples // k, n)`` in nats, one for each ``k`` rows of log-weights.

    Each is the logarithm of the mean weight of k samples (Burda et al. 2016, §3); for k = 1 their mean estimates the
    ELBO.
    Raises ``ValueError`` unless 1 <= ``k`` <= samples.
    """
    tensor("log_weights", log_weights, ("samples", "n"))
    k = whole("k", k, 1, len(log_weights))
    groups = log_weights[: len(log_weights) // k * k].unflatten(0, (-1, k))
    return groups.logsumexp(1) - math.log(k)


def refine(
    x: Tensor, decoder: Decoder, mu: Tensor, logvar: Tensor, *, steps: int = 100, samples: int = 16,
    learning_rate: float = 0.05, generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Maximise each image's ELBO over its own q, starting at ``mu`` and ``logvar`` ``(n, latent_dim)``; return both.

    Adam with a learning rate that falls to zero; the decoder is left unchanged. The gain is the amortisation gap:
    Cremer, Li & Duvenaud (2018), "Inference suboptimality in variational autoencoders". Raises ``ValueError`` when
    ``steps`` or ``samples`` is less than 1 or the shapes do not match.
    """
    steps, samples = whole("steps", steps), whole("samples", samples)
    learning_rate = number("learning_rate", learning_rate, above=0)
    _check(x, mu, logvar)
    q = [part.detach().clone().requires_grad_() for part in (mu, logvar)]
    optimiser = torch.optim.Adam(q, learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    repeated = x.repeat(samples, 1, 1, 1)
    for _ in range(steps):
        m, v = (part.repeat(samples, 1) for part in q)
        log_likelihood, kl = elbo_terms(repeated, decoder(reparameterise(m, v, generator=generator)), m, v)
        optimiser.zero_grad()
        ((kl.sum(1) - log_likelihood).sum() / samples).backward(inputs=q)
        optimiser.step()
        schedule.step()
    return q[0].detach(), q[1].detach()


@torch.no_grad()
def grid_log_evidence(x: Tensor, decoder: Decoder, *, reach: float = 4.5, side: int = 181) -> Tensor:
    """Return log p(x) ``(n,)`` in nats of a model with two latents: a sum over a grid of z from −reach to reach.

    Accurate if all posteriors lie within reach and the cells are no wider than the narrowest one. Raises ``ValueError``
    for a ``side`` below 2 and when the logits do not have the shape of ``x``.
    """
    tensor("x", x, ("n", "channels", "height", "width"))
    reach = number("reach", reach, above=0)
    axis = torch.linspace(-reach, reach, whole("side", side, 2))
    z = torch.cartesian_prod(axis, axis)
    log_prior = -0.5 * (z**2).sum(1) - math.log(2 * math.pi) + 2 * (axis[1] - axis[0]).log()
    rows = []
    for block in z.split(_ROWS):
        logits = decoder(block)
        tensor("x, decoder", logits, (len(block), *x.shape[1:]))
        logits = logits.flatten(1)
        rows.append(logits @ x.flatten(1).T - F.softplus(logits).sum(1, keepdim=True))
    return (torch.cat(rows) + log_prior[:, None]).logsumexp(0)


def _check(x: Tensor, mu: Tensor, logvar: Tensor) -> None:
    tensor("x", x, ("n", "channels", "height", "width"))
    tensor("x, mu", mu, (len(x), "latent_dim"))
    tensor("mu, logvar", logvar, mu.shape)
