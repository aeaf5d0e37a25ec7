"""Cut a lesson into slides.

A lesson is written to be read; a slide shows only what a hall needs. These rules choose it; no sentence is typed twice:

- A heading opens a slide. On it stand the displayed formulas with the sentence that leads to them, sentences with
  something in bold (new terms, **Predict**), tables, lists, and the tasks of exercises and questions as a whole.
- A figure fills a slide, one that is wide and flat a part of it, and of one that is longer than a slide the upper end
  is shown. What the lesson says first about it comes below it as a fragment. Code is shown where it
  defines or prints something, and the first words after it if there was a prediction. Not shown are code that only
  draws, a single line that prints nothing, imports, stubs and solutions.
- A section that begins with nothing of the kind begins with the first sentences of its paragraphs.
- The whole text, code that is not shown and the answers of questions are the speaker's notes (key S).

``slideshow.slide_type`` in a cell's metadata overrules them: ``slide``, ``subslide`` and ``fragment`` show the cell as
it stands, ``notes`` leaves it to the speaker, ``skip`` leaves it out.
"""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from editions import FOLDED
from PIL import Image
from prose import LINES, code_lines, fenced, is_shown, lines, sentences, shorter, split

WHOLE = re.compile(r"\*\*(Exercise|\d\.\*\*)")  # a task or a question: it begins a slide and stays in one piece

#: Shapes of figures, by the least height relative to their width.
SHAPES = {"tall": 0.68, "usual": 0.34, "flat": 0.0}
LONGEST = 8.2  # inches at which type on a slide can still be read
WIDTH = 26  # of a slide, in lines of text


@dataclass
class Slide:
    """One slide: what it shows, and what is said; ``open`` while text may still be added to it."""

    heading: str
    kind: str = "subslide"
    parts: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    lines: float = 0.0
    open: bool = True
    answer: bool = False  # whether what is said next belongs below


