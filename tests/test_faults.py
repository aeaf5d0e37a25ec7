"""Killed, interrupted, out of space, on a disk that only reads, beside itself: the next call goes on, and is right.

This file is also the program that suffers: ``python test_faults.py DEED KINDS FOLDER`` forks for each attempt, so that
PyTorch is imported once.

What is tested elsewhere: a kill of a Dask worker (test_sweep), damaged and cut-off files (test_training,
test_datasets), kernels restarted and interrupted under the explorer (test_explorer_lab).
"""

import ast
import contextlib
import hashlib
import importlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import FULL, ROOT

pytestmark = pytest.mark.slow
KILLS = 30 if FULL else 3  # kills, and interrupts, of each kind
RUN = {"latent_dim": 2, "batch": 4, "pictures": 32 * 4, "progress": False}
NO_ROOM = r"\[Errno \d+\] (No space left on device|File too large)"
LIMIT = 50_000  # bytes: more than what is said, and less than any file that is kept


def images():
    from vaehelpers import datasets

    return datasets.Images(np.random.default_rng(0).integers(256, size=(50, 1, 32, 32), dtype=np.uint8), None, ())


def often():
    """Return the module, set to save so often that a short run has as many of these moments as a long one."""
    import torch

    from vaehelpers import training

    torch.set_num_threads(1)
    training._RECORD, training._CHECKPOINT = 4, 8
    return training


# Work: each kind of it leaves files in its folder, the same at each call. ``folder.parent`` holds what it needs.


def train(folder):
    from vaehelpers import weights

    model, history = often().train(images(), beta=1.0, tc_weight=1.0, checkpoint=folder / "run.checkpoint", **RUN)
    weights.write(folder / "model.safetensors", model.state_dict(), asdict(history))


def sweep(folder):
    import joblib

    with joblib.parallel_config("sequential"):
        often().sweep(images(), betas=(0.5, 2), seeds=(0,), folder=folder, score=lambda model: {}, **RUN)


def hands(folder):
    from vaehelpers import datasets

    datasets.user_cache_path = lambda _: folder
    same_as_ever(folder, datasets.hands(400, seed=0, size=32, progress=False).pixels)


def mnist(folder):
    """From a file in place of the server."""
    from vaehelpers import datasets

    source = folder.parent / "source.npz"
    if not source.exists():
        pictures = np.random.default_rng(0).integers(256, size=(2000, 28, 28), dtype=np.uint8)
        np.savez(source, x_train=pictures, y_train=np.arange(2000) % 10)
    datasets.MNIST_URL, datasets.MNIST_SHA256 = source.as_uri(), hashlib.sha256(source.read_bytes()).hexdigest()
    datasets.user_cache_path = lambda _: folder
    same_as_ever(folder, datasets.mnist().pixels)


def same_as_ever(folder, pictures):
    """Compare what a call returned with what the first one did."""
    first, found = folder.parent / "first.sha256", hashlib.sha256(pictures.tobytes()).hexdigest()
    if not first.exists():
        first.write_text(found)
    assert first.read_text() == found


def save_html(folder):
    from vaehelpers import weights
    from vaehelpers.explorer import LatentExplorer

    LatentExplorer(*weights.load_pretrained("digits-2d")).save_html(folder / "page.html")


