"""Neither files nor texts execute code, servers listen on this machine only, and nothing is sent to other machines.

Tested elsewhere: what the explorer's page loads and how it shows hostile texts (test_explorer),
hostile weights (test_weights), images and downloads (test_datasets), and that no page or lesson makes a request beyond
this machine (test_browser, test_site, test_slides, test_voila).
"""

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from importlib.metadata import metadata
from pathlib import Path

import psutil
import pytest
from conftest import ROOT
from packaging.requirements import Requirement

CODE = [ROOT / folder for folder in ("vaehelpers", "docs", "recipes", "notebooks")]
SCRIPTS = [path for folder in ("vaehelpers/web", "docs") for path in (ROOT / folder).iterdir()]
#: Ruff's rules on code that executes data or starts a shell; test_house searches for torch.load and allow_pickle.
RULES = "S102,S202,S301,S302,S307,S506,S602,S604,S605"
#: Their counterparts in a page.
SINKS = r"\beval\(|\bFunction\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment"
SINKS += r"|srcdoc|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|\bimport\("
SINKS += r"|window\.open|document\.cookie|set(Timeout|Interval)\([\"'`]"
ELSEWHERE = ("192.0.2.1", 9)


def test_no_source_executes_data_as_code():
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--ignore-noqa", f"--select={RULES}", *CODE]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for path in SCRIPTS:
        if path.suffix in (".js", ".j2", ".html"):
            text = path.read_text(encoding="utf-8")
            if path.name == "frames.js":  # parses SVG that the build of the same page has drawn, and repeats its frames
                text = re.sub(r"innerHTML = parts|insertAdjacentHTML\(\"beforeend\", definitions", "", text)
            assert not re.search(SINKS, text), path


# The network.


def test_the_tests_block_connections_datagrams_and_name_look_ups():
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        for call, *arguments in (
            (tcp.connect, ELSEWHERE),
            (tcp.connect_ex, ELSEWHERE),
            (udp.sendto, b"x", ELSEWHERE),
            (udp.sendmsg, [b"x"], [], 0, ELSEWHERE),
            (socket.getaddrinfo, "example.org", 80),
            (socket.gethostbyname, "localhost.example.org"),
            (socket.gethostbyaddr, "192.0.2.1"),
        ):
            with pytest.raises(OSError, match="the tests allow no connection beyond this machine"):
                call(*arguments)
    code = f"import socket; socket.create_connection({ELSEWHERE}, timeout=1)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "no connection beyond this machine" in child.stderr


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
