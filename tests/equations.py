"""What the checks of the lessons' displayed equations share, and the page docs/equations.md that is made of them.

A check names its equations by lesson, cell and place in the cell, with a hash of the LaTeX: "05 cell-028 0 221209". So
none can change, vanish or come unseen.
"""

import hashlib
import importlib
import math
import re
from collections import Counter
from functools import cache
from typing import NamedTuple

import nbformat
import numpy as np
import torch
from conftest import ROOT
from sources import SOURCES
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

The lessons display {count} equations. Each is checked by number, on a way that is not the formula's own: by quadrature,
by counting draws, by going through every state, by a numerical search, or against SciPy, scikit-learn and torch. The
tables say how, and whose formula it is. Where several equations stand in one row, one test checks them together; of a
definition, it checks what the lesson builds on it. The tests are `tests/test_equations_*.py`, and
`python tests/test_equations.py` writes this page from them.

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
BAR = r"\|"  # a bar in the cell of a table
HEAD = "| equation | how it was checked | whose formula |\n| --- | --- | --- |\n"


class Check(NamedTuple):
    """What one test checks: equations by name and hash, how (the head of its docstring), and whose they are."""

    equations: tuple[str, ...]
    how: str
    source: str


def checks(*equations, source):
    """Register a test as the check of some equations."""

    def register(test):
        CHECKS.append(Check(equations, " ".join(test.__doc__.split("\n\n")[0].split()), source))
        return test

    return register


def all_checks():
    """Return the checks of all files, whichever of them has been loaded."""
    for path in sorted((ROOT / "tests").glob("test_equations_*.py")):
        importlib.import_module(path.stem)
    return CHECKS


def prose(path):
    """Return the text of a lesson's markdown cells by their ids."""
    return {cell.id: cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"}


def displayed(path):
    """Return the displayed equations of a lesson by their names, "01 cell-005 0", in the order of the lesson."""
    found = {cell: DISPLAYED.findall(text.replace("\n> ", "\n")) for cell, text in prose(path).items()}
    return {f"{path.stem[:2]} {cell} {i}": tex.strip() for cell in found for i, tex in enumerate(found[cell])}


def fingerprint(tex):
    return hashlib.sha256(" ".join(tex.split()).encode()).hexdigest()[:6]


def complaints(shown, named):
    """Say in a sentence each what is wrong between the equations shown and those that checks name."""
    hashes = dict(name.rsplit(" ", 1) for name in named)
    times = Counter(name.rsplit(" ", 1)[0] for name in named)
    for name, tex in shown.items():
        now = f"{name} {fingerprint(tex)}"
        if name not in hashes:
            yield f"no check names {name}, {tex!r}: write one for '{now}'"
        elif times[name] > 1:
            yield f"{times[name]} checks name {name}: leave it in one"
        elif now not in named:
            yield f"{name} has changed to {tex!r}: look through its check, then put '{now}' for '{name} {hashes[name]}'"
    for name in hashes.keys() - shown.keys():
        yield f"{name} is no longer in the lesson: take '{name} {hashes[name]}' out of its check"


def citations(text):
    """Return each citation in a text: its name, "Bishop (2006)", and the sections that are named after it."""
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", text)
    found = list(CITED.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [(_name(match), _places(text[match.end() : end])) for match, end in zip(found, ends, strict=True)]


def _name(match):
    surnames = [part.split(".")[-1].strip() for part in re.split(", | and | & ", match[1].removesuffix(" et al."))]
    more = len(surnames) > 2 or match[1].endswith(" et al.")
    return f"{surnames[0] + ' et al.' if more else ' & '.join(surnames)} ({match[2] or match[3]})"


def _places(rest):
    """The sections named up to the end of the paragraph, or of the brackets that the citation goes on in."""
    rest = rest.split("\n\n")[0]
    if not rest.startswith(")"):
        rest = rest.split(")")[0]
    return [place.strip(".") for place in PLACE.findall(rest)]


def page():
    """Return the text of docs/equations.md."""
    shown = {path: displayed(path) for path in NOTEBOOKS}
    lessons = "\n".join(_lesson(path, shown[path]) for path in NOTEBOOKS if shown[path])
    sources = "\n".join(_source(name) for name in sorted(SOURCES))
    return PAGE.format(count=sum(map(len, shown.values())), lessons=lessons, sources=sources)


def _lesson(path, shown):
    """A table with a row for each check, in the order of the lesson."""
    rows = {}
    for check in all_checks():
        mine = [name for name in (equation.rsplit(" ", 1)[0] for equation in check.equations) if name in shown]
        if mine:
            equations = " <br><br> ".join(_math(shown[name]) for name in mine)
            rows[mine[0]] = f"| {equations} | {check.how.replace('|', BAR)} | {check.source} |"
    title = next(iter(prose(path).values())).split("\n")[0].removeprefix("# ")
    table = "\n".join(rows[name] for name in shown if name in rows)
    return f"## {path.stem[:2]} {title}\n\n{HEAD}{table}\n"


def _math(tex):
    """An equation in a cell of a table, where a bar would end the cell and aligned lines would not be broken."""
    if tex.startswith(r"\begin{aligned}"):
        return " <br> ".join(_math(line.replace("&", "")) for line in tex[15:-13].split(r"\\"))
    return f"$\\displaystyle {' '.join(tex.split())}$".replace(r"\|", r"\Vert ").replace("|", r"\vert ")


@cache
def cited():
    """Return where each work is cited: its name, then the lesson or "the tables", with the sections named there."""
    texts = {path.stem[:2]: "\n\n".join(prose(path).values()) for path in NOTEBOOKS}
    texts["the tables above"] = "\n\n".join(check.source for check in all_checks())
    where = {}
    for place, text in texts.items():
        for name, sections in citations(text):
            where.setdefault(name, {}).setdefault(place, {}).update(dict.fromkeys(sections))
    return where


def _source(name):
    work = SOURCES[name]
    places = [
        f"{place} ({', '.join(sections)})" if sections and place[:2].isdigit() else place
        for place, sections in cited()[name].items()
    ]
    return f"| {work.authors} {name[-6:]}, *{work.title}* | {'; '.join(places)} | {work.known or '–'} |"


def slope(function, at, step=1e-5):
    """The derivative by central differences."""
    return (function(at + step) - function(at - step)) / (2 * step)


def within_error(draws, truth):
    """The mean of the draws lies within four and a half standard errors of the truth."""
    draws = np.asarray(draws, float)
    error = draws.std() / math.sqrt(len(draws))
    assert abs(draws.mean() - truth) < 4.5 * error, f"{draws.mean()} ± {error}, and not {truth}"


def gaussian_kl(mu_q, cov_q, mu_p, cov_p):
    """KL(q ‖ p) in nats by torch: of arrays of Gaussians, given variances, or of two, given covariance matrices."""
    mu_q, cov_q, mu_p, cov_p = (torch.as_tensor(part, dtype=torch.float64) for part in (mu_q, cov_q, mu_p, cov_p))
    if cov_q.ndim < 2:
        pair = distributions.Normal(mu_q, cov_q.sqrt()), distributions.Normal(mu_p, cov_p.sqrt())
    else:
        pair = distributions.MultivariateNormal(mu_q, cov_q), distributions.MultivariateNormal(mu_p, cov_p)
    return distributions.kl_divergence(*pair).numpy()
