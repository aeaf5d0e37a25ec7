"""Sphinx settings of the site, which loads nothing from the network."""

import numpy as np
import numpy.typing
from sphinx.addnodes import desc_annotation
from typing_extensions import TypeAliasType, TypeVar

Scalar = TypeVar("Scalar")  # signatures show two short names instead of long unions
numpy.typing.ArrayLike = TypeAliasType("ArrayLike", object)
numpy.typing.NDArray = TypeAliasType("NDArray", np.ndarray[tuple, Scalar], type_params=(Scalar,))

project = "vaehelpers"
extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["_*.md", "instructors/exam-solutions.md"]
html_theme = "sphinx_book_theme"
html_title = "vaehelpers"
html_static_path = [
    "_static",
    *(f"../vaehelpers/web/{name}.{kind}" for name in ("questions", "frames") for kind in ("css", "js")),
]
html_css_files = ["questions.css", "frames.css", "custom.css"]
html_js_files = [
    ("questions.js", {"defer": "defer", "priority": 400}),
    ("frames.js", {"defer": "defer"}),
]  # before MathJax starts
html_use_index = html_domain_indices = False
html_show_search_summary = False  # a page opened as a file cannot load other pages
html_context = {"default_mode": "auto"}  # light or dark, as the system says
html_theme_options = {
    "show_toc_level": 2,
    "use_fullscreen_button": False,
    "footer_content_items": [],
    "navbar_persistent": [],  # the sidebar has a search field
}

nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # tables too
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
# MathJax's combined bundles start a worker for speech, which browsers refuse on pages opened as files. Assistive MathML
# serves screen readers instead.
mathjax_path = "mathjax/startup.js"
mathjax4_config = {
    "loader": {"load": ["input/tex", "output/chtml", "a11y/assistive-mml"]},
    "output": {"scale": 0.9, "displayOverflow": "linebreak", "fontPath": "[mathjax]/../mathjax-newcm-font"},
}

autodoc_member_order = "bysource"
python_display_short_literal_types = True
add_module_names = False
toc_object_entries = False


def setup(app):
    """Register the functions below with Sphinx."""
    app.connect("autodoc-skip-member", lambda app, what, name, obj, skip, options: skip or _is_field(obj))
    app.connect("html-page-context", lambda app, page, template, context, doctree: _set_language(page, context))
    app.connect("doctree-read", lambda app, doctree: _remove_long_values(doctree))


def _is_field(obj):
    """Return whether it is a field of a named tuple, whose own docstring describes its fields."""
    return (getattr(obj, "__doc__", None) or "").startswith("Alias for field number")


def _remove_long_values(doctree):
    """Remove the values of constants that are longer than 40 characters."""
    for node in list(doctree.findall(desc_annotation)):
        if node.astext().startswith(" = ") and len(node.astext()) > 40:
            node.parent.remove(node)


def _set_language(page, context):
    """Set the language of German pages for browsers and screen readers."""
    if page.startswith("de/"):
        context["language"] = "de"
