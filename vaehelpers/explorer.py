"""The latent explorer: a slider for each latent, and the picture that the decoder draws from them."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from .latents import decode, encode
from .model import VAE
from .widgets import once_per_burst, slider

Floats = NDArray[np.float32]


class LatentExplorer(widgets.HBox):
    """Sliders for all latents of a model, the ones that carry most first, beside the picture that they draw.

    ``card`` is the model's card: where it names a latent, so does the slider. ``start`` is the code to begin with and
    to come back to (0, the middle of the prior, when none is given). ``z`` reads all latents, ``set`` moves them.
    """

    def __init__(self, model: VAE, card: dict[str, Any], *, start: ArrayLike | None = None) -> None:
        if not card.get("latents"):
            raise ValueError("card: it does not say what the latents carry; a model that `train` saved has one")
        self.model = model
        home = np.zeros(model.latent_dim) if start is None else np.clip(start, -3, 3)
        self.picture = widgets.Image(format="png", width=300, height=300)
        self.sliders = [slider(label(card, i), -3, 3, home[i], step=0.1) for i in range(model.latent_dim)]
        self.draw = once_per_burst(self._draw)
        for each in self.sliders:
            each.observe(self.draw, "value")
        reset, random = widgets.Button(description="reset"), widgets.Button(description="random hand")
        reset.on_click(lambda _: self.set(home))
        self.rng = np.random.default_rng(0)
        random.on_click(lambda _: self.set(self.rng.standard_normal(model.latent_dim)))
        used, unused = order(card)
        folded = widgets.Accordion([widgets.VBox([self.sliders[i] for i in unused])], titles=[f"{len(unused)} unused"])
        column = [widgets.HBox([reset, random]), *[self.sliders[i] for i in used], *([folded] if unused else [])]
        super().__init__([widgets.VBox(column, layout={"width": "540px"}), self.picture])
        self._draw()

    @property
    def z(self) -> Floats:
        """All latents ``(latent_dim,)``."""
        return np.array([each.value for each in self.sliders], np.float32)

    def set(self, z: ArrayLike) -> None:
        """Move all sliders; values beyond ±3 stop there."""
        for each, value in zip(self.sliders, np.clip(z, -3, 3), strict=True):
            each.value = float(value)

    def _draw(self) -> None:
        self.picture.value = png(decode(self.model, self.z[None])[0])


class HandEncoder(widgets.HBox):
    """Draw a hand from its true factors; the encoder answers on the sliders of a ``LatentExplorer``.

    Its picture, what the decoder makes of the code, stands beside the truth.
    """

    def __init__(self, render: Callable[[Floats], Floats], ranges: dict[str, Any], explorer: LatentExplorer) -> None:
        self.render, self.explorer = render, explorer
        self.picture = widgets.Image(format="png", width=300, height=300)
        self.sliders = [
            slider(name, f.low, f.high, f.neutral, step=(f.high - f.low) / 60) for name, f in ranges.items()
        ]
        self.draw = once_per_burst(self._draw)
        for each in self.sliders:
            each.observe(self.draw, "value")
        pair = [_titled("the hand itself", self.picture), _titled("drawn from its code", explorer.picture)]
        super().__init__([widgets.VBox(self.sliders, layout={"width": "440px"}), *pair])
        self._draw()

    def _draw(self) -> None:
        picture = self.render(np.array([[each.value for each in self.sliders]], np.float32))
        self.picture.value = png(picture[0])
        self.explorer.set(encode(self.explorer.model, picture)[0][0])


class CodeMap(anywidget.AnyWidget):
    """Pictures placed at two of their latents; a click sends the nearest code to a ``LatentExplorer``."""

    _esm = Path(__file__).parent / "map.js"
    picture = traitlets.Bytes().tag(sync=True)
    place = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(
        self, codes: ArrayLike, pictures: ArrayLike, dims: tuple[int, int], explorer: LatentExplorer, *, side: int = 640
    ) -> None:
        self.codes, self.explorer = np.asarray(codes), explorer
        low, high = self.codes[:, dims].min(axis=0), self.codes[:, dims].max(axis=0)
        share = (self.codes[:, dims] - low) / (high - low)  # the first to the right, the second upwards
        self.places = 0.05 + 0.9 * np.column_stack([share[:, 0], 1 - share[:, 1]])
        canvas = np.zeros((side, side), np.float32)
        for (x, y), thumb in zip((self.places * side).astype(int), np.asarray(pictures)[:, 0, ::2, ::2], strict=True):
            half = len(thumb) // 2
            spot = canvas[y - half : y + half, x - half : x + half]
            if not spot.any():  # a picture is never covered by a later one
                spot[:] = thumb[: spot.shape[0], : spot.shape[1]]
        super().__init__(picture=png(canvas[None], scale=1))
        self.observe(self._clicked, "place")

    def _clicked(self, change: dict[str, Any]) -> None:
        nearest = int(np.linalg.norm(self.places - change["new"], axis=1).argmin())
        self.explorer.set(self.codes[nearest])


def order(card: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Return the latents in use, the one with the highest KL first, and the ones that are not."""
    kl = [latent["kl"] for latent in card["latents"]]
    ranked = sorted(range(len(kl)), key=lambda i: -kl[i])
    return [i for i in ranked if kl[i] >= 0.1], [i for i in ranked if kl[i] < 0.1]


def label(card: dict[str, Any], latent: int) -> str:
    """Name a latent: its meaning, where one was found, its number and its KL in nats."""
    entry = card["latents"][latent]
    name = "unused" if entry["kl"] < 0.1 else entry.get("name", "")
    return (f"{name} · " if name else "") + f"z{latent} · {entry['kl']:.2f} nats"


def png(picture: Floats, *, scale: int = 4) -> bytes:
    """Encode a picture ``(channels, h, w)`` in [0, 1] as PNG, enlarged ``scale`` times."""
    pixels = (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
    buffer = io.BytesIO()
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    image.resize((scale * image.width, scale * image.height), Image.Resampling.BICUBIC).save(
        buffer, "png", compress_level=1
    )
    return buffer.getvalue()


def _titled(title: str, picture: widgets.Image) -> widgets.VBox:
    return widgets.VBox([widgets.Label(title), picture])
