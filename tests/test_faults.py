"""After a kill, an interrupt, a full disk or concurrent writes, the next call continues with the right result.

test_sweep kills a Dask worker, and browser/test_kernel a kernel.
"""

import ast
import contextlib
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import traceback
import warnings
from dataclasses import asdict
from functools import partial
from unittest.mock import patch

import joblib
import numpy as np
import pytest
import torch
from conftest import ROOT

from vaehelpers import datasets, explorer, files, runs, training, weights

resource = pytest.importorskip("resource")  # not on Windows
pytestmark = pytest.mark.slow
RUN = {"latent_dim": 2, "batch": 4, "pictures": 4 * 12, "progress": False}
IMAGES = datasets.Images(np.random.default_rng(0).integers(256, size=(50, 1, 32, 32), dtype=np.uint8), None, ())
MODULES = (datasets, explorer, files, runs, training, weights)
NO_ROOM = r"\[Errno \d+\] (No space left on device|File too large)"
LIMIT = 50_000  # bytes: less than any file that is written


@pytest.fixture(autouse=True)
def small_steps(monkeypatch, tmp_path):
    """A checkpoint after every step of training, one thread, and a local file instead of MNIST's server."""
    monkeypatch.setattr(training, "_RECORD", 1)
    source = tmp_path / "source.npz"
    np.savez(source, x_train=np.full((2000, 28, 28), 9, np.uint8), y_train=np.arange(2000) % 10)
    monkeypatch.setattr(datasets, "MNIST_URL", source.as_uri())
    monkeypatch.setattr(datasets, "MNIST_SHA256", hashlib.sha256(source.read_bytes()).hexdigest())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# The kinds of work: each writes the same files to its folder and returns the same digest at each call.


def train(folder, callback=None):
    options = RUN | {"tc_weight": 1.0, "checkpoint": folder / "run.checkpoint", "callback": callback}
    model, history = training.train(IMAGES, beta=1.0, **options)
    weights.write(folder / "model.safetensors", model.state_dict(), asdict(history))
    return ""


def sweep(folder):
    with joblib.parallel_config("sequential"):
        table = training.sweep(IMAGES, betas=(0.5, 2), seeds=(0,), folder=folder, score=lambda model: {}, **RUN)
    return repr(table)


def hands(folder):
    with patch.object(datasets, "user_cache_path", lambda _: folder):
        return digest(datasets.hands(400, seed=0, size=32, progress=False).pixels.tobytes())


def mnist(folder):
    with patch.object(datasets, "user_cache_path", lambda _: folder):
        return digest(datasets.mnist().pixels.tobytes())


def save_html(folder):
    explorer.LatentExplorer(*weights.load_pretrained("digits-2d")).save_html(folder / "page.html")
    return ""


def fresh(folder, work):
    folder.mkdir()
    if work is save_html:
        (folder / "page.html").write_bytes(b"older")
    return folder


def contents(folder):
    """Return a digest of each file and, so that a failure names it, the digest and norm of each tensor in it."""
    return {path.name: described(path) for path in folder.iterdir() if path.suffix != ".part"}


def described(path):
    if path.suffix not in (".checkpoint", ".safetensors"):
        return digest(path.read_bytes())
    tensors, card = weights.read(path)
    found = {k: f"{digest(v.numpy().tobytes())} norm {v.double().norm():.12g}" for k, v in tensors.items()}
    return found | {"card": repr(card), "file": digest(path.read_bytes())}


def digest(content):
    return hashlib.sha256(content).hexdigest()[:16]


def assert_whole(folder, expected):
    for name, content in contents(folder).items():  # reads each file of tensors
        if not name.endswith((".checkpoint", ".safetensors")):
            assert content in (expected[name], digest(b"older")), name


