"""The German edition has the same content and code as the English one, and existing files are kept."""

import re
from collections import Counter

import editions
import nbformat
import pytest
from conftest import ROOT
from editions import german, solutions
from test_notebooks import NOTEBOOKS, code_cells, read

TRANSLATED = sorted((ROOT / "notebooks" / "de").glob("*.md"))
#: Patterns that occur equally often in both languages' versions of a cell.
EQUAL = {
    "formulas": re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL),
    "code": re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL),
    "links": re.compile(r"\]\(([^)]*)\)"),
    "headings": re.compile(r"^#+ ", re.MULTILINE),
    "items": re.compile(r"^(?:-|\d+\.) ", re.MULTILINE),
    "years": re.compile(r"\b(?:1[89]|20)\d\d\b"),
    "sections": re.compile(r"§[\d.]*\d"),
    "exercises": re.compile(r"\*\*(?:Exercise|Übung) (\d+) \((\d+) (?:minutes|Minuten)|\*\*(?:Time|Zeit):\*\* (\d+)"),
    "answers": re.compile(r"\*\*([A-E]|\d)\.?\*\*"),
    "predictions": re.compile(r"\*\*(?:Predict|Sag voraus)(:)\*\*"),
    "folded blocks": re.compile(r"</?details>"),
}


def english_of(prose):
    return read(ROOT / "notebooks" / f"{prose.stem}.ipynb")


def prose_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def parts(pattern, source):
    """Return the matches of a pattern with their counts, without the words in formulas, which are translated."""
    source = re.sub(r"^> ?", "", source, flags=re.MULTILINE)
    return Counter(re.sub(r"\\text\{[^}]*\}", "", str(found)) for found in pattern.findall(source))


@pytest.fixture(params=TRANSLATED, ids=lambda path: path.stem)
def lesson(request):
    """Return a lesson in English and its German edition."""
    english = english_of(request.param)
    edition = german(english, request.param.read_text(encoding="utf-8"))
    assert english == english_of(request.param), "the lesson itself stays English"
    return english, edition


def test_a_german_edition_has_the_same_cells_code_and_solutions(lesson):
    english, edition = lesson
    nbformat.validate(edition)
    assert edition.metadata["lang"] == "de" and "lang" not in english.metadata
    kept = [[(cell.id, cell.cell_type, cell.metadata) for cell in each.cells] for each in lesson]
    assert kept[0] == kept[1]
    assert code_cells(edition) == code_cells(english)
    assert code_cells(solutions(edition)) == code_cells(solutions(english)) != code_cells(english)


def test_a_german_edition_is_complete_and_in_german(lesson):
    for other, cell in zip(*map(prose_cells, lesson), strict=True):
        for name, pattern in EQUAL.items():
            assert parts(pattern, cell.source) == parts(pattern, other.source), f"{name} of {cell.id}"
        longer = len(cell.source) / len(other.source)
        assert 0.7 < longer < 1.8 or len(other.source) < 100, f"{cell.id} is much shorter or longer"
        words = re.sub(r"```.*?```|`[^`]*`|\*+[^*]+\*+", "", cell.source, flags=re.DOTALL)
        assert not re.search(r"\b(and|with|this|you|your|[Ss]olution|Exercise|Predict)\b", words), cell.id
        assert words.count("„") == words.count("“") and not re.search(r'["”]', words), cell.id


def first(old, new):
    return lambda text: text.replace(old, new, 1)


#: Changes of a German text, and the error of each.
CHANGES = {
    "a section added": (lambda text: f"{text}\n<!-- cell new from 00000000 -->\nMehr.\n", "new where it needs none"),
    "a section lost": (lambda text: text[: text.rindex("<!-- cell")], "the section none where it needs"),
    "a section renamed": (first("cell cell-002 ", "cell x "), "has the section x where it needs cell-002"),
    "a section emptied": (
        lambda text: re.sub(r"(cell-002 from .*\n)[^<]*", r"\1", text),
        "lacks the text of: cell-002",
    ),
    "a hash mistyped": (first(" from ", " from 0"), "English has changed.*\n<!-- cell cell-000 from"),
    "text before all": (lambda text: f"Vorwort\n{text}", "before the first section.*: Vorwort"),
    "code copied": (first("\n<!-- cell cell-002 ", "\n```python\n1\n```\n<!-- cell cell-002 "), "needs.* 0 times"),
    "a solution lost": (first("{{solution}}", ""), "cell-.* needs.* 1 times"),
}


@pytest.mark.parametrize("change, message", CHANGES.values(), ids=CHANGES)
def test_a_fault_in_german_is_named(change, message):
    text = TRANSLATED[0].read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        german(english_of(TRANSLATED[0]), change(text))


def test_all_lessons_are_written_their_links_lead_somewhere_and_existing_work_is_kept(tmp_path, capsys):
    editions.write_german(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in NOTEBOOKS} | {"glossary.md"}
    for source in NOTEBOOKS:
        written, is_german = read(tmp_path / source.name), source.stem in [path.stem for path in TRANSLATED]
        assert (written != read(source)) == is_german
        for cell in prose_cells(written):
            for link in re.findall(r"\]\(([^)#]+)", cell.source):
                assert "://" in link or (tmp_path / link).exists(), f"{source.stem} leads to {link}"
    mine = tmp_path / "05_elbo.ipynb"
    mine.write_text("my answers")
    editions.write_german(tmp_path)
    output = capsys.readouterr().out
    assert mine.read_text() == "my answers" and output.count("kept") == 1 and "05_elbo.ipynb" in output
