"""A notebook as one HTML file: executed, with formulas, figures and explorers, for readers without Python."""

import html
import io
import re
from base64 import b64decode, b64encode
from copy import deepcopy
from pathlib import Path

import nbformat
from IPython.display import display
from jinja2 import Environment
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import Highlight2HTML, ansi2html
from nbformat import NotebookNode
from PIL import Image

from ..explorer import HTMLWidget, hashed
from ..files import expanded, replacing
from .markdown import Markdown

_WEB = Path(__file__).parents[1] / "web"
_LESSONS = Path(__file__).parents[2] / "notebooks"
_WIDGET = "application/vnd.jupyter.widget-view+json"
#: Code that runs before a notebook: widgets become pages and interactive figures become frames, which need no kernel;
#: other figures get twice the pixels.
BEFORE = """%config InlineBackend.figure_formats = ["retina"]
from vaehelpers.explorer import HTMLWidget
from vaehelpers.lessons import frames, live, page
frames.use_frames()
live.DPI *= 2
HTMLWidget._ipython_display_ = page.display_frame
"""


def find(lesson: str) -> Path:
    """Return the path of a notebook, given as a path or by the number of a lesson.

    A lesson in the current folder or its folder ``notebooks`` takes precedence over that beside the package. Raises
    ``FileNotFoundError`` when there is no such notebook.
    """
    path = expanded(lesson, "notebook")
    if lesson.isdecimal():
        for folder in (_LESSONS, Path(), Path("notebooks")):
            path = min(folder.glob(f"{int(lesson):02}_*.ipynb"), default=path)
    if not path.is_file():
        need = f"a notebook, or the number of a lesson in the current folder or in {_LESSONS}"
        raise FileNotFoundError(f"notebook: need {need}, got {lesson!r}")
    return path


def write(notebook: Path, output: Path) -> None:
    """Execute a notebook in its folder and write it as one HTML file that needs no kernel, network or other file.

    Raises ``ValueError`` when ``notebook`` is not a notebook, when a cell fails or when a formula cannot be converted,
    and ``OSError`` when the file cannot be written.
    """
    with replacing(output) as part:  # entered first: a disk error is reported before the notebook runs for minutes
        part.write_text(to_html(executed(notebook, BEFORE, folder=notebook.parent), notebook.parent), encoding="utf-8")


def executed(path: Path, before: str, *, folder: Path) -> NotebookNode:
    """Run a notebook in ``folder``, after the code ``before``, and return it with its outputs but without widgets.

    Raises ``ValueError`` when the file is not a notebook and when a cell fails; cells are counted from 1.
    """
    try:
        notebook = nbformat.read(path, 4)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        raise ValueError(f"notebook: {str(path)!r} is not a notebook ({type(error).__name__})") from None
    notebook.cells.insert(0, nbformat.v4.new_code_cell(before))
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": folder}},
        extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
    )
    client.reset_execution_trackers()
    with client.setup_kernel():  # client.execute() would handle Ctrl-C itself, and fail
        for number, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, number)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raised = [output for output in cell.outputs if output.output_type == "error"]
                reason = f"{raised[-1].ename}: {raised[-1].evalue}" if raised else str(error)
                first_line = reason.partition("\n")[0]
                raise ValueError(f"notebook: cell {number} of {path.name} failed: {first_line}") from None
    del notebook.cells[0]
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.outputs = [output for output in cell.outputs if _WIDGET not in output.get("data", {})]
        for output in cell.outputs:  # narrow pages would distort a figure with a fixed height
            output.get("metadata", {}).get("image/png", {}).pop("height", None)
            if "text/html" in output.get("data", {}):
                alt = html.escape(cell.metadata.get("alt", "interactive figure"))
                output.data["text/html"] = output.data["text/html"].replace('aria-label=""', f'aria-label="{alt}"', 1)
    return notebook


def display_frame(widget: HTMLWidget) -> None:
    """Display an explorer or a playground as a page in a frame, with no other file."""
    frame = f'<iframe class="{widget.KIND}" srcdoc="{html.escape(widget.to_html())}" title="{widget.TITLE}"></iframe>'
    display({"text/html": frame, "text/plain": type(widget).__name__}, raw=True)


def with_guesses(cell: NotebookNode) -> str:
    """Return the text of a Markdown cell and, in an element for ``web/questions.js``, the guesses for its prediction.

    They are in the cell's metadata or, in a translation, in a comment of the text: ``<!-- guesses: ja | nein -->``.
    """
    found = re.search(r"<!-- guesses: (.+) -->", cell.source)
    guesses = found[1] if found else " | ".join(cell.metadata.get("guesses", []))
    return f'{cell.source}\n\n<div data-guesses="{html.escape(guesses)}"></div>' if guesses else cell.source


def to_html(notebook: NotebookNode, folder: Path) -> str:
    """Return an executed notebook as the text of an HTML page; its Markdown may show images in ``folder``.

    Raises ``ValueError`` when a formula cannot be converted.
    """
    markdown, notebook = Markdown(str(folder)), deepcopy(notebook)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "markdown"):
        cell.source = markdown.render(with_guesses(cell), cell.get("attachments"))
    environment = Environment(autoescape=True)
    environment.filters |= {"ansi2html": ansi2html, "highlight": Highlight2HTML("ipython3"), "webp": _webp}
    page = environment.from_string(_web("lesson.html.j2")).render(
        lang=notebook.metadata.get("lang", "en"),
        markdown=markdown,
        cells=notebook.cells,
        style=re.sub(r"[\w-]+\.woff2", _font, _web("lesson.css")) + _web("frames.css") + _web("questions.css"),
        script=_web("frames.js") + _web("questions.js"),
    )
    frames = html.unescape("".join(re.findall(r'srcdoc="[^"]*"', page)))
    scripts = re.findall(r"<script(?: type=\"module\")?>(.*?)</script>", page + frames, re.DOTALL)
    return page.replace("{scripts}", " ".join(sorted({f"'{hashed(script)}'" for script in scripts})), 1)


def _web(name: str) -> str:
    return (_WEB / name).read_text(encoding="utf-8")


def _font(name: re.Match[str]) -> str:
    return f"data:font/woff2;base64,{b64encode((_WEB / name[0]).read_bytes()).decode()}"


def _webp(png: str) -> str:
    """Return a PNG image, in base64, as the address of a WebP image with the same pixels, which is half as long."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(b64decode(png))).convert("RGBA").save(buffer, "webp", lossless=True, quality=80, method=4)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"
