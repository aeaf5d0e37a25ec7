"""Train the shipped models, and draw the README's figure: ``python -m recipes.models [NAME ...]``.

It takes hours on two cores; a seed of ``hands-pose``, 12 minutes on one. After Ctrl-C, the same command continues.
"""

import sys
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.stats import rankdata

from recipes.straightening import straighten
from vaehelpers import datasets, explorer, hands, latents, plots, training, weights
from vaehelpers.datasets import HAND_FACTORS, Images
from vaehelpers.evaluation import scores
from vaehelpers.files import replacing
from vaehelpers.latents import UNUSED
from vaehelpers.model import VAE, one_thread

ROOT = Path(__file__).parent.parent


class Straightening(NamedTuple):
    """How a network of 32×32 images finds independent codes for the images that a model is trained on."""

    pictures: int = 512_000  # of its first training
    further: int = 76_800  # of each further training, towards its straightened codes
    rounds: int = 2
    starts: int = 2  # the one with the best ELBO counts


class Recipe(NamedTuple):
    """Recipe of a model: factors of the hands that vary (none: digits), arguments of ``train``, and seeds to try.

    With ``straightening``, the model is trained towards the codes of ``independent_codes``.
    """

    vary: tuple[str, ...]
    options: dict[str, Any]
    seeds: tuple[int, ...] = (0,)
    straightening: Straightening | None = None


RECIPES = {
    "hands": Recipe(
        HAND_FACTORS, {"beta": 2.0, "tc_weight": 15.0, "batch": 128, "pictures": 1_000_000}, seeds=(0, 1, 2)
    ),
    "hands-beta1": Recipe(HAND_FACTORS, {"beta": 1.0, "pictures": 500_000}),
    "hands-2d": Recipe(("rotation", "index"), {"beta": 1.0, "latent_dim": 2, "pictures": 300_000}),
    "digits-2d": Recipe((), {"beta": 1.0, "latent_dim": 2, "pictures": 200_000}),
    "hands-pose": Recipe(
        tuple(hands.FACTORS),
        {"beta": 1.0, "latent_dim": 10, "pictures": 400_000, "codes_weight": 200.0},
        seeds=(0, 1, 2),
        straightening=Straightening(),
    ),
}
WEAKNESSES = {
    "hands": "Fingertips are blurred; the pose is fixed; an earlier run of this recipe merged fingers (MIG 0.41).",
    "hands-beta1": "Sharper, but nearly every latent moves several fingers at once.",
    "hands-2d": "Neither latent is one factor; where the code folds, neighbours on the map differ.",
    "digits-2d": "Trained and scored on the same 1,797 digits; some digits share a region of the two latents.",
    "hands-pose": "Softer than hands; each latent tells its factor only roughly, y and the fingers least. The start "
    "is chosen by ELBO and the seed by UDR: no factor is used in training or in choosing. The recipe was "
    "developed with the MIG on other hands in view. It assumes ten latents, and independent, evenly spread factors.",
}
_TRAIN, _TEST, _VALIDATION = 1, 2, 3  # seeds of the images


def build(recipes: dict[str, Recipe], output: Path, *, n: int = 60_000) -> None:
    """Train each recipe with each of its seeds, on one thread per run, and save the model that ``choose`` selects.

    ``n`` hands are drawn for training. All runs are kept as checkpoints until the last one is finished.
    """
    runs = [(name, seed, output / f"{name}-{seed}.checkpoint") for name in recipes for seed in recipes[name].seeds]
    Parallel(n_jobs=-1)(delayed(fit)(recipes[name], seed, path, n) for name, seed, path in runs)
    for name, recipe in recipes.items():
        choose(name, recipe, {seed: path for other, seed, path in runs if other == name}, output, n)
    for *_, path in runs:
        for file in path.parent.glob(f"{path.stem}.*"):
            file.unlink()


def fit(recipe: Recipe, seed: int, path: Path, n: int) -> None:
    """Train one run."""
    options: dict[str, Any] = {"seed": seed, "checkpoint": path, "progress": False} | recipe.options
    with one_thread():
        if recipe.straightening:
            options["codes"] = independent_codes(recipe.vary, recipe.straightening, seed, path, n)
        training.train(images(recipe, n, _TRAIN), **options)


def independent_codes(vary: tuple[str, ...], how: Straightening, seed: int, path: Path, n: int) -> NDArray:
    """Return codes ``(n, latents)`` of the training images, which a network of 32×32 images finds without labels.

    The network is trained as a VAE. Its codes are straightened, it is trained on towards these, and so on. Whether they
    are the factors depends on its first weights; of several starts the one with the highest ELBO in the end is taken,
    since a network describes its images less well with codes that mix factors.
    """
    train, validation = (datasets.hands(k, seed=s, vary=vary, size=32) for k, s in ((n, _TRAIN), (5000, _VALIDATION)))
    networks = []
    for start in range(how.starts):
        options: dict[str, Any] = {"beta": 0.25, "latent_dim": len(vary), "seed": how.starts * seed + start}
        options["progress"] = False
        step = path.with_suffix(f".{start}-0")
        network, _ = training.train(train, pictures=how.pictures, checkpoint=step, **options)
        for k in range(how.rounds):
            options |= {"warmup": 0.0, "start": network, "codes": straightened(network, train, path, f"{start}-{k}")}
            step = path.with_suffix(f".{start}-{k + 1}")
            network, _ = training.train(train, pictures=how.further, checkpoint=step, **options)
        networks.append(network)
    best = max(range(how.starts), key=lambda start: scores(networks[start], validation)["elbo"])
    return straightened(networks[best], train, path, "end")


