"""One figure under controls: drawn once, updated in place, and left behind as a picture for a page without a kernel."""

import asyncio
import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.display import display
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ..arguments import number, whole

SCREEN = 80  # dots per inch that a figure takes on the page
#: Dots per inch that are drawn: as few as that, so that a slider is followed at once.
DPI = SCREEN
#: Hides the picture in the output below a widget that a page could load. It comes with the widget, so a page that could
#: not load it shows the picture. A widget inside another one was not displayed by itself, and has no picture below.
#: Labels of buttons stand as those of sliders do.
STYLE = """<style>
:is(.jp-OutputArea-child, .output_area, .output_container):has(:not(.widget-box) > .live-figure) + * { display: none; }
.live-figure > .widget-toggle-buttons > .widget-label { flex: none; text-align: right; }
</style>"""


class Live(widgets.VBox):
    """Controls above one figure; ``update`` gets their values by name and changes what the figure shows.

    ``figure`` is a ``matplotlib.figure.Figure`` of its own, not one of pyplot's, so that nothing stays open.
    Where the controls cannot be loaded (without a kernel or a network), the page shows the figure as it stood. With
    ``moving``, the only artists that ``update`` changes, all others are drawn once and never again: for figures with
    much in the background.
    """

    def __init__(
        self,
        figure: Figure,
        update: Callable[..., None],
        *,
        moving: Sequence[Artist] = (),
        **controls: widgets.ValueWidget,
    ) -> None:
        self.figure, self.update, self.controls = figure, update, controls
        figure.set_dpi(DPI)
        self.canvas = FigureCanvasAgg(figure)  # draws once a picture, where savefig lays out and draws twice
        self.picture = widgets.Image(format="png", width=round(figure.get_figwidth() * SCREEN))
        draw = once_per_burst(self.draw)
        for control in controls.values():
            control.observe(draw, "value")
        style = widgets.HTML(STYLE, layout=widgets.Layout(display="none"))
        super().__init__([*controls.values(), self.picture, style], _dom_classes=["live-figure"])
        self.moving: Sequence[Artist] = ()
        self.draw()
        figure.set_layout_engine("none")  # all stays where it is: placing it anew takes half the time of a drawing
        if moving:
            for artist in moving:
                artist.set_animated(True)  # leaves it out of the background
            self.canvas.draw()
            self.background, self.moving = self.canvas.copy_from_bbox(figure.bbox), moving

    def draw(self) -> None:
        """Bring the figure up to date with the controls."""
        self.update(**{name: control.value for name, control in self.controls.items()})
        if self.moving:
            self.canvas.restore_region(self.background)
            for artist in self.moving:
                artist.draw(self.canvas.get_renderer())
        else:
            self.canvas.draw()
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(self.canvas.buffer_rgba())).save(buffer, "png", compress_level=1, dpi=(DPI, DPI))
        self.picture.value = buffer.getvalue()

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        return bundle | {"image/png": base64.b64encode(self.picture.value).decode()}

    def _ipython_display_(self) -> None:
        """Show the controls and, as an output of its own, the picture: exporters choose one kind of each output."""
        bundle = self._repr_mimebundle_()
        picture = {"image/png": bundle.pop("image/png"), "text/plain": "the figure"}
        display(bundle | {"text/plain": f"{len(self.controls)} controls of the figure below"}, raw=True)
        display(picture, metadata={"image/png": {"width": int(self.picture.width)}}, raw=True)


def slider(name: str, low: float, high: float, value: float, *, step: float = 0.01) -> widgets.FloatSlider:
    """Return a slider wide enough for its name and fine enough for its range.

    Raises ``ValueError`` when ``low`` is not below ``high``, or ``value`` not between them.
    """
    number("high", high, above=number("low", low)), number("step", step, above=0)
    if not low <= number("value", value) <= high:
        raise ValueError(f"value: need a number from {low:g} to {high:g}, got {value:g}")
    return widgets.FloatSlider(value, min=low, max=high, step=step, description=name, layout=_WIDE, style=_STYLE)


def steps(name: str, last: int, *, first: int = 0, value: int | None = None, step: int = 1) -> widgets.IntSlider:
    """Return a slider over whole numbers, one arrow key a step; it begins at ``value``, or at the first.

    Raises ``ValueError`` when ``last`` lies below ``first``, or ``value`` not between them.
    """
    whole("last", last, whole("first", first, -(2**31))), whole("step", step)
    value = whole("value", first if value is None else value, first, last)
    return widgets.IntSlider(value, first, last, step, description=name, layout=_WIDE, style=_STYLE)


def choice(name: str, options: Any, *, value: Any = None) -> widgets.ToggleButtons:
    """Return a row of buttons of which one is pressed; raises ``ValueError`` for a value that is no option."""
    pairs = options.items() if isinstance(options, Mapping) else options
    known = [option[1] if isinstance(option, tuple) else option for option in pairs]
    if not known or (value is not None and value not in known):
        raise ValueError(f"value: need one of the options {known}, got {value!r}")
    return widgets.ToggleButtons(options=options, value=value, description=name, layout=_ROW, style=_AS_WIDE_AS_WORDS)


def once_per_burst(draw: Callable[[], None]) -> Callable[[Any], None]:
    """Draw once for all slider events that wait in the kernel, so that a burst ends at its last value, at once."""
    waiting = False

    def run() -> None:
        nonlocal waiting
        waiting = False
        draw()

    def ask(_: Any) -> None:
        nonlocal waiting
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # outside a notebook nothing queues
            return draw()
        if not waiting:
            waiting = True
            loop.call_later(0.01, run)

    return ask


_WIDE = widgets.Layout(width="100%", max_width="560px")
_ROW = widgets.Layout(display="flex", flex_flow="row nowrap", width="100%")
_STYLE = {"description_width": "210px"}
_AS_WIDE_AS_WORDS = _STYLE | {"button_width": "auto"}
