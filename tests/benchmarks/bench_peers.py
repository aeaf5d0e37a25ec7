"""Training against pythae's trainer and disvae's step: same net, batch, pictures and objective, one thread, one run.

pythae is installed for this benchmark alone (`make bench`). disvae is in no package index: name a clone of
YannDubs/disentangling-vae in DISVAE to measure it too.
"""

import contextlib
import io
import logging
import math
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from types import SimpleNamespace
from unittest import mock

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from vaehelpers import datasets, training
from vaehelpers.model import VAE, Decoder, Encoder, elbo_terms, reparameterise

BATCH, SHORT, LONG, ROUNDS, LATENTS = 64, 100 * 64, 400 * 64, 5, 25


def elbo(encode, decode, pictures: torch.Tensor) -> float:
    """Measure every model in the same way: one sample for each held-out picture, nats."""
    with torch.inference_mode():
        mu, logvar = encode(pictures)
        logits = decode(reparameterise(mu, logvar, generator=torch.Generator().manual_seed(0)))
        log_likelihood, kl = elbo_terms(pictures, logits, mu, logvar)
    return float((log_likelihood - kl.sum(1)).mean())


def ours(images: datasets.Images, test: torch.Tensor) -> tuple[float, float]:
    began = time.perf_counter()
    held = SimpleNamespace(**vars(math) | {"cos": lambda _: 1.0})  # the peers hold their learning rate: so do we here
    with mock.patch.object(training, "math", held):
        model, _ = training.train(images, beta=1, pictures=len(images), batch=BATCH, warmup=0, progress=False)
    return len(images) / (time.perf_counter() - began), elbo(model.encoder, model.decoder, test)


def pythae(images: datasets.Images, test: torch.Tensor) -> tuple[float, float]:
    from pythae.models import BetaVAE, BetaVAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig

    class TheirEncoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.net = Encoder(64, LATENTS)

        def forward(self, x):
            mu, logvar = self.net(x)
            return ModelOutput(embedding=mu, log_covariance=logvar)

    class TheirDecoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.net = Decoder(64, LATENTS)
            self.net.start_at(float(images[:].mean()))

        def forward(self, z):
            return ModelOutput(reconstruction=torch.sigmoid(self.net(z)))

    config = BetaVAEConfig(input_dim=(1, 64, 64), latent_dim=LATENTS, beta=1.0, reconstruction_loss="bce")
    torch.manual_seed(0)
    model = BetaVAE(config, TheirEncoder(), TheirDecoder())
    with tempfile.TemporaryDirectory() as folder:
        recipe = BaseTrainerConfig(
            folder, num_epochs=1, per_device_train_batch_size=BATCH, learning_rate=1e-3, no_cuda=True
        )
        pipeline = TrainingPipeline(model=model, training_config=recipe)
        pictures = images[:]
        began = time.perf_counter()
        with contextlib.redirect_stderr(io.StringIO()):  # its bar has no switch
            pipeline(pictures)
        rate = len(images) / (time.perf_counter() - began)
    model.eval()
    return rate, elbo(model.encoder.net, model.decoder.net, test)


def disvae(images: datasets.Images, test: torch.Tensor) -> tuple[float, float]:
    sys.path.insert(0, os.environ["DISVAE"])
    np.product = np.prod  # gone since NumPy 2
    from disvae.models.losses import BetaHLoss
    from disvae.models.vae import init_specific_model
    from disvae.training import Trainer

    torch.manual_seed(0)
    model = init_specific_model("Burgess", (1, 64, 64), LATENTS)
    loader = DataLoader(TensorDataset(torch.from_numpy(images[:]), torch.zeros(len(images))), BATCH, shuffle=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(model, optimiser, BetaHLoss(beta=1), save_dir=folder, is_progress_bar=False)
        began = time.perf_counter()
        trainer._train_epoch(loader, defaultdict(list), 0)
        rate = len(images) / (time.perf_counter() - began)
    return rate, elbo(model.encoder, lambda z: torch.logit(model.decoder(z), eps=1e-6), test)


def main() -> None:
    warnings.simplefilter("ignore")  # those of the peers
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    images, test = (datasets.hands(n, seed=s, progress=False) for n, s in ((LONG, 1), (2000, 2)))
    short = datasets.Images(images.pictures[:SHORT], images.factors[:SHORT], images.names)
    held_out = torch.from_numpy(test[:])
    peers = [pythae, *([disvae] if "DISVAE" in os.environ else [])]
    size = sum(p.numel() for p in VAE(64, LATENTS).parameters())
    print(f"training a net of {size:,} weights at 64x64, batch {BATCH}, one thread, torch {torch.__version__}:")
    for run in (ours, *peers):
        run(short, held_out)
    for peer in peers:
        pairs = [(ours(short, held_out)[0], peer(short, held_out)[0]) for _ in range(ROUNDS)]
        ratios = sorted(a / b for a, b in pairs)
        a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"  ours {a:.0f}, {peer.__name__} {b:.0f} pictures/s; ratio {statistics.median(ratios):.2f}", end=" ")
        print(f"(from {ratios[0]:.2f} to {ratios[-1]:.2f}, {ROUNDS} pairs)")
    for run in (ours, *peers):
        print(f"  ELBO on 2,000 held-out hands after {LONG:,} pictures, {run.__name__}: {run(images, held_out)[1]:.1f}")


if __name__ == "__main__":
    main()