def straightened(network: VAE, images: Images, path: Path, name: str) -> NDArray:
    """Return straightened codes, read from a file if they were computed before: a resumed run needs the same codes."""
    kept = path.with_suffix(f".{name}.npy")
    if not kept.exists():
        with replacing(kept) as part, part.open("wb") as file:
            np.save(file, straighten(latents.encode(network, images[:])[0]))
    return np.asarray(np.load(kept))


def choose(name: str, recipe: Recipe, paths: dict[int, Path], output: Path, n: int) -> None:
    """Save the model that agrees best with those of the other seeds; its card holds the agreement and MIG of all.

    The choice uses images only, no factors.
    """
    few = min(n, 5000)
    models = {seed: training.load(path)[0] for seed, path in paths.items()}
    models = {seed: model.half().float() for seed, model in models.items()}  # as they are shipped
    validation, test = images(recipe, few, _VALIDATION), images(recipe, few, _TEST)
    agreement = udr({seed: latents.encode(model, validation[:]) for seed, model in models.items()})
    best = max(agreement, key=lambda seed: agreement[seed])
    scored = {seed: scores(model, test) for seed, model in models.items()}
    card: dict[str, Any] = {"name": name, "data": "hands" if recipe.vary else "digits", "vary": list(recipe.vary)}
    card |= {"recipe": recipe.options, "seed": best, "weaknesses": WEAKNESSES.get(name, "")}
    if recipe.straightening:
        card["straightening"] = recipe.straightening._asdict()
    card["machine"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    card["seeds"] = {
        str(seed): {"udr": agreement[seed], "elbo": each["elbo"], "mig": each.get("mig")}
        for seed, each in scored.items()
    }
    training.save(models[best], output / f"{name}.safetensors", card | scored[best])


def udr(posteriors: dict[int, tuple[NDArray, NDArray]]) -> dict[int, float]:
    """Return for each model how well its active latents match those of the others one by one: 1 at best.

    ``posteriors`` holds ``mu`` and ``logvar`` ``(n, latent_dim)`` of the same images by seed. The unsupervised
    disentanglement ranking of Duan et al. (2020), "Unsupervised model selection for variational disentangled
    representation learning", §3, with Spearman's correlation; 0 for a model without others.
    """
    active = {seed: mu[:, latents.latent_kl(mu, logvar) >= UNUSED] for seed, (mu, logvar) in posteriors.items()}
    agreement: dict[int, list[float]] = {seed: [] for seed in active}
    for (first, a), (second, b) in combinations(active.items(), 2):
        matched = 0.0
        if a.size and b.size:  # else a model has no active latents, and matches none
            ranks = rankdata(a, axis=0), rankdata(b, axis=0)
            similarity = np.abs(np.corrcoef(*ranks, rowvar=False)[: a.shape[1], a.shape[1] :])
            matches = [(similarity.max(axis=axis) ** 2 / similarity.sum(axis=axis)).sum() for axis in (0, 1)]
            matched = float(sum(matches) / sum(similarity.shape))
        for seed in (first, second):
            agreement[seed].append(matched)
    return {seed: round(float(np.median(values or 0)), 3) for seed, values in agreement.items()}


def images(recipe: Recipe, n: int, seed: int) -> Images:
    """Draw ``n`` hands with the factors of a recipe or, if it names none, read the digits."""
    return datasets.hands(n, seed=seed, vary=recipe.vary) if recipe.vary else datasets.digits()


def draw_traversal(path: Path) -> None:
    """Draw the active latents of the model ``hands``, from -3 to +3 in 15 steps."""
    matplotlib.use("Agg")
    plt.style.use(plots.STYLE)
    model, card = training.load_pretrained("hands")
    used = explorer.order(card)[0]
    code = explorer.typical_code(model, card)
    labels = [explorer.label(card, i) for i in used]
    plots.plot_traversal(latents.traverse(model, code, used), labels, values=np.linspace(-3, 3, 15))
    plt.savefig(path, format="png", dpi=80, bbox_inches="tight")


if __name__ == "__main__":
    chosen = {name: RECIPES[name] for name in sys.argv[1:] or RECIPES}  # a KeyError shows a wrong name
    build(chosen, weights.PRETRAINED)
    draw_traversal(ROOT / "docs" / "traversal.png")
