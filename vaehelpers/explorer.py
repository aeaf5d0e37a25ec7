"""The latent explorer: sliders for a model's latents, decoded in the browser, in a notebook or in one HTML file."""

import hashlib
import html
import io
import json
import re
from base64 import b64encode
from pathlib import Path
from string import Template
from typing import Any

import anywidget
import matplotlib.style
import numpy as np
import traitlets
from IPython.display import display
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from . import hands, plots
from .arguments import array, shortened
from .datasets import Images
from .files import replacing
from .latents import UNUSED, encode, latent_kl, traverse
from .model import VAE
from .weights import pack, to_bytes

LIMIT = 3  # deviations of the prior, at either end of a slider; `space.js` has the same
_WEB = Path(__file__).parent / "web"
_MODULES = ("network", "hands", "space", "dom", "tools", "explorer")  # each needs only those before it
_PLACED, _SIDE = 200, 32  # pictures on the map, and pixels along the edge of each


def bundle() -> str:
    """Join the modules of ``web`` to one: each becomes what a function returns, under the name it is imported by.

    So a contributor changes a line of any of them, starts the kernel again, and sees it.
    """
    sources = {name: (_WEB / f"{name}.js").read_text(encoding="utf-8") for name in _MODULES}
    parts = []
    for name, source in sources.items():
        body = re.sub(r"^import .*\n", "", source, flags=re.M)
        if name != "explorer":  # the last: it stays a module, with what anywidget looks for
            public = ", ".join(re.findall(r"^export (?:async function|function|const) (\w+)", body, re.M))
            body = re.sub(r"^export ", "", body, flags=re.M)
            body = f"const {name} = (() => {{\n{body}return {{ {public} }};\n}})();\n"
        parts.append(body)
    return "\n".join(parts)


class LatentExplorer(anywidget.AnyWidget):
    """Sliders for all latents of a model, those that carry most first, beside the picture that they draw.

    ``card`` is the model's card: it says what each latent carries and, where known, means. ``start`` is the code to
    begin with and to come back to (0, the middle of the prior, when none is given). The first 200 of ``images`` are
    placed on a map by their codes. ``z`` is the code ``(latent_dim,)`` as the sliders stand; set it, and they move.
    ``selected`` is the number of the picture on the map whose code that is (-1: of none); set it to go there.
    Raises ``ValueError`` when ``start`` or ``z`` is not a finite number for each latent, no picture is ``selected``, or
    the card belongs to another model.
    """

    _esm = bundle()
    _css = (_WEB / "explorer.css").read_text(encoding="utf-8")
    weights = traitlets.Bytes().tag(sync=True)
    vary = traitlets.List(traitlets.Unicode()).tag(sync=True)  # factors of the true hand, for a model of hands
    pictures = traitlets.Dict().tag(sync=True)
    z: traitlets.TraitType[Any, Any] = traitlets.TraitType().tag(sync=True)  # `Any` would take None unseen
    start = traitlets.List(traitlets.Float()).tag(sync=True)
    selected = traitlets.Int(-1)

    def __init__(
        self,
        model: VAE,
        card: dict[str, Any] | None = None,
        *,
        start: ArrayLike | None = None,
        images: Images | None = None,
    ) -> None:
        card = _checked(card or {}, model.latent_dim)  # a copy, since something may be added
        placed: dict[str, Any] = {}
        if images:  # neither None nor empty
            mu, logvar = encode(model, images[:_PLACED])
            codes = [[round(float(value), 2) for value in code] for code in mu.clip(-LIMIT, LIMIT)]
            placed = {"codes": codes, "components": _components(mu), "thumbs": _sheet(images.pixels)}
            card.setdefault("latents", [{"kl": float(kl)} for kl in latent_kl(mu, logvar)])
        card.setdefault("latents", [{} for _ in range(model.latent_dim)])
        self.model, self.card = model, card
        super().__init__(
            weights=to_bytes(model, card),
            vary=list(card.get("vary", ())) if card.get("data") == "hands" else [],
            pictures=placed,
            z=np.zeros(model.latent_dim) if start is None else array("start", start, (model.latent_dim,)),
        )
        self.start = self.z

    @traitlets.validate("z")
    def _within_limits(self, proposal: dict[str, Any]) -> list[float]:
        try:
            z = np.asarray(proposal["value"], float)
        except (TypeError, ValueError):
            z = np.array(np.nan)
        if z.shape != (self.model.latent_dim,) or not np.isfinite(z).all():
            raise ValueError(f"z: need {self.model.latent_dim} finite numbers, got {shortened(proposal['value'])}")
        return [float(value) for value in z.clip(-LIMIT, LIMIT)]

    @traitlets.validate("selected")
    def _one_of_the_pictures(self, proposal: dict[str, Any]) -> int:
        n, selected = len(self.pictures.get("codes", ())), proposal["value"]
        if not -1 <= selected < n:
            raise ValueError(f"selected: need a number from -1 to {n - 1}, got {selected}")
        return int(selected)

    @traitlets.observe("selected")
    def _go_to_picture(self, change: dict[str, Any]) -> None:
        if self.selected >= 0:
            self.z = self.pictures["codes"][self.selected]

    @traitlets.observe("z")
    def _find_picture(self, change: dict[str, Any]) -> None:
        codes = self.pictures.get("codes", [])
        self.selected = codes.index(self.z) if self.z in codes else -1

    def save_html(self, path: str | Path) -> None:
        """Write the explorer as it stands to one file that needs no kernel, no network and no other file.

        Without JavaScript it shows the traversal. Raises ``OSError`` when ``path`` cannot be written.
        """
        pictures = dict(self.pictures)
        if pictures:
            pictures["thumbs"] = b64encode(pictures["thumbs"]).decode()
        traits = {
            "weights": pack(self.weights),
            "vary": self.vary,
            "pictures": pictures,
            "z": self.z,
            "start": self.start,
        }
        name = self.card.get("name", "a model")
        script = f"{self._esm}\nfillPage();\n"
        page = Template((_WEB / "page.html").read_text(encoding="utf-8")).substitute(
            title=html.escape(f"Latent explorer: {name}"),
            alt=html.escape(f"Traversal of the {self.model.latent_dim} latents of {name}: a row of pictures for each."),
            style=self._css,
            style_hash=_hash(self._css),
            script=script,
            script_hash=_hash(script),
            traits=json.dumps(traits).replace("<", "\\u003c"),  # nothing in a card ends the element
            twin=b64encode(self.traversal("webp")).decode(),
        )
        with replacing(Path(path)) as part:
            part.write_text(page, encoding="utf-8")

    def traversal(self, kind: str = "jpeg") -> bytes:
        """Draw what each latent does from -3 to +3 in 15 steps: what stays where nothing can be moved."""
        used, unused = order(self.card)
        pictures = traverse(self.model, self.z, used + unused)
        with matplotlib.style.context(plots.STYLE):
            figure = Figure(figsize=(10, 1.2 + len(pictures) * 0.56))
            names = [label(self.card, i) for i in used + unused]
            labels = [name if len(name) <= 40 else f"{name[:39]}…" for name in names]  # a longer one leaves no room
            plots.plot_traversal(pictures, labels, values=np.linspace(-LIMIT, LIMIT, 15), ax=figure.subplots())
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=72, pil_kwargs={"quality": 50})
        return buffer.getvalue()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return data | {"image/jpeg": b64encode(self.traversal()).decode()}, metadata

    def _ipython_display_(self) -> None:
        """Show the explorer and, as an output of its own, the traversal: exporters choose one kind of each output."""
        data, metadata = self._repr_mimebundle_()
        picture = {"image/jpeg": data.pop("image/jpeg"), "text/plain": "the traversal"}
        display(data | {"text/plain": "LatentExplorer"}, metadata=metadata, raw=True)
        display(picture, raw=True)


