"""The command line: the files that it writes and what it prints; ``test_bad_input`` tests its errors."""

import json
import re
import shlex
import shutil
import subprocess
import warnings
import webbrowser
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from test_training import interrupted
from typer.testing import CliRunner

import vaehelpers.__main__ as cli
from vaehelpers import datasets, evaluation, explorer, latents, metrics, training, weights

RUN = CliRunner()
OPENED: list[str] = []
QUICK = ["--latents", "2", "--minutes", "0.002"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with unusual signs in its name; addresses are recorded and not opened in a browser."""
    folder = tmp_path / "für Zoë 🐈 & 日本"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(webbrowser, "open", OPENED.append)
    OPENED.clear()
    return folder


def run(*words, code=0):
    """Run a command, and return what it printed."""
    result = RUN.invoke(cli.app, [str(word) for word in words])
    assert result.exit_code == code and "Traceback" not in result.output, result.output
    return result.output


def write_images(folder, n):
    folder.mkdir()
    for i in range(n):
        Image.new("L", (32, 32), 8 * i).save(folder / f"{i}.png")
    return folder


@pytest.mark.slow
def test_train_then_evaluate_then_explore(here):
    run("train", "digits", *QUICK, "--size", "64", "--output", "d.safetensors")
    model, card = training.load("d.safetensors")
    assert model.size == 64 and len(card["latents"]) == 2 and card["data"] == "digits"
    assert "scored on  images that it was trained on (1797)" in run("evaluate", "d.safetensors")
    assert run("explore", "d.safetensors", "--output", "e.html") == f"wrote {here / 'e.html'}\n" and OPENED == []
    page = Path("e.html").read_text(encoding="utf-8")
    assert explorer.pack(Path("d.safetensors").read_bytes()) in page
    start = json.loads(re.search(r'"start": (\[[^]]*\])', page)[1])
    np.testing.assert_allclose(start, latents.encode(model, datasets.digits(size=64)[:1])[0][0], atol=1e-3)
    assert run("explore", "d.safetensors") == f"wrote {here / 'explore-d.html'}\n"
    assert run("explore", "d.safetensors") == f"replaced {here / 'explore-d.html'}\n"
    assert OPENED == [(here / "explore-d.html").as_uri()] * 2


def test_explore_prints_the_path_where_there_is_no_browser(here, monkeypatch):
    def nowhere(url):
        raise webbrowser.Error("could not locate runnable browser")

    for browser in (nowhere, lambda url: False):
        monkeypatch.setattr(webbrowser, "open", browser)
        assert run("explore", "digits-2d").endswith(f"{here / 'explore-digits-2d.html'}\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "output", ("mymodel", "my model.pt", "elsewhere/m.v2", "hands", "-m", "it's ä.safetensors", "sub folder/hands")
)
def test_the_command_that_train_prints_runs_for_any_name_of_the_output(here, output):
    text = run("train", write_images(here / "few", 3), *QUICK, f"--output={output}")
    command, *words = shlex.split(re.search(r"explore it with: \S+ -m vaehelpers (.*)", text)[1])
    assert command == "explore" and (here / output).is_file() and not list(here.rglob("*.checkpoint"))
    page = Path(run(command, *words).split(" ", 1)[1].strip())
    assert explorer.pack((here / output).read_bytes()) in page.read_text()
    run("evaluate", *words)


@pytest.mark.slow
def test_the_command_that_train_prints_runs_in_a_shell(here):
    output = run("train", write_images(here / "few", 3), *QUICK, "--output", "my model")
    line = re.search(r"explore it with: (.*)", output)[1]
    done = subprocess.run(["sh", "-c", f"{line} --output 'a page.html'"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {here / 'a page.html'}\n", "")


def commands():
    """Return each command with arguments in README, guide, lessons and package."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("**/*.md")]
    pages += [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "vaehelpers").rglob("*.py")]
    texts = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    found = re.findall(r"python -m vaehelpers ([a-z]+(?: +(?:--)?[\w.-]+)*)", texts)
    return sorted({" ".join(line.split()) for line in found if " " in line})


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in commands() if not line.startswith("page")])  # see test_page
def test_every_command_in_the_texts_runs(here, line, monkeypatch):
    """They run with fewer images and less time."""
    draw = datasets.hands
    monkeypatch.setattr(datasets, "hands", lambda n, **options: draw(min(n, 40), **options | {"progress": False}))
    write_images(here / "FOLDER", 3)
    shutil.copy(weights.PRETRAINED / "digits-2d.safetensors", here / "model.safetensors")
    words = re.sub(r"--minutes \S+", "", line).split()
    with warnings.catch_warnings(action="ignore"):  # 40 hands are too few for some scores
        run(*words, *(["--minutes", "0.005", "--overwrite"] if words[0] == "train" else []))


def test_the_texts_name_each_command():
    assert {line.split()[0] for line in commands()} == {"train", "evaluate", "explore", "page", "play"}


# Nothing is overwritten or lost.


def test_a_model_is_not_overwritten_unless_asked(here):
    Path("model.safetensors").write_bytes(b"older")
    write_images(here / "few", 3)
    output = run("train", "few", *QUICK, code=2)
    assert output.count("\n") == 1 and "model.safetensors' exists already; name another file with --output" in output
    assert Path("model.safetensors").read_bytes() == b"older" and len(list(here.iterdir())) == 2
    run("train", "few", *QUICK, "--overwrite")
    assert training.load("model.safetensors")[1]["data"] == str(here / "few")


def test_ctrl_c_saves_the_model_so_far_and_the_same_command_continues(here, monkeypatch):
    folder = write_images(here / "my pictures", 12)
    monkeypatch.setattr(training, "elbo_terms", interrupted(1))  # before the minutes can have passed
    command = ["train", folder, "--latents", "2", "--minutes", "0.02", "--size", "32", "--output", "a model"]
    output = run(*command)
    model, card = training.load("a model")
    assert model.latent_dim == 2 and "elbo" in card and Path("a model.checkpoint").exists()
    assert "stopped; the same command continues" in output
    assert "belongs to another run: beta is 4.0 there and 2.0 here" in run(*command, "--beta", "2", code=2)
    assert "need one of the two" in run(*command, "--resume", "--overwrite", code=2)
    run(*command, "--resume")
    assert not Path("a model.checkpoint").exists()
    assert "no checkpoint" in run(*command, "--resume", code=2)
    assert training.load("a model")[1]["recipe"] == {"beta": 4.0, "minutes": 0.02}


def test_ctrl_c_while_scoring_does_not_lose_the_model(here, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "scores", interrupted)
    output = run("train", write_images(here / "few", 3), *QUICK, code=130)
    assert "saved model.safetensors\n" in output and output.endswith("stopped\n")
    assert training.load("model.safetensors")[1]["name"] == "model"


def test_the_home_folder_is_found_in_every_path(here, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    write_images(here / "pics", 3)
    run("train", "~/pics", *QUICK, "--output=~/m")
    assert (here / "m").is_file() and training.load(here / "m")[1]["data"] == str(here / "pics")
    assert "scored on  images that it was trained on (3)" in run("evaluate", "~/m"), "too few to hold any out"
    run("explore", "~/m", "--output=~/page.html")
    assert (here / "page.html").is_file() and not (here / "~").exists()


# The printed output is correct.


def test_a_model_of_a_folder_is_scored_on_images_that_are_held_out(here, monkeypatch):
    trained = []
    train = training.train
    monkeypatch.setattr(training, "train", lambda images, **o: trained.append(images) or train(images, **o))
    folder = write_images(here / "photos", 30)
    run("train", folder, *QUICK, "--size", "32")
    _, card = training.load("model.safetensors")
    held_out = datasets.folder(folder, size=32, test=True)
    assert card["scored_on"] == "images that it was not trained on" and card["pictures"] == len(held_out) > 0
    assert len(trained[0]) + len(held_out) == 30
    output = run("evaluate", "model.safetensors")
    assert f"scored on  images that it was not trained on ({len(held_out)})" in output
    assert f"{card['elbo']}   card: {card['elbo']}" in output


def test_train_says_how_many_latents_are_active_and_what_to_try_when_none_is(here, monkeypatch):
    score, _ = evaluation.scores, write_images(here / "few", 3)
    for active in (0, 2):
        monkeypatch.setattr(evaluation, "scores", lambda *args, n=active: score(*args) | {"active_latents": n})
        output = run("train", "few", *QUICK, "--beta", "1000", "--output", active)
        assert f"{active} of 2 latents are active; ELBO" in output
        assert ("try --beta smaller than 1000, or --minutes longer than 0.002" in output) == (active == 0)


def test_a_model_of_coloured_images_in_classes_is_evaluated_and_explored(here):
    (here / "pets").mkdir()
    for k, name in enumerate(("cats", "dogs")):
        write_images(here / "pets" / name, 6)
        Image.new("RGB", (32, 32), (255 * k, 0, 99)).save(here / "pets" / name / "red.png")
    images = datasets.folder(here / "pets", size=32, channels=3, test=False)
    model, _ = training.train(images, beta=1, latent_dim=2, pictures=64, progress=False)
    training.save(model, "pets.safetensors", {"data": str(here / "pets"), "vary": ["class"]})
    output = run("evaluate", "pets.safetensors")
    assert "elbo" in output and "mig" not in output, "a class does not count as a factor"
    assert "wrote" in run("explore", "pets.safetensors") and "without" not in run("explore", "pets.safetensors")


def test_files_that_are_left_out_are_named_in_one_line(here):
    (write_images(here / "photos", 3) / "x.png").write_bytes(b"")
    output = run("train", here / "photos", *QUICK, "--size", "32")
    assert "warning: left out 1 of 4 files: x.png (empty or not a file)\n" in output and "UserWarning" not in output


def test_latents_are_named_only_when_both_sides_agree():
    rng = np.random.default_rng(0)
    factors = rng.random((5000, 2))
    mu = np.column_stack([rng.random(5000), factors[:, 1], factors.sum(1)])
    information = metrics.mi_matrix(mu, factors, continuous=True)
    assert evaluation.latent_names(information, ("index", "thumb")) == {1: "thumb"}
