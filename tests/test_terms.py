"""The lessons introduce the field's terms, informal words do not replace them, and the glossary is up to date."""

import re

import glossary
from test_notebooks import lessons, read

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


def test_the_glossary_is_made_from_the_lessons():
    assert glossary.GLOSSARY.read_text(encoding="utf-8") == glossary.glossary(), "run: make glossary"
    for entry in glossary.entries():
        assert entry.german and len(entry.sentence.split()) >= 6, f"{entry.term}: a definition is a sentence"


@lessons
def test_an_informal_word_occurs_with_its_term(path):
    summary = False
    for cell in read(path).cells:
        if cell.cell_type != "markdown":
            continue
        summary = summary or cell.source.startswith(("## Check yourself", "## Summary"))
        for word, term in HOME_MADE.items():
            if found := re.search(word, cell.source, re.IGNORECASE):
                assert re.search(term, cell.source) and not summary, f"{cell.id}: {found[0]!r}"
