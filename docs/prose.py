"""Cut the prose of a lesson into pieces, and say how much of a slide each one takes."""

import re
from collections.abc import Iterator

#: What a slide holds, in lines of text; and how many characters a line of text and of code.
LINES, TEXT, CODE = 11.5, 66, 96
BLOCK = re.compile(r"\$\$.*?\$\$|(?:(?!\n\s*\n).)+", re.DOTALL)
LIST = re.compile(r"(?:-|\d+\.) ")
ITEM = re.compile(r"\n(?=(?:-|\d+\.) )")
VERBATIM = re.compile(r"\$[^$]+\$|`[^`]+`|\]\([^)]*\)")
END = re.compile(r"(?<![ .(][A-Z]\.)(?<!e\.g\.)(?<!i\.e\.)(?<!et al\.)(?<=[.?!])[*)\"”]*\s+(?=[^a-z])")


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
