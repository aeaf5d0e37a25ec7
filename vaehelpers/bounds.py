"""How far a bound lies below log p(x), and why: tighter bounds, the best q of single pictures, and a sum over a grid.

A decoder is any function from latents ``(n, latent_dim)`` to the logits ``(n, channels, height, width)`` of the pixels.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from .arguments import number, whole
from .model import elbo_terms, reparameterise, same_shape

Decoder = Callable[[Tensor], Tensor]
_ROWS = 4096  # pictures decoded at a time


@torch.no_grad()
def log_weights(
    x: Tensor,
    decoder: Decoder,
    mu: Tensor,
    logvar: Tensor,
    *,
    samples: int = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return log p(x, z) - log q(z | x) ``(samples, n)`` in nats for samples z of q = N(mu, exp(logvar)).

    Their mean over the samples estimates the ELBO of each picture without bias, that of the weights themselves p(x);
    Burda, Grosse & Salakhutdinov (2016), "Importance weighted autoencoders", §3.
    Raises ``ValueError`` when ``samples`` is less than 1 or the shapes do not match.
    """
    whole("samples", samples)
    _check(x, mu, logvar)
    block, parts = max(1, _ROWS // len(x)), []
    for start in range(0, samples, block):
        times = min(block, samples - start)
        m, v = mu.repeat(times, 1), logvar.repeat(times, 1)
        z = reparameterise(m, v, generator=generator)
        fit, _ = elbo_terms(x.repeat(times, 1, 1, 1), decoder(z), m, v)
        price = 0.5 * (z**2 - (z - m) ** 2 * torch.exp(-v) - v).sum(1)  # log q(z | x) - log p(z)
        parts.append((fit - price).view(times, len(x)))
    return torch.cat(parts)


def importance_bound(log_weights: Tensor, k: int) -> Tensor:
    """Return the importance-weighted bound ``(samples // k, n)`` in nats, one from each ``k`` rows of log-weights.

    It is the logarithm of the mean weight of k samples, at k = 1 the ELBO; Burda et al. (2016), §3.
    Raises ``ValueError`` unless 1 <= ``k`` <= samples.
    """
    if log_weights.ndim != 2 or not len(log_weights):
        raise ValueError(f"log_weights: need (samples, n), got {tuple(log_weights.shape)}")
    whole("k", k, 1, len(log_weights))
    groups = log_weights[: len(log_weights) // k * k].unflatten(0, (-1, k))
    return groups.logsumexp(1) - math.log(k)


def refine(
    x: Tensor, decoder: Decoder, mu: Tensor, logvar: Tensor, *, steps: int = 100, samples: int = 16,
    learning_rate: float = 0.05, generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Raise the ELBO of each picture over its own q, from ``mu`` and ``logvar`` ``(n, latent_dim)``; return both.

    Adam with a step that falls to nothing; the decoder stays as it is. What is gained is the amortisation gap: Cremer,
    Li & Duvenaud (2018), "Inference suboptimality in variational autoencoders". Raises ``ValueError`` when
    ``steps`` or ``samples`` is less than 1 or the shapes do not match.
    """
    whole("steps", steps), whole("samples", samples), number("learning_rate", learning_rate, above=0)
    _check(x, mu, logvar)
    belief = [part.detach().clone().requires_grad_() for part in (mu, logvar)]
    optimiser, seen = torch.optim.Adam(belief), x.repeat(samples, 1, 1, 1)
    for step in range(steps):
        m, v = (part.repeat(samples, 1) for part in belief)
        fit, price = elbo_terms(seen, decoder(reparameterise(m, v, generator=generator)), m, v)
        loss = (price.sum(1) - fit).sum() / samples
        for part, gradient in zip(belief, torch.autograd.grad(loss, belief), strict=True):
            part.grad = gradient
        optimiser.param_groups[0]["lr"] = learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimiser.step()
    return belief[0].detach(), belief[1].detach()


@torch.no_grad()
def grid_log_evidence(x: Tensor, decoder: Decoder, *, reach: float = 4.5, side: int = 181) -> Tensor:
    """Return log p(x) ``(n,)`` in nats of a model with two latents: a sum over a grid of z from -reach to reach.

    Exact as long as the cells are not wider than the narrowest posterior. Raises ``ValueError`` for a ``side`` below 2.
    """
    axis = torch.linspace(-number("reach", reach, above=0), reach, whole("side", side, 2))
    z = torch.cartesian_prod(axis, axis)
    log_prior = -0.5 * (z**2).sum(1) - math.log(2 * math.pi) + 2 * (axis[1] - axis[0]).log()
    rows = []
    for block in z.split(_ROWS):
        logits = decoder(block).flatten(1)
        rows.append(logits @ x.flatten(1).T - F.softplus(logits).sum(1, keepdim=True))
    return (torch.cat(rows) + log_prior[:, None]).logsumexp(0)


def _check(x: Tensor, mu: Tensor, logvar: Tensor) -> None:
    same_shape(mu=mu, logvar=logvar)
    if x.ndim != 4 or mu.ndim != 2 or len(mu) != len(x) or not len(x):
        got = f"{tuple(x.shape)} and {tuple(mu.shape)}"
        raise ValueError(f"x and mu: need (n, channels, height, width) and (n, latent_dim), got {got}")
