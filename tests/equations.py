"""The displayed equations of the lessons, their checks, and the page docs/equations.md that is made of both."""

import csv
import functools
import hashlib
import importlib
import re
from typing import NamedTuple

import nbformat
import numpy as np
import torch
from conftest import ROOT
from torch import distributions

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DISPLAYED = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
CHECKS = []

AUTHOR = r"(?:[A-Z]\. ?)*[A-Z][\w’'-]+"
CITED = re.compile(rf"({AUTHOR}(?:(?:, | and | & ){AUTHOR})*(?: et al\.)?) (?:\((\d{{4}})\b|(\d{{4}})(?=[),;.]))")
NUMBER = r"[\dA-Z][\dA-Z.]*"
PLACE = re.compile(
    r"(?:§|(?:section|chapter|theorem|example|eq)s?\.? |appendix |supplementary figure )"
    rf"{NUMBER}(?:(?:–|, | and | to )§?\d[\d.]*)*"
)
PAGE = """\
# The equations, checked

The lessons display {count} equations. The values of each are compared with independent ones: by quadrature, by random
draws, by enumeration of every state, by a numerical search, or by SciPy, scikit-learn and torch. The tables say how,
and whose formula it is. Equations in one row are checked by one test; of a definition, it checks what the lesson builds
on it. The tests are `tests/test_equations_*.py`, and `python tests/test_equations.py` writes this page from them.

{lessons}
## Sources

Every work that the lessons or the tables above cite, where it is cited, and how we know the numbers of its sections and
equations. *Compared* means that we have seen them in a copy of the work, in a transcript of it, in its table of
contents, or cited so in two other places. *From memory* means that we have not. A dash means that no number is cited.
Authors, titles and years have not been compared.

| work | cited in | its sections |
| --- | --- | --- |
{sources}
"""
HEAD = "| equation | how it was checked | whose formula |\n| --- | --- | --- |\n"


class Check(NamedTuple):
    """What one test checks: equations, how (the test's docstring), and whose they are."""

    equations: list[str]
    how: str
    source: str


def checks(equations, source, rtol=1e-7):
    """Make a test of a function that returns values of formulas and independent values of the same quantities.

    ``equations`` names what it checks by lesson, cell, place in the cell and hash: "05 cell-028 0 221209; …".
    """

    def register(function):
        CHECKS.append(Check(equations.split("; "), " ".join(function.__doc__.split()), source))

        @functools.wraps(function)
        def test():
            formulas, values = function()
            pairs = zip(formulas, values, strict=True) if isinstance(formulas, list) else [(formulas, values)]
            for pair in pairs:
                np.testing.assert_allclose(*np.broadcast_arrays(*pair), rtol=rtol, atol=1e-9)

        return test

    return register


def all_checks():
    """Return the checks of all files, whichever of them has been loaded."""
    for path in sorted((ROOT / "tests").glob("test_equations_*.py")):
        importlib.import_module(path.stem)
    return CHECKS


