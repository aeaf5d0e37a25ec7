"""Markdown of a notebook as HTML whose formulas are MathML, which browsers show without a script."""

import re
from html import escape
from itertools import count
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from math_core import LatexError, LatexToMathML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

_TEX = LatexToMathML(fancy_error=False)
_OPEN, _CLOSE = set("([{⌈⟨"), set(")]}⌉⟩")
_BREAKS = set("=≠<>≤≥≈∼→⇒⟶+−")  # a line may end before these
_QUAD = 'em"></mspace></math>'  # a wide space at the end of a part
_WIDE = 32  # characters; a longer part of a formula may be wider than a phone
_SHORT = 40  # characters of TeX; shorter formulas in a line of text are not broken


class Markdown(IPythonRenderer):
    """Renders the cells of one notebook, and collects its title and its table of ``contents``.

    Images in ``folder`` and attachments become part of the text.
    """

    def __init__(self, folder: str = "") -> None:
        super().__init__(escape=False, embed_images=True, path=folder)
        self.title, self.contents, self.anchors = "", "", set[str]()
        self._markdown = MarkdownWithMath(renderer=self)

    def render(self, text: str, attachments: NotebookNode | None = None) -> str:
        """Return the HTML of a cell's text. Raises ``ValueError`` when a formula cannot be converted."""
        self.attachments = attachments or {}
        return str(self._markdown.render(text))

    def block_math(self, body: str) -> str:
        """Render a displayed formula."""
        parts = mathml(body, display=True)
        is_wide = max(len(re.sub("<[^>]*>", "", part)) for part in parts) > _WIDE
        focusable = ' tabindex="0"' * is_wide  # to scroll it by keyboard on a phone
        groups = re.split(f"(?<={_QUAD})<wbr>", "<wbr>".join(parts))  # a line ends between these if it can
        return f'<span class="formula"{focusable}>{"".join(f"<span>{group}</span>" for group in groups)}</span>'

    def block_html(self, html: str) -> str:
        """Keep HTML as it is: it may open an element that is closed after some markdown."""
        return f"{html}\n"

    def inline_html(self, html: str) -> str:
        """Keep HTML as it is."""
        return html

    def inline_math(self, body: str) -> str:
        """Render a formula in a line of text."""
        return "<wbr>".join(mathml(body, display=False))

    def latex_environment(self, name: str, body: str) -> str:
        """Render an environment, which is a displayed formula."""
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        """Render a heading with an anchor, as JupyterLab names it."""
        name = re.sub("<[^>]*>", "", text)
        anchor = next(a for n in count(1) if (a := name.replace(" ", "-") + f"-{n}" * (n > 1)) not in self.anchors)
        self.anchors.add(anchor)
        if level == 1:
            self.title = self.title or name
        elif level == 2:
            self.contents += f'<li><a href="#{quote(anchor)}">{text}</a></li>\n'
        return f'<h{level} id="{escape(anchor)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Render a link; one to another file becomes plain text, since a page is shared without other files."""
        return super().link(text, url, title) if re.match(r"https?:|#", url) else text


def mathml(tex: str, *, display: bool) -> list[str]:
    """Return a formula as MathML: a list of parts between which a line may end, one part if the formula is short.

    Raises ``ValueError`` when it cannot be converted.
    """
    try:
        text = _TEX.convert_with_local_state(tex, displaystyle=display)
    except LatexError as error:
        raise ValueError(f"formula {tex.strip()!r}: {error}") from None
    root = ElementTree.fromstring(text.replace("&ApplyFunction;", "\u2061"))
    for power in root.iter("msup"):
        if power[1].text in ("′", "″"):  # the font's primes are raised already
            power.tag = "mrow"
    attributes = {"displaystyle": "true"} if display else {}
    parts, depth = [ElementTree.Element("math", attributes)], 0
    for element in root:
        symbol = element.text if element.tag == "mo" else None
        depth += (symbol in _OPEN) - (symbol in _CLOSE)
        is_operator = symbol in _BREAKS and element.get("lspace") != "0"  # which the sign of a number has
        is_quad = element.get("width") in ("1em", "2em")
        if is_operator and not depth and len(parts[-1]) and (display or len(tex) > _SHORT):
            element.set("form", "infix")
            parts.append(ElementTree.Element("math", attributes))
        parts[-1].append(element)
        if is_quad and display:
            parts.append(ElementTree.Element("math", attributes))
    return [ElementTree.tostring(part, encoding="unicode", short_empty_elements=False) for part in parts]
