"""Lesson 06: pictures that change while a model learns, and the overlap of two posteriors under sliders."""

import io
from collections.abc import Sequence

import numpy as np
from IPython.display import Image, display
from ipywidgets import FloatSlider
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike
from scipy.stats import norm

from .. import hands, overlap
from ..arguments import array
from ..plots import vae as plots
from ..plots.pictures import tile
from . import live
from .live import Live, choice, slider


class Learning:
    """A row of pictures and, below it, what a model makes of them, drawn anew in the same place while it learns."""

    def __init__(self, pictures: ArrayLike) -> None:
        self.pictures = array("pictures", pictures, ("n", "1", "h", "w"), dtype=np.float32)
        self.figure = Figure(figsize=(11, 2.7), dpi=live.DPI, layout="constrained")
        self.canvas, self.place = FigureCanvasAgg(self.figure), None
        both = np.stack([self.pictures, self.pictures])
        self.axes = plots.plot_rows(both, ["picture", "decoded"], ax=self.figure.subplots())
        self.axes.set_title(" ")
        self.canvas.draw()
        self.figure.set_layout_engine("none")  # all stays where it is

    def show(self, made: ArrayLike, title: str) -> None:
        """Show pictures like the first ones in the lower row; the first call says where on the page."""
        self.axes.images[0].set_data(tile(np.stack([self.pictures, array("made", made, self.pictures.shape)])))
        self.axes.set_title(title, loc="left")
        self.canvas.draw()
        buffer = io.BytesIO()
        self.canvas.print_png(buffer)
        width = round(self.figure.get_figwidth() * live.SCREEN)
        picture = Image(buffer.getvalue(), width=width, alt="pictures above, the model's version of them below")
        if self.place is None:
            self.place = display(picture, display_id=True)
        else:
            self.place.update(picture)


def overlap_lab() -> Live:
    """Two posteriors under sliders: their overlap, their price, the best pictures that can be decoded, and the sum."""
    z, places = np.linspace(-4.5, 4.5, 451), np.linspace(-4, 4, 17)
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    above, below, right = _axes(figure)
    plots.plot_overlap(z, norm.pdf(z), np.stack([norm.pdf(z)] * 2), ax=above).set_ylim(0, 1)
    strip = below.imshow(np.zeros((32, 17 * 32)), vmin=0, vmax=1, extent=(-4.25, 4.25, 0, 0.5), aspect="auto")
    known = [overlap.bargain(*_WAYS[way], _pair(way)) for way in [*_WAYS, _START]]
    plots.plot_costs([*_WAYS, "your sliders"], [b.lost for b in known], [b.prices.mean() for b in known], ax=right)

    def update(way: str, mean_1: float, mean_2: float, sd_1: float, sd_2: float) -> None:
        means, sds, pictures = (mean_1, mean_2), (sd_1, sd_2), _pair(way)
        known[-1] = now = overlap.bargain(means, sds, pictures)
        _move_densities(above, z, means, sds)
        above.set_title(f"overlap {now.overlap:.2f}    KL of q₁ {now.prices[0]:.2f}, of q₂ {now.prices[1]:.2f} nats")
        strip.set_data(np.hstack(list(overlap.best_pictures(places, means, sds, pictures))))
        plots.move_costs(right, [b.lost for b in known], [b.prices.mean() for b in known])

    way, (means, sds) = choice("way out", list(_WAYS), value=_START), _WAYS[_START]
    sliders = {f"mean_{i + 1}": slider(f"mean μ{'₁₂'[i]}", -3, 3, means[i], step=0.1) for i in range(2)}
    sliders |= {f"sd_{i + 1}": slider(f"sd σ{'₁₂'[i]}", 0.1, 1.5, sds[i], step=0.05) for i in range(2)}
    way.observe(lambda change: _set(list(sliders.values()), _WAYS[change["new"]]), "value")
    moving = [*above.patches, *above.lines, above.title, strip, right.patches[4], right.patches[9], right.texts[4]]
    return Live(figure, update, moving=moving, way=way, **sliders)


def _axes(figure: Figure) -> tuple[Axes, Axes, Axes]:
    """Densities above, a strip of pictures under them, and bars on the right."""
    grid = figure.add_gridspec(2, 2, width_ratios=(5, 4), height_ratios=(4, 1))
    above, below, right = (figure.add_subplot(grid[i]) for i in ((0, 0), (1, 0), (slice(None), 1)))
    below.set(xlim=(-4.5, 4.5), yticks=[], xlabel="z, and what the best decoder draws there")
    below.spines[:].set_visible(False)
    return above, below, right


_START = "overlapping"
#: means and sds of the two posteriors, for the start and the three ways out
_WAYS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    _START: ((-0.6, 0.6), (1.0, 1.0)),
    "1 apart": ((-2.4, 2.4), (1.0, 1.0)),
    "2 narrow": ((-0.6, 0.6), (0.15, 0.15)),
    "3 similar": ((-0.6, 0.6), (1.0, 1.0)),
}
_HANDS = hands.render(hands.fill([[-0.12, 0.0], [0.12, 1.0], [-0.11, 0.05]], ("rotation", "index")), 32)[:, 0]


def _pair(way: str) -> np.ndarray:
    """Two pictures: a hand and a different one or, for the third way, a hand and a similar one."""
    return _HANDS[[0, 2 if way == "3 similar" else 1]]


def _set(sliders: Sequence[FloatSlider], setting: tuple[tuple[float, float], tuple[float, float]]) -> None:
    for control, value in zip(sliders, (*setting[0], *setting[1]), strict=True):
        control.value = value


def _move_densities(ax: Axes, z: np.ndarray, means: Sequence[float], sds: Sequence[float]) -> None:
    q = [norm.pdf(z, mean, sd) for mean, sd in zip(means, sds, strict=True)]
    shared = np.minimum(*q)
    area = ax.patches[0]
    assert isinstance(area, Polygon)
    area.set_xy(np.stack([z, shared], axis=1))
    for line, density in zip(ax.lines, q, strict=False):
        line.set_ydata(density)
    ax.set_ylim(0, 1.25 * max(0.45, np.max(q)))
