"""The German edition has the same content and code as the English one, and existing files are kept."""

import os
import re
import subprocess
import sys
from collections import Counter

import nbformat
import pytest
from conftest import ROOT
from editions import fingerprint, german, solutions
from test_notebooks import NOTEBOOKS, code_cells, read

TRANSLATED = sorted((ROOT / "notebooks" / "de").glob("*.md"))
#: What both languages have equally often in a cell; words in formulas are translated.
EQUAL = {
    "formulas": re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL),
    "code": re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL),
    "links": re.compile(r"\]\(([^)]*)\)"),
    "headings": re.compile(r"^#+ ", re.MULTILINE),
    "items": re.compile(r"^(?:-|\d+\.) ", re.MULTILINE),
    "years": re.compile(r"\b(?:1[89]|20)\d\d\b"),
    "sections": re.compile(r"§[\d.]*\d"),
}
NUMBERED = re.compile(r"\*\*(?:Exercise|Übung) (\d+) \((\d+) (?:minutes|Minuten)|\*\*(?:Time|Zeit):\*\* (\d+)")
CHOICES = re.compile(r"\*\*([A-E]|\d)\.?\*\*")
PREDICT = re.compile(r"\*\*(?:Predict|Sag voraus):\*\*")


def english_of(prose):
    return read(ROOT / "notebooks" / f"{prose.stem}.ipynb")


def prose_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def parts(pattern, source):
    source = re.sub(r"^> ?", "", source, flags=re.MULTILINE)
    return Counter(re.sub(r"\\text\{[^}]*\}", "", found) for found in pattern.findall(source))


@pytest.fixture(params=TRANSLATED, ids=lambda path: path.stem)
def lesson(request):
    """A lesson in English, the text of its German edition, and the two joined."""
    english, text = english_of(request.param), request.param.read_text(encoding="utf-8")
    return english, text, german(english, text)


def test_there_is_a_german_edition():
    assert "05_elbo" in [path.stem for path in TRANSLATED]
    assert {path.stem for path in TRANSLATED} <= {path.stem for path in NOTEBOOKS}


def test_a_german_edition_has_the_same_cells_and_the_same_code(lesson):
    english, text, edition = lesson
    nbformat.validate(edition)
    assert edition.metadata["lang"] == "de" and "lang" not in english.metadata
    assert [(cell.id, cell.cell_type) for cell in edition.cells] == [(c.id, c.cell_type) for c in english.cells]
    assert len({cell.id for cell in edition.cells}) == len(edition.cells)
    assert code_cells(edition) == code_cells(english)
    assert "```" not in text and "import " not in text
    assert all(cell.metadata == other.metadata for cell, other in zip(edition.cells, english.cells, strict=True))


def test_a_german_edition_says_all_of_it(lesson):
    english, _, edition = lesson
    for cell, other in zip(prose_cells(edition), prose_cells(english), strict=True):
        for name, pattern in EQUAL.items():
            assert parts(pattern, cell.source) == parts(pattern, other.source), f"{name} of {cell.id}"
        assert NUMBERED.findall(cell.source) == NUMBERED.findall(other.source), cell.id
        assert CHOICES.findall(cell.source) == CHOICES.findall(other.source), cell.id
        assert len(PREDICT.findall(cell.source)) == len(PREDICT.findall(other.source)), cell.id
        assert cell.source.count("<details>") == other.source.count("<details>") == cell.source.count("</details>")
        longer = len(cell.source) / len(other.source)
        assert 0.7 < longer < 1.8 or len(other.source) < 100, f"{cell.id} is much shorter or longer"


def test_a_german_edition_is_german(lesson):
    for cell in prose_cells(lesson[2]):
        words = re.sub(r"```.*?```|`[^`]*`|\*+[^*]+\*+", "", cell.source, flags=re.DOTALL)
        assert not re.search(r"\b(and|with|this|you|your|[Ss]olution|Exercise|Predict)\b", words), cell.id
        assert words.count("„") == words.count("“") and not re.search(r'["”]', words), cell.id


def test_a_german_edition_has_the_same_solutions(lesson):
    codes = [[cell.source for cell in code_cells(solutions(edition))] for edition in (lesson[0], lesson[2])]
    assert codes[0] == codes[1] != [cell.source for cell in code_cells(lesson[0])]


def without(things, i):
    return things[:i] + things[i + 1 :]


def swapped(things, i, j):
    things = list(things)
    things[i], things[j] = things[j], things[i]
    return things


