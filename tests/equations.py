"""The displayed equations of the lessons, their checks, and the page docs/equations.md that is generated from both."""

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
PAGE = """\
# The equations, checked

The lessons display {count} equations. Tests compare the values of each with independent ones: by quadrature, random
draws, enumeration of all states or numerical optimisation, or by SciPy, scikit-learn and torch. The tables state the
method and the source of the formula. One test checks all equations in a row; for a definition, it checks a consequence
that the lesson uses. Equations that a lesson writes as code are checked by the tests of that code in the package, with
which the lesson's code is compared. `python tests/test_equations.py` writes this page from the tests' docstrings.

{lessons}
## Sources

All works cited in the lessons or the tables above, where they are cited, and how the numbers of their sections and
equations were verified. *Compared* means with a copy or transcript of the work, its table of contents, or two other
places that cite the same numbers. *From memory* means not verified. A dash means that no number is cited. Authors,
titles and years have not been verified.

| work | cited in | its sections |
| --- | --- | --- |
{sources}
"""
HEAD = "| equation | method | source |\n| --- | --- | --- |\n"


class Check(NamedTuple):
    """The equations that a test checks, how it does so (its docstring), and their source."""

    equations: list[str]
    how: str
    source: str


def covers(equations, source):
    """Register a test of the package as the check of equations that the lesson writes as the same code.

    ``equations`` names the equations by lesson, cell, position in the cell and hash: "05 cell-028 0 221209; …".
    """

    def register(test):
        CHECKS.append(Check(equations.split("; "), " ".join(test.__doc__.split()), source))
        return test

    return register


def checks(equations, source, rtol=1e-7):
    """Turn a function that returns values of formulas and independent values of the same quantities into a test."""

    def register(function):
        @covers(equations, source)
        @functools.wraps(function)
        def test():
            formulas, values = function()
            pairs = zip(formulas, values, strict=True) if isinstance(formulas, list) else [(formulas, values)]
            for pair in pairs:
                np.testing.assert_allclose(*np.broadcast_arrays(*pair), rtol=rtol, atol=1e-9)

        return test

    return register


def all_checks():
    """Return the checks of all files, which are imported if needed."""
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        if re.search(r"^from equations import .*(checks|covers)", path.read_text(encoding="utf-8"), re.MULTILINE):
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
    """Return the names of the works that a text cites, "Bishop (2006)"."""
    names = []
    for authors, *years in CITED.findall(" ".join(text.split())):
        surnames = [part.split(".")[-1].strip() for part in re.split(", | and | & ", authors.removesuffix(" et al."))]
        more = len(surnames) > 2 or authors.endswith(" et al.")
        names.append(f"{surnames[0] + ' et al.' if more else ' & '.join(surnames)} ({''.join(years)})")
    return names


@functools.cache
def sources():
    """Return the works of sources.csv by name, "Bishop (2006)"."""
    with (ROOT / "tests" / "sources.csv").open(encoding="utf-8", newline="") as file:
        return {citations(f"{work['authors']} ({work['year']})")[0]: work for work in csv.DictReader(file)}


def cited():
    """Return the places where each work is cited: numbers of lessons, and "the tables above"."""
    texts = {path.stem[:2]: "\n\n".join(prose(path).values()) for path in NOTEBOOKS}
    texts["the tables above"] = "; ".join(check.source for check in all_checks())
    where = {}
    for place, text in texts.items():
        for name in dict.fromkeys(citations(text)):
            where.setdefault(name, []).append(place)
    return where


def page():
    """Return the text of docs/equations.md."""
    shown = {path: displayed(path) for path in NOTEBOOKS}
    lessons = "\n".join(_lesson(path, shown[path]) for path in NOTEBOOKS if shown[path])
    places = cited()
    works = "\n".join(
        f"| {work['authors']} ({work['year']}), *{work['title']}* | {', '.join(places[name])} "
        f"| {work['sections'] or '–'} |"
        for name, work in sorted(sources().items())
    )
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
    """Return an equation for a table's cell, without bars, which would end the cell, and with each aligned line."""
    if tex.startswith(r"\begin{aligned}"):
        return " <br> ".join(_math(line.replace("&", "")) for line in tex[15:-13].split(r"\\"))
    return f"$\\displaystyle {' '.join(tex.split())}$".replace(r"\|", r"\Vert ").replace("|", r"\vert ")


def slope(function, at, step=1e-5):
    """Return the derivative of a function by central differences."""
    return (function(at + step) - function(at - step)) / (2 * step)


def gaussian_kl(mu_q, cov_q, mu_p, cov_p):
    """Return KL(q ‖ p) by torch: of arrays of Gaussians, given variances, or of two, given covariance matrices."""
    mu_q, cov_q, mu_p, cov_p = (torch.as_tensor(part, dtype=torch.float64) for part in (mu_q, cov_q, mu_p, cov_p))
    if cov_q.ndim < 2:
        pair = distributions.Normal(mu_q, cov_q.sqrt()), distributions.Normal(mu_p, cov_p.sqrt())
    else:
        pair = distributions.MultivariateNormal(mu_q, cov_q), distributions.MultivariateNormal(mu_p, cov_p)
    return distributions.kl_divergence(*pair).numpy()
