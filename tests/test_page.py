"""A notebook as one HTML file: its formulas, figures and links, its errors, and a whole lesson in a browser."""

import base64
import hashlib
import html
import io
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import editions
import nbformat
import psutil
import pytest
from conftest import ROOT
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image, ImageChops
from test_browser import serious_violations, watched
from test_cli import run
from test_notebooks import NOTEBOOKS

from vaehelpers.lessons import page
from vaehelpers.lessons.markdown import Markdown, mathml

SCRIPT = '<script>document.title = "moved"</script>'
TEXT = r"""# The *title* with $q$

One $p'(x) \le 2$ and [lesson 06](06_variational_autoencoder.ipynb), [far](https://example.org/), [down](#Again).

$$\log p(x) = \underbrace{\mathbb{E}_q[\log p(x, z)]}_{\text{ELBO}} + \mathrm{KL}, \qquad x = -1$$

> $$\begin{aligned} a &= b \\ &= c \end{aligned}$$

## Again

## Again

<details><summary>Solution</summary>

Costs `$5`:

```python
answer = "$x$"
```

</details>
"""


def figure():
    """Return a PNG file of a figure, in base64."""
    buffer, drawn = io.BytesIO(), Figure(figsize=(2, 1))
    drawn.subplots().plot([0, 1])
    drawn.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def notebook(*cells, **metadata):
    """Return a notebook with these cells, where a text is a code cell."""
    return new_notebook(cells=[new_code_cell(c) if isinstance(c, str) else c for c in cells], metadata=metadata)


def with_figure(png):
    code = new_code_cell("plot()", metadata={"alt": 'a "rising" line'})
    code.outputs = [
        new_output("display_data", {"image/png": png}, metadata={"image/png": {"width": 200}}),
        new_output("display_data", {"text/html": f"{SCRIPT}<iframe srcdoc='&lt;p&gt;'></iframe>"}),
        new_output("display_data", {"text/html": f'<iframe srcdoc="{html.escape(SCRIPT + "<script>2</script>")}">'}),
        new_output("stream", text="a < b\n"),
    ]
    return notebook(new_markdown_cell(TEXT), code, lang="de")


@pytest.fixture(scope="module")
def small():
    """The page of a small notebook."""
    return page.to_html(with_figure(figure()), ROOT)


def test_formulas_are_mathml_and_code_is_not(small):
    assert small.count("<math") >= 7 and "<h1" in small
    text = re.sub(r"(?s)<(style|script|pre|code).*?</\1>", "", small)
    assert not re.search(r"\$|\\[a-z]", text)
    assert "<code>$5</code>" in small and "$x$" in small
    assert re.search(r"(?s)<details><summary>Solution</summary>\s*<p>Costs.*</pre></div>\s*</details>", small)


def test_the_contents_lead_to_headings_with_different_names(small):
    assert re.findall(r'<li><a href="#([^"]*)">Again</a>', small) == ["Again", "Again-2"]
    assert re.findall(r'<h2 id="([^"]*)"', small) == ["Again", "Again-2"]
    assert "<title>The title with " in small and '<html lang="de">' in small


def test_links_to_other_files_are_text(small):
    assert re.findall(r'<a href="([^#"][^"]*)"', small) == ["https://example.org/"]
    assert '<a href="#Again">down</a>' in small and "and lesson 06," in small


def test_a_figure_keeps_its_pixels_and_gets_its_text():
    png = figure()
    source, rest = re.search(
        r'<img src="data:image/webp;base64,([^"]*)"([^>]*)>', page.to_html(with_figure(png), ROOT)
    ).groups()
    before, after = (Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA") for data in (png, source))
    assert ImageChops.difference(before, after).getbbox(alpha_only=False) is None
    assert html.unescape(rest) == ' alt="a "rising" line" width="200"'


def test_the_page_allows_its_own_scripts_alone_also_in_frames(small):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', small)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    for script in (
        'document.title = "moved"',
        "2",
        re.search(r"(?s)</main>\n<script>(.*)</script>\n</body>", small)[1],
    ):
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_images_and_attachments_become_part_of_the_page(tmp_path):
    (tmp_path / "a.png").write_bytes(base64.b64decode(figure()))
    cell = new_markdown_cell("![a](a.png) ![b](attachment:b.png)", attachments={"b.png": {"image/png": "AAAA"}})
    shown = page.to_html(notebook(cell), tmp_path)
    assert shown.count('src="data:image/png;base64,') == 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_formula_of_a_lesson_can_be_converted(path):
    renderer, lesson = Markdown(), nbformat.read(path, 4)
    german = editions.in_german(path, lesson)
    for cell in lesson.cells + (german.cells if german else []):
        if cell.cell_type == "markdown":
            text = re.sub(r"(?s)<(pre|code).*?</\1>", "", renderer.render(cell.source))
            assert not re.search(r"\$|\\[a-z]", text), cell.id


