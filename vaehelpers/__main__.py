"""The command line: ``python -m vaehelpers`` and then ``train``, ``evaluate``, ``explore``, ``models`` or ``sweep``.

What is slow to import is imported in the commands, so that an interrupt (Ctrl-C) is answered in one line even then.
"""

import functools
import os
import shlex
import shutil
import subprocess
import sys
import warnings
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from .model import VAE

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
_RUNS = user_cache_path("vaehelpers") / "sweep"
_MODEL = "a shipped model (hands, …), or the file of another"
_SCORED_ON = {True: "images that it was not trained on", False: "images that it was trained on"}


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print what is wrong in one line and exit with 2, or with 130 after an interrupt, without a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("always", category=UserWarning, module="vaehelpers")
                warnings.showwarning = lambda message, *_: typer.echo(f"warning: {message}", err=True)
                command(*args, **kwargs)
        except (ValueError, OSError, FloatingPointError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
            raise typer.Exit(130) from None

    return run


@app.command()
@one_line_errors
def train(
    data: Annotated[str, typer.Argument(help="hands, sprites, digits, mnist, or a folder of images")],
    beta: Annotated[float, typer.Option(help="weight of the KL; 1 is the ELBO itself")] = 4.0,
    latents: Annotated[int, typer.Option(help="number of latents")] = 25,
    size: Annotated[
        int | None, typer.Option(help="pixels along an edge: 32 or 64", show_default="32 for digits and mnist, else 64")
    ] = None,
    minutes: Annotated[float, typer.Option(help="how long to train")] = 3.0,
    output: Annotated[Path, typer.Option(help="file for the model")] = Path("model.safetensors"),
    seed: Annotated[int, typer.Option(help="seed of weights and noise")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="go on with a training that was stopped")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the model or checkpoint of OUTPUT")] = False,
) -> None:
    """Train a β-VAE on DATA for some minutes and save it with its card.

    Ctrl-C ends the training early: the model so far is saved, and the same command goes on with --resume.
    """
    from . import shipped, training
    from .arguments import number, whole
    from .model import VAE

    place, checkpoint = _places(output, resume=resume, overwrite=overwrite)
    number("beta", beta, least=0), number("minutes", minutes, above=0), whole("seed", seed, 0, 2**63 - 1)
    VAE(size or 64, latents)  # what it refuses is said before the images are read, which takes a while
    images = shipped.read_data(data, size=size)
    options = {"beta": beta, "latents": latents, "minutes": minutes, "seed": seed}
    if overwrite:
        checkpoint.unlink(missing_ok=True)
    try:
        model, _ = training.train(
            images, beta=beta, latent_dim=latents, minutes=minutes, seed=seed, checkpoint=checkpoint
        )
    except KeyboardInterrupt:
        if not checkpoint.exists():
            raise
        again = options | ({} if size is None else {"size": size}) | {"output": output}
        words = [word for name, value in again.items() for word in (f"--{name}", str(value))]
        typer.echo(f"stopped; go on with: {_command('train', _typed(data), *words, '--resume')}")
        _finish(training.load(checkpoint)[0], data, place, images.names, options)
    else:
        _finish(model, data, place, images.names, options)
        checkpoint.unlink(missing_ok=True)


def _places(output: Path, *, resume: bool, overwrite: bool) -> tuple[Path, Path]:
    """Return the files of a model and of its training's checkpoint; refuse to replace them unasked."""
    from .files import expanded, writable

    place = expanded(output, "output")
    writable(place)
    checkpoint = place.with_name(f"{place.name}.checkpoint")
    if resume and overwrite:
        raise ValueError("resume, overwrite: need one of the two, got both")
    if resume and not checkpoint.exists():
        raise FileNotFoundError(f"resume: there is no checkpoint {str(checkpoint)!r} to go on from")
    if checkpoint.exists() and not (resume or overwrite):
        kept = f"output: {str(checkpoint)!r} holds a training that was stopped"
        raise ValueError(f"{kept}; go on with --resume, or start anew with --overwrite")
    if place.exists() and not (resume or overwrite):
        kept = f"output: there is a file {str(place)!r} already"
        raise ValueError(f"{kept}; name another with --output, or replace it with --overwrite")
    return place, checkpoint


def _finish(model: "VAE", data: str, place: Path, names: tuple[str, ...], options: dict[str, Any]) -> None:
    """Save a model, score it, which takes a while, save it again with its scores, and say what came of it."""
    from . import shipped, training
    from .files import expanded

    model.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
    source = data if data in shipped.NAMED else str(expanded(data).resolve())
    card = {"name": place.stem, "data": source, "vary": list(names), "seed": options["seed"]}
    card |= {"machine": shipped.machine(), "recipe": {name: options[name] for name in ("beta", "minutes")}}
    training.save(model, place, card)
    typer.echo(f"saved {place}")
    images, others = shipped.read_tests(model, source)
    scores = shipped.scores(model, images)
    training.save(model, place, card | {"scored_on": _SCORED_ON[others]} | scores)
    active = f"{scores['active_latents']} of {model.latent_dim} latents are active"
    typer.echo(f"{active}; ELBO {scores['elbo']} nats on {_SCORED_ON[others]} ({scores['pictures']})")
    if not scores["active_latents"]:
        less = f"--beta smaller than {options['beta']:g}, or --minutes longer than {options['minutes']:g}"
        typer.echo(f"all latents have collapsed, so every image is decoded to the same one: try {less}")
    typer.echo(f"look at it with: {_command('explore', _typed(str(place), taken=_is_shipped(str(place))))}")


def _typed(name: str, *, taken: bool = False) -> str:
    """Return the name of a file as it must be typed where it could be taken for an option or something else."""
    return os.path.join(os.curdir, name) if taken or name.startswith("-") else name


def _is_shipped(name: str) -> bool:
    from . import training

    return name in {path.stem for path in training.PRETRAINED.glob("*.safetensors")}


def _command(*words: str) -> str:
    """Return a command of this module as it can be typed here, in quotes where they are needed."""
    found = shutil.which("python")
    line = ["python" if found and Path(found) == Path(sys.executable) else sys.executable, "-m", "vaehelpers", *words]
    return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)


