"""Neither files nor texts execute code, servers listen on this machine only, and nothing is sent to other machines.

Tested elsewhere: the explorer's content security policy, hostile names in a card and what its page loads
(test_explorer, test_explorer_robust, test_modules), damaged weights (test_training), an image that would fill 10 GB and
a download with a wrong checksum (test_datasets), that `explore` opens a file and no server (test_cli), and that pages
and lessons make no request beyond this machine (test_browser, test_site, test_slides, test_voila).
"""

import contextlib
import json
import re
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from importlib.metadata import metadata
from pathlib import Path

import nbformat
import psutil
import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from PIL import Image
from safetensors.torch import save as serialise

from vaehelpers import datasets, model, weights
from vaehelpers.model import VAE

FILES = [*ROOT.glob("vaehelpers/**/*.py"), *ROOT.glob("docs/*.py"), *ROOT.glob("recipes/*.py")]
FILES += [*ROOT.glob("notebooks/*.ipynb")]
SCRIPTS = [path for folder in ("vaehelpers/web", "docs") for path in (ROOT / folder).iterdir()]
# Calls that execute data as code or start a shell, in Python and in a page.
DANGERS = (
    r"(import|from) (c?pickle|cloudpickle|dill|marshal|shelve|pty|commands|yaml|xmlrpc)\b|from (os|builtins) import"
)
DANGERS += r"|(?<![.\w])(eval|exec|compile|__import__)\(|\bos\.(system|popen|startfile)|\b(torch|joblib)\.load\("
DANGERS += r"|\bgetoutput|\bgetstatusoutput|\btarfile\b|\bunpack_archive|\bMAX_IMAGE_PIXELS"
DANGERS += r"|\b(shell|allow_pickle|trust_remote_code)=(?!False\b)|\bweights_only=(?!True\b)"
SINKS = r"\beval\(|\bFunction\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment"
SINKS += r"|srcdoc|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|\bimport\("
SINKS += r"|window\.open|localStorage|document\.cookie|set(Timeout|Interval)\([\"'`]"


def code(path):
    """Return the Python code of a module or a notebook, which has no magic commands."""
    if path.suffix == ".py":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")


def test_no_source_executes_data_as_code():
    for path in FILES:
        assert not re.search(DANGERS, code(path), re.I), path
    for path in SCRIPTS:
        if path.suffix in (".js", ".j2", ".html"):
            assert not re.search(SINKS, path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from yaml import load", "from os import system", "os.system('ls')", "eval(text)", "exec(text)",
     "compile(text, '', 'exec')", "subprocess.run(line, shell=True)", "subprocess.run(line, shell=flag)",
     "torch.load(path)", "np.load(path, allow_pickle=True)", "Image.MAX_IMAGE_PIXELS = None"],
)  # fmt: skip
def test_the_pattern_finds_each_dangerous_call(source):
    assert re.search(DANGERS, source)
    assert not re.search(DANGERS, "np.load(path, allow_pickle=False); re.compile(text); model.eval(); run([a, b])")


# Untrusted files.


def test_reading_an_image_starts_no_program(tmp_path, monkeypatch):
    """Pillow would start Ghostscript for EPS, whatever the file's name."""
    for name in ("other.eps", "other.png"):
        Image.new("RGB", (20, 20), "red").save(tmp_path / name, "EPS")
    Image.new("RGB", (20, 20), "red").save(tmp_path / "photo.jpg", "MPO")  # as some phones write
    monkeypatch.setattr(subprocess, "check_call", None)
    with pytest.warns(UserWarning, match=r"left out 2 of 3 files: other.eps \(in an unsupported format\), other"):
        assert len(datasets.folder(tmp_path, size=16)) == 1


@pytest.mark.parametrize(
    "claim",
    [{"latent_dim": 3}, {"latent_dim": 10**7}, {"latent_dim": 10**12}, {"latent_dim": 10**30}, {"latent_dim": -1},
     {"latent_dim": 2.5}, {"latent_dim": "2"}, {"size": 2**20}, {"channels": 10**6}, {"more": 1}, None, [], "x"],
)  # fmt: skip
def test_the_size_that_a_card_claims_is_not_allocated(tmp_path, monkeypatch, claim):
    path = tmp_path / "m.safetensors"
    tensors = VAE(32, 2).state_dict()
    claimed = {"size": 32, "latent_dim": 2, "channels": 1} | claim if isinstance(claim, dict) else claim
    weights.write(path, tensors, {"model": claimed})
    made = []
    monkeypatch.setattr(model, "_initialise", lambda network: made.extend(network.parameters()))
    with pytest.raises(ValueError, match=r"does not hold a model of this course|^(latent_dim|size|channels): need"):
        weights.load(path)
    assert all(parameter.is_meta for parameter in made)