@functools.cache
def prose(path):
    """Return the text of a lesson's markdown cells by their ids."""
    return {cell.id: cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"}


def displayed(path):
    """Return a lesson's displayed equations in order, named by lesson, cell and place in the cell: "01 cell-005 0"."""
    found = {cell: DISPLAYED.findall(text.replace("\n> ", "\n")) for cell, text in prose(path).items()}
    return {f"{path.stem[:2]} {cell} {i}": tex.strip() for cell in found for i, tex in enumerate(found[cell])}


def fingerprint(tex):
    return hashlib.sha256(" ".join(tex.split()).encode()).hexdigest()[:6]


def citations(text):
    """Return each citation in a text: its name, "Bishop (2006)", and the sections that are named after it."""
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", text)
    found = list(CITED.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [(_name(match), _sections(text[match.end() : end])) for match, end in zip(found, ends, strict=True)]


def _name(match):
    surnames = [part.split(".")[-1].strip() for part in re.split(", | and | & ", match[1].removesuffix(" et al."))]
    more = len(surnames) > 2 or match[1].endswith(" et al.")
    return f"{surnames[0] + ' et al.' if more else ' & '.join(surnames)} ({match[2] or match[3]})"


def _sections(rest):
    """Return the sections named up to the end of the paragraph, or of the brackets around the citation."""
    rest = rest.split("\n\n")[0]
    if not rest.startswith(")"):
        rest = rest.split(")")[0]
    return [place.strip(".") for place in PLACE.findall(rest)]


@functools.cache
def sources():
    """Return the works of sources.csv by name, "Bishop (2006)"."""
    with (ROOT / "tests" / "sources.csv").open(encoding="utf-8", newline="") as file:
        return {citations(f"{work['authors']} ({work['year']})")[0][0]: work for work in csv.DictReader(file)}


@functools.cache
def cited():
    """Return where each work is cited: its name, then the lesson or "the tables above", then the sections."""
    texts = {path.stem[:2]: "\n\n".join(prose(path).values()) for path in NOTEBOOKS}
    texts["the tables above"] = "\n\n".join(check.source for check in all_checks())
    where = {}
    for place, text in texts.items():
        for name, sections in citations(text):
            where.setdefault(name, {}).setdefault(place, {}).update(dict.fromkeys(sections))
    return where


def page():
    """Return the text of docs/equations.md."""
    shown = {path: displayed(path) for path in NOTEBOOKS}
    lessons = "\n".join(_lesson(path, shown[path]) for path in NOTEBOOKS if shown[path])
    works = "\n".join(_source(name) for name in sorted(sources()))
    return PAGE.format(count=sum(map(len, shown.values())), lessons=lessons, sources=works)


def _lesson(path, shown):
    """Return a table with a row for each check, in the order of the lesson."""
    rows = {}
    for check in all_checks():
        mine = [name for name in (equation.rsplit(" ", 1)[0] for equation in check.equations) if name in shown]
        if mine:
            equations = " <br><br> ".join(_math(shown[name]) for name in mine)
            rows[mine[0]] = f"| {equations} | {check.how} | {check.source} |"
    title = next(iter(prose(path).values())).split("\n")[0].removeprefix("# ")
    table = "\n".join(rows[name] for name in shown if name in rows)
    return f"## {path.stem[:2]} {title}\n\n{HEAD}{table}\n"


def _math(tex):
    """Return an equation for a cell of a table, where a bar would end the cell and aligned lines would not break."""
    if tex.startswith(r"\begin{aligned}"):
        return " <br> ".join(_math(line.replace("&", "")) for line in tex[15:-13].split(r"\\"))
    return f"$\\displaystyle {' '.join(tex.split())}$".replace(r"\|", r"\Vert ").replace("|", r"\vert ")


def _source(name):
    work = sources()[name]
    places = [
        f"{place} ({', '.join(sections)})" if sections and place[:2].isdigit() else place
        for place, sections in cited()[name].items()
    ]
    return (
        f"| {work['authors']} ({work['year']}), *{work['title']}* | {'; '.join(places)} | {work['sections'] or '–'} |"
    )


def slope(function, at, step=1e-5):
    """Return the derivative by central differences."""
    return (function(at + step) - function(at - step)) / (2 * step)


def gaussian_kl(mu_q, cov_q, mu_p, cov_p):
    """Return KL(q ‖ p) by torch: of arrays of Gaussians, given variances, or of two, given covariance matrices."""
    mu_q, cov_q, mu_p, cov_p = (torch.as_tensor(part, dtype=torch.float64) for part in (mu_q, cov_q, mu_p, cov_p))
    if cov_q.ndim < 2:
        pair = distributions.Normal(mu_q, cov_q.sqrt()), distributions.Normal(mu_p, cov_p.sqrt())
    else:
        pair = distributions.MultivariateNormal(mu_q, cov_q), distributions.MultivariateNormal(mu_p, cov_p)
    return distributions.kl_divergence(*pair).numpy()
