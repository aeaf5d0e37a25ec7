"""The command line: ``python -m vaehelpers train | evaluate | explore | models | sweep``.

What is slow to import is imported in the commands, so that an interrupt (Ctrl-C) is answered in one line even then.
"""

import functools
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from .datasets import Images
    from .model import VAE

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
_RUNS = user_cache_path("vaehelpers") / "sweep"


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print what is wrong in one line and exit with 2, or with 130 after an interrupt, without a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (ValueError, OSError, FloatingPointError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
            raise typer.Exit(130) from None

    return run


def _open(model: str) -> "tuple[VAE, dict[str, Any]]":
    from . import training

    return training.load(model) if model.endswith(".safetensors") else training.load_pretrained(model)


def _read_data(network: "VAE", card: dict[str, Any], n: int) -> "Images":
    """Read pictures like those that the model was trained on, but others where there are any."""
    from . import shipped

    data, vary = card.get("data"), card.get("vary", [])
    if not isinstance(data, str) or not isinstance(vary, list):
        raise ValueError(f"model: its card does not say on which data it was trained, got {data!r} and {vary!r}")
    return shipped.read_data(data, size=network.size, n=n, seed=shipped.TEST, vary=tuple(vary))


@app.command()
@one_line_errors
def train(
    data: Annotated[str, typer.Argument(help="hands, sprites, digits, mnist, or a folder of pictures")],
    beta: Annotated[float, typer.Option(help="weight of the KL; 1 is the ELBO itself")] = 4.0,
    latents: Annotated[int, typer.Option(help="number of latents")] = 25,
    size: Annotated[int, typer.Option(help="pixels along an edge: 32 or 64")] = 64,
    minutes: Annotated[float, typer.Option(help="how long to train")] = 3.0,
    output: Annotated[Path, typer.Option(help="file for the model")] = Path("model.safetensors"),
    seed: Annotated[int, typer.Option(help="seed of weights and noise")] = 0,
) -> None:
    """Train a β-VAE on DATA for some minutes, or until Ctrl-C, and save it with its card."""
    from . import shipped, training
    from .files import writable
    from .model import VAE

    writable(output)
    VAE(size, latents)  # what it refuses is said before the pictures are drawn, which takes a while
    images = shipped.read_data(data, size=size)
    model, _ = training.train(images, beta=beta, latent_dim=latents, seed=seed, minutes=minutes)
    model.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
    card = {"name": output.stem, "data": data, "vary": list(images.names), "seed": seed, "machine": shipped.machine()}
    sample = images if len(images) <= 5000 else shipped.read_data(data, size=size, n=5000, seed=shipped.TEST)
    training.save(model, output, card | {"recipe": {"beta": beta, "minutes": minutes}} | shipped.scores(model, sample))
    typer.echo(f"saved {output}; look at it with: python -m vaehelpers explore {output}")


@app.command()
@one_line_errors
def evaluate(model: Annotated[str, typer.Argument(help="a shipped model (hands, …) or a .safetensors file")]) -> None:
    """Compute every number on a model's card again, on pictures it was not trained on."""
    from . import latents, shipped

    network, card = _open(model)
    images = _read_data(network, card, 5000)
    for name, value in shipped.scores(network, images).items():
        if name != "latents":
            typer.echo(f"{name:>15}  {value}   card: {card.get(name)}")
            continue
        for i, entry in enumerate(value):
            if entry["kl"] >= latents.UNUSED:
                typer.echo(f"{'latent ' + str(i):>15}  KL {entry['kl']:.3f} nats  {entry.get('name', '')}")
    typer.echo(f"{'weaknesses':>15}  {card.get('weaknesses', 'not said')}")


@app.command()
@one_line_errors
def explore(
    model: Annotated[str, typer.Argument(help="a shipped model (hands, …) or a .safetensors file")],
    output: Annotated[Path | None, typer.Option(help="the file to write, instead of opening it")] = None,
) -> None:
    """Open the latent explorer of MODEL in the browser: one HTML file that can be passed on."""
    from .explorer import LatentExplorer

    network, card = _open(model)
    try:
        images = _read_data(network, card, 200)
    except (FileNotFoundError, ValueError) as error:
        typer.echo(f"without a map of codes: {error}", err=True)
        images = None
    target = output or Path(f"explore-{Path(model).stem}.html")
    LatentExplorer(network, card, images=images).save_html(target)
    if output is None:
        webbrowser.open(target.resolve().as_uri())


@app.command()
@one_line_errors
def models(names: Annotated[list[str] | None, typer.Argument(help="which; all when none is named")] = None) -> None:
    """Train the shipped models again (hours on two cores); after Ctrl-C, the same command goes on from there."""
    from . import shipped, training

    for name in names or ():
        if name not in shipped.RECIPES:
            raise ValueError(f"names: there is no recipe {name!r}; choose among {', '.join(shipped.RECIPES)}")
    shipped.build({name: shipped.RECIPES[name] for name in names or shipped.RECIPES}, training.PRETRAINED)
    shipped.draw_traversal(training.PRETRAINED.parent.parent / "docs" / "traversal.png")


@app.command()
@one_line_errors
def sweep(
    folder: Annotated[Path, typer.Option(help="where runs are kept; finished ones are not trained again")] = _RUNS,
) -> None:
    """Train the runs of lesson 07 again: eight β with five seeds each (an hour on two cores).

    After Ctrl-C, the same command goes on from there.
    """
    from . import shipped

    shipped.sweep(folder, Path(__file__).parent)


if __name__ == "__main__":
    app()
