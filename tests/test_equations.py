"""Each displayed equation has a check, each cited work has a row in sources.csv, and docs/equations.md is up to date.

    python tests/test_equations.py

writes the page.
"""

import re
import sys
from collections import Counter

from conftest import ROOT
from equations import NOTEBOOKS, all_checks, cited, displayed, fingerprint, page, prose, sources

DOCUMENT = ROOT / "docs" / "equations.md"


def test_every_displayed_equation_has_one_check():
    """A new equation needs a check; if an equation has changed, review its check and then update the hash there."""
    shown = Counter(f"{name} {fingerprint(tex)}" for path in NOTEBOOKS for name, tex in displayed(path).items())
    checked = Counter(name for check in all_checks() for name in check.equations)
    assert (shown - checked, checked - shown) == ({}, {})


def test_no_equation_is_displayed_in_another_way():
    for path in NOTEBOOKS:
        text = "\n\n".join(prose(path).values())
        assert text.count("$$") == 2 * len(displayed(path))
        assert not re.search(r"\\\[|\\begin\{(align|equation|gather|multline)\*?\}|\{math\}", text), path.name


def test_every_cited_work_is_in_sources_csv_and_every_work_there_is_cited():
    assert cited().keys() == sources().keys()


def test_the_page_is_generated_from_the_checks():
    assert DOCUMENT.read_text(encoding="utf-8") == page(), "write it again: python tests/test_equations.py"


if __name__ == "__main__":
    sys.path += [str(ROOT), str(ROOT / "docs")]
    DOCUMENT.write_text(page(), encoding="utf-8")