def _open(model: str) -> "tuple[VAE, dict[str, Any]]":
    """Load a shipped model by its name, or another from its file, whatever that is called."""
    from . import training
    from .files import expanded

    path = expanded(model, "model")
    is_file = path.exists() or path.suffix or len(path.parts) > 1
    return training.load(path) if is_file and not _is_shipped(model) else training.load_pretrained(model)


def _data_of(card: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return on which data a model was trained, and which factors varied."""
    data, vary = card.get("data"), card.get("vary", [])
    if not isinstance(data, str) or not isinstance(vary, list):
        raise ValueError(f"model: its card does not say on which data it was trained, got {data!r} and {vary!r}")
    return data, tuple(vary)


@app.command()
@one_line_errors
def evaluate(model: Annotated[str, typer.Argument(help=_MODEL)]) -> None:
    """Compute every number on a model's card again, on images that it was not trained on where there are any."""
    from . import latents, shipped

    network, card = _open(model)
    data, vary = _data_of(card)
    images, others = shipped.read_tests(network, data, vary)
    others = others and (data in shipped.NAMED or "scored_on" in card)  # once, none of a folder was held out
    typer.echo(f"{'scored on':>15}  {_SCORED_ON[others]} ({len(images)})")
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
    model: Annotated[str, typer.Argument(help=_MODEL)],
    output: Annotated[Path | None, typer.Option(help="the .html file to write, instead of opening it")] = None,
) -> None:
    """Open the latent explorer of MODEL in the browser: one HTML file that can be passed on."""
    from . import shipped
    from .explorer import LatentExplorer, typical_code
    from .files import expanded

    network, card = _open(model)
    place = expanded(output or f"explore-{Path(model).stem}.html", "output")
    there = place.is_file()
    if there and place.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"output: {str(place)!r} is there already and is no .html file; name another")
    try:
        data, vary = _data_of(card)
        images = shipped.read_data(
            data, size=network.size, n=200, seed=shipped.TEST, vary=vary, channels=network.channels
        )
    except (OSError, ValueError) as error:
        typer.echo(f"without a map of codes: {error}", err=True)
        images = None
    start = typical_code(network, card, images)
    LatentExplorer(network, card, start=start, images=images).save_html(place)
    typer.echo(f"{'replaced' if there else 'wrote'} {place.resolve()}")
    if output is None:
        with suppress(webbrowser.Error):  # where no browser is, the path was said
            webbrowser.open(place.resolve().as_uri())


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
    from .files import expanded

    shipped.sweep(expanded(folder, "folder"), Path(__file__).parent)


if __name__ == "__main__":
    app()
