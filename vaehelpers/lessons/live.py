"""Figures that change: under controls, with a still image where there is no kernel, and while a model learns."""

import asyncio
import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.display import Image as Still
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image

from ..plots import plot_rows

SCREEN = 80  # CSS pixels per inch of a figure
DPI = SCREEN  # dots drawn per inch: few, so that the figure follows the slider; pages are built with more
#: Hides the still image that follows the widget. The rule is part of the widget: it applies only where that is loaded.
#: A widget inside another one has no image below it. Labels of buttons are aligned with those of sliders.
STYLE = """<style>
:is(.jp-OutputArea-child, .output_area, .output_container):has(:not(.widget-box) > .live-figure) + * { display: none; }
.live-figure > .widget-toggle-buttons > .widget-label { flex: none; text-align: right; }
</style>"""


class Live(widgets.VBox):
    """Controls above a figure; ``update(**values)`` plots for the values of the controls, by name.

    Whatever ``update`` plots is removed before the next call; what was on the axes before the first call stays, as do
    ticks and labels. ``figure`` is a ``matplotlib.figure.Figure``, not one of pyplot's, so that it is freed with the
    widget. Where a page cannot load the widget (without a kernel or a network), it shows the figure as an image.
    ``tries`` are values, by name, that the lesson tells its readers to try; pages without a kernel have a frame for
    exactly these.
    """

    def __init__(
        self,
        figure: Figure,
        update: Callable[..., object],
        *,
        tries: Sequence[Mapping[str, Any]] = (),
        **controls: widgets.ValueWidget,
    ) -> None:
        self.figure, self.update, self.tries, self.controls = figure, update, tries, controls
        figure.set_dpi(DPI)
        self.background_artists = {artist for ax in figure.axes for artist in ax.get_children()}
        self.image = widgets.Image(format="png", width=round(figure.get_figwidth() * SCREEN))
        draw = once_per_burst(self.draw)
        for control in controls.values():
            control.observe(draw, "value")
        style = widgets.HTML(STYLE, layout=widgets.Layout(display="none"))
        super().__init__([*controls.values(), self.image, style], _dom_classes=["live-figure"])
        self.draw()
        figure.set_layout_engine("none")  # the layout is kept: computing it takes half the time of a drawing

    def plot(self, **values: Any) -> None:
        """Plot for some values, instead of those plotted before."""
        for ax in self.figure.axes:
            ax.set_prop_cycle(None)
            for artist in set(ax.get_children()) - self.background_artists:
                artist.remove()
            ax.containers.clear()  # which group bars for a legend
        self.update(**values)

    def draw(self) -> None:
        """Draw the figure for the values of the controls."""
        self.plot(**{name: control.value for name, control in self.controls.items()})
        self.image.value = png(self.figure)

    def _ipython_display_(self) -> None:
        """Display the widget and the image as two outputs, since exporters choose one format of each output."""
        text = f"{len(self.controls)} controls of the figure below"
        display(self._repr_mimebundle_() | {"text/plain": text}, raw=True)
        image = {"image/png": base64.b64encode(self.image.value).decode(), "text/plain": "the figure"}
        display(image, metadata={"image/png": {"width": int(self.image.width)}}, raw=True)


class Learning:
    """Images ``(n, 1, h, w)`` and, below them, their reconstructions, redrawn in place while a model learns."""

    def __init__(self, images: ArrayLike) -> None:
        self.images, self.output = np.asarray(images), None

    def show(self, decoded: ArrayLike, title: str) -> None:
        """Draw the reconstructions; the first call creates the output that later calls update."""
        figure = Figure(figsize=(11, 2.7), dpi=DPI, layout="constrained")
        rows = np.stack([self.images, np.asarray(decoded)])
        plot_rows(rows, ["image", "decoded"], ax=figure.subplots()).set_title(title, loc="left")
        alt = "images above, their reconstructions below"
        image = Still(png(figure), width=round(figure.get_figwidth() * SCREEN), alt=alt)
        if self.output is None:
            self.output = display(image, display_id=True)
        else:
            self.output.update(image)


def png(figure: Figure) -> bytes:
    """Return a figure as the content of a PNG file; it is drawn once, where savefig draws twice."""
    canvas, buffer = FigureCanvasAgg(figure), io.BytesIO()
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    pixels.save(buffer, "png", compress_level=1, dpi=(figure.dpi, figure.dpi))
    return buffer.getvalue()


def slider(name: str, low: float, high: float, value: float, *, step: float = 0.01) -> widgets.FloatSlider:
    """Return a slider over real numbers."""
    return widgets.FloatSlider(value, min=low, max=high, step=step, description=name, layout=_WIDE, style=_LABEL)


def steps(name: str, last: int, *, first: int = 0, value: int | None = None, step: int = 1) -> widgets.IntSlider:
    """Return a slider over whole numbers; it starts at ``value``, or at ``first``."""
    start = first if value is None else value
    return widgets.IntSlider(start, first, last, step, description=name, layout=_WIDE, style=_LABEL)


def choice(name: str, options: Sequence[str], *, value: str | None = None) -> widgets.ToggleButtons:
    """Return a row of buttons of which one is pressed: ``value``, or the first."""
    style = _LABEL | {"button_width": "auto"}
    start = options[0] if value is None else value
    return widgets.ToggleButtons(options=options, value=start, description=name, layout=_ROW, style=style)


def once_per_burst(draw: Callable[[], None]) -> Callable[[Any], None]:
    """Return an observer that calls ``draw`` once for all slider events that are already in the kernel's queue."""
    scheduled = False

    def run() -> None:
        nonlocal scheduled
        scheduled = False
        draw()

    def observer(_: Any) -> None:
        nonlocal scheduled
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # outside a notebook there is no queue
            return draw()
        if not scheduled:
            scheduled = True
            loop.call_later(0.01, run)

    return observer


_WIDE = widgets.Layout(width="100%", max_width="560px")
_ROW = widgets.Layout(display="flex", flex_flow="row nowrap", width="100%")
_LABEL = {"description_width": "210px"}