def typical_code(model: VAE, card: dict[str, Any], images: Images | None = None) -> NDArray[np.floating]:
    """Return a code ``(latent_dim,)`` to begin with: an open hand's, the first image's, or a draw from the prior.

    Most of them draw a sharper picture than 0, the middle of the prior, where a decoder mixes what it has learned.
    """
    if card.get("data") == "hands" and model.channels == 1:
        return encode(model, hands.render(hands.neutral()[None], model.size))[0][0]
    if images:  # neither None nor empty
        return encode(model, images[:1])[0][0]
    return np.random.default_rng(0).normal(size=model.latent_dim)


def order(card: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Return the latents in use, the one with the highest KL first, and the ones that are not."""
    kl = [latent.get("kl", UNUSED) for latent in card["latents"]]
    ranked = sorted(range(len(kl)), key=lambda i: -kl[i])
    return [i for i in ranked if kl[i] >= UNUSED], [i for i in ranked if kl[i] < UNUSED]


def label(card: dict[str, Any], latent: int) -> str:
    """Name a latent: its meaning, where one was found, its number and its KL in nats."""
    entry = card["latents"][latent]
    name = "unused" if entry.get("kl", UNUSED) < UNUSED else entry.get("name", "")
    return " · ".join(
        [*([name] if name else []), f"z{latent}", *([f"{entry['kl']:.2f} nats"] if "kl" in entry else [])]
    )


def _checked(card: dict[str, Any], latent_dim: int) -> dict[str, Any]:
    """Return a copy of a card, if what is read of it can be used."""
    if not isinstance(card, dict):
        raise ValueError(f"card: need a dictionary, got {shortened(card)}")
    latents = card.get("latents", [{}] * latent_dim)
    if not isinstance(latents, list) or len(latents) != latent_dim or not all(map(_is_entry, latents)):
        raise ValueError(f"card: need latents with a dictionary for each of {latent_dim}, got {shortened(latents)}")
    vary = card.get("vary", [])
    if not isinstance(vary, list | tuple) or not all(isinstance(name, str) for name in vary):
        raise ValueError(f"card: need names of what varies, got {shortened(vary)}")
    return dict(card)


def _is_entry(entry: Any) -> bool:
    """Whether this can be what a card says of a latent: where they are there, a finite KL and a name."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name", ""), str):
        return False
    return isinstance(kl := entry.get("kl", 0), int | float) and abs(kl) < np.inf


def _components(mu: np.ndarray) -> list[list[float]]:
    """Return the two directions in which codes vary most."""
    return np.linalg.svd(mu - mu.mean(axis=0), full_matrices=False)[2][:2].round(4).tolist()


def _sheet(pictures: np.ndarray) -> bytes:
    """Return small copies of pictures, row by row on one square sheet, as WebP."""
    columns = int(np.ceil(np.sqrt(min(len(pictures), _PLACED))))
    sheet = Image.new("L" if pictures.shape[1] == 1 else "RGB", (columns * _SIDE, columns * _SIDE))
    for k, picture in enumerate(pictures[:_PLACED]):
        small = Image.fromarray(picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)).resize((_SIDE, _SIDE))
        sheet.paste(small, (k % columns * _SIDE, k // columns * _SIDE))
    buffer = io.BytesIO()
    sheet.save(buffer, "webp", quality=70)
    return buffer.getvalue()


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