def added(cells):
    return [*cells, nbformat.v4.new_markdown_cell("One more thought.", id="new-cell")]


def reworded(cells):
    cells[2].source += " And one more thing."
    return cells


ENGLISH = {
    "a cell added": (added, "has the section none where it needs new-cell"),
    "a cell removed": (lambda cells: without(cells, 2), "has the section cell-002 where it needs cell-002-2"),
    "a cell changed": (reworded, "has changed.*\n<!-- cell cell-002 from"),
    "cells swapped": (lambda cells: swapped(cells, 2, 4), "has the section cell-002 where it needs cell-002-3"),
}
GERMAN = {
    "a section added": (
        lambda parts: [*parts, "<!-- cell new from 00000000 -->\nMehr.\n"],
        "has the section new where it needs none",
    ),
    "a section doubled": (lambda parts: [*parts, parts[1]], "has the section cell-002 where it needs none"),
    "a section removed": (lambda parts: without(parts, 1), "has the section cell-002-2 where it needs cell-002"),
    "a section emptied": (lambda parts: [parts[0], parts[1].split("\n")[0] + "\n", *parts[2:]], "lacks.*: cell-002"),
    "sections swapped": (lambda parts: swapped(parts, 1, 2), "has the section cell-002-2 where it needs cell-002"),
    "a hash mistyped": (lambda parts: [parts[0].replace(" from ", " from 0"), *parts[1:]], "changed.*\n.*cell-000"),
    "text before all": (lambda parts: ["Vorwort\n", *parts], "before the first section.*: Vorwort"),
    "code copied": (lambda parts: [parts[0] + "```python\n1\n```\n", *parts[1:]], "cell-000 needs.* 0 times"),
    "a solution lost": (lambda parts: [part.replace("{{solution}}", "") for part in parts], "cell-.* needs.* 1 times"),
}


@pytest.mark.parametrize("change, complaint", ENGLISH.values(), ids=ENGLISH)
def test_a_change_in_english_is_noticed(change, complaint):
    notebook, text = read(ROOT / "notebooks" / "05_elbo.ipynb"), TRANSLATED[0].read_text(encoding="utf-8")
    notebook.cells = change(notebook.cells)
    with pytest.raises(ValueError, match=f"(?s){complaint}"):
        german(notebook, text)


@pytest.mark.parametrize("change, complaint", GERMAN.values(), ids=GERMAN)
def test_a_change_in_german_is_noticed(change, complaint):
    notebook, text = read(ROOT / "notebooks" / "05_elbo.ipynb"), TRANSLATED[0].read_text(encoding="utf-8")
    sections = re.split(r"(?m)^(?=<!-- cell )", text)[1:]
    with pytest.raises(ValueError, match=complaint):
        german(notebook, "".join(change(sections)))


def test_the_lesson_itself_stays_english():
    notebook = read(ROOT / "notebooks" / "05_elbo.ipynb")
    german(notebook, TRANSLATED[0].read_text(encoding="utf-8"))
    assert notebook == read(ROOT / "notebooks" / "05_elbo.ipynb")


def test_the_hash_is_the_one_that_any_tool_computes():
    assert fingerprint("abc") == "ba7816bf"  # FIPS 180-2, appendix B.1


@pytest.fixture
def build(tmp_path):
    """A function that writes the German edition and gives its folder and what was said."""
    folder = tmp_path / "de"

    def write():
        command = [sys.executable, ROOT / "docs" / "editions.py", "german", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"LANG": "de"})
        return folder, done.stdout

    return write


def test_all_lessons_lie_side_by_side_and_their_links_lead_somewhere(build):
    folder, _ = build()
    assert [path.name for path in sorted(folder.iterdir())] == [path.name for path in NOTEBOOKS]
    for source in NOTEBOOKS:
        written = folder / source.name
        if source.stem in [path.stem for path in TRANSLATED]:
            assert read(written).cells[0].source != read(source).cells[0].source
        else:
            assert written.read_bytes() == source.read_bytes()
        for cell in prose_cells(read(written)):
            for link in re.findall(r"\]\(([^)#]+)", cell.source):
                assert "://" in link or (folder / link).exists(), f"{source.stem} leads to {link}"


def test_a_lesson_that_somebody_worked_in_is_kept(build):
    folder, _ = build()
    assert build()[1] == ""
    mine = folder / "05_elbo.ipynb"
    mine.write_text("my answers")
    said = build()[1]
    assert mine.read_text() == "my answers"
    assert said.count("kept") == 1 and "05_elbo.ipynb" in said
