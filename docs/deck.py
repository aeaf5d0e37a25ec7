"""Cut a lesson into slides.

A lesson is written to be read; a slide shows only what a hall needs. These rules choose it; no sentence is typed twice:

- A heading opens a slide. On it stand the displayed formulas with the sentence that leads to them, sentences with
  something in bold (new terms, **Predict**), tables, lists, and the tasks of exercises and questions as a whole.
- A figure fills a slide; what the lesson says first about it comes below it as a fragment. Code is shown where it
  defines or prints something, and the first words after it if there was a prediction. Not shown are code that only
  draws, a single line that prints nothing, imports, stubs and solutions.
- A section that begins with nothing of the kind begins with the first sentences of its paragraphs.
- The whole text, code that is not shown and the answers of questions are the speaker's notes (key S).

``slideshow.slide_type`` in a cell's metadata overrules them: ``slide``, ``subslide`` and ``fragment`` show the cell as
it stands, ``notes`` leaves it to the speaker, ``skip`` leaves it out.
"""

import base64
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

#: What a slide holds, in lines of text; and how many characters a line of text and of code.
LINES, TEXT, CODE = 11.5, 66, 96
BLOCK = re.compile(r"\$\$.*?\$\$|(?:(?!\n\s*\n).)+", re.DOTALL)
FOLDED = re.compile(r"<details><summary>(\w+)</summary>(.*?)</details>", re.DOTALL)
WHOLE = re.compile(r"\*\*(Exercise|\d\.\*\*)")  # a task or a question: it begins a slide and stays in one piece
LIST = re.compile(r"(?:-|\d+\.) ")
ITEM = re.compile(r"\n(?=(?:-|\d+\.) )")
VERBATIM = re.compile(r"\$[^$]+\$|`[^`]+`|\]\([^)]*\)")
END = re.compile(r"(?<![ .(][A-Z]\.)(?<!e\.g\.)(?<!i\.e\.)(?<!et al\.)(?<=[.?!])[*)\"”]*\s+(?=[^a-z])")


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
        blocks = [block for block in split(source) if not FOLDED.fullmatch(block) or "Answer" in block]
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
            if answer := FOLDED.match(block):
                self.slides[-1].notes.append(answer[2].strip())
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
        if "plt.style.use(" in code or "exercises.check_" in code:
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
        """Show pictures, one below the other where their heights allow it."""
        room = 0.0
        for tag, picture, height in pictures:
            if room < height:
                self.begin_result()
                room = 0.55
            self.slides[-1].parts.append((tag, picture))
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
        png = base64.b64decode(data["image/png"])
        (self.folder / name).write_bytes(png)
        width, height = struct.unpack(">II", png[16:24])
        alt = re.sub(r'"', "&quot;", alt) or self.slides[-1].heading.lstrip("# ")
        return "figure tall" if height > 0.7 * width else "figure", f'<img src="{name}" alt="{alt}">', height / width

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


def split(source: str) -> Iterator[str]:
    """Cut Markdown into headings, formulas, lists, tables, quotations, paragraphs and what is folded."""
    for i, piece in enumerate(re.split(r"(<details>.*?</details>)", source, flags=re.DOTALL)):
        yield from [piece] if i % 2 else (block.strip() for block in BLOCK.findall(piece) if block.strip())


def sentences(paragraph: str) -> list[str]:
    """Cut a paragraph into sentences; a very short one, or one all in bold, stays with its neighbour."""
    masked = VERBATIM.sub(lambda found: "X" * len(found[0]), paragraph)
    ends = [0, *(end.end() for end in END.finditer(masked)), len(paragraph)]
    said: list[str] = []
    for start, end in zip(ends, ends[1:], strict=False):
        sentence = paragraph[start:end].strip()
        if said and (is_short(said[-1]) or end == len(paragraph) and is_short(sentence)):
            said[-1] += " " + sentence
        else:
            said.append(sentence)
    return said


def is_short(sentence: str) -> bool:
    """Whether a sentence cannot stand alone."""
    return len(sentence.split()) < 4 or re.fullmatch(r"\*\*[^*]+\*\*", sentence) is not None


def is_shown(block: str) -> bool:
    """Whether it is a formula, a table, a quotation or a list."""
    return block[0] in "$|>" or LIST.match(block) is not None


def shorter(block: str) -> str:
    """Leave the first sentence of each item of a long list."""
    if not LIST.match(block) or lines(block) <= LINES - 3:
        return block
    return "\n".join(sentences(item)[0] for item in ITEM.split(block))


def lines(text: str) -> float:
    """About how many lines text takes on a slide."""
    if len(blocks := list(split(re.sub(r"^> ?", "", text, flags=re.MULTILINE)))) > 1:
        return sum(lines(block) for block in blocks)
    if text.startswith("$$"):
        rows = text.count(r"\\") or len(plain(text)) // 56  # long ones are broken
        return 2.6 + 1.8 * rows + 0.8 * ("underbrace" in text)
    if text.startswith("|"):
        return 1.35 * (text.count("\n") + 1)
    return sum(-(-len(plain(item)) // TEXT) + 0.4 for item in ITEM.split(text))


def plain(text: str) -> str:
    """Leave about as many characters as one sees."""
    return re.sub(r"\\[a-zA-Z]+", "x", re.sub(r"\]\([^)]*\)|[{}$^_*]|\\math[a-z]+", "", text))


def fenced(text: str, language: str = "python") -> str:
    """Return Markdown that shows code or what it printed."""
    return f"```{language}\n{text}\n```"


def code_lines(text: str) -> int:
    """How many lines code takes on a slide, fences aside."""
    return sum(max(1, -(-len(line) // CODE)) for line in text.splitlines()[1:-1])


def cell_of(source: str, kind: str, tag: str) -> nbformat.NotebookNode:
    """Return a cell for nbconvert; links to other lessons lead to their slides."""
    source = re.sub(r"\]\((\d\d_\w+)\.ipynb\)", r"](../\1/index.html)", source)
    metadata = {"slideshow": {"slide_type": kind}, "tags": tag.split()}
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)
