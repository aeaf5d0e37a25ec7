"""The lessons introduce the field's terms, informal words do not replace them, and the glossary is up to date."""

import csv
import re

import glossary
import nbformat
import pytest
from conftest import ROOT

TERMS = list(csv.DictReader((ROOT / "docs" / "terms.csv").read_text(encoding="utf-8").splitlines()))
LESSONS = {path.stem[:2]: nbformat.read(path, 4).cells for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
#: Informal words, and the terms of which one must occur in the same cell.
HOME_MADE = {
    r"\b(prices?|bargains?|pa(y|ys|id) for)\b": r"KL|cross-entropy|rate|digit|compute",
    r"\bbeliefs?\b": r"distribution|\bq\b|posterior|\$q",
    r"\b(awake|asleep|sleep\w*|woke|wakes?)\b": r"active|collapse",
    r"\bknobs?\b": r"latent",
    r"\bhumps?\b": r"mode",
    r"\\text\{(fit|price)": r"(?!)",
    r"\bpictures?\b": r"(?!)",
    r"\b(weighed by|derivative by|comes? to a stand|hangs? together|code books?)\b": r"(?!)",
}


@pytest.mark.parametrize("row", TERMS, ids=[f"{row['lesson']}-{row['term']}" for row in TERMS])
def test_a_term_is_introduced_in_bold(row):
    place = glossary.introduction(nbformat.from_dict({"cells": LESSONS[row["lesson"]]}), row["term"])
    assert place, f"lesson {row['lesson']} has no {row['term']!r} in bold"
    assert row["german"] and len(place[2].split()) >= 6, "a definition is a sentence"


def test_the_glossary_is_made_from_the_lessons():
    assert glossary.GLOSSARY.read_text(encoding="utf-8") == glossary.glossary(), "run: make glossary"


@pytest.mark.parametrize("number", LESSONS)
def test_an_informal_word_occurs_with_its_term(number):
    summary = False
    for cell in LESSONS[number]:
        if cell.cell_type != "markdown":
            continue
        summary = summary or cell.source.startswith(("## Check yourself", "## Summary"))
        for word, term in HOME_MADE.items():
            if found := re.search(word, cell.source, re.IGNORECASE):
                assert re.search(term, cell.source) and not summary, f"{cell.id}: {found[0]!r}"
