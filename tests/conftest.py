"""Shared fixtures: a blocked network, separate settings, a real JupyterLab and a real browser."""

import contextlib
import os
import runpy
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by NumPy and PyTorch: one core for each test process

import matplotlib
import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parent.parent
OFFLINE = ROOT / "tests" / "offline"
signal.signal(signal.SIGINT, signal.default_int_handler)  # background processes of a shell ignore SIGINT
matplotlib.use("Agg")  # no test opens a window
runpy.run_path(str(OFFLINE / "sitecustomize.py"))  # blocks the network of this process


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("browser")
    # The slowest files come first, so that no process runs one alone at the end.
    for long in ("slow", "browser", "lab"):
        files = {item.path for item in items if item.get_closest_marker(long) or long in item.fixturenames}
        items.sort(key=lambda item: item.path not in files)


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory):
    """Neither read nor write the user's settings and caches; block the network in every process that is started."""
    home = tmp_path_factory.mktemp("home")
    changes = {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "lab"),
        "PYTHONPATH": str(OFFLINE),
    }
    settings = home / "lab" / "@jupyterlab" / "docmanager-extension" / "plugin.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"autosave": false}')  # else it may save during a slow test
    with pytest.MonkeyPatch.context() as environment:
        for name, value in changes.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(autouse=True)
def closed_figures():
    """Close all figures after a test."""
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The address and token of a JupyterLab that serves a copy of the notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder, dirs_exist_ok=True)
    token = secrets.token_hex(16)
    options = ["--allow-root", "--expose-app-in-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    command = ["jupyter", "lab", "--no-browser", *options, f"--IdentityProvider.token={token}"]
    with serving(*command, path=f"/api?token={token}", log=folder.parent / "lab.log") as address:
        yield address, token


@contextlib.contextmanager
def serving(*command, path, log):
    """Run a Python module as a server on a free port, and yield its address once ``path`` answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as out:
        command = [sys.executable, "-m", *command, f"--port={port}"]
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait_for(address + path, server, log)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(url, server, log):
    for _ in range(900):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium, for one module only: Playwright's event loop would affect asyncio in other tests."""
    from playwright.sync_api import sync_playwright

    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    path = next((f for f in found if f), mac if Path(mac).exists() else None)
    if path is None:
        pytest.fail("no Chromium was found; `make test` installs it as root, else install it with your package manager")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page_of(browser, tmp_path_factory):
    """A function that opens a page of a shipped model, or of an explorer."""
    from explorers import opener

    return opener(browser, tmp_path_factory.mktemp("pages"))
