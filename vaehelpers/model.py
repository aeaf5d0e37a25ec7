"""The convolutional β-VAE of the course: encoder, decoder and the two terms of the ELBO.

The network is that of Burgess et al. (2018), "Understanding disentangling in β-VAE", appendix A.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .arguments import Shape, check_shape, instance, whole

_CONVOLUTIONS = {32: 3, 64: 4}  # each halves the size of the image, down to 4 × 4


class Encoder(nn.Module):
    """From images ``(n, channels, size, size)`` in [0, 1] to a Gaussian posterior over the latents."""

    def __init__(self, size: int = 64, latent_dim: int = 25, channels: int = 1) -> None:
        super().__init__()
        _check(size, latent_dim, channels)
        layers: list[nn.Module] = []
        for i in range(_CONVOLUTIONS[size]):
            layers += [nn.Conv2d(32 if i else channels, 32, 4, 2, 1), nn.ReLU(inplace=True)]
        self.convolutions = nn.Sequential(*layers)  # (n, 32, 4, 4)
        self.dense = nn.Sequential(nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU())
        self.posterior = nn.Linear(256, 2 * latent_dim)
        _initialise(self)
        with torch.no_grad():  # start with small means and less noise, so that the decoder can use every latent
            self.posterior.weight *= 0.3
            self.posterior.bias[latent_dim:] = -2

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``mu`` and ``logvar``, each ``(n, latent_dim)``."""
        h = self.dense(self.convolutions(x).flatten(1))
        mu, logvar = self.posterior(h).chunk(2, dim=1)
        return mu, logvar


class Decoder(nn.Module):
    """From latents ``(n, latent_dim)`` back to images: the encoder mirrored."""

    def __init__(self, size: int = 64, latent_dim: int = 25, channels: int = 1) -> None:
        super().__init__()
        _check(size, latent_dim, channels)
        widths = [latent_dim, 256, 256, 512]
        self.dense = nn.Sequential(*[m for i in range(3) for m in (nn.Linear(widths[i], widths[i + 1]), nn.ReLU())])
        layers: list[nn.Module] = []
        for _ in range(_CONVOLUTIONS[size] - 1):
            layers += [nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU(inplace=True)]
        self.convolutions = nn.Sequential(*layers, nn.ConvTranspose2d(32, channels, 4, 2, 1))
        _initialise(self)

    def start_at(self, brightness: float) -> None:
        """Set the last bias to the logit of the data's mean, which training then need not learn."""
        *_, bias = self.convolutions.parameters()
        nn.init.constant_(bias, float(torch.logit(torch.tensor(brightness), eps=1e-3)))

    def forward(self, z: Tensor) -> Tensor:
        """Return the logits of the pixels, ``(n, channels, size, size)``."""
        h: Tensor = self.convolutions(self.dense(z).unflatten(1, (32, 4, 4)))
        return h


class VAE(nn.Module):
    """An encoder, one sample from its posterior, and a decoder."""

    def __init__(self, size: int = 64, latent_dim: int = 25, channels: int = 1) -> None:
        super().__init__()
        self.size, self.latent_dim, self.channels = _check(size, latent_dim, channels)
        self.encoder = Encoder(size, latent_dim, channels)
        self.decoder = Decoder(size, latent_dim, channels)

    def forward(self, x: Tensor, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``logits`` of the pixels, ``mu`` and ``logvar``; a sample is drawn in evaluation mode too."""
        mu, logvar = self.encoder(x)
        return self.decoder(reparameterise(mu, logvar, generator=generator)), mu, logvar


def reparameterise(mu: Tensor, logvar: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """Sample ``z = mu + sigma · eps``, which is differentiable in mu and sigma (Kingma & Welling 2014, §2.4).

    Raises ``ValueError`` when the shapes differ.
    """
    tensor("mu, logvar", logvar, mu.shape)
    if generator is not None:
        instance("generator", generator, torch.Generator)
    mu, logvar = mu.float(), logvar.float()
    eps = torch.randn(mu.shape, generator=generator, device=mu.device)
    return mu + torch.exp(0.5 * logvar) * eps


def elbo_terms(x: Tensor, logits: Tensor, mu: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log-likelihood ``(n,)`` of each image and the KL ``(n, latent_dim)`` of each latent, in nats.

    The ELBO is ``log_likelihood - kl.sum(1)``: a sum over pixels and latents, so that β = 1 is the bound itself.
    Bernoulli pixels; the Gaussian KL in closed form (Kingma & Welling 2014, appendix B).
    Raises ``ValueError`` when the shapes of ``x`` and ``logits``, or those of ``mu`` and ``logvar``, differ.
    """
    tensor("x, logits", x, logits.shape)
    tensor("x, mu", mu, (len(x), "latent_dim"))
    tensor("mu, logvar", logvar, mu.shape)
    logits, mu, logvar = map(_at_least_single, (logits, mu, logvar))
    log_likelihood = -F.binary_cross_entropy_with_logits(logits, x.to(logits.dtype), reduction="none").flatten(1).sum(1)
    kl = 0.5 * (mu**2 + (logvar.expm1() - logvar))  # never negative; exp(logvar) - 1 would lose digits near 0
    return log_likelihood, kl


def total_correlation(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """Estimate, up to a constant, the total correlation of the latents in nats (a scalar).

    ``z`` is ``(n, latent_dim)``; ``mu`` and ``logvar``, ``(m, latent_dim)``, hold m posteriors, those of ``z`` first;
    their mixture approximates q(z). Minibatch-weighted sampling: Chen et al. (2018), "Isolating sources of
    disentanglement in VAEs", §3.1. Codes that carry more than log m nats bias the estimate, mostly upwards, so m should
    be large. Raises ``ValueError`` when the shapes do not match.
    """
    tensor("mu", mu, ("m", "latent_dim"))
    tensor("mu, logvar", logvar, mu.shape)
    tensor("z, mu", z, ("n", mu.shape[1]))
    z, mu, logvar = map(_at_least_single, (z, mu, logvar))
    log_q = -0.5 * (((z[:, None] - mu) * torch.exp(-logvar / 2)) ** 2 + logvar)  # (sample, posterior, latent)
    joint, marginals = log_q.sum(2).logsumexp(1), log_q.logsumexp(1).sum(1)
    return (joint - marginals).mean()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread inside the block: fastest for a single image, or for several runs in parallel."""
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)


def tensor(name: str, value: Any, shape: Shape) -> None:
    """Raise ``ValueError`` unless a value is a tensor of a shape, where a string matches any length except 0."""
    check_shape(name, tuple(instance(name, value, Tensor).shape), tuple(shape))


def _at_least_single(values: Tensor) -> Tensor:
    """Convert half precision to single, in which long sums keep their digits."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _initialise(network: nn.Module) -> None:
    """Initialise as He et al. (2015), §2.2, which keeps the variance of the signals equal in all layers.

    With torch's default, this variance shrinks, and all latents stay collapsed for the first 300,000 images.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):  # stride 2: each output uses a quarter of the 4 × 4 kernel
                fan_in = layer.weight.shape[0] * 4
            nn.init.normal_(layer.weight, 0, (2 / fan_in) ** 0.5)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def _check(size: int, latent_dim: int, channels: int) -> tuple[int, int, int]:
    if size not in (32, 64):
        raise ValueError(f"size: need 32 or 64 pixels, got {size}")
    if channels not in (1, 3):
        raise ValueError(f"channels: need 1 (grey) or 3 (colour), got {channels}")
    return int(size), whole("latent_dim", latent_dim, 1, 10_000), int(channels)
