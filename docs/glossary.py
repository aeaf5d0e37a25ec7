"""Make the glossary from the lessons: ``python docs/glossary.py`` writes ``notebooks/glossary.md``.

``docs/terms.csv`` lists the terms of each lesson with their German translations. The
definition of a term is the sentence in which its lesson first shows it in bold.
"""

import csv
import re
from typing import NamedTuple

import nbformat
from editions import GLOSSARY
from executed import LESSONS, ROOT

HEAD = """\
# Glossary

The terms of the course in English and in German, each with a link to its section and the sentence that introduces it.
The command `make glossary` writes this page from the lessons.

"""


class Entry(NamedTuple):
    """Where a lesson introduces a term."""

    term: str
    german: str
    sentence: str
    link: str


def entries() -> list[Entry]:
    """Return all terms in alphabetical order; ``ValueError`` names those that their lesson does not introduce."""
    rows = csv.DictReader((ROOT / "docs" / "terms.csv").read_text(encoding="utf-8").splitlines())
    lessons = {path.stem[:2]: path for path in LESSONS}
    notebooks = {number: nbformat.read(path, 4) for number, path in lessons.items()}
    found, missing = [], []
    for row in rows:
        place = introduction(notebooks[row["lesson"]], row["term"])
        if place is None:
            missing.append(f"{row['lesson']} {row['term']}")
            continue
        number, heading, sentence = place
        anchor = heading.replace(" ", "-")  # as JupyterLab names it
        link = f"[{row['lesson']}, cell {number}]({lessons[row['lesson']].name}#{anchor})"
        found.append(Entry(row["term"], row["german"], sentence, link))
    if missing:
        raise ValueError(f"lessons: need each term once in bold, but these are missing: {', '.join(missing)}")
    return sorted(found, key=lambda entry: entry.term.casefold().replace("β", "beta"))


def introduction(notebook: nbformat.NotebookNode, term: str) -> tuple[int, str, str] | None:
    """Return the number of the cell, the heading above it and the sentence in which a term is first in bold."""
    heading, pattern = "", re.compile(rf"(?<!\w){re.escape(term)}(?!\w)", re.IGNORECASE)
    for number, cell in enumerate(notebook.cells, 1):  # as JupyterLab counts them in its status bar
        if cell.cell_type != "markdown":
            continue
        for block in re.split(r"\n\s*\n|\n(?=[-*>] |\d+\. )", cell.source):
            if block.startswith("#"):
                heading = block.splitlines()[0].lstrip("# ")
            for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z*$`(])", re.sub(r"^[-*>\d.]+ |\n", " ", block).strip()):
                if any(re.search(pattern, bold) for bold in re.findall(r"\*\*(.+?)\*\*", sentence)):
                    return number, heading, sentence
    return None


def glossary() -> str:
    """Return the page in Markdown."""
    paragraphs = [
        f"**{term}** · {german} · {link}  \n{re.sub(':$', '.', sentence)}\n"  # after a colon the lesson has a formula
        for term, german, sentence, link in entries()
    ]
    return HEAD + "\n".join(paragraphs)


if __name__ == "__main__":
    GLOSSARY.write_text(glossary(), encoding="utf-8")
