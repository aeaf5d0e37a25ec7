"""Score a model on images that it was not trained on, where there are any."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from . import datasets, latents, metrics
from .datasets import HAND_FACTORS, Images
from .files import expanded
from .model import VAE, elbo_terms, reparameterise

#: Names of data sets; any other string is the path of a folder.
NAMED = ("hands", "sprites", "digits", "mnist")


def read_images(
    data: str,
    *,
    test: bool | None = False,
    size: int | None = None,
    n: int = 20_000,
    vary: tuple[str, ...] = HAND_FACTORS,
    channels: int = 1,
) -> Images:
    """Read ``hands``, ``sprites``, ``digits``, ``mnist`` or a folder.

    ``test=False`` returns training images, ``test=True`` test images (for digits, the same) and ``None`` all images
    of a folder. ``n`` is the number of hands or sprites, ``vary`` the factors of the hands that vary, and ``channels``
    the number of channels of a folder's images. ``size`` is 32 by default for digits and MNIST, else 64.
    Raises ``OSError`` or ``ValueError`` as ``datasets`` does.
    """
    seed = 2 if test else 1
    if data == "hands":
        return datasets.hands(n, seed=seed, size=size or 64, vary=vary)
    if data == "sprites":  # about 3 % of the test images occur in training too: both are drawn from one grid
        return datasets.sprites(n, seed=seed, size=size or 64)
    if data == "digits":
        return datasets.digits(size=size or 32)
    if data == "mnist":
        return datasets.mnist(test=bool(test), size=size or 32)
    if not expanded(data, "data").is_dir():
        raise FileNotFoundError(f"data: there is no folder {data!r}; need one, or a name: {', '.join(NAMED)}")
    return datasets.folder(data, size=size or 64, channels=channels, test=test)


def read_test_images(model: VAE, data: str, vary: tuple[str, ...] = HAND_FACTORS) -> tuple[Images, bool]:
    """Return images to score a model on, and whether they were held out from training.

    Digits have no test set, and of a folder with fewer than ten images none is held out.
    """
    options: dict[str, Any] = {"size": model.size, "n": 5000, "vary": vary, "channels": model.channels}
    try:
        return read_images(data, test=True, **options), data != "digits"
    except ValueError:  # too few images to hold any out
        return read_images(data, test=None, **options), False


def scores(model: VAE, images: Images) -> dict[str, Any]:
    """Return the terms of the ELBO in nats per image, the KL of each latent and, if factors are known, the MIG.

    A class label does not count as a factor. Raises ``ValueError`` if the images do not fit the model.
    """
    x, generator, likelihoods = images[:], torch.Generator().manual_seed(0), []
    mu, logvar = latents.encode(model, x)
    with torch.inference_mode():
        for part, *posterior in zip(*(torch.from_numpy(rows).split(250) for rows in (x, mu, logvar)), strict=True):
            logits = model.decoder(reparameterise(*posterior, generator=generator))
            likelihoods.append(elbo_terms(part, logits, *posterior)[0])
    log_likelihood, kl = float(torch.cat(likelihoods).double().mean()), latents.latent_kl(mu, logvar)
    result: dict[str, Any] = {
        "pictures": len(x),
        "elbo": round(log_likelihood - float(kl.sum()), 2),
        "log_likelihood": round(log_likelihood, 2),
        "kl": round(float(kl.sum()), 2),
        "active_latents": int((kl >= latents.UNUSED).sum()),
    }
    entries: list[dict[str, Any]] = [{"kl": round(float(value), 3)} for value in kl]
    if images.names and not images.classes:
        continuous = [name != "shape" for name in images.names]  # the shape of a sprite is the one discrete factor
        gaps = metrics.mig_gaps(mu, images.factors, continuous=continuous).tolist()
        result["mig"] = round(sum(gaps) / len(gaps), 3)
        result["mig_of"] = {name: round(gap, 3) for name, gap in zip(images.names, gaps, strict=True)}
        information = metrics.mi_matrix(mu, images.factors, continuous=continuous)
        for latent, name in latent_names(information, images.names).items():
            entries[latent]["name"] = name
    return result | {"latents": entries}


def latent_names(information: NDArray[np.floating], names: Sequence[str]) -> dict[int, str]:
    """Return the latents that represent a factor, with its name.

    Latent and factor share more than 0.5 nats, and neither shares more with another one. ``information`` is
    ``(latent_dim, k)``, in nats, as ``metrics.mi_matrix`` returns it.
    """
    best = enumerate(information.argmax(axis=0).tolist())
    return {i: names[k] for k, i in best if information[i].argmax() == k and information[i, k] > 0.5}