def fork(work, *args):
    """Start some work in a new process, and return its process id."""
    with warnings.catch_warnings(action="ignore"):  # Python 3.12 warns of a fork with threads
        pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work(*args)
        code = 0
    except KeyboardInterrupt:
        code = 130
    except OSError as error:
        code = 3 if re.search(NO_ROOM, str(error)) else 4
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def exit_code(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextlib.contextmanager
def signalled_at_line(number, *modules, by=signal.SIGINT):
    """Send this process a signal at a given line that some modules execute; yield a function that counts the lines."""
    paths, seen = {module.__file__ for module in modules}, 0

    def trace(frame, event, _):
        nonlocal seen
        if frame.f_code.co_filename not in paths:
            return None
        seen += event == "line"
        if event == "line" and seen == number:
            os.kill(os.getpid(), by) if by == signal.SIGKILL else signal.raise_signal(by)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: seen
    finally:
        sys.settrace(before)


def some_lines(count, work, *args):
    """Return a seeded random choice of the lines of ``MODULES`` that some work executes, by number."""
    with signalled_at_line(-1, *MODULES) as seen:
        work(*args)
    return sorted(random.Random(1).sample(range(1, seen() + 1), min(count, seen())))


@pytest.mark.parametrize("by", (signal.SIGINT, signal.SIGKILL), ids=("interrupted", "killed"))
@pytest.mark.parametrize("work", (train, sweep, hands, mnist, save_html))
def test_stopped_at_any_line_the_next_call_ends_with_the_same_bytes(work, by, tmp_path):
    def stopped(line, folder):
        with signalled_at_line(line, *MODULES, by=by):
            work(folder)

    expected = work(fresh(tmp_path / "whole", work)), contents(tmp_path / "whole")
    lines = some_lines(8, work, fresh(tmp_path / "counted", work))
    assert contents(tmp_path / "counted") == expected[1]
    for line in lines:
        folder = fresh(tmp_path / str(line), work)
        assert exit_code(fork(stopped, line, folder)) == (130 if by == signal.SIGINT else -by), line
        assert_whole(folder, expected[1])
        assert (work(folder), contents(folder)) == expected, line


@pytest.mark.parametrize("by", (signal.SIGINT, signal.SIGKILL), ids=("interrupted", "killed"))
def test_stopped_at_any_line_of_replacing_a_file_it_is_the_old_or_the_new_one(tmp_path, by):
    def write(line, path):
        with signalled_at_line(line, files, sys.modules[__name__], by=by):
            with files.replacing(path) as part, part.open("wb", buffering=0) as file:
                for _ in range(3):
                    file.write(b"new")

    found, parts = [], 0
    for line in range(1, 30):
        path = tmp_path / str(line) / "file"
        path.parent.mkdir()
        path.write_bytes(b"old")
        exit_code(fork(write, line, path))
        found.append(path.read_bytes())
        parts += len([*path.parent.glob(".*.part")])
    assert {*found} == {b"old", b"newnewnew"} and found[-1] == b"newnewnew"
    assert parts <= 1 or by == signal.SIGKILL, "only one line is between creating the file and its clean-up block"


def writes_in_place(source):
    """Return the calls in a source that write a file outside ``with replacing(…)``."""
    tree = ast.parse(source)
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.With)]
    blocks = [node for node in blocks if any("replacing(" in ast.unparse(item) for item in node.items)]
    safe = {id(node) for block in blocks for node in ast.walk(block)}
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call) and id(node) not in safe]
    pattern = r"\.(write_text|write_bytes|tofile)\(|\.open\('[wax]|np\.save\w*\((?!buffer)|\.savefig\((?!buffer|file)"
    return [call for call in calls if re.search(pattern, call)]


def test_the_package_writes_no_file_in_place():
    for path in sorted((ROOT / "vaehelpers").rglob("*.py")):
        assert writes_in_place(path.read_text(encoding="utf-8")) == [], path.name
    for wrong in ("path.open('w')", "path.write_text(text)", "np.savez(path, x)", "plt.savefig(path)"):
        assert writes_in_place(wrong)


def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    """Otherwise, run as root, ``--output /dev/null`` would remove that device."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is not a file"), files.replacing(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_an_interrupt_at_any_line_of_training_gives_a_model_and_a_whole_history():
    short, returned = partial(training.train, IMAGES, beta=1.0, **RUN), 0
    for line in some_lines(30, short):
        with contextlib.suppress(KeyboardInterrupt), signalled_at_line(line, *MODULES):
            model, history = short()
            returned += 1
            assert len(history.seen) == len(history.elbo) and not model.training, line
            assert all(parameter.isfinite().all() for parameter in model.parameters()), line
    assert returned >= 15


def test_an_interrupt_at_any_line_of_training_leaves_torch_as_it_was():
    """Half precision that stays on, or its cache of old weights, would change all later results without a word."""

    def state():
        return torch.is_autocast_enabled("cpu"), torch.is_grad_enabled(), torch.get_num_threads()

    def callback(*_):
        assert state() == before, "a callback's own work is in full precision"

    short = partial(training.train, IMAGES, beta=1.0, callback=callback, **RUN | {"pictures": 4 * 2})
    before = state()
    with signalled_at_line(-1, training) as seen:
        short()
    for line in range(1, seen() + 1):
        with contextlib.suppress(KeyboardInterrupt), signalled_at_line(line, training):
            short()
        assert state() == before, line
        assert torch.autocast_increment_nesting() == 1 and torch.autocast_decrement_nesting() == 0, line


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


# A full disk, and concurrent processes.


def limit_files():
    """Limit the size of files, to simulate a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


@pytest.mark.parametrize(("work", "code"), ((train, 3), (save_html, 3), (hands, 0), (mnist, 0)))
def test_on_a_full_disk_older_files_stay_and_the_next_call_goes_on(work, code, tmp_path):
    """Caches are skipped; everything else raises an error with the reason."""

    def fill():
        if work is train:
            train(folder, lambda model, history: len(history.seen) == 6 and limit_files())
        else:
            limit_files()
            work(folder)

    expected = work(fresh(tmp_path / "whole", work)), contents(tmp_path / "whole")
    folder = fresh(tmp_path / "full", work)
    assert exit_code(fork(fill)) == code
    assert_whole(folder, expected[1])
    left = {train: ["run.checkpoint"], save_html: ["page.html"]}.get(work, [])
    assert [path.name for path in folder.iterdir()] == left
    assert (work(folder), contents(folder)) == expected


@pytest.mark.parametrize("work", (hands, mnist))
def test_several_processes_fill_one_cache_at_once(work, tmp_path):
    expected = work(fresh(tmp_path / "whole", work)), contents(tmp_path / "whole")
    folder = fresh(tmp_path / "shared", work)
    ready, start = os.pipe()

    def begin():
        os.close(start)
        os.read(ready, 1)  # blocks until all processes have started and closed the pipe
        assert work(folder) == expected[0]

    children = [fork(begin) for _ in range(4)]
    os.close(ready), os.close(start)
    assert [exit_code(pid) for pid in children] == [0] * 4
    assert contents(folder) == expected[1] and not list(folder.glob(".*.part"))
