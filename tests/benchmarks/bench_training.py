"""Training against a standard PyTorch loop: same network, batch and images."""

import rows
import torch
from torch.utils.data import DataLoader, TensorDataset

from vaehelpers import datasets, training
from vaehelpers.model import VAE, elbo_terms

BATCH, IMAGES = 64, (5 if rows.QUICK else 50) * 64


def ours(images):
    training.train(images, beta=1, pictures=len(images), batch=BATCH, warmup=0, progress=False)


def stock(images):
    """Train in float32 with a DataLoader and Adam."""
    model, loader = VAE(), DataLoader(TensorDataset(torch.from_numpy(images[:])), BATCH, shuffle=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for (x,) in loader:
        log_likelihood, kl = elbo_terms(x, *model(x))
        loss = (kl.sum(1) - log_likelihood).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


if __name__ == "__main__":
    images = datasets.hands(IMAGES, seed=1, progress=False)
    ours(images), stock(images)  # warm up
    pairs = rows.paired(lambda: rows.seconds(ours, images), lambda: rows.seconds(stock, images))
    work = f"training, 64×64, batch {BATCH}, an image"
    rows.store("training", [rows.against(work, "the stock torch loop", pairs, per=IMAGES)])
