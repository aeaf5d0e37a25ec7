"""The command line: ``python -m vaehelpers train | evaluate | explore | models``."""

import functools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from joblib import Parallel, delayed
from tqdm import tqdm

from . import datasets, hands, latents, metrics, training
from .datasets import HAND_FACTORS, Images
from .model import VAE, elbo_terms

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

#: The shipped models. Training pictures are drawn with seed 1; the scores with seed 2, never seen in training.
RECIPES: dict[str, dict[str, Any]] = {
    "hands": {
        "vary": HAND_FACTORS, "beta": 2.0, "tc_weight": 15.0, "batch": 128, "pictures": 1_000_000, "seeds": (0, 1, 2)
    },
    "hands-beta1": {"vary": HAND_FACTORS, "beta": 1.0, "pictures": 500_000},
    "hands-2d": {"vary": ("rotation", "index"), "beta": 1.0, "latent_dim": 2, "pictures": 300_000},
    "digits-2d": {"beta": 1.0, "latent_dim": 2, "pictures": 200_000},
    "hands-pose": {"vary": tuple(hands.FACTORS), "beta": 1.0, "tc_weight": 5.0, "batch": 128, "pictures": 600_000},
}  # fmt: skip
WEAKNESSES = {
    "hands": "Fingertips are blurred; the pose is fixed; not every seed keeps the fingers apart (see all_seeds).",
    "hands-beta1": "Sharper, but nearly every latent moves several fingers at once.",
    "hands-2d": "Neither latent is one factor; where the code folds, neighbours on the map differ.",
    "digits-2d": "Trained and scored on the same 1,797 digits; two latents cannot keep ten digits apart.",
    "hands-pose": "Too many free factors for it: only size, x and thumb have a latent each; the rest blurs and mixes.",
}
_TRAIN, _TEST, _VALIDATION = 1, 2, 3


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print what is wrong in one line and exit with 2, without a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (ValueError, OSError, FloatingPointError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None

    return run


def read_data(data: str, *, size: int = 64, n: int = 20_000, seed: int = _TRAIN, vary: tuple[str, ...] = ()) -> Images:
    """Read ``hands``, ``digits`` or a folder of pictures."""
    if data == "hands":
        return datasets.hands(n, seed=seed, size=size, vary=vary or HAND_FACTORS)
    return datasets.digits() if data == "digits" else datasets.folder(data, size=size)


def scores(model: VAE, images: Images) -> dict[str, Any]:
    """Return the ELBO parts in nats, the KL of each latent and, where factors are known, the MIG."""
    x = images[:]
    mu, logvar = latents.encode(model, x)
    log_likelihood = np.empty(len(x))
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for start in range(0, len(x), 250):
            part = torch.from_numpy(x[start : start + 250])
            log_likelihood[start : start + 250] = elbo_terms(part, *model(part, generator=generator))[0]
    kl = latents.latent_kl(mu, logvar)
    result: dict[str, Any] = {
        "pictures": len(x),
        "elbo": round(float(log_likelihood.mean() - kl.sum()), 2),
        "log_likelihood": round(float(log_likelihood.mean()), 2),
        "kl": round(float(kl.sum()), 2),
        "active_latents": int((kl >= 0.1).sum()),
    }
    if images.names and images.names != ("digit",):
        gaps = metrics.mig_gaps(mu, images.factors)
        result["mig"] = round(float(gaps.mean()), 3)
        result["mig_of"] = {name: round(float(gap), 3) for name, gap in zip(images.names, gaps, strict=True)}
    return result | {"latents": name_latents(mu, kl, images)}


def name_latents(mu: np.ndarray, kl: np.ndarray, images: Images) -> list[dict[str, Any]]:
    """Name a latent after a factor when each of the two knows more about the other than about anything else."""
    entries: list[dict[str, Any]] = [{"kl": round(float(value), 3)} for value in kl]
    if images.names and images.names != ("digit",):
        information = metrics.mi_matrix(mu, images.factors)
        for factor, name in enumerate(images.names):
            latent = int(information[:, factor].argmax())
            if information[latent].argmax() == factor and information[latent, factor] > 0.5:
                entries[latent]["name"] = name
    return entries


def build(recipes: dict[str, dict[str, Any]], output: Path, *, n: int = 60_000) -> None:
    """Train each recipe with each of its seeds, one thread a run, and save the one that does best on validation."""
    jobs = [(name, seed) for name, recipe in recipes.items() for seed in recipe.get("seeds", (0,))]
    runs = Parallel(n_jobs=-1, return_as="generator")(
        delayed(_run)(name, recipes[name], seed, output, n) for name, seed in jobs
    )
    done: dict[str, list[tuple[float, VAE, dict[str, Any]]]] = {}
    for (name, _), result in zip(tqdm(jobs, unit="runs"), runs, strict=True):
        done.setdefault(name, []).append(result)
        if len(done[name]) == len(recipes[name].get("seeds", (0,))):
            _, model, card = max(done[name], key=lambda r: r[0])
            all_seeds = {str(c["seed"]): c.get("mig", c["elbo"]) for _, _, c in done[name]}
            training.save(model, output / f"{name}.safetensors", card | {"all_seeds": all_seeds})
            for _, _, other in done[name]:
                _unfinished(output, name, other["seed"]).unlink(missing_ok=True)


def _run(name: str, recipe: dict[str, Any], seed: int, output: Path, n: int) -> tuple[float, VAE, dict[str, Any]]:
    """Train with one seed; return the score on validation pictures, the model as it will be shipped, and its card."""
    torch.set_num_threads(1)
    options = {k: v for k, v in recipe.items() if k not in ("vary", "seeds")}
    data = "digits" if name.startswith("digits") else "hands"
    draw = functools.partial(read_data, data, vary=recipe.get("vary", ()))
    images, validation, test = draw(n=n), draw(n=min(n, 5000), seed=_VALIDATION), draw(n=min(n, 5000), seed=_TEST)
    began = time.monotonic()
    model, _ = training.train(images, seed=seed, checkpoint=_unfinished(output, name, seed), progress=False, **options)
    minutes = round((time.monotonic() - began) / 60, 1)
    model.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
    choice = scores(model, validation)
    card = {"name": name, "data": data, "vary": list(recipe.get("vary", ())), "recipe": options, "seed": seed}
    card |= {"minutes": minutes, "machine": _machine(), **scores(model, test), "weaknesses": WEAKNESSES.get(name, "")}
    return choice.get("mig", choice["elbo"]), model, card


def _unfinished(output: Path, name: str, seed: int) -> Path:
    return output / f"{name}-{seed}.checkpoint"


def _machine() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"


def _open(model: str) -> tuple[VAE, dict[str, Any]]:
    return training.load(model) if model.endswith(".safetensors") else training.load_pretrained(model)


@app.command()
@one_line_errors
def train(
    data: Annotated[str, typer.Argument(help="hands, digits, or a folder of pictures")],
    beta: Annotated[float, typer.Option(help="weight of the KL; 1 is the ELBO itself")] = 4.0,
    latents: Annotated[int, typer.Option(help="number of latents")] = 25,
    size: Annotated[int, typer.Option(help="pixels along an edge: 32 or 64")] = 64,
    minutes: Annotated[float, typer.Option(help="how long to train")] = 3.0,
    output: Annotated[Path, typer.Option(help="file for the model")] = Path("model.safetensors"),
    seed: Annotated[int, typer.Option(help="seed of weights and noise")] = 0,
) -> None:
    """Train a β-VAE on DATA for some minutes and save it with its card."""
    images = read_data(data, size=size)
    model, _ = training.train(images, beta=beta, latent_dim=latents, seed=seed, minutes=minutes)
    model.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
    card = {"name": output.stem, "data": data, "vary": list(images.names), "seed": seed, "machine": _machine()}
    sample = images if len(images) <= 5000 else read_data(data, size=size, n=5000, seed=_TEST)
    training.save(model, output, card | {"recipe": {"beta": beta, "minutes": minutes}} | scores(model, sample))
    typer.echo(f"saved {output}; look at it with: python -m vaehelpers explore {output}")


@app.command()
@one_line_errors
def evaluate(model: Annotated[str, typer.Argument(help="a shipped model (hands, …) or a .safetensors file")]) -> None:
    """Compute every number on a model's card again, on pictures it was not trained on."""
    network, card = _open(model)
    vary = tuple(card["vary"])
    images = read_data(card["data"], size=network.size, n=5000, seed=_TEST, vary=vary)
    for name, value in scores(network, images).items():
        if name != "latents":
            typer.echo(f"{name:>15}  {value}   card: {card.get(name)}")
            continue
        for i, entry in enumerate(value):
            if entry["kl"] >= 0.1:
                typer.echo(f"{'latent ' + str(i):>15}  KL {entry['kl']:.3f} nats  {entry.get('name', '')}")
    typer.echo(f"{'weaknesses':>15}  {card.get('weaknesses', 'not said')}")


@app.command()
@one_line_errors
def explore(
    model: Annotated[str, typer.Argument(help="a shipped model (hands, …) or a .safetensors file")],
    output: Annotated[Path | None, typer.Option(help="notebook to write instead of opening it")] = None,
) -> None:
    """Open JupyterLab on a notebook with the latent sliders of MODEL."""
    import nbformat

    _open(model)  # says what is wrong before a browser opens
    loader = "load" if model.endswith(".safetensors") else "load_pretrained"
    path = str(Path(model).resolve()) if loader == "load" else model
    code = "from vaehelpers import training\nfrom vaehelpers.explorer import LatentExplorer\n\n"
    cell = nbformat.v4.new_code_cell(code + f"LatentExplorer(*training.{loader}({path!r}))")
    target = output or Path(f"explore-{Path(model).stem}.ipynb")
    target.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])), encoding="utf-8")
    if output is None:
        subprocess.run([sys.executable, "-m", "jupyter", "lab", "--ServerApp.ip=127.0.0.1", str(target)], check=False)


@app.command()
@one_line_errors
def models(names: Annotated[list[str] | None, typer.Argument(help="which; all when none is named")] = None) -> None:
    """Train the shipped models again (hours on two cores)."""
    for name in names or ():
        if name not in RECIPES:
            raise ValueError(f"names: there is no recipe {name!r}; choose among {', '.join(RECIPES)}")
    build({name: RECIPES[name] for name in names or RECIPES}, training.PRETRAINED)
    draw_traversal(training.PRETRAINED.parent.parent / "docs" / "traversal.png")


def draw_traversal(path: Path) -> None:
    """Draw the README's picture: the latents in use of the model ``hands``, from -3 to +3 in 15 steps."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from . import plots
    from .explorer import label, order

    plt.style.use(plots.STYLE)
    model, card = training.load_pretrained("hands")
    used = order(card)[0]
    mu = latents.encode(model, hands.render(hands.neutral()[None]))[0][0]
    rows = latents.traverse(model, mu, used)
    plots.plot_traversal(rows, [label(card, i) for i in used], values=np.linspace(-3, 3, 15))
    path.parent.mkdir(exist_ok=True)
    plt.savefig(path, dpi=80, bbox_inches="tight")


if __name__ == "__main__":
    app()
