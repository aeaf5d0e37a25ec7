"""How Sphinx builds the site: nothing is loaded from the network, and the lessons come with their outputs."""

import numpy as np
import numpy.typing
from sphinx.addnodes import desc_annotation
from typing_extensions import TypeAliasType, TypeVar

Scalar = TypeVar("Scalar")  # signatures give these two types by name; NumPy has unions of a dozen behind it
numpy.typing.ArrayLike = TypeAliasType("ArrayLike", object)
numpy.typing.NDArray = TypeAliasType("NDArray", np.ndarray[tuple, Scalar], type_params=(Scalar,))

project = "vaehelpers"
extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["_*.md"]
html_theme = "sphinx_book_theme"
html_title = "vaehelpers"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_use_index = html_domain_indices = False
html_show_search_summary = False  # a page that was opened as a file cannot read the others
html_context = {"default_mode": "auto"}  # light or dark, as the system says
html_theme_options = {
    "show_toc_level": 2,
    "use_fullscreen_button": False,
    "footer_content_items": [],
    "navbar_persistent": [],  # the search stands in the sidebar already
}

nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # tables too
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
# Not one of MathJax's ready bundles: they speak formulas by a worker, which browsers do not start for a page that was
# opened as a file. Here every formula carries MathML for screen readers instead.
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
    """Called by Sphinx."""
    app.connect("autodoc-skip-member", lambda app, what, name, obj, skip, options: skip or _is_field(obj))
    app.connect("html-page-context", lambda app, page, template, context, doctree: _say_language(page, context))
    app.connect("doctree-read", lambda app, doctree: _drop_tables(doctree))


def _is_field(obj):
    """Whether it is a field of a named tuple: the docstring of the tuple says what all of them are."""
    return (getattr(obj, "__doc__", None) or "").startswith("Alias for field number")


def _drop_tables(doctree):
    """Take long values of constants away: rows of numbers tell nothing here."""
    for node in list(doctree.findall(desc_annotation)):
        if node.astext().startswith(" = ") and len(node.astext()) > 40:
            node.parent.remove(node)


def _say_language(page, context):
    """Tell browsers and screen readers which language a page is in."""
    if page.startswith("de/"):
        context["language"] = "de"
