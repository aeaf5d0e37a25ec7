"""Training against a standard PyTorch loop and pythae's trainer: same network, batch and images.

pythae is installed for this benchmark alone (``make bench``).
"""

import contextlib
import io
import logging
import tempfile
import warnings

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


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of the peers
    logging.disable(logging.INFO)
    images, table = datasets.hands(IMAGES, seed=1, progress=False), []
    for peer, name in {stock: "the stock torch loop", pythae: "pythae"}.items():
        ours(images), peer(images)  # warm up
        pairs = rows.paired(lambda: rows.seconds(ours, images), lambda: rows.seconds(peer, images))  # noqa: B023
        table.append(rows.against(f"training, 64×64, batch {BATCH}, an image", name, pairs, per=IMAGES))
    rows.store("training", table)