def command(folder):
    """The command line, which reads data, trains and saves; what it says goes to a file."""
    from vaehelpers import __main__, evaluation

    def read_images(*args, read=evaluation.read_images, **options):
        folder.with_suffix(".begun").touch()
        return read(*args, **options)

    evaluation.read_images = read_images
    said = os.open(folder.with_suffix(".said"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.chdir(folder)
    os.dup2(said, 1)
    os.dup2(said, 2)
    __main__.app(["train", "digits", "--latents", "2", "--minutes", "0.005"])


WORK = {"train": train, "sweep": sweep, "hands": hands, "mnist": mnist, "save_html": save_html, "command": command}
MODULES = {"hands": ["vaehelpers.datasets"], "mnist": ["vaehelpers.datasets"], "save_html": ["vaehelpers.explorer"]}
MODULES |= dict.fromkeys(("train", "sweep"), ["torch._dynamo", "vaehelpers.training"])  # Adam needs the first
MODULES["command"] = ["torch._dynamo", "vaehelpers.evaluation", "sklearn.datasets", "scipy.ndimage"]


def is_whole(path):
    """Whether a file, read as its reader does, is what it should be."""
    from vaehelpers import weights

    if path.suffix in (".checkpoint", ".safetensors"):
        return bool(weights.read(path))
    if path.suffix == ".bytes":
        return path.stat().st_size == 400 * 32 * 32
    if path.suffix == ".html":
        return path.read_bytes() == b"older" or path.read_bytes().endswith(b"</html>\n")
    return path.name == "mnist.npz" and path.read_bytes() == (path.parents[1] / "source.npz").read_bytes()


def fresh(folder, kind):
    folder.mkdir()
    if kind == "save_html":
        (folder / "page.html").write_bytes(b"older")
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".part"}


# Deeds: what is done to work, in the program.


def fork(work, *args):
    """Do some work in a process of its own, and return its number."""
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    code = 1
    try:
        work(*args)
        code = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def finished(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def whole(kind, folder, *names):
    """Do the work undisturbed, after some times for practice; return its seconds of computing and what it left."""
    for name in (*names, "whole"):
        before = sum(os.times()[2:4])  # of children that have ended
        assert finished(fork(WORK[kind], fresh(folder / name, kind))) == 0
    return sum(os.times()[2:4]) - before, contents(folder / "whole")


def kill(kind, folder):
    """Kill the work at moments spread over its length, each time in a new folder, and let the next call end it.

    The moments are seconds of its own computing, however busy the machine is; a signal that nobody handles kills.
    """
    rng, counts, (length, expected) = random.Random(KILLS), [0, 0, 0], whole(kind, folder, "practice")
    for attempt in range(10 * KILLS):
        if counts[0] == KILLS:
            break
        place = fresh(folder / str(attempt), kind)
        before, moment = contents(place), length * (attempt % KILLS + rng.random()) / KILLS
        killed = finished(fork(work_until, max(moment, 1e-6), kind, place)) == -signal.SIGPROF
        left = contents(place)
        assert all(is_whole(place / name) for name in left), (attempt, [*left])
        counts = [*np.add(counts, [killed, killed and left != before, len([*place.glob(".*.part")])]).tolist()]
        assert finished(fork(WORK[kind], place)) == 0, "the next call does not go on"
        assert contents(place) == expected, (attempt, [*left])
        shutil.rmtree(place)
    return counts


def work_until(moment, kind, folder):
    signal.setitimer(signal.ITIMER_PROF, moment)
    WORK[kind](folder)


def interrupt(kind, folder):
    """Press Ctrl-C at moments spread over the length of a command, once it has begun; return its exit codes."""
    rng, codes, (length, _) = random.Random(KILLS), [], whole(kind, folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell runs in the background ignores it
    for attempt in range(KILLS):
        place = fresh(folder / str(attempt), kind)
        pid = fork(WORK[kind], place)
        while not place.with_suffix(".begun").exists():
            time.sleep(0.01)
        time.sleep(length * (attempt + rng.random()) / KILLS)
        os.kill(pid, signal.SIGINT)
        codes.append(finished(pid))
        said, model = place.with_suffix(".said").read_text(), place / "model.safetensors"
        assert "Traceback" not in said and not list(place.glob(".*.part")), said
        assert is_whole(model) if model.exists() else codes[-1] == 130, said
        assert said.endswith("stopped\n") == (codes[-1] == 130), said
    return codes


def fill_disk(kind, folder):
    """Do the work on a disk that becomes full, and again when there is room; return what was said."""
    _, expected = whole(kind, folder)
    place = fresh(folder / "full", kind)
    before, code = contents(place), finished(fork(work_and_fill, kind, place))
    (place / "filler").unlink(missing_ok=True)
    left, said = contents(place), [path.read_text() for path in folder.glob("full.*")]
    assert all(is_whole(place / name) for name in left) and not list(place.glob(".*.part")), [*left]
    if kind != "command":  # which is told how long to train, not how much
        assert finished(fork(WORK[kind], place)) == 0
        assert contents(place) == expected
    return code, "".join(said).strip().splitlines()[-1:], left == before, [*left]


def work_and_fill(kind, folder):
    """Let the disk become full in the midst of a training, and before anything else."""
    if kind in ("train", "sweep"):
        from vaehelpers.runs import Run

        often()
        record, fill = Run.record, fill_up
        Run.record = lambda run: (run.step == 20 and fill(folder), record(run))[1]
    else:
        fill_up(folder)
    try:
        WORK[kind](folder)
    except OSError as error:
        folder.with_suffix(".error").write_text(str(error))
        sys.exit(3)


def fill_up(folder):
    """Let no file grow: a disk of its own is filled to the last byte; elsewhere the system sets a limit."""
    if not os.path.ismount(folder.parents[1]):
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
        return
    folder.with_suffix(".said" if folder.parent.name == "command" else ".error").write_bytes(b" " * 2000)
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while file.write(bytes(1000)):
            pass


def only_read(kind, folder):
    """Do the work in a folder that cannot be written, and where it was finished before; return the exit codes."""
    whole(kind, folder)
    empty = fresh(folder / "empty", kind)
    codes = []
    for place in (empty, folder / "whole"):
        place.chmod(0o555)
        with contextlib.suppress(PermissionError):
            (place / "file").touch()
            raise AssertionError("this folder can be written")
        before = contents(place)
        codes.append(finished(fork(work_or_3, kind, place)))
        assert contents(place) == before
    return codes


def work_or_3(kind, folder):
    try:
        WORK[kind](folder)
    except OSError:
        sys.exit(3)


def fill_cache(kind, folder):
    """Do the same work in several processes at once, in one folder."""
    _, expected = whole(kind, folder)
    for attempt in range(KILLS):
        place = fresh(folder / str(attempt), kind)
        ready, start = os.pipe()
        children = [fork(work_from, ready, start, kind, place) for _ in range(4)]
        os.close(ready), os.close(start)
        assert [finished(pid) for pid in children] == [0] * 4
        assert contents(place) == expected and not list(place.glob(".*.part"))
    return KILLS


def work_from(ready, start, kind, folder):
    """Begin when the last of those that are to begin has been started: a pipe ends where nobody can write any more."""
    os.close(start)
    os.read(ready, 1)
    WORK[kind](folder)


def program(deed, kinds, folder, *, before=()):
    """Run this very file, and return what came of each kind of work."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    line = [*before, sys.executable, __file__, deed, ",".join(kinds), str(folder)]
    done = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Killed.


@pytest.mark.parametrize("kind", ("train", "sweep", "hands", "mnist", "save_html"))
def test_killed_at_random_moments_the_next_call_ends_with_the_same_bytes(kind, tmp_path):
    killed, begun, parts = program("kill", [kind], tmp_path)[kind]
    print(f"{kind}: {killed} kills, {begun} after the first file was there, {parts} in the midst of writing")
    assert killed == KILLS


@contextlib.contextmanager
def interrupted_at_line(number, *modules):
    """Press Ctrl-C, so to say, when the code of some modules begins its so-and-so-many-th line."""
    files, seen = {module.__file__ for module in modules}, 0

    def trace(frame, event, _):
        nonlocal seen
        if frame.f_code.co_filename not in files:
            return None
        seen += event == "line"
        if event == "line" and seen == number:
            signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: seen
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("ending", ("interrupt", "kill"))
def test_at_any_line_of_replacing_a_file_is_the_old_or_the_new_one(tmp_path, ending):
    from vaehelpers import files

    def write(path):
        with files.replacing(path) as part, part.open("wb", buffering=0) as file:
            for _ in range(3):
                file.write(b"new")

    def die_at(line, path):
        with contextlib.suppress(KeyboardInterrupt), interrupted_at_line(line, files, sys.modules[__name__]):
            try:
                write(path)
            except KeyboardInterrupt:
                if ending == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)

    found, parts = [], 0
    for line in range(1, 30):
        path = tmp_path / str(line) / "file"
        path.parent.mkdir()
        path.write_bytes(b"old")
        finished(fork(die_at, line, path))
        found.append(path.read_bytes())
        parts += len([*path.parent.glob(".*.part")])
    assert {*found} == {b"old", b"newnewnew"} and found[-1] == b"newnewnew"
    assert parts <= 1 or ending == "kill", "only one line lies between a new file and what clears it away"


def written_at_once(tree):
    """The lines of a module that write a file in place."""
    safe = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.With)
        and any(ast.unparse(item.context_expr).startswith("replacing(") for item in block.items)
        for part in [*block.body, *block.items]
        for node in ast.walk(part)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node not in safe:
            name, first = node.func.attr, ast.unparse(node.args[0]) if node.args else ""
            opened = name == "open" and re.fullmatch(r"'[wax+]b?\+?'", first)
            saved = ast.unparse(node.func).startswith("np.save") or name == "savefig"
            if opened or saved and first not in ("buffer", "file") or name in ("write_text", "write_bytes", "tofile"):
                yield node.lineno, ast.unparse(node)


def test_the_package_writes_no_file_in_place():
    for path in sorted((ROOT / "vaehelpers").rglob("*.py")):
        assert list(written_at_once(ast.parse(path.read_text(encoding="utf-8")))) == [], path.name
    for wrong in ("path.open('w')", "path.write_text(text)", "np.savez(path, x)", "plt.savefig(path)"):
        assert list(written_at_once(ast.parse(wrong)))


def test_what_a_killed_process_left_goes_an_hour_later(tmp_path):
    from vaehelpers import files

    for age in (0, 3000, 4000, -4000):  # the clock may also have been put back
        (tmp_path / f".vaehelpers-{age}.part").touch()
        os.utime(tmp_path / f".vaehelpers-{age}.part", (time.time() - age,) * 2)
    (tmp_path / "film.part").touch()
    os.utime(tmp_path / "film.part", (0, 0))
    with files.replacing(tmp_path / "file") as part:
        part.write_text("new")
    left = {".vaehelpers-0.part", ".vaehelpers-3000.part", ".vaehelpers--4000.part", "film.part", "file"}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_what_is_no_file_is_not_replaced_by_one(tmp_path):
    """Else, as root, ``--output /dev/null`` would take that device away."""
    from vaehelpers import files

    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="is not a file"), files.replacing(path):
            pass
    assert (tmp_path / "pipe").is_fifo() and len([*tmp_path.iterdir()]) == 1


# Interrupted.


@pytest.fixture
def small_steps(monkeypatch):
    """Training with a checkpoint after every second step and a point of the history after each, on one thread."""
    import torch

    from vaehelpers import training

    monkeypatch.setattr(training, "_RECORD", 1)
    monkeypatch.setattr(training, "_CHECKPOINT", 2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield partial(training.train, images(), beta=1.0, **RUN | {"pictures": 4 * 6})
    torch.set_num_threads(threads)


def some_lines(work, *modules):
    """A seeded choice among the lines that some work goes through."""
    with interrupted_at_line(-1, *modules) as seen:
        work()
    return sorted(random.Random(KILLS).sample(range(1, seen() + 1), min(10 * KILLS, seen())))


def test_an_interrupt_at_any_line_of_training_gives_a_model_and_a_whole_history(small_steps):
    from vaehelpers import runs, training

    given = 0
    for line in some_lines(small_steps, training, runs):
        with contextlib.suppress(KeyboardInterrupt), interrupted_at_line(line, training, runs):
            model, history = small_steps()
            given += 1
            assert len(history.seen) == len(history.elbo) and not model.training, line
            assert all(parameter.isfinite().all() for parameter in model.parameters()), line
    assert given >= 5 * KILLS


def test_after_an_interrupt_at_any_line_a_checkpoint_goes_on_to_the_same_weights(small_steps, tmp_path):
    from vaehelpers import files, runs, training, weights

    modules = (files, runs, training, weights)
    expected, history = small_steps()
    for line in some_lines(lambda: small_steps(checkpoint=tmp_path / "whole"), *modules):
        path = tmp_path / str(line)
        with pytest.raises(KeyboardInterrupt), interrupted_at_line(line, *modules):
            small_steps(checkpoint=path)
        model, gone_on = small_steps(checkpoint=path)
        assert gone_on == history, line
        assert all(map(np.array_equal, model.state_dict().values(), expected.state_dict().values())), line


def test_a_command_that_is_interrupted_says_so_in_one_line(tmp_path):
    codes = program("interrupt", ["command"], tmp_path)["command"]
    assert set(codes) <= {0, 130}  # training ends early, and what was learned is saved
    print(codes)


@pytest.mark.parametrize("module", ("torch.nn", "vaehelpers.evaluation"))
def test_a_command_that_is_interrupted_while_it_imports_says_so_in_one_line(module):
    code = f"""
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupt:
    def find_spec(name, *_):
        if name == {module!r}:
            sys.meta_path.remove(Interrupt)
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt)
sys.argv = ["vaehelpers", "evaluate", "digits-2d"]
runpy.run_module("vaehelpers", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")


# A disk that is full, a disk that only reads, and several at one.


def check_full(results):
    """Only the time of making it again is lost for what is kept in the cache; all else says that there is no room."""
    assert results["hands"] == [0, [], True, []]
    code, (said,), _, left = results["train"]
    assert code == 3 and re.search(NO_ROOM, said) and left == ["run.checkpoint"]
    code, (said,), same, left = results["save_html"]
    assert code == 3 and re.search(NO_ROOM, said) and same and left == ["page.html"]


FILLING = ["train", "hands", "save_html"]


def test_where_no_file_can_grow_nothing_older_is_spoilt_and_the_next_call_goes_on(tmp_path):
    """By a limit of the system's on the size of a file, which is to be had everywhere."""
    results = program("fill_disk", [*FILLING, "command"], tmp_path)
    check_full(results)
    code, (said,), same, _ = results["command"]
    assert code == 2 and re.search("^error: checkpoint: .* cannot be written .*" + NO_ROOM, said) and same


def test_on_a_full_disk_nothing_older_is_spoilt_and_the_next_call_goes_on(tmp_path):
    """On a disk in memory, which only some may mount."""
    mount = ["unshare", "--mount", "--map-root-user", "sh", "-c", 'mount -t tmpfs -o size=64m none "$0" && exec "$@"']
    try:
        subprocess.run([*mount, tmp_path, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here ({error}); the test before is the same with a limit")
    check_full(program("fill_disk", FILLING, tmp_path, before=[*mount, tmp_path]))


def test_a_folder_that_cannot_be_written_costs_only_what_would_be_kept_there(tmp_path):
    root = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []  # whom no mode stops
    codes = program("only_read", ["hands", "train"], tmp_path, before=root)
    assert codes == {"hands": [0, 0], "train": [3, 3]}


def test_several_processes_fill_one_cache_at_once(tmp_path):
    assert program("fill_cache", ["hands", "mnist"], tmp_path) == {"hands": KILLS, "mnist": KILLS}


# A clock that jumps.


def test_a_clock_that_jumps_changes_neither_the_length_of_a_training_nor_its_weights(small_steps, monkeypatch):
    expected, history = small_steps()
    rng, now = random.Random(0), time.time
    for place in ("time.time", "tqdm.std.time"):
        monkeypatch.setattr(place, lambda: now() + rng.uniform(-1e6, 1e6))
    model, same = small_steps(progress=True)
    assert same == history
    assert all(map(np.array_equal, model.state_dict().values(), expected.state_dict().values()))
    began = time.monotonic()
    small_steps(minutes=0.02)
    assert time.monotonic() - began >= 1.2


# A kernel that is killed, restarted and interrupted in JupyterLab, while widgets are open.

CELLS = [
    """from vaehelpers import datasets, training
from vaehelpers.lessons import lesson01
from vaehelpers.explorer import LatentExplorer
explorer = LatentExplorer(*training.load_pretrained("digits-2d"))
explorer""",
    "lesson01.two_weathers()",
]
TRAIN = """def tell(model, history): print("begun", flush=True)
model, history = training.train(datasets.digits(), beta=1.0, latent_dim=2, minutes=5, progress=False, callback=tell)
print(len(history.seen) == len(history.elbo) > 0, not model.training)"""
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture
def page(lab, browser):
    """A notebook with an explorer and a figure under a slider, open in JupyterLab."""
    from explorers import notebook
    from test_browser import Watch, open_notebook, upload

    upload(lab, "faults.ipynb", notebook(CELLS))
    page = browser.new_page(viewport={"width": 1500, "height": 1400})
    page.watch = Watch(page)
    open_notebook(page, lab, "faults")
    yield page
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown() }")
    page.close()


def run_all(page):
    """Run all cells, and return the first slider of the explorer and that of the figure, both new and alive."""
    from test_browser import EXPLORERS, RUN_ALL, SLIDERS, press, settle

    page.evaluate("() => document.querySelectorAll('.latent-explorer, .noUi-handle').forEach((old) => old.remove())")
    for count, outputs in page.evaluate(RUN_ALL):
        assert count and '"output_type":"error"' not in outputs and '"name":"stderr"' not in outputs
    handles = [page.wait_for_selector(place) for place in (f"{EXPLORERS} .film input", SLIDERS)]
    for handle in handles:
        before = settle(page, handle)
        press(page, handle, "Home")
        settle(page, handle, unlike=before)
    return handles


def test_widgets_outlive_an_interrupted_training_and_a_killed_kernel(page):
    from explorers import ASK
    from test_browser import KERNEL, dealt_with, pictures, press, settle

    explorer, figure = run_all(page)
    page.evaluate(f"(code) => {{ window.answer = ({ASK})(code) }}", TRAIN)
    page.wait_for_function("() => window.said.includes('begun')")
    page.evaluate(f"async () => {{ await {KERNEL}.interrupt() }}")
    said = page.evaluate("async () => await window.answer")
    assert "stopped after" in said and said.endswith("True True\n")
    drawn = [settle(page, handle) for handle in (explorer, figure)]
    press(page, figure, "End")
    drawn[1] = settle(page, figure, unlike=drawn[1])
    page.evaluate(f"(code) => {{ {KERNEL}.requestExecute({{ code }}) }}", KILL)
    page.locator(".jp-Dialog", has_text="appears to have died").locator(".jp-mod-accept").click()
    press(page, explorer, "End")
    assert settle(page, explorer, unlike=drawn[0]) != drawn[0], "the explorer needs no kernel"
    press(page, figure, "Home")
    page.wait_for_function(f"() => {KERNEL}.status === 'idle'")
    dealt_with(page)
    assert pictures(figure) == drawn[1], "the figure stays"
    run_all(page)
    assert page.evaluate(ASK, "print(min(explorer.z))") == "-3.0\n"
    assert page.watch.errors == [] and page.watch.remote == []


if __name__ == "__main__":
    deed, kinds, place = sys.argv[1:]
    for kind in kinds.split(","):
        for module in MODULES[kind]:
            importlib.import_module(module)
        (Path(place) / kind).mkdir()
    print(json.dumps({kind: globals()[deed](kind, Path(place) / kind) for kind in kinds.split(",")}))