def test_a_card_without_end_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(serialise({}, {"card": "[" * 100_000}))
    with pytest.raises(ValueError, match="is damaged or was not written by this course"):
        weights.load(path)


# The network.

REFUSED = """
import socket
T, U, V = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET6
for line in '''
socket.create_connection(("192.0.2.1", 9), 1)
socket.create_connection(("2001:db8::1", 80), 1)
socket.socket(V, T).connect_ex(("::2", 9, 0, 0))
socket.socket(type=T).connect(("127.example.org", 9))
socket.socket(type=T).connect(("localhost.example.org", 9))
socket.socket(type=U).sendto(b"x", ("192.0.2.1", 53))
socket.socket(type=U).sendto(b"x", 0, ("192.0.2.1", 53))
socket.socket(type=U).sendmsg([b"x"], [], 0, ("192.0.2.1", 53))
socket.getaddrinfo("example.org", 80)
socket.getaddrinfo(host=b"example.org", port=80)
socket.gethostbyname("example.org")
socket.gethostbyname_ex("example.org")
socket.gethostbyaddr("192.0.2.1")
socket.getnameinfo(("192.0.2.1", 80), 0)
'''.split("\\n")[1:-1]:
    try:
        eval(line)
    except OSError as error:
        if "the tests allow no connection beyond this machine" in str(error):
            continue
    print(line)
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
for host in ("127.0.0.1", "localhost"):
    socket.create_connection((host, port), 1).close()
socket.socket(type=U).sendto(b"x", ("127.0.0.1", port))
socket.getaddrinfo("::1", 80), socket.gethostbyname(socket.gethostname())
"""


def test_the_tests_block_tcp_udp_ipv6_and_name_look_ups():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", REFUSED], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_jupyterlab_and_its_kernels_listen_on_this_machine_only_and_require_the_token(lab):
    address, token = lab
    for path in ("/api/contents", "/api/kernels", "/lab/api/settings"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address + path).close()
    request = urllib.request.Request(f"{address}/api/kernels?token={token}", data=b"{}", method="POST")
    with urllib.request.urlopen(request) as answer:
        kernel = json.load(answer)["id"]
    for _ in range(1200):  # until they listen
        listening = []
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                ends = [end for end in child.net_connections("inet") if end.status == psutil.CONN_LISTEN]
                listening += [end.laddr.ip for end in ends]
        if len(listening) >= 6:
            break
        time.sleep(0.1)
    request = urllib.request.Request(f"{address}/api/kernels/{kernel}?token={token}", method="DELETE")
    urllib.request.urlopen(request).close()
    assert len(listening) >= 6, "a server and the five ends of a kernel"
    assert {*listening} <= {"127.0.0.1", "::1"}


def test_jupyterlab_requests_no_news_updates_or_extensions():
    ours = json.loads((ROOT / "jupyter" / "overrides.json").read_text())
    assert ours["@jupyterlab/apputils-extension:notification"] == {"fetchNews": "false", "checkForUpdates": False}
    share = Path(sys.prefix) / "share" / "jupyter" / "lab"
    assert json.loads((share / "settings" / "overrides.json").read_text()) == ours, "run make again"
    # The list of extensions is requested only after the user has agreed.
    schema = json.loads((share / "schemas/@jupyterlab/extensionmanager-extension/plugin.json").read_text())
    assert schema["properties"]["disclaimed"]["default"] is False
    assert "extensionmanager" not in "".join(ours)


def test_no_documented_command_opens_jupyterlab_to_other_machines():
    for path in (ROOT / "Makefile", ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob(".devcontainer/*")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"0\.0\.0\.0|--ip[= ](?!127\.0\.0\.1)|token[= ]['\"]{2}|allow_origin|disable_check_xsrf", text
        )
    assert "--ServerApp.ip=127.0.0.1" in (ROOT / "Makefile").read_text()


# Dependencies.


def licence(name):
    """Return a package's declared licence: the expression, else the classifiers, else the first line of the text."""
    about = metadata(name)
    classifiers = [c.split(" :: ")[-1] for c in about.get_all("Classifier", []) if c.startswith("License ::")]
    return about.get("License-Expression") or ", ".join(classifiers) or about.get("License", "").split("\n")[0]


def test_the_licences_in_security_md_are_those_of_the_packages():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| ([\w-]+) \| (?!licence|---)(.+) \|$", text, re.MULTILINE))
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert table == {name: licence(name) for name in (Requirement(line).name for line in wanted)}


def test_every_pinned_package_declares_a_licence_and_none_forbids_teaching_with_it():
    names = [line.split("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()]
    licences = {name: licence(name) for name in names}
    assert [name for name in names if not licences[name]] == ["axe-playwright-python"]  # MIT, by its licence file
    forbidden = "proprietary|non-?commercial|AGPL|Affero"
    assert {name: text for name, text in licences.items() if re.search(forbidden, text, re.I)} == {}
