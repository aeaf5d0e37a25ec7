"""Ratios against a peer in the same run: training against the stock eager loop, and drawing in pictures a second."""

import statistics
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from vaehelpers import datasets, hands, sprites, training
from vaehelpers.model import VAE, elbo_terms

BATCH, STEPS, ROUNDS = 64, 100, 5


def stock(pictures: torch.Tensor) -> float:
    """The loop that everybody writes: default float32, a DataLoader, Adam. Pictures a second."""
    model = VAE()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(pictures), batch_size=BATCH, shuffle=True)
    began = time.perf_counter()
    for (x,) in loader:
        logits, mu, logvar = model(x)
        log_likelihood, kl = elbo_terms(x, logits, mu, logvar)
        loss = (4 * kl.sum(1) - log_likelihood).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return len(pictures) / (time.perf_counter() - began)


def ours(images: datasets.Images) -> float:
    began = time.perf_counter()
    training.train(images, beta=4, pictures=len(images), batch=BATCH, progress=False)
    return len(images) / (time.perf_counter() - began)


def main() -> None:
    torch.set_num_threads(1)
    images = datasets.hands(BATCH * STEPS, seed=1, progress=False)
    pictures = torch.from_numpy(images[:])
    ours(images), stock(pictures)
    pairs = [(ours(images), stock(pictures)) for _ in range(ROUNDS)]
    ratios = sorted(a / b for a, b in pairs)
    print(f"training, one thread, batch {BATCH}, {ROUNDS} pairs (pictures/s, medians):")
    print(f"  ours {statistics.median(a for a, _ in pairs):.0f}, stock {statistics.median(b for _, b in pairs):.0f}")
    print(f"  ratio ours/stock {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")
    factors = hands.sample_factors(1000, rng=np.random.default_rng(0))
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        hands.render(factors)
        rates.append(len(factors) / (time.perf_counter() - began))
    print(f"drawing hands at 64x64: {statistics.median(rates):.0f} pictures/s")
    began = time.perf_counter()
    sprites.render(sprites.sample_factors(20_000, rng=np.random.default_rng(0)))
    print(f"drawing sprites at 64x64: {20_000 / (time.perf_counter() - began):.0f} pictures/s")


if __name__ == "__main__":
    main()