class Deck:
    """The slides of one lesson, cut from its cells."""

    def __init__(self, folder: Path) -> None:
        """Figures are written to the folder."""
        self.slides: list[Slide] = []
        self.folder, self.figures, self.asked = folder, 0, False

    def read(self, cells: list[nbformat.NotebookNode]) -> None:
        """Cut a lesson, cell by cell."""
        for cell in cells:
            wish = cell.metadata.get("slideshow", {}).get("slide_type")
            if wish == "skip":
                continue
            if cell.cell_type == "code":
                if wish == "notes":
                    self.slides[-1].notes.append(fenced(cell.source))
                else:
                    self.read_code(cell)
            elif wish in ("slide", "subslide"):
                heading = cell.source.split("\n", 1)[0] if cell.source.startswith("#") else self.slides[-1].heading
                self.begin(heading, "slide" if heading is not self.slides[-1].heading else wish)
                self.show(cell.source.removeprefix(heading), cell.source)
            elif wish == "fragment":
                self.slides[-1].parts.append(("fragment", cell.source))
            elif wish == "notes":
                self.slides[-1].notes.append(cell.source)
            else:
                self.read_text(cell.source)

    def begin(self, heading: str = "", kind: str = "subslide") -> None:
        """Begin a slide, under the last heading if no other is given; an empty one makes way for it."""
        self.fill()
        if not heading and self.slides[-1].open and not self.slides[-1].parts:
            return
        self.slides.append(Slide(heading or self.slides[-1].heading, kind))

    def begin_result(self, size: float = LINES) -> Slide:
        """Begin a slide for a figure or for code, if it does not fit below the text, or would answer a question."""
        slide = self.slides[-1]
        if len(self.slides) > 1 and slide.open and not slide.parts and slide.kind == "slide":
            slide.parts += [("", topic) for topic in slide.topics[:1]]
        elif not slide.open or slide.lines + size > LINES or any(tag == "predict" for tag, _ in slide.parts):
            self.begin()
        self.slides[-1].open = False
        return self.slides[-1]

    def fill(self) -> None:
        """Say what a section without formulas and key sentences is about."""
        if self.slides and not self.slides[-1].parts and self.slides[-1].topics:
            self.slides[-1].parts.append(("", "\n\n".join(self.slides[-1].topics[:4])))

    def show(self, text: str, said: str, *, tag: str = "") -> None:
        """Put text on the open slide, or on a new one where that is full."""
        size = lines(text)
        full = self.slides[-1].parts and self.slides[-1].lines + size > LINES and len(self.slides) > 1
        if full or not self.slides[-1].open:
            self.begin()
        slide = self.slides[-1]
        slide.parts.append((tag, text))
        slide.notes.append(said)
        slide.lines += size

    def read_text(self, source: str) -> None:
        """Cut a cell of text: a heading, a formula, a list or the key sentences of a paragraph at a time."""
        blocks = [block for block in split(source) if not FOLDED.fullmatch(block)]
        if "**Further reading" in source:  # to be read after the lecture: only the next lesson's place is shown
            end = next(i for i, block in enumerate(blocks) if block.startswith("**Further reading"))
            blocks[end:] = [block for block in blocks[end:] if "](0" in block]
        while blocks:
            block = blocks.pop(0)
            if block.startswith("#"):
                self.begin(block, "slide")
            elif WHOLE.match(block):
                task = [block]
                while blocks and not WHOLE.match(blocks[0]) and not blocks[0].startswith("#"):
                    task.append(blocks.pop(0))
                self.show_whole(task)
            elif is_shown(block) and blocks and blocks[0].startswith("$$") and block[-1] not in ".$":
                blocks[0] = f"{block}\n\n{blocks[0]}"
            elif is_shown(block) or "Summary" in self.slides[-1].heading:
                self.show(shorter(block), block)
            else:
                shown = shorter(blocks.pop(0)) if blocks and is_shown(blocks[0]) else ""
                self.read_paragraph(block, shown)

    def show_whole(self, task: list[str]) -> None:
        """Show a task or a question as it stands, on slides of its own; its answer is for the speaker."""
        if self.slides[-1].parts:
            self.begin()
        for block in task:
            if block.startswith("<details>"):
                self.slides[-1].notes.append(re.sub(r"</?details>|<summary>.*?</summary>", "", block).strip())
            else:
                self.show(block, block)
        self.slides[-1].open = False

    def read_paragraph(self, block: str, shown: str) -> None:
        """Show the key sentences of a paragraph, and the last one with the formula, list or table that it leads to."""
        block, mark, asked = block.partition("**Predict")
        if mark:
            if block:
                self.read_paragraph(block.rstrip(), "")
            self.show(mark + asked, mark + asked, tag="predict")
            self.asked = True
            return
        said = sentences(block)
        slide = self.slides[-1]
        if slide.answer and not block.startswith("**") and not (shown and len(said) == 1):
            answer = said.pop(0)
            while said[bool(shown) :] and len(answer.split()) < 9 and len(f"{answer} {said[0]}".split()) <= 40:
                answer += " " + said.pop(0)
            slide.parts.append(("caption fragment", answer))
        slide.answer = False
        key = [s for s in said if "**" in s or shown and s is said[-1]]
        if key:
            self.show("\n\n".join([" ".join(key), shown]), "\n\n".join([block, shown]))
        else:
            slide.notes.append(block)
            slide.topics += sentences(block)[:1]
            if shown:
                self.show(shown, shown)

    def read_code(self, cell: nbformat.NotebookNode) -> None:
        """Show what a cell defines and prints, and each of its pictures on a slide of its own."""
        code = cell.source
        if "plt.style.use(" in code or ".check_" in code:
            return
        printed = "".join(output.text for output in cell.outputs if "text" in output).rstrip()
        pictures = [p for output in cell.outputs if (p := self.picture(output, cell.metadata.get("alt", "")))]
        shown = bool(printed) or "def " in code or not pictures and "\n" in code
        if shown:
            self.show_code(code, printed)
        self.show_pictures(pictures)
        if not shown:
            self.slides[-1].notes.append(fenced(code))
        if printed or pictures:
            self.slides[-1].answer = (self.asked or bool(pictures)) and "explorer" not in dict(self.slides[-1].parts)
            self.asked = False

    def show_pictures(self, pictures: list[tuple[str, str, float]]) -> None:
        """Show pictures, one below the other where their heights allow it; a flat one leaves room for more text."""
        room = 0.0
        for tag, picture, height in pictures:
            flat = "flat" in tag
            if room < height:
                self.begin_result(height * WIDTH if flat else LINES)
                room = 0.55
            self.slides[-1].parts.append((tag, picture))
            if flat:
                self.slides[-1].lines += height * WIDTH
            self.slides[-1].open = flat
            room -= height

    def show_code(self, code: str, printed: str) -> None:
        """Show code with what it prints, one after the other if it is too much for one slide."""
        longest = max(len(line) for line in f"{code}\n{printed}".splitlines())
        parts = [(f"code --columns:{longest}", fenced(re.sub(r"\n{3,}", "\n\n", code)))]
        parts += [(f"printed --columns:{longest}", fenced(printed, "text"))] * bool(printed)
        size = 1.5 + sum(code_lines(text) for _, text in parts) * min(max(20, 1920 / longest), 28) / 34
        slide = self.begin_result(size)
        if printed and size > LINES + (0.5 if self.asked else 3):
            slide.parts.append(parts.pop(0))
            slide = self.begin_result()
        slide.parts += parts

    def picture(self, output: nbformat.NotebookNode, alt: str) -> tuple[str, str, float] | None:
        """Return what shows a figure, an explorer or a table, with its height relative to its width."""
        data = output.get("data", {})
        if "text/html" in data or "text/markdown" in data:
            kind = "text/html" if "text/html" in data else "text/markdown"
            return "explorer" if kind == "text/html" else "table", data[kind], 1.0
        if "image/png" not in data:
            return None
        self.figures += 1
        name = f"figures/{self.figures:02}.png"
        with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as picture:
            (width, height), dpi = picture.size, picture.info.get("dpi", (100, 100))
            shape = next(name for name, least in SHAPES.items() if height > least * width)
            if height > LONGEST * dpi[1]:
                shape, height = "long", round(0.46 * width)
            picture.crop((0, 0, width, height)).save(self.folder / name, dpi=dpi)
        alt = re.sub(r'"', "&quot;", alt) or self.slides[-1].heading.lstrip("# ")
        tag = f"figure {shape} --ratio:{height / width:.3f}"
        return tag, f'<img src="{name}" alt="{alt}">', height / width

    def cells(self) -> Iterator[nbformat.NotebookNode]:
        """What nbconvert makes slides of."""
        self.fill()
        for i, slide in enumerate(self.slides):
            if not slide.parts and i:
                continue
            heading = ("# " if i == 0 else "## ") + slide.heading.lstrip("# ")
            yield cell_of(heading, slide.kind if i else "slide", "title" if i == 0 else "heading")
            for tag, text in slide.parts:
                yield cell_of(text, "fragment" if "fragment" in tag else "-", tag.replace("fragment", "").strip())
            yield cell_of("\n\n".join(slide.notes), "notes", "")


def cell_of(source: str, kind: str, tag: str) -> nbformat.NotebookNode:
    """Return a cell for nbconvert; links to other lessons lead to their slides."""
    source = re.sub(r"\]\((\d\d_\w+)\.ipynb\)", r"](../\1/index.html)", source)
    metadata = {"slideshow": {"slide_type": kind}, "tags": tag.split()}
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)
