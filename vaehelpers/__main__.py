"""The command line: ``python -m vaehelpers`` and then ``train``, ``evaluate``, ``explore``, ``page`` or ``play``.

Slow imports are inside the commands, so that Ctrl-C during an import also prints one line and no traceback.
"""

import os
import shlex
import subprocess
import sys
import warnings
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

_MODEL = "name of a shipped model (hands, …) or path of a model file"
_SCORED_ON = {True: "images that it was not trained on", False: "images that it was trained on"}


class OneLineErrors(TyperGroup):
    """Command group that prints errors and warnings in one line each; exit code 2, or 130 after an interrupt."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("always", category=UserWarning, module="vaehelpers")
                warnings.showwarning = lambda message, *_: typer.echo(f"warning: {message}", err=True)
                return super().invoke(ctx)
        except (ValueError, OSError, FloatingPointError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(cls=OneLineErrors, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def train(
    data: Annotated[str, typer.Argument(help="hands, sprites, digits, mnist, or a folder of images")],
    beta: Annotated[float, typer.Option(help="weight of the KL; 1 is the ELBO itself")] = 4.0,
    latents: Annotated[int, typer.Option(help="number of latents")] = 25,
    size: Annotated[
        int | None, typer.Option(help="image size in pixels: 32 or 64", show_default="32 for digits and mnist, else 64")
    ] = None,
    minutes: Annotated[float, typer.Option(help="training time in minutes")] = 3.0,
    output: Annotated[Path, typer.Option(help="file for the model")] = Path("model.safetensors"),
    seed: Annotated[int, typer.Option(help="random seed of the training")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="only continue: fail if no training was interrupted")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an existing model and checkpoint")] = False,
) -> None:
    """Train a β-VAE on DATA for some minutes and save it with its card.

    Ctrl-C ends the training and saves the model of its last checkpoint; the same command then continues.
    """
    from . import evaluation, training
    from .files import expanded

    path = expanded(output, "output").absolute()
    checkpoint = path.with_name(f"{path.name}.checkpoint")
    if resume and not checkpoint.exists():
        raise FileNotFoundError(f"resume: there is no checkpoint {str(checkpoint)!r} to continue from")
    if resume and overwrite:
        raise ValueError("resume, overwrite: need one of the two, got both")
    if path.exists() and not checkpoint.exists() and not overwrite:
        advice = "name another file with --output, or replace it with --overwrite"
        raise ValueError(f"output: {str(path)!r} exists already; {advice}")
    images = evaluation.read_images(data, size=size)
    source = data if data in evaluation.NAMED else str(expanded(data).resolve())
    if overwrite:
        checkpoint.unlink(missing_ok=True)
    options: dict[str, Any] = {"beta": beta, "minutes": minutes, "seed": seed}
    finished = True
    try:
        model, _ = training.train(images, latent_dim=latents, checkpoint=checkpoint, **options)
    except KeyboardInterrupt:
        if not checkpoint.exists():
            raise
        finished, (model, _) = False, training.load(checkpoint)
        typer.echo("stopped; the same command continues")

    recipe = {"beta": beta, "minutes": minutes}
    card = {"name": path.stem, "data": source, "vary": list(images.names), "seed": seed, "recipe": recipe}
    training.save(model, path, card)
    typer.echo(f"saved {output}")
    model, card = training.load(path)  # score the weights as saved, in half precision
    test_images, held_out = evaluation.read_test_images(model, source)
    scores = evaluation.scores(model, test_images)
    training.save(model, path, card | {"scored_on": _SCORED_ON[held_out]} | scores)
    active, scored_on = scores["active_latents"], f"{_SCORED_ON[held_out]} ({len(test_images)})"
    typer.echo(f"{active} of {latents} latents are active; ELBO {scores['elbo']} nats on {scored_on}")
    if not active:
        advice = f"--beta smaller than {beta:g}, or --minutes longer than {minutes:g}"
        typer.echo(f"all latents have collapsed and every code decodes to the same image: try {advice}")
    words = [sys.executable, "-m", "vaehelpers", "explore", str(path)]
    typer.echo(f"explore it with: {subprocess.list2cmdline(words) if os.name == 'nt' else shlex.join(words)}")
    if finished:
        checkpoint.unlink(missing_ok=True)


def _open(model: str) -> tuple[Any, dict[str, Any]]:
    """Load a shipped model by its name, or any model from its file."""
    from . import weights
    from .files import expanded

    is_file = expanded(model, "model").exists() or Path(model).suffix
    shipped = model in weights.pretrained_names() or not is_file
    return weights.load_pretrained(model) if shipped else weights.load(model)


def _data_of(card: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the name or folder of a model's training data, and the factors that varied."""
    data, vary = card.get("data"), card.get("vary", [])
    if not isinstance(data, str) or not isinstance(vary, list):
        raise ValueError(f"model: need a card that names the training data, got {data!r} and {vary!r}")
    return data, tuple(vary)


