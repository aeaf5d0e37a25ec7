"""Each displayed equation has its check, each cited work its row, and docs/equations.md says so.

    python tests/test_equations.py

writes the page.
"""

import re

import pytest
from conftest import ROOT
from equations import (
    DISPLAYED,
    NOTEBOOKS,
    all_checks,
    citations,
    cited,
    complaints,
    displayed,
    fingerprint,
    page,
    prose,
)
from sources import SOURCES

DOCUMENT = ROOT / "docs" / "equations.md"


def named():
    return [name for check in all_checks() for name in check.equations]


def test_every_displayed_equation_has_one_check():
    shown = {name: tex for path in NOTEBOOKS for name, tex in displayed(path).items()}
    found = "\n".join(complaints(shown, named()))
    assert not found, found


def test_no_equation_is_displayed_in_another_way():
    for path in NOTEBOOKS:
        text = "\n\n".join(prose(path).values())
        assert text.count("$$") == 2 * len(displayed(path))
        assert not re.search(r"\\\[|\\begin\{(align|equation|gather|multline)\*?\}|\{math\}", text), path.name


def test_the_german_edition_displays_the_same_equations_but_for_words():
    def without_words(equations):
        return [re.sub(r"\\text\{.*?\}", "", " ".join(tex.split())) for tex in equations]

    for path in (ROOT / "notebooks" / "de").glob("*.md"):
        german = [tex.strip() for tex in DISPLAYED.findall(path.read_text(encoding="utf-8").replace("\n> ", "\n"))]
        english = displayed(ROOT / "notebooks" / f"{path.stem}.ipynb").values()
        assert without_words(german) == without_words(english)


@pytest.mark.parametrize(
    ("shown", "names", "said"),
    [
        ({"a = b": "01 x 0"}, [], "no check names 01 x 0, 'a = b': write one for '01 x 0 {a = b}'"),
        ({"a = b": "01 x 0"}, ["01 x 0 {a = b}"] * 2, "2 checks name 01 x 0: leave it in one"),
        (
            {"a = c": "01 x 0"},
            ["01 x 0 {a = b}"],
            "01 x 0 has changed to 'a = c': look through its check, then put '01 x 0 {a = c}' for '01 x 0 {a = b}'",
        ),
        ({}, ["01 x 0 {a = b}"], "01 x 0 is no longer in the lesson: take '01 x 0 {a = b}' out of its check"),
        ({"a = b": "01 x 0"}, ["01 x 0 {a =  b}"], None),  # spaces do not count
    ],
)
def test_it_is_said_which_equation_is_off(shown, names, said):
    def hashed(text):
        return re.sub(r"\{(.+?)\}", lambda tex: fingerprint(tex[1]), text)

    found = list(complaints({name: tex for tex, name in shown.items()}, [hashed(name) for name in names]))
    assert found == ([hashed(said)] if said else [])


def test_citations_are_found_in_every_form():
    text = (
        "In August 1985 they knew (Cooper 1990): Kim and Mnih (2018, §4) §9 see (Cover & Thomas 2006,\n§10.3.2; Chen "
        "et al. 2018).\n\n- D. M. Blei, A. Y. Ng and M. I. Jordan (2003), *LDA*, sections 2.3 and 5, eq. 9.\n\n§3"
    )
    found = ["Cooper (1990)", "Kim & Mnih (2018)", "Cover & Thomas (2006)", "Chen et al. (2018)", "Blei et al. (2003)"]
    places = [[], ["§4"], ["§10.3.2"], [], ["sections 2.3 and 5", "eq. 9"]]
    assert citations(text) == list(zip(found, places, strict=True))


def test_every_cited_work_is_in_the_sources_and_none_is_in_vain():
    where = cited()
    assert where.keys() - SOURCES.keys() == set(), "add these to tests/sources.py"
    assert SOURCES.keys() - where.keys() == set(), "take these out of tests/sources.py: nothing cites them"


@pytest.mark.parametrize("name", SOURCES)
def test_it_is_said_how_the_sections_of_a_work_are_known(name):
    numbers = {place for sections in cited()[name].values() for place in sections}
    assert bool(SOURCES[name].known) == bool(numbers), f"{name}: {numbers}"


def test_the_page_is_what_the_checks_say():
    assert DOCUMENT.read_text(encoding="utf-8") == page(), "write it again: python tests/test_equations.py"


if __name__ == "__main__":
    DOCUMENT.write_text(page(), encoding="utf-8")
