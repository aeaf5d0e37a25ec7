"""Training against a standard PyTorch loop and the trainers of pythae and disvae: same network, batch and images.

pythae is installed for this benchmark alone (``make bench``). disvae is in no package index: name a clone of
YannDubs/disentangling-vae in DISVAE to measure it too.
"""

import contextlib
import io
import logging
import os
import sys
import tempfile
import warnings
from collections import defaultdict

import numpy as np
import rows
import torch
from torch.utils.data import DataLoader, TensorDataset

from vaehelpers import datasets, training
from vaehelpers.model import VAE, Decoder, Encoder, elbo_terms

BATCH, LATENTS, IMAGES = 64, 25, (5 if rows.QUICK else 50) * 64


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


def pythae(images):
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

        def forward(self, z):
            return ModelOutput(reconstruction=torch.sigmoid(self.net(z)))

    config = BetaVAEConfig(input_dim=(1, 64, 64), latent_dim=LATENTS, beta=1.0, reconstruction_loss="bce")
    model = BetaVAE(config, TheirEncoder(), TheirDecoder())
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):  # hides its progress bar
        recipe = {"num_epochs": 1, "per_device_train_batch_size": BATCH, "learning_rate": 1e-3, "no_cuda": True}
        TrainingPipeline(model=model, training_config=BaseTrainerConfig(folder, **recipe))(images[:])


def disvae(images):
    sys.path.insert(0, os.environ["DISVAE"])
    np.product = np.prod  # removed in NumPy 2
    from disvae.models.losses import BetaHLoss
    from disvae.models.vae import init_specific_model
    from disvae.training import Trainer

    model = init_specific_model("Burgess", (1, 64, 64), LATENTS)
    loader = DataLoader(TensorDataset(torch.from_numpy(images[:]), torch.zeros(len(images))), BATCH, shuffle=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(model, optimiser, BetaHLoss(beta=1), save_dir=folder, is_progress_bar=False)
        trainer._train_epoch(loader, defaultdict(list), 0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of the peers
    logging.disable(logging.INFO)
    images, table = datasets.hands(IMAGES, seed=1, progress=False), []
    peers = {stock: "the stock torch loop", pythae: "pythae"} | ({disvae: "disvae"} if "DISVAE" in os.environ else {})
    for peer, name in peers.items():
        ours(images), peer(images)  # warm up
        pairs = rows.paired(lambda: rows.seconds(ours, images), lambda: rows.seconds(peer, images))  # noqa: B023
        table.append(rows.against(f"training, 64×64, batch {BATCH}, an image", name, pairs, per=IMAGES))
    rows.store("training", table)