@app.command()
def evaluate(model: Annotated[str, typer.Argument(help=_MODEL)]) -> None:
    """Recompute every score on a model's card, on held-out images where there are any."""
    from . import evaluation, latents

    network, card = _open(model)
    data, vary = _data_of(card)
    images, held_out = evaluation.read_test_images(network, data, vary)
    typer.echo(f"{'scored on':>15}  {_SCORED_ON[held_out]} ({len(images)})")
    for name, value in evaluation.scores(network, images).items():
        if name != "latents":
            typer.echo(f"{name:>15}  {value}   card: {card.get(name)}")
            continue
        for i, entry in enumerate(value):
            if entry["kl"] >= latents.UNUSED:
                typer.echo(f"{'latent ' + str(i):>15}  KL {entry['kl']:.3f} nats  {entry.get('name', '')}")
    typer.echo(f"{'weaknesses':>15}  {card.get('weaknesses', 'none given')}")


@app.command()
def explore(
    model: Annotated[str, typer.Argument(help=_MODEL)],
    output: Annotated[Path | None, typer.Option(help="HTML file to write instead of opening a browser")] = None,
) -> None:
    """Open the latent explorer of MODEL in the browser, as one self-contained HTML file."""
    from . import evaluation
    from .explorer import LatentExplorer, typical_code

    network, card = _open(model)
    path, verb = _page_file(output or f"explore-{Path(model).stem}.html")
    try:
        data, vary = _data_of(card)
        test = True if data in evaluation.NAMED else None
        images = evaluation.read_images(data, test=test, size=network.size, n=200, vary=vary, channels=network.channels)
    except (OSError, ValueError) as error:
        typer.echo(f"no map of codes: {error}", err=True)
        images = None
    LatentExplorer(network, card, start=typical_code(network, card, images), images=images).save_html(path)
    typer.echo(f"{verb} {path.resolve()}")
    if output is None:
        with suppress(webbrowser.Error):  # where there is no browser, the printed path suffices
            webbrowser.open(path.resolve().as_uri())


@app.command()
def page(
    notebook: Annotated[str, typer.Argument(help="number of a lesson (05), or path of a notebook")],
    output: Annotated[Path | None, typer.Option(help="HTML file", show_default="the notebook's name, here")] = None,
) -> None:
    """Execute NOTEBOOK and write it as one self-contained HTML file, to read and to try without Python or a network."""
    from .lessons import page

    source = page.find(notebook)
    path, verb = _page_file(output or f"{source.stem}.html")
    typer.echo(f"running {source}, which may take a minute or more", err=True)
    page.write(source, path)
    typer.echo(f"{verb} {path.resolve()} ({path.stat().st_size / 1e6:.1f} MB)")


@app.command()
def play(output: Annotated[Path, typer.Option(help="HTML file")] = Path("play.html")) -> None:
    """Write the playground, in which a VAE learns in the browser, as one self-contained HTML file."""
    from .play import Play

    path, verb = _page_file(output)
    Play().save_html(path)
    typer.echo(f"{verb} {path.resolve()} ({path.stat().st_size / 1e6:.2f} MB)")


def _page_file(output: str | Path) -> tuple[Path, str]:
    """Return the path of a page to write, and what that does. Another kind of file is not replaced."""
    from .files import expanded

    path = expanded(output, "output")
    if path.is_file() and path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"output: {str(path)!r} exists already and is no .html file; name another")
    return path, "replaced" if path.exists() else "wrote"


if __name__ == "__main__":
    app()
