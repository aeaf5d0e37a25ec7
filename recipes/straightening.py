"""Nonlinear ICA of a model's codes by quadratic maps, without labels: how ``hands-pose`` finds its factors."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import logsigmoid

from vaehelpers.latents import independent_components
from vaehelpers.model import one_thread

Floats = NDArray[np.float32]


def straighten(codes: Floats, *, rounds: Sequence[int] = (8, 3, 3), seed: int = 0) -> Floats:
    """Return codes ``(n, k)``, mapped so that they look independent and evenly spread.

    A quadratic map s = f(z) maximises the likelihood of independent variables that are uniform up to logistic noise:
    the mean of log p(s) + log abs det df/dz (Pham & Garat 1997, "Blind separation of mixture of independent sources
    through a quasi-maximum likelihood approach"; Dinh et al. 2015, "NICE", eq. 1). FastICA rotates its results before
    each fit, which frees them from poor optima; the first of ``rounds`` is the number of fits. Then a second map is
    added, both are fitted together, and so on. Some map makes any codes independent (Hyvärinen & Pajunen 1999,
    "Nonlinear independent component analysis", §3): simple maps that begin as the identity are the inductive bias.
    Each new code has mean 0 and variance 1 before it is clipped at ±2.2. The same seed gives the same codes.
    """
    z = codes.astype(float)
    x, maps = torch.from_numpy((z - z.mean(axis=0)) / z.std(axis=0)).float(), list[_Quadratic]()
    draws = torch.Generator().manual_seed(seed)
    with one_thread(), torch.no_grad():
        for fits in rounds:
            maps.append(_Quadratic(z.shape[1]))
            for _ in range(fits):
                maps[-1].rotate(_mapped(maps, x)[0])
                _fit(maps, x, draws)
        s = _mapped(maps, x)[0]
    return np.asarray(((s - s.mean(0)) / s.std(0)).clamp(-2.2, 2.2).numpy())


class _Quadratic(torch.nn.Module):
    """A quadratic map of vectors, at first the identity."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.linear, self.shift = torch.nn.Parameter(torch.eye(k)), torch.nn.Parameter(torch.zeros(k))
        self.curve = torch.nn.Parameter(torch.zeros(k, k, k))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return s ``(n, k)`` and the logarithm of the determinant of ds/dx, ``(n,)``."""
        curve = 0.2 * (self.curve + self.curve.transpose(1, 2))  # a scale at which Adam's steps suit all weights
        jacobian = self.linear + torch.einsum("ijk,nk->nij", curve, x)
        s = self.shift + torch.einsum("nij,nj->ni", (self.linear + jacobian) / 2, x)
        return s, torch.linalg.slogdet(jacobian).logabsdet

    def rotate(self, s: Tensor) -> None:
        """Rotate the results, which so far were ``s``, to independent components."""
        w = torch.from_numpy(independent_components(s.numpy().astype(float), fun="cube")).float()
        self.linear.copy_(w @ self.linear)
        self.shift.copy_(w @ (self.shift - s.mean(0)))
        self.curve.copy_(torch.einsum("ij,jkl->ikl", w, self.curve))


def _mapped(maps: list[_Quadratic], x: Tensor) -> tuple[Tensor, Tensor]:
    """Apply maps one after the other; also return the sum of their log-determinants ``(n,)``."""
    total = torch.zeros(len(x))
    for each in maps:
        x, log_det = each(x)
        total = total + log_det
    return x, total


@torch.enable_grad()
def _fit(maps: list[_Quadratic], x: Tensor, draws: torch.Generator, *, steps: int = 250) -> None:
    """Maximise the likelihood of independent variables, uniform from -1.7 to 1.7 with logistic noise of scale 0.2."""
    weights = [weight for each in maps for weight in each.parameters()]
    optimiser = torch.optim.Adam(weights)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=steps)
    for _ in range(steps):
        s, log_det = _mapped(maps, x[torch.randint(len(x), (512,), generator=draws)])
        log_p = (logsigmoid((1.7 + s) / 0.2) + logsigmoid((1.7 - s) / 0.2)).sum(1)
        ridge = torch.stack([each.curve.square().sum() for each in maps]).sum()
        optimiser.zero_grad()
        (1e-3 * ridge - (log_p + log_det).mean()).backward()
        torch.nn.utils.clip_grad_norm_(weights, 2.0)
        optimiser.step()
        schedule.step()