def test_a_long_formula_is_in_parts_that_begin_with_its_operators():
    def texts(tex, display=True):
        return [re.sub("<[^>]*>", "", part).replace("\u2061", "") for part in mathml(tex, display=display)]

    assert texts(r"a = -b + f(x = 1), \quad c \le d") == ["a", "=−b", "+f(x=1),", "c", "≤d"]
    assert texts("a = b", display=False) == ["a=b"]
    assert len(texts("a = " + " + ".join("bcdefghijklmn"), display=False)) == 14


@pytest.mark.parametrize("tex", [r"\foo", r"\frac{1}", r"\begin{aligned} a", "a^b^c"])
def test_a_formula_that_cannot_be_converted_is_an_error(tex):
    with pytest.raises(ValueError, match=f"formula {re.escape(repr(tex))}: "):
        page.to_html(notebook(new_markdown_cell(f"${tex}$")), ROOT)


def test_bad_input_is_an_error_of_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("mine")
    needed = f"a notebook, or the number of a lesson in the current folder or in {ROOT / 'notebooks'}"
    for words, message in (
        (["99"], f"error: notebook: need {needed}, got '99'"),
        (["no.ipynb"], f"error: notebook: need {needed}, got 'no.ipynb'"),
        (["05", "--output", "a.txt"], "'a.txt' exists already and is no .html file"),
        (["a.txt"], "'a.txt' is not a notebook"),
        (["05", "--output", "a.txt/b.html"], "File exists: 'a.txt'"),
    ):
        assert message in run("page", *words, code=2).splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and Path("a.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = 1\n1 / 0", "ZeroDivisionError: division by zero"),
        ("class T:\n    def _ipython_display_(self): raise ValueError('controls')\nT()", "ValueError: controls"),
        ("import os; os._exit(1)", "Kernel died"),
    ],
)
def test_an_error_names_the_cell(tmp_path, source, reason):
    nbformat.write(notebook(new_markdown_cell("# T"), "1", source), tmp_path / "n.ipynb")
    with pytest.raises(ValueError, match=rf"notebook: cell 3 of n.ipynb failed: {reason}"):
        page.executed(tmp_path / "n.ipynb", "0", folder=tmp_path)


@pytest.mark.slow
def test_ctrl_c_while_a_cell_runs_stops_the_kernel_too(tmp_path):
    source = "import os, pathlib, time\npathlib.Path('kernel').write_text(str(os.getpid()))\ntime.sleep(600)"
    nbformat.write(notebook(source), tmp_path / "n.ipynb")
    command = [sys.executable, "-m", "vaehelpers", "page", "n.ipynb"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as running:
        while not ((tmp_path / "kernel").exists() and (tmp_path / "kernel").read_text()):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, messages = running.communicate(timeout=60)
    assert running.returncode == 130 and messages.splitlines()[1:] == ["stopped"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kernel", "n.ipynb"]
    assert not psutil.pid_exists(int((tmp_path / "kernel").read_text()))


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """Lesson 05 as one file, alone in its folder."""
    path = tmp_path_factory.mktemp("mailed") / "elbo.html"
    run("page", "05", "--output", path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1300, "light")])
def test_a_lesson_as_one_file_needs_nothing_else(browser, lesson, width, theme):
    assert lesson.stat().st_size <= 8e6
    requests = []
    with watched(browser, viewport={"width": width, "height": 900}, color_scheme=theme) as opened:
        opened.on("request", lambda request: requests.append(request.url))
        opened.goto(lesson.as_uri())
        opened.get_by_label("Show everything").check()
        opened.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        opened.evaluate("() => document.fonts.ready")
        assert [url for url in requests if not url.startswith("data:")] == [lesson.as_uri()]
        assert opened.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        opened.wait_for_selector("html[data-live=ready]", state="attached")
        assert opened.locator("figure.live .sliders").count() == 4
        assert opened.evaluate("() => [...document.images].every((each) => each.naturalWidth && each.alt)")
        assert opened.evaluate("() => ['text', 'formulas'].every((each) => document.fonts.check(`12px ${each}`))")
        assert serious_violations(opened) == []
